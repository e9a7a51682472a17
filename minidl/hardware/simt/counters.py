"""What a launch counts, by the place in the source. (Chapter 11.)

Global memory: requests (a warp that asks) and the 32-byte sectors they touch. Shared
memory: requests and the passes they take, one where no banks conflict. Branches: warps
that come, and those whose lanes part. Statements: warps and lanes that run them.
"""

from collections import defaultdict
from dataclasses import dataclass

from . import memory


@dataclass
class Traffic:
    """Accesses of one place: `parts` are sectors (global), passes (shared, atomics)."""

    space: str
    what: str  # load, store, atomic
    size: int = 0  # bytes of one access
    requests: int = 0
    parts: int = 0
    lanes: int = 0

    @property
    def per_request(self):
        return self.parts / self.requests if self.requests else 0.0


class Counters:
    def __init__(self):
        self.run = defaultdict(lambda: [0, 0])  # site: warps, lanes
        self.traffic = {}  # site: Traffic
        self.turns = defaultdict(lambda: [0, 0])  # site of an atomic: requests, passes
        self.branches = defaultdict(lambda: [0, 0])  # site: warps, of them divergent
        self.barriers = 0  # warps that waited

    def total(self, space, what=None):
        """The Traffic of one memory in all; of one kind where `what` names it."""
        total = Traffic(space, what or "access")
        for row in self.traffic.values():
            if row.space == space and what in (None, row.what):
                total.requests += row.requests
                total.parts += row.parts
                total.lanes += row.lanes
        return total

    def count(self, site, mask):
        row = self.run[site]
        row[0] += mask.warps
        row[1] += mask.n

    def access(self, site, mask, places, size, space, what):
        row = self.traffic.get(site)
        if row is None:
            row = self.traffic[site] = Traffic(space, what, size)
        rule = memory.bank_passes if space == "shared" else memory.sectors
        requests, parts = rule(places, mask.lanes, size)
        if what == "atomic":
            turns = self.turns[site]
            asked, passes = memory.same_place(places, mask.lanes)
            turns[0] += asked
            turns[1] += passes
        row.requests += requests
        row.parts += parts
        row.lanes += mask.n

    def branch(self, site, mask, taken):
        row = self.branches[site]
        row[0] += mask.warps
        if taken and taken is not mask:
            row[1] += memory.divergence(mask.lanes, taken.lanes)

    def barrier(self, site, mask):
        self.barriers += mask.warps


class Silent:
    """Counts nothing."""

    def count(self, *_):
        pass

    access = branch = barrier = count
