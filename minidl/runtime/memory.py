"""Memory planning: one arena, and a place in it for each temporary buffer.

Two buffers may have the same place where their lives do not overlap. First fit: each
buffer in turn, the largest first, goes to the lowest place that is free throughout its
life. (Chapter 13 has other planners, and the bound they are held to.)
"""

from dataclasses import dataclass

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True)
class Plan:
    """Where each temporary begins, {buffer: bytes from the start}, and all it takes."""

    offsets: dict
    nbytes: int


def first_fit(program):
    """A Plan for the temporaries of `program`."""
    offsets = {}
    for b in sorted(program.temporaries, key=lambda b: -program.buffers[b].nbytes):
        offsets[b] = lowest_place(program, b, offsets)
    ends = [start + padded(program.buffers[b].nbytes) for b, start in offsets.items()]
    return Plan(offsets, max(ends, default=0))


def lowest_place(program, b, offsets):
    """The lowest start at which buffer `b` meets nobody who lives at the same time."""
    mine, start = program.buffers[b], 0
    taken = sorted(
        (offset, offset + padded(program.buffers[other].nbytes))
        for other, offset in offsets.items()
        if overlap(mine, program.buffers[other])
    )
    for low, high in taken:
        if start + padded(mine.nbytes) <= low:
            break
        start = max(start, high)
    return start


def overlap(a, b):
    return a.born <= b.dies and b.born <= a.dies


def padded(nbytes):
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def aligned(nbytes):
    """New bytes, all 0, that begin at a multiple of the alignment."""
    raw = np.zeros(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]
