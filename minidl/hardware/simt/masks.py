"""Which lanes take part: the mask that every statement of a kernel runs under.

Lanes run in lockstep. A branch runs one side under the mask of those that take it, then
the other; a loop runs while anybody is left in it. (Chapter 11.)
"""

import numpy as np

from .memory import WARP


class Mask:
    """The lanes that are active; false where nobody is."""

    __slots__ = ("lanes", "n", "every", "_warps")

    def __init__(self, lanes, n=None, every=False):
        self.lanes = lanes
        self.n = int(np.count_nonzero(lanes) if n is None else n)
        self.every = every  # no lane is left out: a value may be taken as it is
        self._warps = None

    def __bool__(self):
        return self.n != 0

    @property
    def warps(self):
        """How many warps have an active lane."""
        if self._warps is None:
            self._warps = np.count_nonzero(self.by_warp())
        return self._warps

    def by_warp(self):
        """Whether each warp has an active lane."""
        words = self.lanes.view(np.uint64).reshape(-1, WARP // 8)
        return np.bitwise_or.reduce(words, axis=1) != 0


NOBODY = Mask(np.zeros(0, bool), 0)


def where(mask, condition):
    """The part of `mask` in which `condition` holds; `mask` itself where it is all."""
    if not isinstance(condition, np.ndarray):
        return mask if condition else NOBODY
    lanes = condition if mask.every else mask.lanes & condition
    n = np.count_nonzero(lanes)
    return mask if n == mask.n else Mask(lanes, n) if n else NOBODY


def unless(mask, part):
    """`mask` without `part`, which lies in it."""
    if part is mask or not mask:
        return NOBODY
    return Mask(mask.lanes & ~part.lanes, mask.n - part.n) if part else mask


def without(mask, *gone):
    """`mask` without the lanes of some others, which may lie outside of it."""
    for other in gone:
        if mask and other:
            lanes = mask.lanes & ~other.lanes
            n = np.count_nonzero(lanes)
            mask = mask if n == mask.n else Mask(lanes, n) if n else NOBODY
    return mask


def union(a, b):
    """The lanes of either."""
    if not a or not b:
        return a or b
    return Mask(a.lanes | b.lanes)


def select(mask, home, new, old):
    """`new` in the lanes of `mask`, else `old`.

    `home` is the mask of all who will ever read the variable: where `mask` is no
    smaller, the others' value does not matter, and what all agree on stays a scalar.
    """
    if mask is home or mask.every or old is None:
        return new
    if isinstance(new, tuple):
        return tuple(select(mask, home, n, o) for n, o in zip(new, old))
    if hasattr(new, "chosen"):
        return new.chosen(mask.lanes, old)
    return np.where(mask.lanes, new, old)
