"""`if` on a tensor: both ways in the graph.

A condition that Python knows is decided now, as in a trace. One that is a tensor's
becomes a cond, whose results are the variables that the branches set. (Chapter 7.)
"""

import ast

from ..control.api import cond, matched
from ..tensor import Tensor
from ..tree import flatten, form
from .expressions import truth
from .frame import Missing, Returned, statement
from .variables import (
    assigned,
    check_writes,
    input_names,
    overwritten,
    returns,
    type_of,
)


@statement(ast.If)
def if_(frame, node, after):
    test = truth(frame, node, frame.value(node.test))
    early = returns([node])
    if not isinstance(test, Tensor):
        chosen = node.body if test else node.orelse
        if early and frame.ends and not frame.loops:
            return frame.block([*chosen, *after]) or Returned(None)
        return frame.block(chosen)
    if early:
        return both_ways(frame, node, test, after)
    check_writes(frame, node, [*node.body, *node.orelse])
    frame.names.update(settle_branches(frame, node, test))
    return None


def settle_branches(frame, node, test):
    """{variable: its value after an `if`}: a result of the cond, or Missing."""
    names = assigned([*node.body, *node.orelse])
    inside = overwritten(frame, [*node.body, *node.orelse])

    def branch(statements):
        def run(*values):
            child = frame.child(zip(inside, values))
            child.block(statements)
            return {n: child.names.get(n, Missing("")) for n in names}

        return run

    return cond(
        test,
        branch(node.body),
        branch(node.orelse),
        *[frame.names[n] for n in inside],
        names=input_names(frame, inside),
        match=lambda x, y: agreed(frame, node, x, y),
    )


def agreed(frame, node, then, otherwise):
    """What two branches make of each variable, in one type."""
    left, right = {}, {}
    for name, x in then.items():
        y = otherwise[name]
        if isinstance(x, Missing) or isinstance(y, Missing):
            line = frame.source.line_number(node)
            words = f"it is set in one branch of line {line}: set it before, or in both"
            left[name] = right[name] = Missing(words)
        else:
            left[name], right[name] = one_type(frame, node, f"`{name}`", x, y)
            if isinstance(x, int | float) and isinstance(y, int | float):
                frame.numbers.add(name)
    return left, right


def one_type(frame, node, words, x, y):
    """`x` and `y`, numbers as tensors; refused unless both have one type."""
    try:
        (first, build), (second, _) = flatten(x), flatten(y)
        pairs = [matched(a, b) for a, b in zip(first, second, strict=True)]
        same = form(x) == form(y) and all(alike(a, b) for a, b in pairs)
    except (TypeError, ValueError):
        same = False
    if not same:
        frame.refuse(
            node,
            f"makes {words} {type_of(x)} in one branch and {type_of(y)} in the other",
            "let both have one type, or decide in Python",
        )
    return build([a for a, _ in pairs]), build([b for _, b in pairs])


def alike(x, y):
    if isinstance(x, Tensor):
        return (x.shape, x.dtype) == (y.shape, y.dtype)
    return True


def both_ways(frame, node, test, after):
    """A `return` in a branch: what comes after the `if` belongs to the other one."""
    if frame.loops or not frame.ends:
        frame.refuse(
            node,
            "returns out of a loop, a `with` or another `if`, and a tensor says when",
            "set a variable, and return it at the end",
        )
    rest = [*node.body, *node.orelse, *after]
    check_writes(frame, node, rest)
    inside = overwritten(frame, rest)

    def way(statements):
        def run(*values):
            child = frame.child(zip(inside, values), ends=True)
            answer = child.block(statements)
            return answer.value if answer else None

        return run

    return Returned(
        cond(
            test,
            way([*node.body, *after]),
            way([*node.orelse, *after]),
            *[frame.names[n] for n in inside],
            names=input_names(frame, inside),
            match=lambda x, y: one_type(frame, node, "what is returned", x, y),
        )
    )
