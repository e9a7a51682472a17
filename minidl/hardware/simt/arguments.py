"""Arguments of a launch: what may be passed, and memory with the arrays in it.

(Chapter 11.)
"""

from dataclasses import dataclass

import numpy as np

from . import kinds
from .kinds import Pointer
from .memory import OBJECT
from .space import Space


@dataclass
class Argument:
    array: np.ndarray
    constant: bool  # nothing is written through it


def taken(args, parameters, kernel):
    """(values for the compiled kernel, {name: Argument}) of the arguments."""
    if len(args) != len(parameters):
        wanted = ", ".join(f"{kind} {name}" for name, kind in parameters)
        raise TypeError(
            f"{kernel} takes {len(parameters)} arguments ({wanted}), found {len(args)}"
        )
    values, arrays = [], {}
    for given, (name, kind) in zip(args, parameters):
        if not isinstance(kind, Pointer):
            values.append(number(given, name, kind))
            continue
        fits(given, name, kind)
        known = next((n for n, a in arrays.items() if a.array is given), None)
        if known is None:
            known = name
            arrays[name] = Argument(given, kind.constant)
            refuse_overlap(arrays)
        arrays[known].constant &= kind.constant
        values.append(np.int64((list(arrays).index(known) + 1) << OBJECT))
    return values, arrays


def number(given, name, kind):
    """A scalar argument; TypeError where CuPy would pass other bytes."""
    if isinstance(given, np.generic) and given.dtype == kind.dtype:
        return given
    if (
        isinstance(given, bool | int)
        and not isinstance(given, np.generic)
        and kind.whole
    ):
        return kinds.scalar(kind, given)
    found = (
        f"np.{given.dtype}" if isinstance(given, np.generic) else type(given).__name__
    )
    raise TypeError(
        f"`{name}` is {kind} and was given {found}: the kernel would read other bytes; "
        f"pass np.{kind.dtype}(...)"
    )


def fits(given, name, kind):
    """TypeError unless an array is what a pointer points to."""
    if not isinstance(given, np.ndarray):
        raise TypeError(
            f"`{name}` is {kind} and was given {type(given).__name__}: pass a NumPy "
            "array"
        )
    if not given.flags.c_contiguous:
        raise TypeError(
            f"`{name}`: the array is not contiguous; pass np.ascontiguousarray(...)"
        )
    base = kind.to
    while isinstance(base, kinds.Array):
        base = base.of
    if isinstance(base, kinds.Struct):
        good = given.dtype in leaves(base) or given.dtype.itemsize == base.size
    else:
        good = given.dtype == getattr(base, "dtype", None)
    if not good:
        raise TypeError(f"`{name}` is {kind} and was given an array of {given.dtype}")
    if not kind.constant and not given.flags.writeable:
        raise TypeError(f"`{name}` may be written and the array is read-only")


def leaves(kind):
    """The dtypes of the numbers in a structure."""
    if not isinstance(kind, kinds.Struct):
        return {kind.dtype}
    return set().union(*(leaves(own) for _, own, _ in kind.fields))


def refuse_overlap(arrays):
    *before, last = arrays.values()
    for other in before:
        if np.may_share_memory(other.array, last.array):
            raise ValueError(
                "two arrays share memory without being the same: pass one and an offset"
            )


def global_space(arguments, lanes, checks, fine):
    """Global memory with the arrays in it, those that may be written first."""
    order = sorted(range(len(arguments)), key=lambda i: arguments[i].constant)
    sizes = [arguments[i].array.nbytes for i in order]
    changed = [arguments[i].array for i in order if not arguments[i].constant]
    tracked = sum(-(-a.nbytes // 256) * 256 for a in changed)
    space = Space("global", [0, *sizes], 1, lanes, tracked if checks else None, fine)
    place = np.argsort(order) + 1
    space.sizes[1:], space.starts[1:] = space.sizes[place], space.starts[place]
    for argument, start in zip(arguments, space.starts[1:]):
        flat = argument.array.reshape(-1).view(np.uint8)
        space.bytes[start : start + flat.size] = flat
    return space


def shared_space(objects, launch, shared_mem, checks, fine):
    """Shared memory: the objects of the program for each block that runs at once."""
    sizes = [0, *(shared_mem if s.nbytes is None else s.nbytes for s in objects)]
    rounded = sum(-(-n // 256) * 256 for n in sizes)
    tracked = rounded if checks else None
    return Space("shared", sizes, launch.batch, launch.lanes, tracked, fine)


def bring_back(memory, arguments):
    """Copies global memory back into the arrays that were given."""
    for argument, start in zip(arguments, memory.starts[1:]):
        if not argument.constant:
            flat = argument.array.reshape(-1).view(np.uint8)
            flat[:] = memory.bytes[start : start + flat.size]
