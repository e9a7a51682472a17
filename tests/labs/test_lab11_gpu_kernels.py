"""Checks of lab 11: three kernels, judged by their values and by their counters.

The witnesses: NumPy in float64 for values; for counters the fewest that the hardware's
rules allow, worked by hand: 32 floats side by side are 4 sectors of 32 bytes, and 32
words in 32 banks are one pass.
"""

import numpy as np

from kit.labs.parts import Part, Property, same
from minidl.hardware import simt

FLOATS = 256  # threads of a block, in each of the three launches


def launch(lab, name, grid, block, args):
    """Runs the student's kernel; returns it, with its counters."""
    source = getattr(lab, name)()
    if not isinstance(source, str):
        raise TypeError(
            f"{name}() returned {type(source).__name__}, expected CUDA C as a string"
        )
    kernel = simt.RawKernel(source, name, max_steps=200_000)
    kernel(grid, block, args)
    return kernel


def rows_of(kernel, grid, block, args):
    """What each warp of block 0 did, access by access, as lists of plain data."""
    text, rows = kernel.source.splitlines(), []
    for warp in range(8):
        for s in simt.watch(kernel, grid, block, args, warp=warp, most=5000):
            lanes = sum(b is not None for b in s.nbytes)
            groups = max(1, s.size // 4) if s.space == "shared" else 1
            rows.append([warp, s.line, text[s.line - 1].strip(), s.what, s.space,
                         s.name, lanes, s.parts, groups, s.size])  # fmt: skip
    return rows[:5000]


def counted(lab, name, grid, block, args):
    """The accesses of block 0, and the barriers that all blocks waited at."""
    kernel = launch(lab, name, grid, block, args)
    found = {"barriers": kernel.counters.barriers}
    return found | {"rows": rows_of(kernel, grid, block, args)}


class Access:
    """One access of a warp, from the plain data of `rows_of`."""

    def __init__(self, row):
        (self.warp, self.line, self.text, self.what, self.space, self.name,
         self.lanes, self.parts, self.groups, self.size) = row  # fmt: skip

    @property
    def fewest(self):
        """The parts that could do: sectors for lanes side by side, or passes."""
        if self.space == "shared":
            return self.groups
        return -(-self.lanes * self.size // 32)

    @property
    def where(self):
        return f"line {self.line}, `{self.text[:80]}`"


def accesses(found):
    return [Access(row) for row in found["rows"]]


def of(found, space, what=None, name=None):
    return [
        a for a in accesses(found)
        if a.space == space and what in (None, a.what) and name in (None, a.name)
    ]  # fmt: skip


def wide(found, space, spare=0):
    """What is wrong with the access that needs most: too many sectors or passes."""
    poor = [a for a in of(found, space) if a.parts > a.fewest + spare]
    if not poor:
        return None
    worst = max(poor, key=lambda a: a.parts - a.fewest)
    unit = "sectors of global" if space == "global" else "passes over shared"
    return (
        f"your {worst.what} of `{worst.name}` takes {worst.parts} {unit} memory for "
        f"{worst.lanes} lanes of a warp; {worst.fewest} is possible ({worst.where})"
    )


def idle(found, name):
    """What is wrong where most lanes of a warp stand by while few load."""
    loads = of(found, "global", "load", name)
    lanes = sum(a.lanes for a in loads)
    if 2 * lanes >= 32 * len(loads):
        return None
    return (
        f"block 0 makes {len(loads):,} requests for `{name}`, each of about "
        f"{lanes / len(loads):.0f} lanes; {up(lanes, 32)} of 32 lanes are enough "
        f"({loads[0].where})"
    )


def loaded(found, name, most):
    """What is wrong where block 0 loads more elements of an array than it needs."""
    loads = of(found, "global", "load", name)
    total = sum(a.lanes * (a.size // 4) for a in loads)
    if not loads:
        return f"nothing is loaded from `{name}`"
    if total > most:
        worst = max(loads, key=lambda a: a.lanes).where
        return (
            f"block 0 loads {total:,} floats of `{name}`; it needs {most:,} (look at "
            f"{worst})"
        )
    return None


def up(n, unit):
    return -(-n // unit)


# ---- part 1: column_sums


def matrices(rng):
    yield {"x": np.array([[1, 2, 3], [10, 20, 30]], "float32")}
    sizes = [(1, 1), (8, 32), (9, 33), (64, 31), (int(rng.integers(20, 50)), 70)]
    for shape in sizes:
        yield {"x": rng.integers(-20, 21, shape).astype("float32") / 4}


def sums_launch(x):
    rows, cols = x.shape
    out = np.full(cols, np.nan, "float32")
    return up(cols, 32), (32, 8), (x, out, np.int32(rows), np.int32(cols))


def call_sums(lab, x):
    grid, block, args = sums_launch(x)
    launch(lab, "column_sums", grid, block, args)
    return args[1]


def judge_sums(found, x):
    return same(x.astype("float64").sum(0), found, "the sum of a column", 1e-4, 1e-4)


def shapes_of_sums(rng):
    yield {"rows": 64, "cols": 64}
    yield {"rows": 8 * int(rng.integers(4, 12)), "cols": 96}


def count_sums(lab, rows, cols):
    x = np.ones((rows, cols), "float32")
    return counted(lab, "column_sums", *sums_launch(x))


def judge_sectors(found, rows, cols):
    return wide(found, "global") or idle(found, "x")


def judge_sums_once(found, rows, cols):
    return loaded(found, "x", 32 * rows)


def judge_banks(found, rows, cols):
    return wide(found, "shared")


def judge_shared_work(found, rows, cols):
    by_warp = [0] * 8
    for a in of(found, "global", "load", "x"):
        by_warp[a.warp] += a.lanes // 32
    if max(by_warp) > rows / 8 + 1:
        return (
            f"rows that the warps of block 0 load: expected {rows // 8} each, found "
            f"{by_warp}"
        )
    return None


SUMS = Part(
    "column_sums",
    defines=("column_sums",),
    properties=(
        Property(
            "The sums are right, whatever the size.",
            matrices,
            call_sums,
            judge_sums,
            "Guard by col < cols, and let every thread reach the barrier. Before one "
            "thread reads what another wrote, all must have passed __syncthreads().",
        ),
        Property(
            "A warp reads and writes side by side: 4 sectors for 32 floats.",
            shapes_of_sums,
            count_sums,
            judge_sectors,
            "threadIdx.x changes from lane to lane, so it must choose the column; "
            "threadIdx.y chooses the row.",
        ),
        Property(
            "Each element is loaded once.",
            shapes_of_sums,
            count_sums,
            judge_sums_once,
            "Warp y takes the rows y, y + 8, y + 16, ... and no other.",
        ),
        Property(
            "All 8 warps of a block share the rows.",
            shapes_of_sums,
            count_sums,
            judge_shared_work,
            "Start at row = threadIdx.y and go on by 8; then join 8 sums a column in "
            "shared memory.",
        ),
        Property(
            "Shared memory is used without bank conflicts.",
            shapes_of_sums,
            count_sums,
            judge_banks,
            "The bank is the word's number modulo 32. Lanes of a warp should differ in "
            "the last index of part[8][32].",
        ),
    ),
)


# ---- part 2: log_sum_exp


def score_rows(rng):
    yield {"x": np.array([[0, 0], [1, 3]], "float32")}
    sizes = [(1, 1), (3, 31), (8, 32), (9, 33), (int(rng.integers(10, 20)), 100)]
    for shape in sizes:
        yield {"x": rng.standard_normal(shape).round(2).astype("float32") * 3}


def far_rows(rng):
    c = float(rng.integers(100, 2000))
    for row in ([1000, 1000], [-1000, -1000], [1000, -1000], [-c, -c, -c], [c, 0, c]):
        yield {"x": np.array([row], "float32")}
    # The maximum turns up first, last, and in another lane.
    yield {"x": np.array([[300, *[0] * 40], [*[0] * 40, 300]], "float32")}


def logs_launch(x):
    rows, cols = x.shape
    out = np.full(rows, np.nan, "float32")
    return up(rows, 8), FLOATS, (x, out, np.int32(rows), np.int32(cols))


def call_logs(lab, x):
    grid, block, args = logs_launch(x)
    launch(lab, "log_sum_exp", grid, block, args)
    return args[1]


def judge_logs(found, x):
    x = x.astype("float64")
    top = x.max(1)
    expected = top + np.log(np.exp(x - top[:, None]).sum(1))
    return same(expected, found, "the result of a row", 1e-5, 1e-4)


def shapes_of_logs(rng):
    yield {"rows": 16, "cols": 96}
    yield {"rows": 8, "cols": 32 * int(rng.integers(2, 9))}


def count_logs(lab, rows, cols):
    x = np.ones((rows, cols), "float32")
    return counted(lab, "log_sum_exp", *logs_launch(x))


def judge_logs_once(found, rows, cols):
    return loaded(found, "x", 8 * cols)


def judge_registers(found, rows, cols):
    if found["barriers"]:
        return f"barriers: expected none, found {found['barriers']} warps at one"
    used = of(found, "shared")
    if used:
        return f"shared memory: expected none, found `{used[0].name}` ({used[0].where})"
    return None


LOGS = Part(
    "log_sum_exp",
    defines=("log_sum_exp",),
    properties=(
        Property(
            "The results agree with NumPy, whatever the size.",
            score_rows,
            call_logs,
            judge_logs,
            "Combine pairs (most, sum): both sums shrink to the higher maximum. Five "
            "steps, 16 to 1, bring all 32 lanes together. Fetch the other lane's two "
            "values before you change your own.",
        ),
        Property(
            "It stays finite and right for scores far from 0.",
            far_rows,
            call_logs,
            judge_logs,
            "No exponent may be above 0: subtract the higher of the two maxima before "
            "you take the exponential.",
        ),
        Property(
            "A warp reads side by side: 4 sectors for 32 floats.",
            shapes_of_logs,
            count_logs,
            judge_sectors,
            "Neighbouring lanes take neighbouring elements of one row.",
        ),
        Property(
            "Each element is loaded once.",
            shapes_of_logs,
            count_logs,
            judge_logs_once,
            "Maximum and sum in one walk; keep x[...] in a variable where it is used "
            "twice.",
        ),
        Property(
            "The lanes join by shuffles: no shared memory, no barrier.",
            shapes_of_logs,
            count_logs,
            judge_registers,
            "__shfl_xor_sync(0xffffffffu, value, step) reads another lane's register.",
        ),
    ),
    points=15,
)


# ---- part 3: stencil


def signals(rng):
    one = np.zeros(16, "float32")
    one[7] = 1
    yield {"x": one, "weight": np.arange(1, 10, dtype="float32")}
    for n in (1, 5, 256, 260, 512, 513, int(rng.integers(600, 1000))):
        x = rng.integers(-8, 9, n).astype("float32")
        yield {"x": x, "weight": rng.integers(-8, 9, 9).astype("float32") / 4}


def stencil_launch(x, weight):
    out = np.full(x.size, np.nan, "float32")
    return up(x.size, FLOATS), FLOATS, (x, weight, out, np.int32(x.size))


def call_stencil(lab, x, weight):
    grid, block, args = stencil_launch(x, weight)
    launch(lab, "stencil", grid, block, args)
    return args[2]


def judge_stencil(found, x, weight):
    padded = np.pad(x.astype("float64"), 4)
    expected = sum(w * padded[k : k + x.size] for k, w in enumerate(weight))
    return same(expected, found, "out", 1e-4, 1e-4)


def lengths(rng):
    yield {"n": 512}
    yield {"n": 256 * int(rng.integers(3, 7))}


def count_stencil(lab, n):
    x, weight = np.ones(n, "float32"), np.ones(9, "float32")
    return counted(lab, "stencil", *stencil_launch(x, weight))


def judge_halo(found, n):
    return loaded(found, "x", FLOATS + 4)  # block 0 has a halo on its right alone


def judge_stencil_sectors(found, n):
    # A row that begins inside a sector takes one more.
    return wide(found, "global", spare=1) or idle(found, "x")


def judge_stencil_banks(found, n):
    used = of(found, "shared", "load")
    if not used:
        return "nothing is read from shared memory"
    return wide(found, "shared")


STENCIL = Part(
    "stencil",
    defines=("stencil",),
    properties=(
        Property(
            "The results are right, at both ends too.",
            signals,
            call_stencil,
            judge_stencil,
            "tile[k] holds x[start + k - 4], and 0 where that is outside of x. All "
            "threads load and reach the barrier, also those behind n; only the result "
            "is guarded.",
        ),
        Property(
            "A block loads each element of x once.",
            lengths,
            count_stencil,
            judge_halo,
            "264 elements for 256 threads: each loads one, 8 of them one more. The "
            "neighbours are then read in the tile.",
        ),
        Property(
            "A warp reads and writes side by side.",
            lengths,
            count_stencil,
            judge_stencil_sectors,
            "Thread t loads elements t and t + 256 of the block's range, not t and "
            "t + 1 at a distance.",
        ),
        Property(
            "The tile is read without bank conflicts.",
            lengths,
            count_stencil,
            judge_stencil_banks,
            "In one load neighbouring lanes should read neighbouring words: "
            "tile[t + k].",
        ),
    ),
)

PARTS = [SUMS, LOGS, STENCIL]
