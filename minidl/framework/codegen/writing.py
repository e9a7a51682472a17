"""Expressions as text: one walk, for any language. (Chapter 9.)

A Language says how constants, types, loads and the forms of functions look. Each piece
of text goes with its level, by which the piece around it knows whether to set it in
parentheses.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .functions import ATOM, FUNCTIONS, UNARY, family
from .nodes import Call, Const, Load, Local, Param, Var


@dataclass(frozen=True)
class Language:
    form: Callable  # (a Call, family of dtypes) -> the Form of its function
    constant: Callable  # (number, dtype) -> text
    type: Callable  # dtype -> text
    load: Callable  # Load -> text
    wrapped: Callable = lambda text, level, dtype: (text, level)  # of a call's result


def expression(node, language):
    """(text, level) of an expression."""
    return WRITERS[type(node)](node, language)


def named(node, language):
    return node.name, ATOM


def constant(node, language):
    written = language.constant(node.value, node.dtype)
    return written, UNARY if written.startswith("-") else ATOM


def load(node, language):
    return language.load(node), ATOM


def call(node, language):
    function, last = FUNCTIONS[node.fn], node.args[-1].dtype
    chosen = family(node.dtype if function.by_result else last)
    arguments = [expression(a, language) for a in node.args]
    text, level = language.form(node, chosen).fill(
        arguments,
        type=language.type(node.dtype),
        zero=language.constant(0, last),
        one=language.constant(1, last),
    )
    return language.wrapped(text, level, node.dtype)


WRITERS = {
    Var: named,
    Param: named,
    Local: named,
    Const: constant,
    Load: load,
    Call: call,
}
