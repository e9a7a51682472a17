"""Walking through kernels and rewriting them. (Chapter 9.)"""

from dataclasses import fields

from .nodes import FOLDS, INT, Buffer, Call, Const, Local, Loop, Node, Param, Var, call


def parts(node):
    """The expressions and statements that stand directly in a node."""
    for field in fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Node) and not isinstance(part, Buffer):
                yield part


def walk(node):
    """A node and all that stands in it, outermost first."""
    yield node
    for part in parts(node):
        yield from walk(part)


def mapped(node, change):
    """`node` with change(part) for each part that stands directly in it."""

    def new(value):
        if isinstance(value, tuple):
            return tuple(new(part) for part in value)
        return change(value) if isinstance(value, Node) else value

    return type(node)(*(new(getattr(node, field.name)) for field in fields(node)))


def substitute(node, values):
    """`node` with values[x] in place of each Var, Param or Local x that is there."""
    if isinstance(node, Var | Param | Local):
        return values.get(node, node)
    if isinstance(node, Const | Buffer):
        return node
    node = mapped(node, lambda part: substitute(part, values))
    if isinstance(node, Call) and node.fn in FOLDS and node.dtype == INT:
        return call(node.fn, *node.args)
    if isinstance(node, Loop) and isinstance(node.extent, Const):
        return Loop(node.var, node.extent.value, node.body, node.kind)
    return node
