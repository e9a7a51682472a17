"""What named GPUs are made of, and how many threads of a kernel they hold at once.

The numbers are NVIDIA's: data sheets and white papers for rates, the CUDA C++
Programming Guide's table "Technical specifications per compute capability" for limits.
(Chapter 11.)
"""

from dataclasses import dataclass

WARP = 32


@dataclass(frozen=True)
class GPU:
    name: str
    capability: float
    sms: int  # streaming multiprocessors
    clock: float  # Hz, boost
    bandwidth: float  # bytes a second of device memory
    fp32: int  # additions, products or FMAs an SM does in a clock
    special: int  # roots, exponentials, sines
    warps: int  # the most that an SM holds
    blocks: int  # the most that an SM holds
    shared: int  # bytes an SM has for blocks
    shared_block: int  # the most that one block gets
    reserved: int  # bytes of it that the system keeps for itself in each block
    unit: int  # bytes in which shared memory is given out
    registers: int = 65536

    @property
    def flops(self):
        """float32 operations a second, an FMA being two."""
        return 2 * self.fp32 * self.sms * self.clock


KB = 1024
ROWS = (  # in the order of the fields
    ("T4", 7.5, 40, 1.59e9, 320e9, 64, 16, 32, 16, 64 * KB, 64 * KB, 0, 256),
    ("A100", 8.0, 108, 1.41e9, 1555e9, 64, 16, 64, 32, 164 * KB, 163 * KB, KB, 128),
    ("RTX 4090", 8.9, 128, 2.52e9, 1008e9, 128, 16, 48, 24, 100 * KB, 99 * KB, KB, 128),
    ("H100", 9.0, 132, 1.83e9, 3350e9, 128, 16, 64, 32, 228 * KB, 227 * KB, KB, 128),
)
GPUS = {row[0]: GPU(*row) for row in ROWS}


def named(name):
    """The GPU of that name. ValueError lists those that are known."""
    if isinstance(name, GPU):
        return name
    if name not in GPUS:
        raise ValueError(f"no GPU {name!r} is known; there are: {', '.join(GPUS)}")
    return GPUS[name]


@dataclass(frozen=True)
class Occupancy:
    blocks: int  # that an SM holds at once
    warps: int
    fraction: float  # of the warps that an SM could hold
    limits: dict  # what: blocks that it would allow

    @property
    def limited_by(self):
        """What allows the fewest blocks."""
        return [what for what, n in self.limits.items() if n == self.blocks]

    def __repr__(self):
        return (
            f"occupancy {self.fraction:.0%}: {self.blocks} blocks, {self.warps} warps "
            f"an SM, limited by {' and '.join(self.limited_by)}"
        )


def up(n, unit):
    return -(-n // unit) * unit


def occupancy(threads, registers=32, shared_mem=0, gpu="A100"):
    """How many blocks of `threads` threads an SM of `gpu` holds.

    `registers` are those of one thread, `shared_mem` the bytes of a block. The rules
    are those of the vendor's occupancy calculator: registers are given out to warps in
    units of 256, to 4 warps at a time; shared memory in the GPU's unit.
    """
    gpu = named(gpu)
    if not 1 <= threads <= 1024:
        raise ValueError(f"a block has 1 to 1024 threads, found {threads}")
    if not 1 <= registers <= 255:
        raise ValueError(f"a thread has 1 to 255 registers, found {registers}")
    if shared_mem > gpu.shared_block:
        raise ValueError(
            f"a block of a {gpu.name} has at most {gpu.shared_block:,} bytes of shared "
            f"memory, found {shared_mem:,}"
        )
    warps = up(threads, WARP) // WARP
    by_registers = gpu.registers // up(registers * WARP, 256) // 4 * 4 // warps
    own = up(shared_mem + gpu.reserved, gpu.unit)
    limits = {
        "blocks": gpu.blocks,
        "threads": gpu.warps // warps,
        "registers": by_registers,
    }
    if own:
        limits["shared memory"] = gpu.shared // own
    blocks = min(limits.values())
    return Occupancy(blocks, blocks * warps, blocks * warps / gpu.warps, limits)
