"""`while` and `for`: rounds that Python runs now, or all of them in the graph.

A `while` on a tensor is a while_loop, and a `for` over a tensor a scan of its rows.
Their state is the variables that the body sets, if they had a value before.
(Chapter 7.)
"""

import ast

from ..control.api import scan, while_loop
from ..control.inner import inside
from ..tensor import Tensor
from ..tree import flatten
from .expressions import truth
from .frame import Missing, statement
from .targets import assign
from .variables import assigned, bound, check_writes, input_names, is_moving, type_of


def state_of(frame, node):
    """(variables that a loop hands on, those it sets that had no value before)."""
    check_writes(frame, node, node.body)
    names = assigned(node.body)
    before = bound(frame, names)
    moving = [n for n in before if is_moving(frame.names[n])]
    return moving, [n for n in names if n not in moving]


def body(frame, node, names, values, target=None, row=None):
    """The variables `names` after one round."""
    child = frame.child(zip(names, values))
    child.numbers |= numbers_among(frame, names)
    skipped = [*names, *assigned([target] if target else [])]
    if target:
        assign(child, target, row)
    if child.block(node.body) is not None:
        frame.refuse(node, "returns out of a loop", "return after the loop")
    for name in bound(frame, assigned(node.body)):
        if name not in skipped and child.names[name] is not frame.names[name]:
            frame.refuse(
                node,
                f"sets `{name}`, {type_of(frame.names[name])}, in a loop of tensors",
                "only tensors and numbers can change in one",
            )
    return tuple(child.names[n] for n in names)


def numbers_among(frame, names):
    """Which of these variables are Python's numbers, or would be but for a loop."""
    held = {n for n in names if isinstance(frame.names[n], int | float)}
    return held | {n for n in names if n in frame.numbers}


def weak_places(frame, names):
    """The leaves of these variables whose dtype is not settled yet."""
    weak = numbers_among(frame, names)
    kinds = [n in weak for n in names for _ in flatten(frame.names[n])[0]]
    return [i for i, is_weak in enumerate(kinds) if is_weak]


def forget(frame, node, names):
    line = frame.source.line_number(node)
    words = f"it is set in the loop of line {line}, which may not run: set it before"
    for name in names:
        if isinstance(frame.names.get(name, Missing("")), Missing):
            frame.names[name] = Missing(words)


@statement(ast.While)
def while_(frame, node, after):
    no_else(frame, node)
    test = truth(frame, node.test, frame.value(node.test))
    while not isinstance(test, Tensor):
        if not test:
            return None
        answer = in_python(frame, node.body)
        if answer is not None:
            return answer
        test = truth(frame, node.test, frame.value(node.test))
    names, others = state_of(frame, node)
    if not names:
        frame.refuse(node, "changes no variable that it tests", "it would never end")

    def going(*values):
        child = frame.child(zip(names, values))
        return truth(child, node.test, child.value(node.test))

    state = while_loop(
        going,
        lambda *values: body(frame, node, names, values),
        *[frame.names[n] for n in names],
        names=input_names(frame, names),
        weak=weak_places(frame, names),
        max_steps=frame.max_steps,
    )
    frame.numbers |= numbers_among(frame, names)
    frame.names.update(zip(names, (state,) if len(names) == 1 else state))
    forget(frame, node, others)
    return None


def in_python(frame, statements):
    """One round of a loop that Python runs."""
    frame.loops += 1
    try:
        return frame.block(statements)
    finally:
        frame.loops -= 1


def no_else(frame, node):
    if node.orelse:
        frame.refuse(node, "has an `else`", "write it after the loop, under an `if`")


@statement(ast.For)
def for_(frame, node, after):
    no_else(frame, node)
    rows = frame.value(node.iter)
    if isinstance(rows, Tensor):
        return over_rows(frame, node, rows)
    for row in rows:
        assign(frame, node.target, row)
        answer = in_python(frame, node.body)
        if answer is not None:
            return answer
    return None


def over_rows(frame, node, rows):
    names, others = state_of(frame, node)
    loop_names = assigned([node.target])
    names = [n for n in names if n not in loop_names]

    def step(values, row):
        return body(frame, node, names, values, node.target, row), None

    carry = tuple(frame.names[n] for n in names)
    if not names:  # it has no results, but may do what is refused
        inside(lambda row: step((), row), [rows[0]])
    else:
        hints = input_names(frame, names), weak_places(frame, names)
        carry, _ = scan(step, carry, rows, *hints)
    frame.numbers |= numbers_among(frame, names)
    frame.names.update(zip(names, carry))
    for name in loop_names:
        frame.names.pop(name, None)
    forget(frame, node, [*others, *loop_names])
    return None
