"""Which variables a block sets, and what a branch may do to them. (Chapter 7.)"""

import ast

from ..graph import INPUT, type_text
from ..tensor import Tensor
from ..trace.symbol import Symbol
from ..tree import flatten
from .frame import Missing

SCOPES = ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp


def walk(nodes):
    """All nodes of a block, but for scopes of their own."""
    for node in nodes:
        yield node
        if not isinstance(node, SCOPES):
            yield from walk(ast.iter_child_nodes(node))


def assigned(nodes):
    """The variables that a block sets or writes into, in order."""
    stored = [
        node.id
        for node in walk(nodes)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys([*stored, *written(nodes)]))


def written(nodes):
    """The variables into which a block writes in place, as `x += 1` and x[0] = 1 do."""
    targets = []
    for node in walk(nodes):
        if isinstance(node, ast.AugAssign):
            targets.append(node.target)
        elif isinstance(node, ast.Assign):
            targets += [t for t in node.targets if isinstance(t, ast.Subscript)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name.endswith("_") and not name.startswith("_"):
                targets.append(node.func.value)
    bases = [t.value if isinstance(t, ast.Subscript) else t for t in targets]
    return list(dict.fromkeys(t.id for t in bases if isinstance(t, ast.Name)))


def returns(nodes):
    return any(isinstance(node, ast.Return) for node in walk(nodes))


def is_moving(value):
    """Whether a graph can hold `value`: a tensor, a number, or a nest of them."""
    leaves = flatten(value)[0]
    return bool(leaves) and all(isinstance(x, Tensor | int | float) for x in leaves)


def bound(frame, names):
    """Those of `names` that have a value now."""
    return [
        n for n in names if not isinstance(frame.names.get(n, Missing("")), Missing)
    ]


def overwritten(frame, nodes):
    """The variables that hold tensors which a block writes in place."""
    found = bound(frame, written(nodes))
    return [
        n
        for n in found
        if all(isinstance(x, Tensor) for x in flatten(frame.names[n])[0])
    ]


def input_names(frame, names):
    """A name for each leaf of the variables."""
    return [n for n in names for _ in flatten(frame.names[n])[0]]


def check_writes(frame, node, nodes):
    """Refuses a block that would write into what others see too.

    In a branch or a body a variable is a value. A write in place would have to reach
    all who hold that tensor.
    """
    for name in bound(frame, written(nodes)):
        for x in flatten(frame.names[name])[0]:
            if not isinstance(x, Tensor):
                continue
            other = shared(frame, name, x)
            if frame.parent is None and is_outside(x):
                other = "the caller"
            if other:
                frame.refuse(
                    node,
                    f"writes in place to `{name}`, which {other} can see too",
                    f"make a new tensor, as in {name} = {name} + ...",
                )


def is_outside(x):
    return not isinstance(x.data, Symbol) or x.data.root.current.op is INPUT


def shared(frame, name, x):
    """The other variable that holds `x`, or a view of it; None."""
    for other, value in frame.names.items():
        if other != name and not isinstance(value, Missing):
            for y in flatten(value)[0]:
                if y is x or isinstance(y, Tensor) and root(y) is root(x):
                    return f"`{other}`"
    return None


def root(x):
    return getattr(x.data, "root", x.data)


def type_of(value):
    """The type of a variable in words."""
    if isinstance(value, Tensor):
        return type_text(value)
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(type_of, value)) + ")"
    return f"{type(value).__name__} {value!r:.20}"
