"""What each kind of expression means on symbols. (Chapter 7.)

Operators are Python's own: on tensors they are the tensor's. Only where Python would
ask a tensor for a truth value, `and`, `or`, `not`, `a < b < c` and `x if p else y`, is
there something else to do.
"""

import ast
import operator

from ..control.api import cond
from ..tensor import Tensor
from .frame import expression

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda x, y: x in y,
    ast.NotIn: lambda x, y: x not in y,
}


def truth(frame, node, value):
    """`value` as a condition: one truth value of a tensor, else Python's own."""
    if not isinstance(value, Tensor):
        return bool(value)
    if value.numel() != 1:
        frame.refuse(
            node,
            f"takes a tensor of {tuple(value.shape)} for one truth value",
            "reduce it with .any() or .all()",
        )
    value = value if value.dtype == bool else value != 0
    return value.reshape(()) if value.ndim else value


@expression(ast.Constant)
def constant(frame, node):
    return node.value


@expression(ast.Name)
def name(frame, node):
    return frame.lookup(node)


@expression(ast.Attribute)
def attribute(frame, node):
    return getattr(frame.value(node.value), node.attr)


@expression(ast.Subscript)
def subscript(frame, node):
    return frame.value(node.value)[frame.value(node.slice)]


@expression(ast.Slice)
def slice_(frame, node):
    parts = (node.lower, node.upper, node.step)
    return slice(*[part and frame.value(part) for part in parts])


@expression(ast.Tuple)
def tuple_(frame, node):
    return tuple(elements(frame, node.elts))


@expression(ast.List)
def list_(frame, node):
    return elements(frame, node.elts)


def elements(frame, nodes):
    found = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found.extend(frame.value(node.value))
        else:
            found.append(frame.value(node))
    return found


@expression(ast.BinOp)
def binary(frame, node):
    left, right = frame.value(node.left), frame.value(node.right)
    return OPERATORS[type(node.op)](left, right)


@expression(ast.UnaryOp)
def unary(frame, node):
    value = frame.value(node.operand)
    if not isinstance(node.op, ast.Not):
        return OPERATORS[type(node.op)](value)
    value = truth(frame, node, value)
    return ~value if isinstance(value, Tensor) else not value


@expression(ast.Compare)
def compare(frame, node):
    """a < b < c is (a < b) and (b < c)."""
    left, answer = frame.value(node.left), True
    for op, right_node in zip(node.ops, node.comparators):
        right = frame.value(right_node)
        found = OPERATORS[type(op)](left, right)
        answer = found if answer is True else both(frame, node, answer, found)
        left = right
    return answer


def both(frame, node, x, y):
    x, y = truth(frame, node, x), truth(frame, node, y)
    return x & y if isinstance(x, Tensor) and isinstance(y, Tensor) else x and y


@expression(ast.BoolOp)
def boolean(frame, node):
    """`and`, `or`: as in Python up to the first tensor; from there, all are computed.

    x or y is not (not x and not y).
    """
    stops = isinstance(node.op, ast.Or)
    answer = frame.value(node.values[0])
    for other in node.values[1:]:
        if not isinstance(answer, Tensor):
            if bool(answer) is stops:
                return answer
            answer = frame.value(other)
            continue
        x = truth(frame, node, answer)
        y = truth(frame, node, frame.value(other))
        answer = joined(x, y, stops)
    return answer


def joined(x, y, stops):
    """`x`, a tensor, and (`stops` False) or or (True) `y`, a tensor or a bool."""
    if not isinstance(y, Tensor):
        return y if y is stops else x
    return ~(~x & ~y) if stops else x & y


@expression(ast.IfExp)
def choice(frame, node):
    test = truth(frame, node, frame.value(node.test))
    if not isinstance(test, Tensor):
        return frame.value(node.body if test else node.orelse)
    return cond(
        test,
        lambda: frame.child().value(node.body),
        lambda: frame.child().value(node.orelse),
    )
