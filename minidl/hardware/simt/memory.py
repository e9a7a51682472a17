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
