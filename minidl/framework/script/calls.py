"""Which calls are read in turn, and which are made. (Chapter 7.)

A function of the user's, whose source is at hand, is scripted as its caller is: it may
have an `if` of its own. This library's functions, and those of others, are called: with
symbols in place of tensors they record what they do, as when traced.
"""

import ast
import inspect
import sysconfig
import types

from ..trace.place import PACKAGE
from .frame import Frame, Returned, expression
from .source import ScriptError, Source

OTHERS = tuple(
    path for path in map(sysconfig.get_path, ("stdlib", "purelib", "platlib")) if path
)
MUTATING = set(
    "append extend insert pop remove clear sort reverse update setdefault add".split()
)


@expression(ast.Call)
def call(frame, node):
    if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING:
        check_owner(frame, node)
    function = frame.value(node.func)
    args, kwargs = [], {}
    for arg in node.args:
        starred = isinstance(arg, ast.Starred)
        args.extend(frame.value(arg.value) if starred else [frame.value(arg)])
    for keyword in node.keywords:
        value = frame.value(keyword.value)
        kwargs.update({keyword.arg: value} if keyword.arg else value)
    inner = readable(function)
    if inner is None:
        return function(*args, **kwargs)
    return perform(inner, args, kwargs, frame.max_steps)


def check_owner(frame, node):
    """Refuses to change, in a branch or a loop's body, a list from outside of it."""
    if not isinstance(node.func.value, ast.Name) or frame.parent is None:
        return
    owner = frame.lookup(node.func.value)
    outside = any(owner is value for value in frame.parent.names.values())
    if outside and isinstance(owner, list | dict | set):
        frame.refuse(
            node,
            f"changes a {type(owner).__name__} inside a branch or a loop of tensors",
            "let cond or scan return the values, or fill a tensor made before",
        )


def readable(function):
    """The function or method to read in place of calling `function`; or None."""
    forward = getattr(type(function), "forward", None)
    if forward and not (function.hooks or function.pre_hooks):  # as a Module's
        function = types.MethodType(forward, function)
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, types.FunctionType) or plain.__name__ == "<lambda>":
        return None
    if plain.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
        return None
    return None if is_foreign(plain) or not has_source(plain) else function


def is_foreign(function):
    """Whether it is this library's, Python's own, or of an installed package."""
    return function.__code__.co_filename.startswith((PACKAGE, *OTHERS))


def has_source(function):
    try:
        return bool(Source(function))
    except ScriptError:
        return False


def perform(function, args, kwargs, max_steps=None):
    """What `function` returns, run from its tree."""
    plain = getattr(function, "__func__", function)
    if plain is not function:
        args = [function.__self__, *args]
    bound = inspect.signature(plain).bind(*args, **kwargs)
    bound.apply_defaults()
    source = Source(plain)
    frame = Frame(source, dict(bound.arguments), outside(plain), max_steps)
    answer = frame.block(source.definition.body)
    return answer.value if isinstance(answer, Returned) else None


def outside(function):
    """What a function sees besides its own variables: globals, and its closure."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    return {**function.__globals__, **{name: held(cell) for name, cell in cells}}


def held(cell):
    try:
        return cell.cell_contents
    except ValueError:  # nothing as yet
        return None
