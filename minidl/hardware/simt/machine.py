"""The machine that generated code runs on: some blocks of a launch, all their threads.

One lane is one thread. Blocks are padded to whole warps; the lanes that pad are never
active. Global memory is one byte array with every argument in it; shared memory one
with a part for each block. (Chapter 11.)
"""

import numpy as np

from . import memory
from .blame import Blame
from .masks import Mask
from .memory import BLOCK, WARP
from .space import agreed, fetched, put, spread, zero

LANES = 1 << 16  # threads that run at once, so that their variables stay in the cache


class Machine(Blame):
    """Blocks `first` and on, as many as the masks have room for, of one launch."""

    def __init__(self, launch, spaces, counters, checks):
        self.launch, self.counters, self.checks = launch, counters, checks
        self.spaces = spaces
        self.shared, self.globals = spaces["shared"], spaces["global"]
        self.lanes = launch.lanes
        self.places = np.empty(self.lanes, np.int64)
        self.suspect = np.zeros(self.lanes, np.int8)
        self.other = np.zeros(self.lanes, np.int64)
        self.now = 1
        blocks = launch.blocks + 1
        self.block_sync = np.zeros(blocks, np.int64)
        self.warp_sync = np.zeros(blocks << (BLOCK - 5), np.int64)
        self.fences = np.zeros(blocks, np.int64)
        self.atomics = np.zeros(blocks, np.int64)

    def begin(self, first):
        """The mask of all threads of the blocks from `first` on."""
        launch = self.launch
        lane = np.arange(self.lanes)
        slot, thread = lane // launch.padded, lane % launch.padded
        self.block, self.thread, self.steps = first + slot, thread, 0
        self.names = (self.block << BLOCK | thread).astype(np.int64)
        self.shared.origin[:] = slot * self.shared.stride
        self.shared.shadow.clear()
        live = (thread < launch.threads) & (self.block < launch.blocks)
        self.alive = live.copy()
        self.index = launch.indices(self.block, thread)
        return Mask(live, every=bool(live.all()))

    def lanes_of(self, names):
        """The lanes of threads; what has none here is somewhere among them."""
        block = (names >> BLOCK) - self.block[0]
        lanes = block * self.launch.padded + (names & ((1 << BLOCK) - 1))
        return lanes.clip(0, self.lanes - 1)

    # ---- accesses

    def resolved(self, site, mask, address, space, size, align):
        """Where the bytes of an access lie; a fault where one is not allowed."""
        if not isinstance(address, np.ndarray):
            address = np.full(self.lanes, address, np.int64)
        lane, code = memory.resolve(
            address, mask.lanes, space.starts, space.sizes, space.origin, size, align,
            self.places,
        )  # fmt: skip
        if code:
            self.misplaced(site, address[lane], space, size, align, lane, code)
        return self.places

    def load(self, site, mask, address, space, kind):
        """The value of `kind` at each lane's address."""
        space = self.spaces[space]
        if not mask:
            return zero(kind)
        places = self.resolved(site, mask, address, space, kind.size, kind.align)
        self.now += 1
        if self.checks:
            space.shadow.read(self, site, mask, places, kind.size)
        self.counters.access(site, mask, places, kind.size, space.name, "load")
        if space.name == "global" and not isinstance(address, np.ndarray):
            places = places[mask.lanes][:1]
            return agreed(fetched(space, places, kind))
        return fetched(space, places, kind)

    def store(self, site, mask, address, space, kind, value):
        space = self.spaces[space]
        if not mask:
            return
        places = self.resolved(site, mask, address, space, kind.size, kind.align)
        self.now += 1
        suspects = None
        if self.checks:
            suspects = space.shadow.write(self, mask, places, kind.size)
        self.counters.access(site, mask, places, kind.size, space.name, "store")
        if mask.every:
            lanes = slice(None)
        else:
            lanes = mask.lanes.nonzero()[0]
        put(space, places[lanes], kind, spread(value, self.lanes, lanes), suspects)
        if suspects is not None and suspects.real(space, places, kind, value):
            self.raced(site, space, suspects.lane, suspects.how)

    def atomic(self, site, mask, address, space, kind, run, *values):
        """The old values; `run` changes the memory lane after lane."""
        space = self.spaces[space]
        old = np.zeros(self.lanes, kind.dtype)
        if not mask:
            return old
        places = self.resolved(site, mask, address, space, kind.size, kind.align)
        self.now += 1
        if self.checks:
            space.shadow.atomic(self, site, mask, places, kind.size)
            self.atomics[np.unique(self.block[mask.lanes])] = self.now
        self.counters.access(site, mask, places, kind.size, space.name, "atomic")
        values = [np.broadcast_to(v, (self.lanes,)).astype(kind.dtype) for v in values]
        run(space.view(kind.dtype), places // kind.size, mask.lanes, old, *values)
        return old

    # ---- barriers

    def barrier(self, site, mask):
        """__syncthreads: every living thread of a block must be here, or none."""
        here = mask.lanes.reshape(-1, self.launch.padded)
        away = (self.alive & ~mask.lanes).reshape(-1, self.launch.padded)
        broken = here.any(1) & away.any(1)
        self.counters.barrier(site, mask)
        if broken.any():
            slot = int(broken.argmax())
            start = slot * self.launch.padded
            stands = start + int(away[slot].argmax())
            words = (
                f"{here[slot].sum()} threads wait at the barrier, "
                f"{away[slot].sum()} do not come: thread "
                f"{self.launch.thread_at(stands % self.launch.padded)} is elsewhere"
            )
            self.fault(
                "divergent barrier", words, site, start + int(here[slot].argmax())
            )
        self.now += 1
        self.block_sync[self.block[mask.lanes]] = self.now

    def warp_barrier(self, site, mask, named):
        self.named(site, mask, named)
        self.now += 1
        self.warp_sync[self.names[mask.lanes] >> 5] = self.now

    def fence(self, site, mask):
        self.now += 1
        self.fences[self.block[mask.lanes]] = self.now

    def named(self, site, mask, named):
        """Fault unless the lanes that `named` names are those that are here."""
        here, alive = words_of(mask.lanes), words_of(self.alive)
        named = np.broadcast_to(named, (self.lanes,)).reshape(-1, WARP)
        wrong = (named.astype(np.uint32) & alive != here).ravel() & mask.lanes
        if wrong.any():
            lane = int(wrong.argmax())
            warp = lane // WARP
            words = (
                f"the mask {int(named[warp, lane % WARP]) & 0xFFFFFFFF:#010x} names "
                f"lanes, but those that are here are {int(here[warp, 0]):#010x}"
            )
            self.fault("divergent warp function", words, site, lane)

    def left(self, mask):
        """The lanes of `mask` have returned from the kernel."""
        self.alive &= ~mask.lanes

    # ---- control

    def count(self, site, mask):
        self.counters.count(site, mask)

    def within(self, site, mask, index, length):
        """Fault unless an index is inside its dimension of an array."""
        if isinstance(index, np.ndarray):
            if 0 <= index.min() and index.max() < length:
                return
            wrong = mask.lanes & ((index < 0) | (index >= length))
            if not wrong.any():
                return
            lane = int(wrong.argmax())
            index = index[lane]
        elif 0 <= index < length:
            return
        else:
            lane = int(mask.lanes.argmax())
        words = f"index {index} of a dimension of {length}"
        self.fault("out of bounds", words, site, lane)

    def initialised(self, site, mask, written, name):
        """Fault where a lane reads a variable that it has not written."""
        if (self.checks or not written) and written is not mask:
            missing = mask.lanes & ~written.lanes if written else mask.lanes
            if missing.any():
                words = f"the variable {name} has no value yet"
                self.fault("uninitialised read", words, site, int(missing.argmax()))

    def active(self, site, mask):
        """__activemask: the lanes of each warp that are here."""
        bits = np.uint32(1) << np.arange(WARP, dtype=np.uint32)
        rows = (mask.lanes.reshape(-1, WARP) * bits).sum(1, dtype=np.uint32)
        return np.repeat(rows, WARP)

    def branch(self, site, mask, taken):
        self.counters.branch(site, mask, taken)

    def tick(self, site, mask):
        """One more round of a loop."""
        self.steps += 1
        if self.steps > self.launch.max_steps:
            words = (
                f"the loop still runs after {self.launch.max_steps:,} rounds; a kernel "
                "that needs more says so with max_steps="
            )
            self.fault("endless loop", words, site, int(mask.lanes.argmax()))


def words_of(lanes):
    """The lanes of each warp as the bits of a word, (warps, 1)."""
    return np.packbits(lanes, bitorder="little").view(np.uint32).reshape(-1, 1)
