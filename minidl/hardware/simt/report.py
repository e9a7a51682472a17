"""What a launch did, line by line, and how long a GPU would take by a stated model.

The model: each resource works at its full rate and on its own, and the slowest of them
sets the time; blocks run in waves of as many as the GPU holds. Left out: caches,
latency that too few warps do not hide, the launch itself, the clock's changes. Every
sector counts as device memory, so what a cache would give again is counted again.
(Chapter 11.)
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from ..specs import named, occupancy

FLOPS = {"float": 1, "fma": 2, "special": 1}
SCHEDULERS = 4  # of an SM; each starts one instruction of a warp in a clock


@dataclass(frozen=True)
class Line:
    """What one line of the source did in all."""

    number: int
    text: str
    instructions: int  # of warps
    efficiency: float  # part of the lanes of those warps that took part
    traffic: tuple  # Traffic of each access
    branches: tuple  # (warps, of them divergent)
    turns: tuple  # of atomics: (requests, passes)


@dataclass(frozen=True)
class Estimate:
    """A modelled time in seconds, and what each resource alone would take."""

    gpu: str
    seconds: float
    parts: dict
    occupancy: object

    @property
    def bottleneck(self):
        return max(self.parts, key=self.parts.get)

    def __repr__(self):
        rows = [f"{self.gpu}: modelled {self.seconds * 1e6:,.1f} µs, {self.occupancy}"]
        rows += [f"  {what:<16}{t * 1e6:>10,.1f} µs" for what, t in self.parts.items()]
        return "\n".join(rows)


class Report:
    """Reads the counters of a kernel's last launch."""

    def __init__(self, kernel):
        self.kernel, self.counters = kernel, kernel.counters
        self.program = kernel.program

    @property
    def instructions(self):
        """{kind: how many warps ran one}."""
        total = Counter()
        for site, (warps, _) in self.counters.run.items():
            for kind, n in self.program.tallies[site].items():
                total[kind] += n * warps
        return {kind: n for kind, n in total.items() if n}

    @property
    def flops(self):
        """float operations of all active threads, an FMA being two."""
        return sum(
            FLOPS.get(kind, 0) * n * lanes
            for site, (_, lanes) in self.counters.run.items()
            for kind, n in self.program.tallies[site].items()
        )

    @property
    def nbytes(self):
        """Bytes that global memory moves: 32 for each sector."""
        return 32 * self.counters.total("global").parts

    @property
    def intensity(self):
        """FLOPs for each byte of global memory."""
        return self.flops / self.nbytes if self.nbytes else float("inf")

    @property
    def efficiency(self):
        """Part of the lanes of running warps that were active."""
        warps = lanes = 0
        for site, (w, n) in self.counters.run.items():
            weight = sum(self.program.tallies[site].values()) or 1
            warps, lanes = warps + weight * w, lanes + weight * n
        return lanes / (32 * warps) if warps else 1.0

    def lines(self):
        """A Line for each line of the source that ran."""
        rows = defaultdict(lambda: [0, 0, 0, [], [0, 0], [0, 0]])
        counters, place = self.counters, self.program.lines
        for site, (warps, lanes) in counters.run.items():
            row = rows[place[site]]
            row[0] += warps * sum(self.program.tallies[site].values())
            row[1] += warps
            row[2] += lanes
        for site, traffic in counters.traffic.items():
            rows[place[site]][3].append(traffic)
        for column, counted in ((4, counters.branches), (5, counters.turns)):
            for site, pair in counted.items():
                row = rows[place[site]][column]
                row[:] = row[0] + pair[0], row[1] + pair[1]
        text = self.kernel.source.splitlines()
        return [
            Line(n, text[n - 1], instructions, lanes / (32 * warps) if warps else 1.0,
                 tuple(traffic), tuple(branches), tuple(turns))
            for n, (instructions, warps, lanes, traffic, branches, turns)
            in sorted(rows.items())
        ]  # fmt: skip

    def estimate(self, gpu="A100", registers=32):
        """The Estimate for a named GPU; `registers` of a thread are assumed."""
        gpu = named(gpu)
        grid, block = self.kernel.shape
        blocks, threads = product(grid), product(block)
        held = occupancy(threads, registers, self.kernel.shared_bytes, gpu)
        if held.blocks == 0:
            raise ValueError(f"no block of {threads} threads fits on a {gpu.name}")
        clocks = gpu.sms * gpu.clock
        ran, total = self.instructions, self.counters.total
        arithmetic = ran.get("float", 0) + ran.get("fma", 0)
        parts = {
            "instructions": sum(ran.values()) / SCHEDULERS / clocks,
            "arithmetic": arithmetic * 32 / gpu.fp32 / clocks,
            "special": ran.get("special", 0) * 32 / gpu.special / clocks,
            "global memory": self.nbytes / gpu.bandwidth,
            "shared memory": total("shared").parts / clocks,
            "atomics": sum(p for _, p in self.counters.turns.values()) / clocks,
        }
        wave = gpu.sms * held.blocks
        waves = -(-blocks // wave) * wave / blocks if blocks > wave else 1.0
        idle = gpu.sms / min(blocks, gpu.sms)  # SMs that get no block
        work = {k: t * (1 if k == "global memory" else max(waves, idle))
                for k, t in parts.items()}  # fmt: skip
        return Estimate(gpu.name, max(work.values()), work, held)

    def __repr__(self):
        ran = self.instructions
        head = (
            f"{self.kernel.name}: grid {self.kernel.shape[0]}, block "
            f"{self.kernel.shape[1]}; {sum(ran.values()):,} warp instructions, "
            f"{self.efficiency:.0%} of lanes active, {self.flops:,} FLOPs, "
            f"{self.nbytes:,} bytes of global memory"
        )
        rows = [head, f"{'line':>4} {'instr.':>10} {'lanes':>5}  source"]
        for line in self.lines():
            rows.append(
                f"{line.number:>4} {line.instructions:>10,} {line.efficiency:>5.0%}  "
                f"{line.text.rstrip()}"
            )
            rows += [f"{'':<22} {words}" for words in notes(line)]
        return "\n".join(rows)


def notes(line):
    """What a line's accesses and branches cost, in words."""
    for t in line.traffic:
        what = "passes" if t.space == "shared" else "sectors"
        yield f"^ {t.space} {t.what}: {t.per_request:.1f} {what} a request"
    if line.turns[0]:
        yield f"^ atomic: {line.turns[1] / line.turns[0]:.1f} turns a request"
    if line.branches[1]:
        yield f"^ {line.branches[1]:,} of {line.branches[0]:,} warps diverge"


def product(shape):
    x, y, z = shape
    return x * y * z
