"""The passes over one memory access of all threads: is it allowed, what does it cost.

An access is an address for each lane. Addresses name an object and a byte in it
(`object << 40 | byte`), so that a pointer that leaves its array never lands in another.
Each pass is one loop over lanes, compiled by Numba and kept on disk. (Chapter 11.)
"""

import numpy as np
from numba import njit

WARP = 32
OBJECT = 40  # bits of an address that count bytes inside an object
INSIDE = (1 << OBJECT) - 1
SECTOR = 32  # bytes that global memory moves at least
BANKS = 32  # of 4 bytes, side by side in shared memory
BLOCK = 10  # bits of a thread's number that count inside its block

OUT_OF_BOUNDS, MISALIGNED = 1, 2

# How an access meets the one that the shadow remembers.
NONE, UNWRITTEN, SAME_INSTRUCTION, AFTER_WRITE, AFTER_READ = range(5)
THREAD, IN_WARP, IN_BLOCK, IN_GRID = range(4)  # how far apart the readers are
ATOMIC = 1 << 32  # flag of a write's record
PLAIN = ~(3 << 32)  # a record without its flag


@njit(cache=True)
def resolve(addresses, active, starts, sizes, origin, size, align, out):
    """(lane, code) of the first access that is not allowed, or (-1, 0).

    `out` gets where each lane's bytes are in the memory: the object's start in
    `starts`, plus the lane's `origin`, the part of the memory that its block owns.
    """
    for lane in range(addresses.size):
        if not active[lane]:
            out[lane] = 0
            continue
        what = addresses[lane] >> OBJECT
        byte = addresses[lane] & INSIDE
        if what < 0 or what >= starts.size or byte + size > sizes[what]:
            return lane, OUT_OF_BOUNDS
        if byte & (align - 1):
            return lane, MISALIGNED
        out[lane] = starts[what] + origin[lane] + byte
    return -1, 0


@njit(cache=True)
def sectors(places, active, size):
    """(requests, sectors): how many warps ask, and how many 32 bytes they touch."""
    requests = total = 0
    seen = np.empty(WARP * 2, np.int64)
    for first in range(0, places.size, WARP):
        count, asked = 0, False
        for lane in range(first, first + WARP):
            if not active[lane]:
                continue
            asked = True
            for sector in range(
                places[lane] >> 5, ((places[lane] + size - 1) >> 5) + 1
            ):
                k = count - 1
                while k >= 0 and seen[k] != sector:
                    k -= 1
                if k < 0:
                    seen[count] = sector
                    count += 1
        requests += asked
        total += count
    return requests, total


@njit(cache=True)
def bank_passes(places, active, size):
    """(requests, passes): how often shared memory must serve the warps.

    In one pass each bank gives one word, to any number of lanes. An access of 8 or 16
    bytes is served in halves or quarters of a warp, each counted as a request.
    """
    requests = passes = 0
    lanes = WARP // max(1, size // 4)
    first_word = np.empty(BANKS, np.int64)
    count = np.empty(BANKS, np.int64)
    words = np.empty((BANKS, WARP), np.int64)
    for first in range(0, places.size, lanes):
        low, high = 1 << 62, -1
        for lane in range(first, first + lanes):
            if active[lane]:
                low = min(low, places[lane] >> 2)
                high = max(high, (places[lane] + size - 1) >> 2)
        if high - low < BANKS:  # words that lie so near lie in different banks
            requests += high >= low
            passes += high >= low
            continue
        count[:] = 0
        worst = 0
        for lane in range(first, first + lanes):
            if not active[lane]:
                continue
            for word in range(places[lane] >> 2, ((places[lane] + size - 1) >> 2) + 1):
                bank = word & 31
                n = count[bank]
                if n and first_word[bank] == word:
                    continue
                k = n - 1
                while k >= 0 and words[bank, k] != word:
                    k -= 1
                if k < 0:
                    if n == 0:
                        first_word[bank] = word
                    words[bank, n] = word
                    count[bank] = n + 1
                    worst = max(worst, n + 1)
        requests += worst > 0
        passes += worst
    return requests, passes


@njit(cache=True)
def same_place(places, active):
    """(requests, passes) of atomics: lanes of a warp at one address take turns."""
    requests = passes = 0
    seen = np.empty(WARP, np.int64)
    times = np.empty(WARP, np.int64)
    for first in range(0, places.size, WARP):
        count = worst = 0
        for lane in range(first, first + WARP):
            if not active[lane]:
                continue
            k = 0
            while k < count and seen[k] != places[lane]:
                k += 1
            if k == count:
                seen[k] = places[lane]
                times[k] = 0
                count += 1
            times[k] += 1
            worst = max(worst, times[k])
        requests += worst > 0
        passes += worst
    return requests, passes


@njit(cache=True)
def divergence(some, fewer):
    """How many warps have lanes in `fewer` and others that are in `some` alone."""
    count = 0
    for first in range(0, some.size, WARP):
        inside = outside = False
        for lane in range(first, first + WARP):
            inside |= fewer[lane]
            outside |= some[lane] and not fewer[lane]
        count += inside and outside
    return count


@njit(cache=True, inline="always")
def packed(time, thread, flag):
    return (time << 34) | (flag << 32) | thread


@njit(cache=True, inline="always")
def home(record):
    """The block of the thread that a record names."""
    return (record & 0xFFFFFFFF) >> BLOCK


@njit(cache=True, inline="always")
def over(record, me, block_sync, warp_sync):
    """Whether what `record` did is known to be over for thread `me` of its block.

    By a barrier since then, or within a warp by __syncwarp; a thread knows of itself.
    """
    them, time, spread = record & 0xFFFFFFFF, record >> 34, (record >> 32) & 3
    if them >> BLOCK != me >> BLOCK or spread == IN_GRID:
        return False
    if time < block_sync[me >> BLOCK] or (them == me and spread == THREAD):
        return True
    return spread <= IN_WARP and them >> 5 == me >> 5 and time < warp_sync[me >> 5]


@njit(cache=True, inline="always")
def published(record, me, fences, atomics):
    """Whether another block's write is known here: its block has fenced since, and
    this one has then done an atomic."""
    fenced = fences[(record & 0xFFFFFFFF) >> BLOCK]
    return record >> 34 < fenced and fenced <= atomics[me >> BLOCK]


@njit(cache=True, inline="always")
def joined(record, me, now, block_sync, warp_sync):
    """The record of the reads so far and this one."""
    if record == 0 or over(record, me, block_sync, warp_sync):
        return packed(now, me, THREAD)
    them, spread, apart = record & 0xFFFFFFFF, (record >> 32) & 3, IN_GRID
    if them >> 5 == me >> 5:
        apart = IN_WARP
    elif them >> BLOCK == me >> BLOCK:
        apart = IN_BLOCK
    return packed(now, them, max(spread, apart))


@njit(cache=True, inline="always")
def known(reads, warp, barrier, warp_barrier):
    """Whether one more read by a warp adds nothing to the record of the reads so far:
    it has read since the last barrier, and so has another lane."""
    spread, time = (reads >> 32) & 3, reads >> 34
    if home(reads) != warp >> (BLOCK - 5) or time < barrier or spread == THREAD:
        return False
    same_warp = (reads & 0xFFFFFFFF) >> 5 == warp
    return spread != IN_WARP or (same_warp and time >= warp_barrier)


@njit(cache=True, inline="always")
def nothing_new(
    places, active, start, granules, shift, warp, barrier, warp_barrier, writer, reader
):
    """Whether a warp reads only what its block wrote before the last barrier, and what
    it has read since: a common case, and quick to see."""
    for lane in range(start, start + WARP):
        if not active[lane]:
            continue
        first = places[lane] >> shift
        for place in range(first, min(first + granules, writer.size)):
            last = writer[place]
            if not last or last >> 34 >= barrier or home(last) != warp >> (BLOCK - 5):
                return False
            if not known(reader[place], warp, barrier, warp_barrier):
                return False
    return True


@njit(cache=True)
def read_races(
    places, active, size, shift, threads, now, block_sync, warp_sync, fences, atomics,
    writer, reader, unwritten, suspect, other,
):  # fmt: skip
    """How many lanes read what another thread may still be writing, or what nobody has
    written where that is `unwritten`; marks them in `suspect`, whom in `other`.

    The shadow has a record of the last write and of the reads for each `1 << shift`
    bytes: time << 34 | flag << 32 | thread. The flag of a write says that it was
    atomic, of reads how far apart their threads are.
    """
    found, granules = 0, max(1, size >> shift)
    for start in range(0, places.size, WARP):
        warp = threads[start] >> 5
        block, barrier = warp >> (BLOCK - 5), block_sync[warp >> (BLOCK - 5)]
        fence, quiet = warp_sync[warp], -1
        if nothing_new(
            places, active, start, granules, shift, warp, barrier, fence, writer, reader
        ):
            continue
        for lane in range(start, start + WARP):
            first = places[lane] >> shift
            if not active[lane] or first == quiet:
                continue
            me = threads[lane]
            for place in range(first, min(first + granules, writer.size)):
                last, reads = writer[place], reader[place]
                settled = last and last >> 34 < barrier and home(last) == block
                if not settled:
                    if last == 0 and unwritten:
                        suspect[lane], other[lane] = UNWRITTEN, 0
                        found += 1
                    elif not over(last & PLAIN, me, block_sync, warp_sync):
                        if last and not published(last, me, fences, atomics):
                            suspect[lane], other[lane] = AFTER_WRITE, last & 0xFFFFFFFF
                            found += 1
                if not known(reads, warp, barrier, fence):
                    reader[place] = joined(reads, me, now, block_sync, warp_sync)
                elif settled and granules == 1:
                    quiet = place  # for the rest of the warp, too
    return found


@njit(cache=True)
def write_races(
    places, active, size, shift, threads, now, block_sync, warp_sync, fences, atomics,
    writer, reader, atomic, suspect, other,
):  # fmt: skip
    """How many lanes write what another thread may still be reading or writing."""
    found, granules = 0, max(1, size >> shift)
    for lane in range(places.size):
        if not active[lane]:
            continue
        me, first = threads[lane], places[lane] >> shift
        for place in range(first, min(first + granules, writer.size)):
            last, reads, how, whom = writer[place], reader[place], NONE, 0
            if last and not over(last & PLAIN, me, block_sync, warp_sync):
                together = atomic and (last & ATOMIC)
                if not together and not published(last, me, fences, atomics):
                    how, whom = AFTER_WRITE, last & 0xFFFFFFFF
            if not how and reads and not over(reads, me, block_sync, warp_sync):
                how, whom = AFTER_READ, reads & 0xFFFFFFFF
            if how:
                suspect[lane], other[lane] = how, whom
                found += 1
    # Only when all have met what was there before are their own writes noted.
    for lane in range(places.size):
        if not active[lane]:
            continue
        me, first = threads[lane], places[lane] >> shift
        for place in range(first, min(first + granules, writer.size)):
            last = writer[place]
            if last >> 34 == now and not atomic and not suspect[lane]:
                if last & 0xFFFFFFFF != me:
                    suspect[lane], other[lane] = SAME_INSTRUCTION, last & 0xFFFFFFFF
                    found += 1
            writer[place] = packed(now, me, int(atomic))
    return found
