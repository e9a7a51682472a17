"""Which thread touches which address: the accesses of one warp, step by step.

(Chapter 11.)
"""

from dataclasses import dataclass

import numpy as np

from . import memory
from .counters import Counters
from .memory import WARP


@dataclass(frozen=True)
class Step:
    """One access of a warp."""

    line: int
    what: str  # load, store, atomic
    space: str  # global, shared
    name: str  # the array
    size: int  # bytes of each lane's access
    nbytes: tuple  # each lane's first byte in the array; None where it takes no part
    parts: int  # sectors (global) or passes (shared) of the whole request


class Watch(Counters):
    """Counts as always, and keeps the accesses of one warp of block 0."""

    def __init__(self, warp, most):
        super().__init__()
        self.lanes, self.most, self.seen = (
            slice(warp * WARP, (warp + 1) * WARP),
            most,
            [],
        )

    def access(self, site, mask, places, size, space, what):
        super().access(site, mask, places, size, space, what)
        active = mask.lanes[self.lanes]
        if active.any() and len(self.seen) < self.most:
            own = places[self.lanes].copy()
            self.seen.append((site, active.copy(), own, size, space, what))


def watch(kernel, grid, block, args=(), shared_mem=0, line=None, warp=0, most=64):
    """The first Steps of a warp of block 0, of one source line where it is given."""
    seen = Watch(warp, 100_000 if line else most)
    machine = kernel.launch(grid, block, args, shared_mem, seen)
    steps = [step(machine, *row) for row in seen.seen]
    return [s for s in steps if line in (None, s.line)][:most]


def step(machine, site, active, places, size, space, what):
    held = machine.spaces[space]
    place = places[active][0]
    number = int(((held.starts <= place) & (place < held.starts + held.sizes)).argmax())
    rule = memory.bank_passes if space == "shared" else memory.sectors
    parts = rule(np.ascontiguousarray(places), np.ascontiguousarray(active), size)[1]
    first = int(held.starts[number])
    nbytes = tuple(int(p) - first if a else None for p, a in zip(places, active))
    name = machine.launch.object_names(space)[number]
    return Step(
        machine.launch.program.lines[site], what, space, name, size, nbytes, parts
    )
