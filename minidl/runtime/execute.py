"""Execution: a program with its memory, bound once and then run again and again.

Binding gives each instruction its function and arguments; running is a loop over these.
What changes between runs is told by `place`, a new array for a buffer, after which only
the instructions that use it are bound again. (Chapter 14.)
"""

from collections import defaultdict

import numpy as np

from .memory import ALIGNMENT, first_fit


class Executor:
    """Runs `program`. `bind(t, arrays)` gives instruction t its (function, arguments,
    scalars), the last as pairs (which argument, the array that holds it).

    `arrays` has an entry for each buffer: temporaries are made here, as `types`, a
    (shape, dtype) for each buffer, has them; the others are the caller's to place.
    """

    def __init__(self, program, bind, types):
        self.program, self.bind = program, bind
        self.plan = first_fit(program)
        arena = aligned(self.plan.nbytes)
        self.arrays = [None] * len(program.buffers)
        for b, offset in self.plan.offsets.items():
            shape, dtype = types[b]
            part = arena[offset : offset + program.buffers[b].nbytes]
            self.arrays[b] = part.view(dtype).reshape(shape)
        self.steps = [None] * len(program.instructions)
        self.stale = set(range(len(self.steps)))
        self.used_by = defaultdict(list)
        for t, instruction in enumerate(program.instructions):
            for b in (*instruction.inputs, *instruction.outputs):
                self.used_by[b].append(t)

    def place(self, b, array):
        """Has buffer `b` be `array` from now on."""
        self.arrays[b] = array
        self.stale.update(self.used_by[b])

    def run(self):
        """All instructions in their order."""
        if self.stale:
            for t in self.stale:
                self.steps[t] = self.bind(t, self.arrays)
            self.stale.clear()
        for function, arguments, scalars in self.steps:
            for i, array in scalars:
                arguments[i] = array[()]
            function(*arguments)


def aligned(nbytes):
    """Bytes that begin at a multiple of the alignment."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]
