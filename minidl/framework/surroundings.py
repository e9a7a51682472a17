"""What a function can reach: names for its tensors, and what it takes for granted.

From the arguments, the closure and the globals that a function names, on through
attributes and containers. The plain values met on the way, numbers, strings and truth
values, are what a trace has decided upon: a `Surroundings` notices if one changes. It
doesn't look into containers' lengths, nor into the code of other modules. (Chapter 7.)
"""

import functools
import types
from collections import deque

from .create import Generator
from .tensor import Tensor

PLAIN = (int, float, bool, str, type(None))
PACKAGE = __name__.split(".")[0]
COUNT = "the count of attributes"
MOST = 100_000  # objects: far more than a model has


def is_plain(value):
    return isinstance(value, PLAIN) or (
        isinstance(value, tuple) and all(map(is_plain, value))
    )


class Surroundings:
    """The objects that `function` can reach with these arguments."""

    def __init__(self, function, args, kwargs):
        self.names = {}  # {id(tensor): its name}
        self.seen, self.mappings = {}, []  # objects; (name, mapping, plain values)
        self.queue = deque(self.arguments(function, args, kwargs))
        self.queue.append(("", function))
        while self.queue and len(self.seen) < MOST:
            self.visit(*self.queue.popleft())

    def arguments(self, function, args, kwargs):
        code = getattr(function, "__code__", None)
        names = code.co_varnames if code else ()
        for i, value in enumerate(args):
            yield (names[i] if i < len(names) else f"argument{i}"), value
        yield from kwargs.items()

    def visit(self, name, value):
        if is_plain(value) or id(value) in self.seen:
            return
        self.seen[id(value)] = value
        if isinstance(value, Tensor):
            self.names[id(value)] = name
        else:
            self.queue.extend(self.inside(name, value))

    def inside(self, name, value):
        """(name, part) for all that `value` holds."""
        if isinstance(value, list | tuple):
            return [(f"{name}[{i}]", part) for i, part in enumerate(value)]
        if isinstance(value, dict):
            return [(self.entry(name, key), part) for key, part in value.items()]
        if isinstance(value, functools.partial):
            return [(name, value.func), (name, value.args), (name, value.keywords)]
        if isinstance(value, types.MethodType):
            return [(name or "self", value.__self__), (name, value.__func__)]
        if isinstance(value, types.FunctionType):
            return self.inside_function(value)
        if isinstance(value, type | types.ModuleType | Generator):
            return []
        return self.inside_object(name, value)

    def entry(self, name, key):
        if isinstance(key, Tensor):  # as in an optimiser's state
            return self.names.get(id(key), name)
        return f"{name}.{key}" if name else str(key)

    def inside_function(self, function):
        if function.__module__.split(".")[0] == PACKAGE:
            return []
        code = function.__code__
        cells = zip(code.co_freevars, function.__closure__ or ())
        found = {}
        for name, cell in cells:
            found[name] = cell
            self.mappings.append((name, Cell(cell), {"value": Cell(cell).get("value")}))
        named = {k: v for k, v in function.__globals__.items() if k in code.co_names}
        plain = {k: v for k, v in named.items() if is_plain(v)}
        self.mappings.append(("", function.__globals__, plain))
        inner = {k: Cell(cell).get("value") for k, cell in found.items()}
        return [*inner.items(), *named.items()]

    def inside_object(self, name, value):
        held = getattr(value, "__dict__", None)
        if not isinstance(held, dict):
            return []
        plain = {k: v for k, v in held.items() if is_plain(v) or is_tensor(v)}
        self.mappings.append((name, Attributes(held), {**plain, COUNT: len(held)}))
        return [(f"{name}.{k}" if name else k, v) for k, v in held.items()]

    def restore(self):
        """Puts plain values back to what they were."""
        for _, mapping, plain in self.mappings:
            for key, value in plain.items():
                if is_plain(value) and mapping.get(key) != value and key != COUNT:
                    mapping[key] = value

    def change(self):
        """What is no more as it was, in words; None where all is."""
        for name, mapping, plain in self.mappings:
            for key, value in plain.items():
                now = mapping.get(key, "nothing")
                if now is not value and not (is_plain(now) and now == value):
                    place = (f"{name}.{key}" if name else key).removesuffix(".value")
                    return f"{place} went from {value!r:.40} to {now!r:.40}"
        return None


def is_tensor(value):
    return isinstance(value, Tensor)


class Attributes:
    """An object's attributes, and how many there are."""

    def __init__(self, held):
        self.held = held

    def get(self, key, default=None):
        return len(self.held) if key == COUNT else self.held.get(key, default)

    def __setitem__(self, key, value):
        self.held[key] = value


class Cell:
    """A closure's variable as a mapping of one entry, "value"."""

    def __init__(self, cell):
        self.cell = cell

    def get(self, key, default=None):
        try:
            return self.cell.cell_contents
        except ValueError:  # empty as yet
            return default

    def __setitem__(self, key, value):
        self.cell.cell_contents = value
