"""Places: where in memory a loop nest finds each element of a value.

A nest has variables, the slowest first. The index of a value is a Digit for each of its
dimensions: the variables that make it up, a start and a step. Going down through views,
a reshape regroups variables, a permute reorders them, a slice starts later. At memory,
which is dense, the digits become a distance and a stride for each variable, and these
an index into the memory seen as an array. (Chapter 9.)
"""

from dataclasses import dataclass, replace
from math import prod


class Split(Exception):
    """A dimension begins inside a variable: it becomes two, the inner of `inner`."""

    def __init__(self, var, inner):
        self.var, self.inner = var, inner


class Unreachable(Exception):
    """No index with a stride for each variable reads this value."""


@dataclass(frozen=True)
class Variable:
    name: str
    extent: int


@dataclass(frozen=True)
class Digit:
    """An index of one dimension: start + step * (the variables, read as one number)."""

    variables: tuple = ()
    start: int = 0
    step: int = 1

    @property
    def extent(self):
        return prod(v.extent for v in self.variables)


@dataclass(frozen=True)
class Place:
    """An address in dense memory: a distance and {variable: stride}, in elements."""

    offset: int
    strides: tuple  # (variable, stride), for each variable that matters


def regroup(variables, shape):
    """A Digit for each dimension of `shape`, of `variables` in their order."""
    left, digits = list(variables), []
    for size in shape[::-1]:
        taken, need = [], size
        while need > 1:
            variable = left.pop()
            if need % variable.extent:
                raise Split(variable, split_of(variable, need))
            taken.insert(0, variable)
            need //= variable.extent
        digits.insert(0, Digit(tuple(taken)))
    return digits


def split_of(variable, need):
    if variable.extent % need:
        raise Unreachable(f"{variable.extent} is no multiple of {need}")
    return need


def down(node, digits):
    """The digits of the value that `node`, a view, reads, given those of `node`."""
    return DOWN[node.op.name](node, digits, node.inputs[0].shape)


def through_reshape(node, digits, shape):
    if any(
        d.start or d.step != 1 or d.extent not in (1, n)
        for d, n in zip(digits, node.shape)
    ):
        raise Unreachable("a reshape of what is read in part")
    return regroup([v for d in digits for v in d.variables], shape)


def through_expand(node, digits, shape):
    inner = digits[len(digits) - len(shape) :]
    return [Digit() if n == 1 else d for d, n in zip(inner, shape)]


def through_permute(node, digits, shape):
    dims = node.attrs["dims"]
    return [digits[dims.index(d)] for d in range(len(dims))]


def through_slice(node, digits, shape):
    return [
        Digit(d.variables, start + step * d.start, step * d.step)
        for d, (start, _, step) in zip(digits, node.attrs["index"])
    ]


DOWN = {
    "reshape": through_reshape,
    "expand": through_expand,
    "permute": through_permute,
    "slice": through_slice,
}


def broadcast(digits, shape):
    """The digits of an operand of `shape`, given those of what it broadcasts to."""
    inner = digits[len(digits) - len(shape) :]
    return [Digit() if n == 1 else d for d, n in zip(inner, shape)]


def place_of(digits, shape):
    """The Place, in dense memory of `shape`, that digits name."""
    offset, strides, width = 0, {}, 1
    for digit, size in zip(digits[::-1], shape[::-1]):
        offset += digit.start * width
        step = digit.step * width
        for variable in digit.variables[::-1]:
            strides[variable] = step
            step *= variable.extent
        width *= size
    return Place(offset, tuple(strides.items()))


def linear(variables):
    """The Place of elements that lie in the order of the loops."""
    return place_of([Digit(tuple(variables))], (prod(v.extent for v in variables),))


def as_array(place, size):
    """(shape, index): the memory of `size` elements as an array, and the place in it.

    The index has (variable or None, number) for each dimension. Raises Unreachable
    where strides don't divide one another.
    """
    strides = sorted({stride for _, stride in place.strides}, reverse=True)
    if len(strides) < len(place.strides):
        raise Unreachable("two variables go along one stride")
    if not strides or strides[-1] != 1:
        strides.append(1)
    widths = [size, *strides]
    if any(a % b for a, b in zip(widths, strides)):
        raise Unreachable(f"strides {strides} in {size} elements")
    by_stride, rest, index = {s: v for v, s in place.strides}, place.offset, []
    for stride, width in zip(strides, widths):
        variable = by_stride.get(stride)
        number, rest = divmod(rest, stride)
        if number + (variable.extent if variable else 1) > width // stride:
            raise Unreachable("an index leaves its dimension")
        index.append((variable, number))
    return tuple(w // s for w, s in zip(widths, strides)), tuple(index)


def divided(variables, split):
    """`variables` with one of them in two, as `split` asks."""
    made = []
    for v in variables:
        if v is split.var:
            made += [
                replace(v, extent=v.extent // split.inner),
                replace(v, extent=split.inner),
            ]
        else:
            made.append(v)
    return [Variable(name, v.extent) for name, v in zip(NAMES, made)]


NAMES = "ijklmnpqrs"
