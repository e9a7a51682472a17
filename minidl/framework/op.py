"""Op, one row of the table of operations, and `apply`, the one way to run a row.

Whatever a program computes, it computes by `apply(op, *inputs, **attrs)`. Handlers
stand in a stack: each sees every operation, may look on or take over, and passes on by
calling `apply` again, which then reaches the handler below it. At the bottom stands the
tape, a handler that evaluates and records, or `evaluate` alone. (Chapter 1.)
"""

import inspect
import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy import ndarray  # looked up once, for speed

from ..hardware.registry import device_of
from . import shapes as rules
from .dtypes import HALVES, float32

# As in IEEE 754, 1 / 0 is inf and 0 / 0 is nan; they are results, not warnings.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minidl\.")
# NumPy's sum method warns from a module of its own, of inf - inf.
warnings.filterwarnings("ignore", "invalid value encountered in reduce", RuntimeWarning)


@dataclass(frozen=True, eq=False)
class Op:
    """All there is to know about one operation.

    A gradient rule asks for what it needs by the names of its parameters: `g` (the
    gradient of the result), `out` (the result), any input or attribute by name,
    `shapes` (of all inputs), and in the one rule of a variadic operation `i` (which
    input). The tape keeps only what some rule names. Rules are written in operations
    themselves, so they can be differentiated again. A rule may answer in the broadcast
    shape.
    """

    name: str
    eval: Callable  # (xp, *arrays, **attrs) -> array, xp being numpy or cupy
    shape: Callable = (
        rules.same
    )  # (*shapes, **attrs) -> shape; ValueError if they misfit
    dtype: Callable = rules.first_dtype  # (*dtypes, **attrs) -> dtype
    vjp: Callable | tuple = ()  # one rule for each input, in order; None: no gradient
    flops: Callable = rules.one_per_result  # (shape of result, *shapes, **attrs) -> int
    view: bool = False  # the result reads its input's memory: no byte moves
    writes: tuple = ()  # the inputs it writes into; the first of them is its result
    composed: Callable | None = None  # (*tensors, **attrs): the same by other rows

    def __post_init__(self):
        if callable(self.vjp):
            object.__setattr__(self, "vjp", (self.vjp,))
        elif not isinstance(self.vjp, tuple):
            rules_given = tuple(self.vjp) if isinstance(self.vjp, list) else (self.vjp,)
            object.__setattr__(self, "vjp", () if self.vjp is None else rules_given)
        object.__setattr__(self, "signature", Signature(self))

    def __call__(self, *inputs, **attrs):
        return apply(self, *inputs, **attrs)

    def __repr__(self):
        return f"Op({self.name})"


class Signature:
    """The names of an op's inputs, and which of them each gradient rule asks for."""

    def __init__(self, op):
        parameters = list(inspect.signature(op.eval).parameters.values())[1:]
        kinds = inspect.Parameter
        self.inputs = [
            p.name for p in parameters if p.kind == kinds.POSITIONAL_OR_KEYWORD
        ]
        rest = [p.name for p in parameters if p.kind == kinds.VAR_POSITIONAL]
        self.rest = rest[0] if rest else None
        attrs = [p.name for p in parameters if p.kind == kinds.KEYWORD_ONLY]
        taken = {"g", "out", "shapes", "i"} & {*self.inputs, *rest, *attrs}
        if taken and op.vjp:  # a rule could not tell which of the two it gets
            raise TypeError(f"{op.name}: an input can't be called {', '.join(taken)}")
        self.check_count(op)
        known = {*self.inputs, *rest, *attrs, "g", "out", "shapes", "i"}
        self.asks = [rule and self.names(op, rule, known) for rule in op.vjp]
        self.cache = {}

    def check_count(self, op):
        """TypeError unless there is no rule, or one (or None) for each input."""
        rules_wanted = len(self.inputs) + (self.rest is not None)
        if op.vjp and len(op.vjp) != rules_wanted:
            raise TypeError(
                f"{op.name}: {rules_wanted} inputs, {len(op.vjp)} gradient rules; "
                "give one for each input, None where it has no gradient"
            )
        for rule in op.vjp:
            if rule is not None and not callable(rule):
                raise TypeError(
                    f"a gradient rule of {op.name} is no function: {rule!r}"
                )

    @staticmethod
    def names(op, rule, known):
        names = tuple(inspect.signature(rule).parameters)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise TypeError(
                f"a gradient rule of {op.name} asks for {', '.join(unknown)}; "
                f"a rule may ask for {', '.join(sorted(known))}"
            )
        return names

    def rule_index(self, i):
        """Which rule serves input `i`; the last serves all inputs of a `*rest`."""
        if self.rest is not None and i >= len(self.inputs):
            i = len(self.inputs)
        return i if i < len(self.asks) and self.asks[i] else None

    def needs(self, wanted):
        """(inputs to keep, keep the result?) to differentiate the `wanted` inputs.

        `wanted` is a tuple with a truth value for each input.
        """
        if wanted not in self.cache:
            served = [self.rule_index(i) for i, want in enumerate(wanted) if want]
            names = {name for r in served if r is not None for name in self.asks[r]}
            keep = tuple(self.name_of(i) in names for i in range(len(wanted)))
            self.cache[wanted] = (
                keep,
                "out" in names,
                any(r is not None for r in served),
            )
        return self.cache[wanted]

    def name_of(self, i):
        return self.inputs[i] if i < len(self.inputs) else self.rest


class Stack(threading.local):
    """The handlers in force in this thread, the innermost block's last."""

    handlers = ()
    bottom = None  # who answers when no handler is left: the tape, or `evaluate`
    recorder = None  # of a trace under way: it makes nodes in place of results


stack = Stack()


def apply(op, *inputs, **attrs):
    """What `op` gives on tensors `inputs`: the top handler's answer."""
    handlers = stack.handlers
    if not handlers:
        return stack.bottom(op, inputs, attrs)
    stack.handlers = handlers[:-1]
    try:
        return handlers[-1](op, inputs, attrs)
    finally:
        stack.handlers = handlers


@contextmanager
def handling(handler):
    """In the block, each operation goes to `handler(op, inputs, attrs)` first.

    The handler returns the result, as a rule that of `apply(op, *inputs, **attrs)`.
    """
    outside = stack.handlers
    stack.handlers = (*outside, handler)
    try:
        yield handler
    finally:
        stack.handlers = outside


def composed():
    """In the block, operations that are made of others run as those others."""

    def expand(op, inputs, attrs):
        if op.composed is None:
            return apply(op, *inputs, **attrs)
        with handling(expand):
            return op.composed(*inputs, **attrs)

    return handling(expand)


MISTAKES = (ValueError, TypeError, IndexError, AttributeError)


def evaluate(op, inputs, attrs):
    """The result of `op`, computed now by the device that holds the inputs."""
    if stack.recorder is not None:
        return stack.recorder.record(op, inputs, attrs)
    try:
        first = inputs[0]
        xp = np if isinstance(first.data, ndarray) else first.device.xp
        # The commonest call is spelt out: it is twice as fast so.
        if first.data.dtype in HALVES and xp is np and not op.view:
            data = evaluate_widened(op, inputs, attrs)
        elif len(inputs) == 2 and not attrs:
            data = op.eval(xp, first.data, inputs[1].data)
        else:
            data = op.eval(xp, *[x.data for x in inputs], **attrs)
    except MISTAKES as error:
        explain(op, inputs, attrs)
        raise in_words(error, op, inputs) from error
    if op.writes:
        for i in op.writes:
            inputs[i].version[0] += 1
    elif not op.view:
        return first.wrap(data)
    shared = owner(data) is owner(first.data)
    return first.wrap(data, first.version if shared else None)


def evaluate_widened(op, inputs, attrs):
    """The result of `op` on 16-bit floats, for which the CPU has no arithmetic.

    They are stored in 16 bits; a row computes in float32, and its result is rounded
    once, as in the matrix units of a GPU.
    """
    dtype = op.dtype(*[x.dtype for x in inputs], **attrs)
    wide = [x.data.astype(float32) if x.dtype in HALVES else x.data for x in inputs]
    data = op.eval(np, *wide, **attrs)
    for i in op.writes:
        inputs[i].data[...] = wide[i]
    return inputs[op.writes[0]].data if op.writes else np.asarray(data, dtype)


Stack.bottom = staticmethod(evaluate)  # in every thread, until autodiff lays its tape


def owner(array):
    """The object that owns the memory which `array` reads."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def is_writable(array):
    """Whether `array` may be written into; NumPy can forbid it, CuPy never does."""
    return getattr(array.flags, "writeable", True)


def explain(op, inputs, attrs):
    """Raises the error that names the mistake, where the op's own rules see one."""
    strangers = [type(x).__name__ for x in inputs if not hasattr(x, "wrap")]
    if strangers or not inputs:
        found = ", ".join(strangers) or "nothing"
        raise TypeError(f"{op.name} of {found}: an operation is applied to tensors")
    places = {device_of(x.data).name for x in inputs}
    if len(places) > 1:
        raise ValueError(
            f"{call_text(op, inputs)}: inputs are on {' and '.join(sorted(places))}; "
            "move them together with .to(device)"
        )
    try:
        op.shape(*[x.shape for x in inputs], **attrs)
        op.dtype(*[x.dtype for x in inputs], **attrs)
    except MISTAKES as error:
        raise in_words(error, op, inputs) from None


def in_words(error, op, inputs):
    """`error` with the operation and its operands named in front."""
    # NumPy's own kinds of TypeError are not made from one sentence.
    kind = TypeError if isinstance(error, TypeError) else type(error)
    return kind(f"{call_text(op, inputs)}: {error}")


def call_text(op, inputs):
    """An operation and its operands in words, `add (3, 4) float32, (4,) float32`."""
    return f"{op.name} " + ", ".join(f"{tuple(x.shape)} {x.dtype}" for x in inputs)
