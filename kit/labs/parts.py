"""What a checker says: the parts of a lab, and the properties that each must have.

A property has three functions. `cases(rng)` makes inputs, `call(lab, **case)` runs the
student's code on one, and `judge(result, **case)` says what is wrong with the result,
or None. Only plain data passes between them (NumPy arrays, numbers, strings, lists,
dicts), so the student's code runs in a process of its own, and the judging is done
outside of it.

That process gets the source of `call`, of what it names, and of a case those keys that
`call` has as parameters. So a number by hand is a key that only `judge` takes, and
stands in no table that `call` reads. The same file serves `kit check`, whose seed all
know, and `kit grade`, whose seed is the instructor's: what a case draws from `rng`
can't be known beforehand.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Property:
    says: str  # what holds, as a sentence
    cases: Callable  # rng -> dicts of plain data
    call: Callable  # (lab, **case) -> plain data; `lab` has what the notebook defines
    judge: Callable  # (result, **case) -> None, or what is wrong
    hint: str


@dataclass(frozen=True)
class Part:
    name: str
    defines: tuple  # the names that the student must define
    properties: tuple
    points: int = 10
    seconds: float = 20.0  # in which all its cells and properties must be done
    target: str = ""  # what of the library it can stand in for, as a dotted name
    stand_in: Callable | None = None  # lab -> blocks (dl.replace) that put it there


def same(expected, found, what="the result", rtol=1e-5, atol=1e-6):
    """None where `found` is the array `expected` to the tolerance, else the first
    place where they differ, in words."""
    expected, found = np.asarray(expected), np.asarray(found)
    if found.shape != expected.shape:
        return f"{what}: expected shape {expected.shape}, found {found.shape}"
    if found.dtype.kind not in "biuf":
        return f"{what}: expected numbers, found {found.dtype}"
    wrong = ~np.isclose(found, expected, rtol, atol, equal_nan=True)
    if not wrong.any():
        return None
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f" at {list(place)}" if place else ""
    count = f" ({wrong.sum()} of {wrong.size} differ)" if wrong.size > 1 else ""
    values = f"expected {expected[place]:.6g}, found {found[place]:.6g}"
    return f"{what}{where}: {values}{count}"
