"""Execution: a program with its memory, bound once and then run again and again.

Binding gives each instruction its function and arguments. Those that are machine code,
kernels and products, become lines of addresses, which threads walk together; what is
Python runs in between. What changes between runs is told by `place`, a new array for a
buffer, after which only the instructions that use it are bound again. (Chapter 14.)
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from . import pool
from .build import Entry
from .lines import Lines
from .memory import aligned, first_fit

# What one thread does in a second, roughly.
FLOPS, BYTES = 60e9, 50e9
WORTH_SPLITTING = 2e-6  # seconds of an instruction, where several threads are at hand
WORTH_WAKING = 40e-6  # seconds of all such instructions, to have these threads at all


@dataclass
class Call:
    """An instruction bound to memory: `function(*arguments)`.

    `part(start, stop)` gives the arguments for some of `rows` rows, where these can be
    computed each by itself, best in multiples of `unit`.
    """

    function: Callable | Entry
    arguments: list
    rows: int = 0
    part: Callable | None = None
    unit: int = 1

    def bound(self):
        """A function without arguments that does it."""
        if isinstance(self.function, Entry):
            return self.function.bound(self.arguments)
        return partial(self.function, *self.arguments)


class Executor:
    """Runs `program`, whose instruction t is bound by `bind(t, arrays)` to a Call.

    `arrays` has an entry for each buffer: temporaries are made here, as `types`, a
    (shape, dtype) for each buffer, has them; the others are the caller's to place.
    """

    def __init__(self, program, bind, types, threads=None):
        self.program, self.bind = program, bind
        self.plan = first_fit(program)
        arena = aligned(self.plan.nbytes)
        self.arrays = [None] * len(program.buffers)
        for b, offset in self.plan.offsets.items():
            shape, dtype = types[b]
            part = arena[offset : offset + program.buffers[b].nbytes]
            self.arrays[b] = part.view(dtype).reshape(shape)
        self.seconds = [
            max(i.flops / FLOPS, i.nbytes / BYTES) for i in program.instructions
        ]
        shared = sum(s for s in self.seconds if s > WORTH_SPLITTING)
        threads = pool.count() if threads is None else threads
        self.threads = threads if shared > WORTH_WAKING else 1
        self.calls = [None] * len(program.instructions)
        self.stale = set(range(len(self.calls)))
        self.sections, self.line_of = [], {}
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
            self.bind_stale()
        for section in self.sections:
            section()

    def bind_stale(self):
        for t in self.stale:
            self.calls[t] = self.bind(t, self.arrays)
        if not self.sections:
            self.arrange()
        for t in self.stale & set(self.line_of):
            lines, i = self.line_of[t]
            lines.put(i, self.calls[t].function, self.parts(t))
        self.stale.clear()

    def arrange(self):
        """Puts instructions in a row that are machine code into Lines."""
        native = [isinstance(call.function, Entry) for call in self.calls]
        for is_native, group in groupby(range(len(native)), native.__getitem__):
            ts = list(group)
            if is_native:
                lines = Lines(len(ts), self.threads)
                self.line_of.update({t: (lines, i) for i, t in enumerate(ts)})
                self.sections.append(lines)
            else:
                self.sections += [partial(self.call, t) for t in ts]

    def call(self, t):
        call = self.calls[t]
        call.function(*call.arguments)

    def parts(self, t):
        """The arguments of instruction t for each thread; for one if it stays whole."""
        call = self.calls[t]
        if self.seconds[t] < WORTH_SPLITTING or call.part is None:
            return [call.arguments]
        edges = pool.parts_of(call.rows, self.threads, call.unit)
        return [call.part(*edge) for edge in edges if edge[0] < edge[1]]

    def shared(self):
        """How many instructions have a part for more than one thread."""
        return sum(len(self.parts(t)) > 1 for t in self.line_of)
