"""Patterns of nodes, written as the expressions that they match.

A pattern is an operation on patterns, a name for any node, or a number. Python's
operators make them, so that a row of a rewrite table reads like algebra:

    x, c = anything("x"), scalar("c")
    x + x * 1               # x is captured, and is one node in both places
    (x * c) * 2             # c is a constant of one element, 2 a constant of twos
    of(ops.reshape, x)      # any row of the table, with any attributes

Sums and products match in either order of their operands. (Chapter 8.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import copysign

from .. import ops
from ..dtypes import is_float
from ..graph import CONSTANT, constant, make
from ..op import Op

COMMUTE = {ops.add, ops.mul, ops.eq, ops.logical_and}  # bit for bit; not so maximum


@dataclass(frozen=True, eq=False)
class Pattern:
    """What a node must be: one of `ops` on `inputs`, called `name`, if `when` holds.

    No `ops` is any operation, no `inputs` is any inputs. With `once`, only a node that
    one other reads: rewriting it does not leave the old one behind.
    """

    name: str = ""
    ops: tuple = ()
    inputs: tuple = ()
    when: Callable | None = None  # node -> bool
    number: float | None = None
    once: bool = False

    def __add__(self, other):
        return of(ops.add, self, other)

    def __sub__(self, other):
        return of(ops.sub, self, other)

    def __mul__(self, other):
        return of(ops.mul, self, other)

    def __truediv__(self, other):
        return of(ops.div, self, other)

    def __rtruediv__(self, other):
        return of(ops.div, other, self)

    def __pow__(self, other):
        return of(ops.pow, self, other)


def anything(name, when=None):
    return Pattern(name, when=when)


def of(op, *inputs, **more):
    """The pattern of `op`, an Op or a tuple of several, on `inputs`."""
    rows = (op,) if isinstance(op, Op) else tuple(op)
    return Pattern(ops=rows, inputs=tuple(map(as_pattern, inputs)), **more)


def as_pattern(value):
    return value if isinstance(value, Pattern) else number(value)


def number(value):
    """A constant, all of whose elements are `value`; 0 is not -0."""
    return Pattern(ops=(CONSTANT,), when=lambda x: is_uniform(x, value), number=value)


def is_uniform(node, value):
    elements = node.attrs["value"]
    if not elements.size:
        return False
    first = float(elements.flat[0])
    same = first == value and copysign(1, first) == copysign(1, value)
    return same and (elements.size == 1 or bool((elements == elements.flat[0]).all()))


def scalar(name):
    """A constant of one element, of a floating dtype."""
    return Pattern(name, (CONSTANT,), when=lambda x: x.size == 1 and is_float(x.dtype))


def value_of(node):
    """The number in a constant of one element."""
    return float(node.attrs["value"].item())


# ---- matching: node by node, from the root of the pattern to its leaves


def match(pattern, node, uses, found=None):
    """{name: node} that makes `pattern` into `node`; None where nothing does.

    `uses` counts the readers of each node.
    """
    if pattern.ops and node.op not in pattern.ops:
        return None
    if pattern.once and uses.get(node, 1) > 1:
        return None
    if pattern.when is not None and not pattern.when(node):
        return None
    found = found or {}
    if pattern.name:
        if found.get(pattern.name, node) is not node:
            return None
        found = {**found, pattern.name: node}
    return match_inputs(pattern, node, uses, found) if pattern.inputs else found


def match_inputs(pattern, node, uses, found):
    if len(pattern.inputs) != len(node.inputs):
        return None
    both = node.op in COMMUTE and node.inputs[0] is not node.inputs[1]
    for inputs in (node.inputs, node.inputs[::-1])[: 1 + both]:
        answer = found
        for part, x in zip(pattern.inputs, inputs):
            answer = match(part, x, uses, answer)
            if answer is None:
                break
        else:
            return answer
    return None


# ---- building: the same expression, read the other way


def build(pattern, found, like):
    """The node that `pattern` describes, with `found` for its names.

    Numbers take the dtype of `like`, and new nodes its line of the program.
    """
    if pattern.name:
        return found[pattern.name]
    if pattern.number is not None:
        return filled(pattern.number, like)
    inputs = tuple(build(part, found, like) for part in pattern.inputs)
    return make(pattern.ops[0], inputs, where=like.where)


def filled(value, like):
    """The constant `value`, with no dimensions, in the dtype of `like`."""
    return constant(like.dtype.type(value), like.where)
