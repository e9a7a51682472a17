"""`RawKernel`: CUDA C from text to a launch, with CuPy's call form. (Chapter 11.)

    kernel = simt.RawKernel(source, "add")
    kernel((blocks,), (threads,), (x, y, out, np.int32(n)))

The same source and the same call run on a GPU with `cupy.RawKernel`.
"""

from dataclasses import dataclass

import numpy as np

from .arguments import bring_back, global_space, shared_space, taken
from .counters import Counters, Silent
from .faults import KernelFault
from .machine import LANES, Machine
from .memory import WARP
from .program import Program
from .report import Report

MAX_THREADS, MAX_BLOCKS, MAX_SHARED = 1024, 1 << 22, 227 * 1024
BLOCK_LIMIT, GRID_LIMIT = (1024, 1024, 64), (2**31 - 1, 65535, 65535)


@dataclass(frozen=True)
class Launch:
    """The shape of a launch, and the numbers of its threads."""

    program: Program
    grid: tuple
    block: tuple
    arguments: tuple  # names of the arrays
    units: tuple  # bytes of an element of each
    max_steps: int
    batch: int  # blocks that run at once

    @property
    def blocks(self):
        return int(np.prod(self.grid))

    @property
    def threads(self):
        return int(np.prod(self.block))

    @property
    def padded(self):
        """Threads of a block, filled up to whole warps."""
        return -(-self.threads // WARP) * WARP

    @property
    def lanes(self):
        return self.batch * self.padded

    def indices(self, block, thread):
        """threadIdx and its like for each lane; what all share is a scalar."""
        out = {}
        for name, number, shape in (
            ("threadIdx", thread, self.block),
            ("blockIdx", block, self.grid),
        ):
            for axis, n in zip("xyz", shape):
                part = (number % n).astype(np.uint32) if n > 1 else np.uint32(0)
                out[f"{name}.{axis}"] = part
                number = number // n
        for name, shape in (("blockDim", self.block), ("gridDim", self.grid)):
            for axis, n in zip("xyz", shape):
                out[f"{name}.{axis}"] = np.uint32(n)
        return out

    def block_at(self, number):
        return coordinates(number, self.grid)

    def thread_at(self, number):
        return coordinates(number, self.block)

    def object_names(self, space):
        if space == "shared":
            return ["a null pointer", *(s.name for s in self.program.shared)]
        return ["a null pointer", *self.arguments]

    def unit(self, space, what, size):
        """Bytes of an element of an object; `size` where it has none of its own."""
        if space == "shared" and 0 < what <= len(self.program.shared):
            kind = self.program.shared[what - 1].kind
            return getattr(kind, "element", kind).size
        if space == "global" and 0 < what <= len(self.units):
            return self.units[what - 1]
        return size


def coordinates(number, shape):
    x, y, _ = shape
    return number % x, number // x % y, number // (x * y)


class RawKernel:
    """A CUDA kernel from its source.

    `checks` looks for races and uninitialised memory, `counters` counts what the report
    shows; bounds, alignment and barriers are always checked. Raises CompileError for
    what the simulated GPU does not read, and KernelFault, at the launch, for what a
    thread does wrong. Arguments are NumPy arrays, changed in place, and NumPy scalars.
    A loop ends with a fault after `max_steps` rounds of the blocks that run together.
    """

    def __init__(
        self, source, name, checks=True, counters=True, max_steps=1_000_000
    ):  # fmt: skip
        self.source, self.name = source, name
        self.checks, self.counts, self.max_steps = checks, counters, max_steps
        template = "<" in name
        self.program = Program(source, (name,) if template else ())
        if template:
            (name,) = [v for k, v in self.program.instances.items() if same(k, name)]
        self.parameters = self.program.kernel_parameters(name)
        self.run = self.program.kernel(name)
        self.counters = None  # of the last launch

    @property
    def python(self):
        """What the source became: Python on arrays of lanes."""
        return "\n\n\n".join(self.program.python)

    def report(self):
        """What the last launch did, line by line: a Report."""
        if not isinstance(self.counters, Counters):
            raise RuntimeError(
                f"{self.name} has counted nothing yet: launch it first, with "
                "counters=True"
            )
        return Report(self)

    def __call__(self, grid, block, args=(), shared_mem=0):
        """Runs the kernel over `grid` blocks of `block` threads; returns nothing."""
        counters = Counters() if self.counts else Silent()
        self.launch(grid, block, args, shared_mem, counters)

    def launch(self, grid, block, args, shared_mem, counters):
        """The Machine that has run it, its accesses told to `counters`."""
        grid, block = (shape(n, w) for n, w in ((grid, "grid"), (block, "block")))
        self.check_launch(grid, block, shared_mem)
        values, arrays = taken(args, self.parameters, self.name)
        launch = Launch(
            self.program, grid, block, tuple(arrays),
            tuple(a.array.itemsize for a in arrays.values()), self.max_steps,
            batch_of(grid, block),
        )  # fmt: skip
        how = self.checks, self.program.finest
        spaces = {
            "global": global_space(list(arrays.values()), launch.lanes, *how),
            "shared": shared_space(self.program.shared, launch, shared_mem, *how),
        }
        self.counters = counters
        self.shape = grid, block
        self.shared_bytes = sum(spaces["shared"].sizes.tolist())
        machine = Machine(launch, spaces, self.counters, self.checks)
        try:
            self.run_batches(machine, values)
        finally:
            bring_back(spaces["global"], arrays.values())
        return machine

    def run_batches(self, machine, values):
        launch = machine.launch
        with np.errstate(all="ignore"):
            for first in range(0, launch.blocks, launch.batch):
                try:
                    self.run(machine, machine.begin(first), *values)
                except RecursionError:
                    machine.fault("endless loop", "a function calls itself", 0)

    def check_launch(self, grid, block, shared_mem):
        """KernelFault "bad launch" where a GPU would refuse it."""
        static = sum(s.nbytes or 0 for s in self.program.shared)
        limits = [
            (int(np.prod(block)), MAX_THREADS, "threads in a block"),
            (int(np.prod(grid)), MAX_BLOCKS, "blocks, the most that run here"),
            (static, 48 * 1024, "bytes of static shared memory"),
            (static + shared_mem, MAX_SHARED, "bytes of shared memory in a block"),
        ]
        limits += [(n, m, f"blocks in {a}") for n, m, a in zip(grid, GRID_LIMIT, "xyz")]
        limits += [
            (n, m, f"threads in {a}") for n, m, a in zip(block, BLOCK_LIMIT, "xyz")
        ]
        for found, most, what in limits:
            if found > most:
                self.refuse(f"{found:,} {what}; the limit is {most:,}")
        if min(*grid, *block) < 1:
            self.refuse(f"grid {grid} and block {block} need at least 1 in each axis")
        dynamic = [s.name for s in self.program.shared if s.nbytes is None]
        if dynamic and not shared_mem:
            self.refuse(f"`{dynamic[0]}` is extern: say its bytes with shared_mem=")

    def refuse(self, words):
        node = self.program.functions.get(self.name.partition("<")[0])
        line = node.coord.line if node else 1
        text = self.source.splitlines()[line - 1]
        raise KernelFault("bad launch", words, line, text)


def same(written, asked):
    """Whether two ways of writing a template's instance are the same."""
    return written.replace(" ", "") == asked.replace(" ", "")


def shape(given, what):
    """A grid or block as (x, y, z)."""
    axes = given if isinstance(given, tuple | list) else (given,)
    whole = all(isinstance(n, int | np.integer) for n in axes)
    if not whole or not 1 <= len(axes) <= 3:
        raise ValueError(f"{what} is 1 to 3 whole numbers, found {given!r}")
    return tuple(int(n) for n in axes) + (1,) * (3 - len(axes))


def batch_of(grid, block):
    """How many blocks run at once."""
    padded = -(-int(np.prod(block)) // WARP) * WARP
    return max(1, min(int(np.prod(grid)), LANES // padded))
