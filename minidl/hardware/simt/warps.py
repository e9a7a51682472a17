"""Votes and shuffles: what the lanes of a warp tell one another. (Chapter 11.)"""

import numpy as np

from .memory import WARP


def by_warp(value, lanes):
    return np.broadcast_to(value, (lanes,)).reshape(-1, WARP)


def over_warp(rows):
    """A value for each warp as one for each lane."""
    return np.repeat(rows, WARP)


def voted(machine, site, mask, named, predicate):
    """Which lanes of each warp are here and hold the predicate."""
    machine.named(site, mask, named)
    return by_warp(predicate, machine.lanes) & mask.lanes.reshape(-1, WARP)


def ballot(machine, site, mask, named, predicate):
    bits = np.uint32(1) << np.arange(WARP, dtype=np.uint32)
    held = voted(machine, site, mask, named, predicate)
    return over_warp((held * bits).sum(1, dtype=np.uint32))


def any_of(machine, site, mask, named, predicate):
    held = voted(machine, site, mask, named, predicate)
    return over_warp(held.any(1).astype(np.int32))


def all_of(machine, site, mask, named, predicate):
    held = voted(machine, site, mask, named, predicate)
    here = mask.lanes.reshape(-1, WARP)
    return over_warp((held == here).all(1).astype(np.int32))


def from_idx(lane, by, width):
    return lane - lane % width + by % width


def from_up(lane, by, width):
    return np.where(lane % width >= by, lane - by, lane)


def from_down(lane, by, width):
    return np.where(lane % width + by < width, lane + by, lane)


def from_xor(lane, by, width):
    # A lane of an earlier part of the warp may be read, a later one may not.
    other = lane ^ by
    return np.where(other // width <= lane // width, other, lane)


def shuffled(machine, site, mask, source, named, value, by, width):
    """Each lane's value of another lane of its warp."""
    machine.named(site, mask, named)
    n = machine.lanes
    by = np.broadcast_to(by, (n,)).astype(np.int64)
    width = np.broadcast_to(width, (n,)).astype(np.int64)
    bad = mask.lanes & ((width < 1) | (width > WARP) | (width & (width - 1) != 0))
    if bad.any():
        lane = int(bad.argmax())
        machine.fault("bad shuffle", f"the width is {width[lane]}", site, lane)
    lane = np.arange(n) % WARP
    chosen = source(lane, by, width)
    whom = np.arange(n) - lane + chosen % WARP
    absent = mask.lanes & ~mask.lanes[whom]
    if absent.any():
        lane = int(absent.argmax())
        words = f"it reads lane {int(chosen[lane] % WARP)}, which is not here"
        machine.fault("bad shuffle", words, site, lane)
    if isinstance(value, tuple):
        return tuple(np.broadcast_to(v, (n,))[whom] for v in value)
    return np.broadcast_to(value, (n,))[whom]
