"""Variables: an optimiser's mapping as a traced program sees it. (Chapter 7.)"""

from collections.abc import MutableMapping

from ..op import stack
from ..tensor import Tensor
from .number import Number
from .place import refuse


class Variables(MutableMapping):
    """A mapping of an optimiser's, whose numbers are read anew in each call.

    What is stored under a key is stored after each call.
    """

    def __init__(self, trace, kept):
        self.trace, self.kept, self.stored = trace, kept, {}

    def __getitem__(self, key):
        return self.stored[key] if key in self.stored else self.read(key)

    def get(self, key, default=None):
        if key in self.kept or key in self.stored:
            return self[key]
        return self.read(key, default) if is_number(default) else default

    def read(self, key, *default):
        kept, value = self.kept, self.kept.get(key, *default)
        if is_number(value):
            self.stored[key] = Number(
                lambda: kept.get(key, *default), value, self.trace, (id(kept), key)
            )
            return self.stored[key]
        if key not in kept:
            raise KeyError(key)
        if isinstance(value, bool | str | tuple | None):
            guard = lambda: kept.get(key) == value, f"{key} is {value}"  # noqa: E731
            self.trace.guards[id(kept), key] = guard
        return value

    def __setitem__(self, key, value):
        if isinstance(value, Tensor):
            self.kept[key] = value
        else:
            self.stored[key] = value
            self.trace.stores.append((self.kept, key, value))

    def __delitem__(self, key):
        refuse(f"takes `{key}` away", "leave what an optimiser keeps in its place")

    def __iter__(self):
        return iter({**self.kept, **self.stored})

    def __len__(self):
        return len({**self.kept, **self.stored})


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def variables(mapping):
    """`mapping`, or while a program is traced, one whose numbers stay variable."""
    if stack.recorder is None:
        return mapping
    seen = stack.recorder.mappings
    if id(mapping) not in seen:
        seen[id(mapping)] = Variables(stack.recorder, mapping)
    return seen[id(mapping)]
