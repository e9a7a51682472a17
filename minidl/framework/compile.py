"""compile: a training step captured once, and from then on run as a program.

The first call with arguments of some shapes traces the function, optimises and fuses
its graph, generates kernels and plans memory. Later calls check that what the trace
took for granted still holds, put the arguments in place and run. (Chapters 7 to 9.)
"""

import sys
import time
from dataclasses import dataclass, replace
from functools import update_wrapper

from .explanation import Explanation
from .op import stack
from .passes import decompose, optimise
from .passes.dense import dense
from .passes.fuse import fuse
from .passes.joins import join_parts
from .passes.layout import layout
from .session import Session
from .surroundings import Surroundings
from .tape import is_recording
from .tensor import Tensor
from .trace.capture import capture, tensors_in
from .trace.place import TraceError

MOST_VARIANTS = 8  # of one signature, before it is clear that something always changes


@dataclass
class Variant:
    """A function compiled for one signature and one state of its surroundings."""

    signature: tuple
    captured: object
    fused: object
    session: Session
    surroundings: Surroundings
    seconds: float

    def broken(self):
        """What the trace took for granted and is so no more, in words; else None."""
        for holds, words in self.captured.guards:
            if not holds():
                return words
        return self.surroundings.change() or self.session.broken()


class Compiled:
    """`function`, to be called as before. `explain()` says what became of it."""

    def __init__(self, function, fallback=False):
        update_wrapper(self, function)
        self.function, self.fallback = function, fallback
        self.variants = {}  # {signature: [Variant]}, the latest last
        self.refused = {}  # {signature: why it runs eagerly}

    def __call__(self, *args, **kwargs):
        if stack.handlers or stack.recorder is not None:
            return self.function(*args, **kwargs)  # somebody looks on at each operation
        tensors = list(tensors_in((args, kwargs)))
        signature = signature_of((args, kwargs), is_recording(), same_ones(tensors))
        if signature in self.refused:
            return self.function(*args, **kwargs)
        reason = "a new signature" if self.variants else None
        for variant in self.variants.get(signature, ())[::-1]:
            reason = variant.broken()
            if reason is None:
                return variant.session.run(tensors)
        return self.first(signature, reason, args, kwargs)

    def first(self, signature, reason, args, kwargs):
        """The first call of a variant: compiles, then runs."""
        if reason:
            print(f"{self.name} is compiled again: {reason}", file=sys.stderr)
        try:
            variant = compiled(self.function, signature, args, kwargs)
        except TraceError as error:
            if not self.fallback:
                raise
            return self.give_up(signature, str(error), args, kwargs)
        known = self.variants.setdefault(signature, [])
        if len(known) == MOST_VARIANTS:
            return self.give_up(signature, f"in each call, {reason}", args, kwargs)
        known.append(variant)
        return variant.session.run(list(tensors_in((args, kwargs))))

    def give_up(self, signature, reason, args, kwargs):
        self.refused[signature] = reason
        print(f"{self.name} runs eagerly: {reason}", file=sys.stderr)
        return self.function(*args, **kwargs)

    @property
    def name(self):
        return getattr(self.function, "__name__", type(self.function).__name__)

    def explain(self):
        """What was captured, fused and not, for each signature, to print."""
        return Explanation(self.name, self.variants, self.refused)


def compile(function=None, *, fallback=False):
    """`function` compiled at its first call, and again for arguments of other shapes.

    It computes what it computed before: results, `.grad`s, and in place what it wrote
    to tensors. Raises TraceError, which names the line, where it needs the elements of
    a tensor; with `fallback` it then runs as it is.

    It is compiled again where a plain value that it can reach has changed: in its
    closure, the globals it names, attributes of its objects. What it reads out of
    lists and dicts, or other modules read for it, is taken as it was. On the CPU.
    """
    if function is None:
        return lambda f: compile(f, fallback=fallback)
    return Compiled(function, fallback)


def signature_of(value, *more):
    """What a compiled program depends on of its arguments."""
    if isinstance(value, Tensor):
        return value.shape, value.dtype.str, value.requires_grad, value.device.name
    if isinstance(value, tuple | list):
        return (type(value), *map(signature_of, value), *more)
    if isinstance(value, dict):
        return (*value, *map(signature_of, value.values()))
    return value if isinstance(value, int | float | str | None) else Held(value)


def same_ones(tensors):
    """Which of the tensors are one and the same."""
    ids = [id(x) for x in tensors]
    return tuple(map(ids.index, ids)) if len(set(ids)) < len(ids) else None


class Held:
    """An object by identity, kept so that its identity stays its own."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return id(self.value)

    def __eq__(self, other):
        return isinstance(other, Held) and other.value is self.value


def compiled(function, signature, args, kwargs):
    """The Variant for these arguments."""
    start = time.perf_counter()
    around = Surroundings(function, args, kwargs)
    captured = captured_whole(function, args, kwargs, around)
    fused = fuse(
        dense(optimise(join_parts(layout(optimise(decompose(captured.graph))))))
    )
    session = Session(captured, fused)
    return Variant(
        signature, captured, fused, session, around, time.perf_counter() - start
    )


def refuse_changes(around):
    """TraceError where the traced function has changed a plain value; puts it back."""
    changed = around.change()
    if changed:
        around.restore()
        raise TraceError(
            f"the function changes what is not a tensor, {changed}: compiled, it would "
            "do so once and not in each call; do it outside of the function"
        )


def captured_whole(function, args, kwargs, around):
    """The program as Captured, and whether it adds to gradients that are there.

    It is traced once as things stand, and once with a gradient in every leaf. Where
    the second graph reads none of these, gradients of before don't matter.
    """
    captured = capture(function, args, kwargs, around.names)
    refuse_changes(around)
    leaves = [leaf for leaf, _ in captured.grads]
    given = capture(function, args, kwargs, around.names, leaves)
    added = [x for x, s in zip(given.graph.inputs, given.sources)
             if s.kind == "grad" and s.of in set(leaves)]  # fmt: skip
    if not any(given.graph.users[x] for x in added):
        return captured
    present = [leaf.grad is not None for leaf in leaves]
    if any(present) != all(present):
        raise TraceError("some leaves have a gradient to add to, and some have none")
    wanted = all(present)
    words = "gradients that the leaves have before the call"
    guard = lambda: all((p.grad is not None) == wanted for p in leaves), words  # noqa: E731
    chosen = given if wanted else captured
    return replace(chosen, guards=(*chosen.guards, guard))
