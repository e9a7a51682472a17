"""check: shapes and dtypes of a whole program, before anything runs. (Chapter 7.)

The program is read on symbols of the types that its arguments are declared with. Shape
rules are the table's: they compute with symbolic sizes as with numbers. The first
mismatch is reported at its line.
"""

import inspect
import types

from ..graph import input_node
from ..op import MISTAKES
from ..tape import no_grad
from ..tensor import Tensor
from ..trace.capture import Capture
from ..trace.place import place
from ..trace.recorder import recording_by
from ..trace.symbol import Symbol
from ..tree import flatten
from .language import perform, readable
from .types import TensorType, type_of


class CheckError(TypeError):
    """Types that don't fit; the message names the line, and both of them."""


def check(function, *given):
    """The type of the result: a TensorType, or a nest of them.

    `given` are the arguments' types, or values that are no tensors; where it gives
    none, annotations do: `def f(x: Float["B", 784])`. Raises CheckError at the first
    line where shapes or dtypes don't fit, and where the result isn't what is declared.
    """
    forward = getattr(type(function), "forward", None)
    function = types.MethodType(forward, function) if forward else function
    arguments = declared(function, given)
    run = Capture({})
    try:
        with recording_by(run), no_grad():
            result = called(function, arguments)
            leaves, build = flatten(result)
            found = build([type_of(x) if isinstance(x, Tensor) else x for x in leaves])
    finally:
        run.restore()
    return agreeing(function, found)


def called(function, arguments):
    """What `function` returns on symbols; its mistakes are CheckErrors at a line."""
    inner = readable(function)
    try:
        return perform(inner, arguments, {}) if inner else function(*arguments)
    except MISTAKES as error:
        words = str(error)
        if inner is None and not words.startswith(place()):
            words = f"{place()}: {words}"
        raise CheckError(words) from error


def declared(function, given):
    """A stand-in for each argument: a symbol of its type; a value as it is."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    types = list(given)
    for p in list(parameters)[len(given) :]:
        if isinstance(p.annotation, TensorType):
            types.append(p.annotation)
        elif p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD:
            raise CheckError(
                f'argument `{p.name}` has no type: declare {p.name}: Float["B", 784], '
                "or give check a type for it"
            )
        else:
            types.append(p.default)
    return [stand_in(p.name, t) for p, t in zip(parameters, types)]


def stand_in(name, kind):
    if not isinstance(kind, TensorType):
        return kind
    return Tensor(Symbol(input_node(name, kind.shape, kind.dtype)))


def agreeing(function, found):
    """`found`, the result's type, if it is the declared one."""
    wanted = inspect.signature(function, eval_str=True).return_annotation
    if isinstance(wanted, TensorType) and found != wanted:
        raise CheckError(f"{function.__name__} returns {found}, declared is {wanted}")
    return found
