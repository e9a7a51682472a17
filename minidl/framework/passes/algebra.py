"""The rules of arithmetic, as rows: what a sum, product or choice may become.

Floating-point arithmetic obeys fewer laws than algebra. Each row says what it keeps and
why it holds. Rows that one might expect and that are wrong:

    x * 0 = 0        inf * 0 and nan * 0 are nan (for integers it is a row)
    x - x = 0        inf - inf is nan
    x / x = 1        0 / 0 is nan
    log(exp(x)) = x  exp overflows to inf where x does not
    exp(log(x)) = x  log of a negative number is nan (a row where x can't be one)
    (x + y) + z = x + (y + z)  rounds otherwise by any amount; only constants combine
    matmul(transpose(x), y)    stays: BLAS reads a transpose at no cost

(Chapter 8.)
"""

from math import frexp, isfinite

import numpy as np

from .. import ops
from ..dtypes import is_float
from ..graph import CONSTANT, constant, make
from .pattern import anything, filled, of, scalar, value_of
from .rewrite import EXACT, ROUNDS, SIGN, Rule
from .signs import is_nonnegative

x, y, z = anything("x"), anything("y"), anything("z")
c, d = scalar("c"), scalar("d")
positive = anything("x", when=is_nonnegative)
real = anything("x", when=lambda node: is_float(node.dtype))
whole = anything("x", when=lambda node: not is_float(node.dtype))
truth = anything("x", when=lambda node: node.dtype.kind == "b")


def minus(pattern):
    return of(ops.neg, pattern)


def apply(op, node, *inputs):
    """`op` on `inputs`, from the same line of the program as `node`."""
    return make(op, inputs, where=node.where)


def combined(op):
    """The replacement of x op c op d: x op (c op d), where that constant is sound.

    Where it overflows or underflows and c and d did not, the rule declines.
    """

    def replacement(node, x, c, d):
        both = op.eval(np, c.attrs["value"].reshape(()), d.attrs["value"].reshape(()))
        merged = constant(np.asarray(both, node.dtype), node.where)
        lost = op is ops.mul and value_of(merged) == 0
        return apply(op, node, x, merged) if sound(merged) and not lost else None

    return replacement


def sound(node):
    """Whether a constant is finite and not so small that it has lost digits."""
    size = abs(value_of(node))
    least = float(np.finfo(node.dtype).tiny) if node.dtype.kind == "f" else 2.0**-126
    return size == 0 or (isfinite(size) and size >= least)


def by_reciprocal(exact):
    """The replacement of x / c: x times 1 / c, where that is as good."""

    def replacement(node, x, c):
        divisor = value_of(c)
        if not isfinite(divisor) or divisor == 0:
            return None
        if exact and abs(frexp(divisor)[0]) != 0.5:
            return None
        inverse = filled(1 / divisor, node)
        kept = sound(inverse) and value_of(inverse) != 0
        return apply(ops.mul, node, x, inverse) if kept else None

    return replacement


def opposite(c):
    return constant(-c.attrs["value"], c.where)


def negated(node, x, c):
    return apply(node.op, node, x, opposite(c))


def added_negative(node, x, c):
    return apply(ops.add, node, x, opposite(c))


def chosen(node, c, x, y):
    """The branch that a condition, a constant of one truth value, always takes."""
    truths = c.attrs["value"]
    return x if truths.all() else None if truths.any() else y


def nothing(node, x):
    return filled(0, node)


def one(node, x):
    return filled(1, node)


def known(name):
    """A constant of any shape and dtype."""
    return of(CONSTANT, name=name)


SUMS = [
    Rule("x + 0 = x", x + 0, x, SIGN, "-0 + 0 is 0; else nothing is rounded"),
    Rule("x - 0 = x", x - 0, x, EXACT, "-0 - 0 is -0 too"),
    Rule("-(-x) = x", minus(minus(x)), x, EXACT, "a sign turns twice"),
    Rule("x + -y = x - y", x + minus(y), x - y, EXACT, "that defines subtraction"),
    Rule("x - -y = x + y", x - minus(y), x + y, EXACT, "the same, twice"),
    Rule("x - c = x + (-c)", x - c, added_negative, EXACT, "sums with c then combine"),
    Rule(
        "(x + c) + d = x + (c + d)",
        (x + c) + d,
        combined(ops.add),
        ROUNDS,
        "rounds once less: c + d is rounded once, for good",
    ),
]

PRODUCTS = [
    Rule("x * 1 = x", x * 1, x, EXACT, "nothing is rounded; nan stays nan"),
    Rule("x / 1 = x", x / 1, x, EXACT, "nothing is rounded"),
    Rule("x * -1 = -x", x * -1, minus(x), EXACT, "only a sign turns"),
    Rule(
        "-x * c = x * -c",
        minus(x) * c,
        negated,
        EXACT,
        "a sign is the product of signs",
    ),
    Rule("x * 0 = 0, integers", whole * 0, nothing, EXACT, "they have no inf, no nan"),
    Rule(
        "(x * c) * d = x * (c * d)",
        (x * c) * d,
        combined(ops.mul),
        ROUNDS,
        "rounds once less; x * c could overflow where the result does not",
    ),
    Rule(
        "x / c = x * (1 / c), c = 2^k",
        x / c,
        by_reciprocal(exact=True),
        EXACT,
        "1 / c has no rounding, so both round the same number",
    ),
    Rule(
        "x / c = x * (1 / c)",
        x / c,
        by_reciprocal(exact=False),
        ROUNDS,
        "rounds twice rather than once: up to two units in the last place off",
    ),
]

POWERS = [
    Rule("x ** 0 = 1", real**0, one, EXACT, "IEEE 754: nan ** 0 is 1 as well"),
    Rule("x ** 1 = x", x**1, x, EXACT, "nothing is rounded"),
    Rule("x ** 2 = x * x", x**2, x * x, ROUNDS, "a product rounds once, a power may"),
    Rule("x ** 3 = x * x * x", x**3, x * x * x, ROUNDS, "two products round twice"),
    Rule(
        "x ** 4 = (x * x)^2", x**4, (x * x) * (x * x), ROUNDS, "and so do two squares"
    ),
    Rule("x ** -1 = 1 / x", real**-1, 1 / x, ROUNDS, "also at 0 and at inf"),
    Rule(
        "x ** 0.5 = sqrt(x), x >= 0",
        positive**0.5,
        of(ops.sqrt, x),
        ROUNDS,
        "(-inf) ** 0.5 is inf and its root nan, so only where x has no sign",
    ),
    Rule(
        "exp(log(x)) = x, x >= 0",
        of(ops.exp, of(ops.log, positive)),
        x,
        ROUNDS,
        "also for 0, through -inf, and inf; closer to x than what was computed",
    ),
]

CHOICES = [
    Rule("where(c, x, y), c known", of(ops.where, known("c"), x, y), chosen, EXACT,
         "one of the branches is never read"),
    Rule("where(c, x, x) = x", of(ops.where, z, x, x), x, EXACT, "either way"),
    Rule("where(not x, y, z) = where(x, z, y)",
         of(ops.where, of(ops.logical_not, truth), y, z), of(ops.where, x, z, y),
         EXACT, "the branches change places"),
    Rule("not not x = x", of(ops.logical_not, of(ops.logical_not, truth)), x, EXACT,
         "of truth values; of numbers it would make truth values"),
    Rule("maximum(x, x) = x", of(ops.maximum, x, x), x, EXACT, "nan too"),
    Rule("relu(relu(x)) = relu(x)", of(ops.relu, of(ops.relu, x)), of(ops.relu, x),
         EXACT, "the first left nothing below 0"),
    Rule("abs(x) = x, x >= 0", of(ops.abs, positive), x, SIGN,
         "it has no sign to lose"),
]  # fmt: skip

ALGEBRA = SUMS + PRODUCTS + POWERS + CHOICES
