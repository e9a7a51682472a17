"""What each kind of statement means, but for those that branch. (Chapter 7.)"""

import ast
import operator
from contextlib import ExitStack

from ..tensor import Tensor
from .expressions import OPERATORS, truth
from .frame import Returned, statement
from .loops import in_python
from .targets import assign

IN_PLACE = {
    kind: getattr(operator, name)
    for kind, name in {
        ast.Add: "iadd", ast.Sub: "isub", ast.Mult: "imul", ast.Div: "itruediv",
        ast.MatMult: "imatmul", ast.Pow: "ipow", ast.BitAnd: "iand", ast.BitOr: "ior",
    }.items()
}  # fmt: skip


@statement(ast.Assign)
def assign_(frame, node, after):
    value = frame.value(node.value)
    for target in node.targets:
        assign(frame, target, value)


@statement(ast.AnnAssign)
def annotated(frame, node, after):
    if node.value is not None:
        assign(frame, node.target, frame.value(node.value))


@statement(ast.AugAssign)
def augmented(frame, node, after):
    """`x += y`: on a tensor a write in place, as in Python; on a number a new one."""
    operation = OPERATORS[type(node.op)]
    number = getattr(node.target, "id", None) in frame.numbers
    if not number:
        operation = IN_PLACE.get(type(node.op), operation)
    old = frame.value(node.target)
    assign(frame, node.target, operation(old, frame.value(node.value)))
    if number:
        frame.numbers.add(node.target.id)


@statement(ast.Expr)
def expression_(frame, node, after):
    if not isinstance(node.value, ast.Constant):  # a docstring
        frame.value(node.value)


@statement(ast.Return)
def return_(frame, node, after):
    return Returned(frame.value(node.value) if node.value else None)


@statement(ast.Pass)
def pass_(frame, node, after):
    return None


@statement(ast.Assert)
def assert_(frame, node, after):
    test = truth(frame, node, frame.value(node.test))
    if isinstance(test, Tensor):
        frame.refuse(node, "asserts what a tensor says", "check it outside")
    assert test, f"{frame.source.place(node)}: {frame.source.line(node)}"


@statement(ast.Raise)
def raise_(frame, node, after):
    if frame.parent is not None or node.exc is None:
        frame.refuse(node, "raises where a tensor says so", "check it outside")
    raise frame.value(node.exc)


@statement(ast.With)
def with_(frame, node, after):
    with ExitStack() as contexts:
        for item in node.items:
            entered = contexts.enter_context(frame.value(item.context_expr))
            if item.optional_vars is not None:
                assign(frame, item.optional_vars, entered)
        return in_python(frame, node.body)
