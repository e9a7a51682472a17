"""A memory of the machine, and values that go in and come out. (Chapter 11.)"""

import numpy as np

from .shadow import Shadow


class Space:
    """One memory: its bytes, the objects in it, and what is known of its accesses."""

    def __init__(self, name, sizes, copies, lanes, tracked=None, fine=4):
        starts = np.concatenate([[0], np.cumsum([-(-s // 256) * 256 for s in sizes])])
        self.name, self.sizes = name, np.array(sizes, np.int64)
        self.starts, self.stride = starts[:-1].astype(np.int64), int(starts[-1])
        self.bytes = np.zeros(max(256, self.stride * copies), np.uint8)
        self.origin = np.zeros(lanes, np.int64)
        self.views = {}
        granules = 0 if tracked is None else tracked * copies // fine + 1
        self.shadow = Shadow(granules, fine, name == "shared")

    def view(self, dtype):
        """All of the memory as elements of `dtype`."""
        if dtype not in self.views:
            self.views[dtype] = self.bytes.view(dtype)
        return self.views[dtype]


def zero(kind):
    if hasattr(kind, "fields"):
        return tuple(zero(own) for _, own, _ in kind.fields)
    return kind.dtype.type(0)


def fetched(space, places, kind):
    if hasattr(kind, "fields"):
        return tuple(
            fetched(space, places + offset, own) for _, own, offset in kind.fields
        )
    return space.view(kind.dtype).take(places >> (kind.size.bit_length() - 1))


def agreed(value):
    """One value as a scalar."""
    return tuple(map(agreed, value)) if isinstance(value, tuple) else value[0]


def spread(value, lanes, chosen):
    """`value` of the chosen lanes; what all agree on stays a scalar."""
    if isinstance(value, tuple):
        return tuple(spread(v, lanes, chosen) for v in value)
    return value[chosen] if isinstance(value, np.ndarray) else value


def put(space, places, kind, value, suspects=None):
    if suspects is not None:
        suspects.before(space, kind)
    if isinstance(value, tuple):
        for (_, own, offset), part in zip(kind.fields, value):
            put(space, places + offset, own, part)
    else:
        space.view(kind.dtype)[places >> (kind.size.bit_length() - 1)] = value
