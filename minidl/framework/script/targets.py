"""What stands on the left of `=`: a variable, several, an element. (Chapter 7.)"""

import ast

from ..tensor import Tensor
from ..tree import flatten


def assign(frame, target, value):
    TARGETS.get(type(target), refused)(frame, target, value)


def to_name(frame, target, value):
    frame.names[target.id] = value
    frame.numbers.discard(target.id)


def to_several(frame, target, value):
    """a, *b = value"""
    values, targets = list(value), target.elts
    star = [i for i, t in enumerate(targets) if isinstance(t, ast.Starred)]
    if star:
        i, spare = star[0], len(values) - len(targets) + 1
        values[i : i + spare] = [values[i : i + spare]]
        targets = [
            getattr(t, "value", t) if j == i else t for j, t in enumerate(targets)
        ]
    if len(values) != len(targets):
        raise ValueError(f"{len(values)} values for {len(targets)} variables")
    for part, item in zip(targets, values):
        assign(frame, part, item)


def to_element(frame, target, value):
    holder, key = frame.value(target.value), frame.value(target.slice)
    if frame.parent is not None and not isinstance(holder, Tensor):
        frame.refuse(
            target,
            f"sets an element of a {type(holder).__name__} in a branch or a loop",
            "set a variable, and the element after it",
        )
    if isinstance(holder, Tensor):  # all of it is written: a graph has no views
        value = holder.operand(value).cast(holder.dtype)
        holder.copy_(holder.with_put(key, value))
    else:
        holder[key] = value


def to_attribute(frame, target, value):
    if frame.parent is not None or any(
        isinstance(x, Tensor) for x in flatten(value)[0]
    ):
        frame.refuse(
            target,
            f"sets the attribute {target.attr}",
            "return the value, or write into a tensor that is there with copy_",
        )
    setattr(frame.value(target.value), target.attr, value)


def refused(frame, target, value):
    frame.refuse(target, "assigns to what can't be scripted", "assign to a variable")


TARGETS = {
    ast.Name: to_name,
    ast.Tuple: to_several,
    ast.List: to_several,
    ast.Subscript: to_element,
    ast.Attribute: to_attribute,
}
