"""Races: the records of who wrote and who read a place last, and what they forbid.

A record is time << 34 | flag << 32 | thread. The flag of a write says that it was
atomic, that of reads how far apart their threads are. (Chapter 11.)
"""

from numba import njit

from .memory import BLOCK, WARP

# How an access meets the one that the shadow remembers.
NONE, UNWRITTEN, SAME_INSTRUCTION, AFTER_WRITE, AFTER_READ = range(5)
THREAD, IN_WARP, IN_BLOCK, IN_GRID = range(4)  # how far apart the readers are
ATOMIC = 1 << 32  # flag of a write's record
PLAIN = ~(3 << 32)  # a record without its flag


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
