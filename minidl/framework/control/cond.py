"""cond: one of two graphs runs, and the truth value says which. (Chapter 7.)

    cond(pred, *operands; then, otherwise)

Both take all operands and give results of the same types. The gradient is a cond again:
of the branches' gradients.
"""

from ..graph import replay
from .pull import pulled
from .several import several
from .types import (
    dtypes_of,
    fit,
    floating,
    listed,
    one_element,
    shapes_of,
    truth_value,
    types,
)


def cond_shape(pred, *operands, then, otherwise):
    one_element(pred)
    fit(then, operands, "the first branch")
    fit(otherwise, operands, "the second branch")
    if types(then.outputs) != types(otherwise.outputs):
        raise ValueError(
            f"one branch gives {listed(then.outputs)}, the other gives "
            f"{listed(otherwise.outputs)}"
        )
    return shapes_of(then.outputs)


def cond_dtype(pred, *operands, then, otherwise):
    truth_value(pred)
    return dtypes_of(then.outputs)


def run(pred, *operands, then, otherwise):
    return replay(then if bool(pred) else otherwise, operands)


def gradient(gs, outs, operands, then, otherwise):
    pred, *operands = operands
    given = [g for g in gs if g is not None]
    found = cond.composed(
        pred, *operands, *given, then=pulled(then), otherwise=pulled(otherwise)
    )
    answers = dict(zip(floating(operands), found))
    return [None, *[answers.get(i) for i in range(len(operands))]]


cond = several(
    "cond",
    run,
    gradient,
    shape=cond_shape,
    dtype=cond_dtype,
    flops=lambda result, *shapes, then, otherwise: max(then.flops, otherwise.flops),
)
