"""`replace`: another rule in place of the library's, for the length of a block.

A rule of an operation, or a whole function marked `@replaceable`, gives way to a
reader's own version, which then runs inside the real stack: in layers, losses,
training.
"""

import threading
from contextlib import contextmanager
from dataclasses import fields
from dataclasses import replace as with_fields
from functools import wraps

from .op import Op, apply, handling


class Replacements(threading.local):
    """The functions replaced in this thread: from the library's to the reader's."""

    def __init__(self):
        self.current = {}


replacements = Replacements()
REPLACEABLE = {}  # dotted name -> function


def replaceable(function):
    """Marks a function of the library as one that `replace` may swap."""

    @wraps(function)
    def call(*args, **kwargs):
        if call not in replacements.current:
            return function(*args, **kwargs)
        mine = replacements.current[call]
        with replace_function(call, function):  # what it calls by this name is ours
            return mine(*args, **kwargs)

    REPLACEABLE[f"{function.__module__}.{function.__name__}"] = call
    return call


def replace(target, function=None, **rules):
    """In the block, `target` works by other rules.

    An Op takes new values for its fields, `replace(ops.mul, vjp=(...))`; a function
    marked `@replaceable` takes another function, `replace(autodiff.topological_order,
    mine)`. What the library's version calls in between is not replaced unless it is
    named.
    """
    if isinstance(target, Op):
        return replace_rules(target, rules)
    if target not in REPLACEABLE.values():
        known = "\n  ".join(sorted(REPLACEABLE))
        raise TypeError(f"{target!r} can't be replaced; an Op can, and\n  {known}")
    if not callable(function):
        raise TypeError(
            f"replace({target.__name__}, ...) needs a function, got {function!r}"
        )
    return replace_function(target, function)


@contextmanager
def replace_rules(op, rules):
    known = [field.name for field in fields(Op) if field.name != "name"]
    unknown = [name for name in rules if name not in known]
    if unknown or not rules:
        raise TypeError(
            f"{op.name} has no rule {unknown}; name some of {', '.join(known)}"
        )
    mine = with_fields(op, **rules)

    def swap(asked, inputs, attrs):
        return apply(mine if asked is op else asked, *inputs, **attrs)

    with handling(swap):
        yield mine


@contextmanager
def replace_function(target, function):
    outside = replacements.current
    replacements.current = {**outside, target: function}
    try:
        yield function
    finally:
        replacements.current = outside
