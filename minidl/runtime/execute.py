"""Execution: a program with its memory, bound once and then run again and again.

Binding gives each instruction its function and arguments; running is a loop over these.
What changes between runs is told by `place`, a new array for a buffer, after which only
the instructions that use it are bound again. Where an instruction's rows are many
enough, threads share them. (Chapter 14.)
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from . import pool
from .blas import SingleThread
from .memory import ALIGNMENT, first_fit

# What one thread does in a second, roughly, and what is worth a second thread.
FLOPS, BYTES, WORTH_SHARING = 30e9, 50e9, 40e-6


@dataclass
class Call:
    """An instruction bound to memory: `function(*arguments)`.

    `scalars` are pairs (which argument, the array that holds it when the time comes).
    `part(start, stop)` gives the arguments for some of `rows` rows, where these can be
    computed each by itself.
    """

    function: Callable
    arguments: list
    scalars: tuple = ()
    rows: int = 0
    part: Callable | None = None


class Executor:
    """Runs `program`, whose instruction t is bound by `bind(t, arrays)` to a Call.

    `arrays` has an entry for each buffer: temporaries are made here, as `types`, a
    (shape, dtype) for each buffer, has them; the others are the caller's to place.
    With several `threads`, these share the rows of large instructions, or else leave
    all threads to BLAS: whichever takes less time in the first runs.
    """

    def __init__(self, program, bind, types, threads=None):
        self.program, self.bind = program, bind
        self.threads = pool.count() if threads is None else threads
        self.pool = pool.pool(self.threads) if self.threads > 1 else None
        self.trial = Trial([True, False] if self.pool else [False])
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
                self.steps[t] = self.step(t)
            self.stale.clear()
        if self.trial.choice is None:
            self.trial.run(self.launch)
        else:
            self.launch(self.trial.choice)

    def launch(self, shared):
        """Runs the steps; with `shared`, threads share those that are in shares."""
        if shared:
            with SingleThread():
                self.launch_shared()
            return
        for function, arguments, scalars, _ in self.steps:
            for i, array in scalars:
                arguments[i] = array[()]
            function(*arguments)

    def launch_shared(self):
        for function, arguments, scalars, shares in self.steps:
            for i, array in scalars:
                for each in shares or (arguments,):
                    each[i] = array[()]
            if shares:
                self.pool.run(function, shares)
            else:
                function(*arguments)

    def step(self, t):
        """(function, arguments, scalars, the arguments for each thread) of t."""
        call, instruction = self.bind(t, self.arrays), self.program.instructions[t]
        seconds = max(instruction.flops / FLOPS, instruction.nbytes / BYTES)
        shares = ()
        if self.pool and call.rows >= self.threads and seconds > WORTH_SHARING:
            parts = pool.parts_of(call.rows, self.threads)
            shares = [call.part(*part) for part in parts]
        return call.function, call.arguments, call.scalars, shares


class Trial:
    """Which of some ways to run is the fastest, found out while running."""

    ROUNDS = 6  # of each way, the first not counted

    def __init__(self, ways):
        self.seconds = {way: [] for way in ways}
        self.choice = ways[0] if len(ways) == 1 else None

    def run(self, function):
        # One way after the other: threads of BLAS that were busy stay so for a while.
        way = next(w for w, times in self.seconds.items() if len(times) < self.ROUNDS)
        start = perf_counter()
        function(way)
        self.seconds[way].append(perf_counter() - start)
        if all(len(times) == self.ROUNDS for times in self.seconds.values()):
            best = {way: min(times[1:]) for way, times in self.seconds.items()}
            self.choice = min(best, key=best.get)


def aligned(nbytes):
    """Bytes that begin at a multiple of the alignment."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]
