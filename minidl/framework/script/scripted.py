"""script: a function that is read, once for each signature, and kept as a graph.

Called, it runs the graph node by node on tensors, and the tape sees what it does: so it
has gradients, through the branch that is taken and the rounds that are run. In another
trace it gives its nodes to that. (Chapter 7.)
"""

import inspect
import types
from dataclasses import replace
from functools import cached_property, update_wrapper

from .. import graph as graphs
from ..control.absorb import absorbed
from ..op import stack
from ..surroundings import Surroundings
from ..tape import no_grad
from ..tensor import Tensor
from ..trace.capture import capture, tensors_in
from .check import check
from .language import perform
from .running import run
from .source import ScriptError, Source, outline


class Scripted:
    """`function`, read into graphs. `tokens`, `tree` and `graph` show each stage.

    `max_steps` bounds every loop whose condition is a tensor's. The tape is off while
    the function is read: for a gradient within it, use `vjp`.
    """

    def __init__(self, function, max_steps=None):
        forward = getattr(type(function), "forward", None)  # a module's
        function = types.MethodType(forward, function) if forward else function
        self.function = function
        self.plain = getattr(function, "__func__", function)
        update_wrapper(self, self.plain)
        self.source, self.max_steps = Source(self.plain), max_steps
        self.captures = {}  # {signature: (Captured, Surroundings)}
        self.latest = None

    def __get__(self, owner, kind=None):
        return self if owner is None else types.MethodType(self, owner)

    def __call__(self, *args, **kwargs):
        args, kwargs = self.bound(args, kwargs)
        if stack.recorder is not None:
            return perform(self.function, args, kwargs, self.max_steps)
        self.latest = self.captured(args, kwargs)
        return run(self.latest, list(tensors_in((args, kwargs))))

    def bound(self, args, kwargs):
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def captured(self, args, kwargs):
        """The program for such arguments, read now or before.

        It is read again where what it took for granted, a number that it met, has
        changed since.
        """
        key = signature_of((args, kwargs))
        kept, around = self.captures.get(key, (None, None))
        if kept is None or around.change() or not all(h() for h, _ in kept.guards):
            around = Surroundings(self.function, args, kwargs)
            kept = self.read(args, kwargs, around.names)
            self.captures[key] = kept, around
        return kept

    def read(self, args, kwargs, names):
        @no_grad()
        def whole(*args, **kwargs):
            return perform(self.function, args, kwargs, self.max_steps)

        kept = capture(whole, args, kwargs, names)
        if kept.grads or kept.stores:
            raise ScriptError(
                f"{self.__name__} sets gradients or an optimiser's state: script what "
                "computes the loss, and compile the step"
            )
        return replace(kept, graph=graphs.check(absorbed(kept.graph)))

    # ---- what it went through

    @property
    def tokens(self):
        return Listing(map(str, self.source.tokens))

    @cached_property
    def tree(self):
        return Listing(outline(self.source.definition))

    @property
    def graph(self):
        """The graph of the latest call; of `graph_for(*args)` without one."""
        if self.latest is None:
            raise ScriptError(
                f"{self.__name__} has a graph once it is known for which shapes: call "
                "it, or ask for graph_for(*arguments)"
            )
        return self.latest.graph

    def graph_for(self, *args, **kwargs):
        """The graph for such arguments; nothing is computed."""
        self.latest = self.captured(*self.bound(args, kwargs))
        return self.latest.graph

    def check(self, *types):
        """The type of the result, for symbolic types of the arguments; see `check`."""
        return check(self.function, *types)

    def __repr__(self):
        return f"<scripted {self.__name__} at {self.source.file}:{self.source.first}>"


class Listing(tuple):
    """Lines of text, which print as such."""

    def __repr__(self):
        return "\n".join(self)


def script(function=None, max_steps=None):
    """`function` as Scripted. A decorator too: `@script`, `@script(max_steps=9)`."""
    if function is None:
        return lambda function: Scripted(function, max_steps)
    return Scripted(function, max_steps)


def signature_of(value, seen=None):
    """What of the arguments a graph depends on: types of tensors, values of others."""
    seen = {} if seen is None else seen
    if isinstance(value, Tensor):
        number = seen.setdefault(id(value), len(seen))  # f(x, x) is not f(x, y)
        return (number, value.shape, value.dtype, value.device.name)
    if isinstance(value, tuple | list):
        return (type(value), *[signature_of(v, seen) for v in value])
    if isinstance(value, dict):
        return tuple((k, signature_of(v, seen)) for k, v in value.items())
    try:
        return type(value), hash(value) and value
    except TypeError:
        return type(value), id(value)
