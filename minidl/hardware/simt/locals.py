"""Arrays in local memory: each thread has its own. (Chapter 11.)

While all threads use the same index, an element is one value for all lanes, as a
register is; the first index on which threads differ makes a table of it.
"""

import numpy as np

from .faults import CompileError
from .masks import select


class LocalArray:
    def __init__(self, machine, home, name, length, kind):
        self.machine, self.home, self.name = machine, home, name
        self.length, self.kind = length, kind
        self.rows = [None] * length
        self.written = [None] * length  # None, True, or who has written it
        self.table = None

    def load(self, site, mask, index):
        if not mask:
            return np.zeros(self.machine.lanes, self.kind.dtype)
        if not isinstance(index, np.ndarray):
            index = self.inside(site, mask, index)
            self.check(site, mask, self.written[index], index)
            row = self.rows[index]
            return row if self.table is None else row.copy()
        index = self.inside_all(site, mask, index)
        self.tabulate()
        lanes = np.arange(self.machine.lanes)
        self.check(site, mask, self.known[index, lanes], index)
        return self.table[index, lanes]

    def store(self, site, mask, index, value):
        if not mask:
            return
        if isinstance(index, np.ndarray):
            index = self.inside_all(site, mask, index)
            self.tabulate()
            lanes = mask.lanes.nonzero()[0]
            value = value[lanes] if isinstance(value, np.ndarray) else value
            self.table[index[lanes], lanes] = value
            self.known[index[lanes], lanes] = True
            return
        index = self.inside(site, mask, index)
        if self.table is not None:
            np.copyto(self.table[index], value, where=mask.lanes)
            self.known[index] |= mask.lanes
            return
        old = self.rows[index]
        self.rows[index] = select(mask, self.home, value, old)
        if mask is self.home or mask.every:
            self.written[index] = True
        elif self.written[index] is not True:
            before = self.written[index]
            self.written[index] = mask.lanes if before is None else before | mask.lanes

    def tabulate(self):
        """From one value an element to one an element and lane, for good."""
        if self.table is not None:
            return
        shape = self.length, self.machine.lanes
        self.table = np.zeros(shape, self.kind.dtype)
        self.known = np.zeros(shape, bool)
        for i, (row, written) in enumerate(zip(self.rows, self.written)):
            if row is not None:
                self.table[i] = row
                self.known[i] = self.home.lanes if written is True else written
        self.rows, self.written = list(self.table), list(self.known)

    def inside(self, site, mask, index):
        index = int(index)
        if not 0 <= index < self.length:
            self.outside(site, index, int(mask.lanes.argmax()))
        return index

    def inside_all(self, site, mask, index):
        wrong = mask.lanes & ((index < 0) | (index >= self.length))
        if wrong.any():
            lane = int(wrong.argmax())
            self.outside(site, int(index[lane]), lane)
        return index if mask.every else np.where(mask.lanes, index, 0)

    def outside(self, site, index, lane):
        words = (
            f"element {index} of the local array {self.name}, which has {self.length}"
        )
        self.machine.fault("out of bounds", words, site, lane)

    def check(self, site, mask, written, index):
        if written is True or not self.machine.checks:
            return
        missing = mask.lanes if written is None else mask.lanes & ~written
        if missing.any():
            lane = int(missing.argmax())
            element = int(index[lane]) if isinstance(index, np.ndarray) else index
            words = (
                f"element {element} of the local array {self.name} was never written"
            )
            if self.length == 1:
                words = f"the variable {self.name} has no value yet"
            self.machine.fault("uninitialised read", words, site, lane)


class LocalStructs:
    """An array of structures: an array for each field."""

    def __init__(self, machine, home, name, length, kind):
        self.name, self.parts = name, []
        for field, own, _ in kind.fields:
            form = LocalStructs if hasattr(own, "fields") else LocalArray
            part = form(machine, home, f"{name}.{field}", length, own)
            self.parts.append(part)

    def load(self, site, mask, index):
        return tuple(part.load(site, mask, index) for part in self.parts)

    def store(self, site, mask, index, value):
        for part, own in zip(self.parts, value):
            part.store(site, mask, index, own)


class LocalPointer:
    """An element of a local array, by its place."""

    def __init__(self, array, offset):
        self.array, self.offset = array, offset

    def moved(self, by):
        return LocalPointer(self.array, self.offset + by)

    def chosen(self, lanes, other):
        """This pointer in some lanes, `other` in the rest: one array for all."""
        if other.array is not self.array:
            raise CompileError(
                f"a pointer to {self.array.name} in some threads and to "
                f"{other.array.name} in others is not read here: use two loops or an "
                "index into one array"
            )
        return LocalPointer(self.array, np.where(lanes, self.offset, other.offset))

    def __sub__(self, other):
        return np.subtract(self.offset, other.offset, dtype=np.int64)


def compared(function):
    """The comparison of two places in one array by a NumPy function; 0 is nowhere."""

    def run(self, other):
        if not isinstance(other, LocalPointer) or other.array is not self.array:
            return function(1, 0)
        return function(self.offset, other.offset)

    return run


for name, function in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(LocalPointer, f"__{name}__", compared(function))
