"""Lines: instructions as addresses, which threads walk together.

A line has, for each thread, the address of a function and that of a block of numbers:
addresses of arrays, and whole numbers. Walking needs no Python: a line costs what it
computes, and the meeting after it well under a microsecond. (Chapter 14.)
"""

import numpy as np

from ..hardware.blas import SingleThread
from .build import block
from .memory import ALIGNMENT, aligned
from .pool import native, offer, pool


class Lines:
    """`n` lines for `threads` threads."""

    def __init__(self, n, threads):
        self.threads = threads
        self.lines = np.zeros((n, threads, 2), np.int64)
        self.held = [()] * n  # what the addresses point to
        # How often threads have come to a meeting, in a line of the cache of its own.
        self.room = aligned(ALIGNMENT)
        self.counter = self.room.ctypes.data

    def put(self, i, entry, parts):
        """Has line i call `entry`, each of the first threads with one of `parts`."""
        blocks = [block(part) for part in parts]
        self.held[i] = entry, parts, blocks
        self.lines[i] = 0
        self.lines[i, : len(blocks), 0] = entry.address
        self.lines[i, : len(blocks), 1] = [b.ctypes.data for b in blocks]

    def __call__(self):
        if self.threads == 1:
            return self.alone()
        with SingleThread():
            if not pool(self.threads).run(self.lines, self.counter):
                self.alone()

    def alone(self):
        """This thread walks all parts of each line."""
        walk = native("walk")
        walk(self.lines, 0, self.threads, 1, self.counter, offer())
