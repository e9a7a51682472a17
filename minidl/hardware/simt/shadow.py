"""What is remembered of a memory: who wrote and who read each few bytes last.

A race is two accesses by different threads to one place, at least one of them a write,
with no barrier between and not both atomic. Writing what is there already is allowed,
as is one value from many threads at once: the outcome is the same. (Chapter 11.)
"""

import numpy as np

from . import races


class Shadow:
    def __init__(self, granules, fine, unwritten):
        self.writer = np.zeros(granules, np.int64)
        self.reader = np.zeros(granules, np.int64)
        self.shift = fine.bit_length() - 1
        self.unwritten = unwritten  # shared memory begins without values

    def clear(self):
        if self.unwritten:
            self.writer[:] = 0
            self.reader[:] = 0

    def walk(self, machine, rule, mask, places, size, flag):
        return rule(
            places, mask.lanes, size, self.shift, machine.names, machine.now,
            machine.block_sync, machine.warp_sync, machine.fences, machine.atomics,
            self.writer, self.reader, flag, machine.suspect, machine.other,
        )  # fmt: skip

    def read(self, machine, site, mask, places, size):
        if not self.writer.size:
            return
        machine.suspect[:] = 0
        if self.walk(machine, races.read_races, mask, places, size, self.unwritten):
            self.report(machine, site)

    def write(self, machine, mask, places, size):
        """The lanes that may race: Suspects, or None."""
        if not self.writer.size:
            return None
        machine.suspect[:] = 0
        if self.walk(machine, races.write_races, mask, places, size, False):
            lanes = machine.suspect.nonzero()[0]
            return Suspects(machine, lanes, places[lanes].copy())
        return None

    def atomic(self, machine, site, mask, places, size):
        if not self.writer.size:
            return
        machine.suspect[:] = 0
        if (
            self.unwritten
            and (self.writer[places[mask.lanes] >> self.shift] == 0).any()
        ):
            fresh = mask.lanes & (self.writer[places >> self.shift] == 0)
            machine.suspect[fresh] = races.UNWRITTEN
            self.report(machine, site)
        if self.walk(machine, races.write_races, mask, places, size, True):
            self.report(machine, site)

    def report(self, machine, site):
        lane = int((machine.suspect != 0).argmax())
        space = machine.shared if self is machine.shared.shadow else machine.globals
        machine.raced(site, space, lane, int(machine.suspect[lane]))


class Suspects:
    """Writes that may race, until it is seen whether they change anything."""

    def __init__(self, machine, lanes, places):
        self.lanes, self.places = lanes, places
        self.kinds = machine.suspect[lanes].copy()
        self.others = machine.other[lanes].copy()
        self.myself = self.others == machine.names[lanes]
        together = self.kinds == races.SAME_INSTRUCTION
        self.rivals = np.where(together, machine.lanes_of(self.others), lanes)

    def before(self, space, kind):
        self.old = self.bytes_at(space, kind)

    def bytes_at(self, space, kind):
        places = self.places[:, None] + np.arange(kind.size)
        return space.bytes[places].copy()

    def real(self, space, places, kind, value):
        """Whether one of them does; then `lane` and `how` are of the first, best of
        those that met another thread than themselves."""
        wanted = bytes_of(value, kind, self.lanes)
        alone = self.kinds != races.SAME_INSTRUCTION
        changed = (self.old != wanted).any(1) & alone
        differ = (bytes_of(value, kind, self.rivals) != wanted).any(1)
        wrong = changed | differ
        if not wrong.any():
            return False
        first = int((wrong * (2 - self.myself)).argmax())
        self.lane, self.how = int(self.lanes[first]), int(self.kinds[first])
        return True


def bytes_of(value, kind, lanes):
    """The bytes that these lanes write, (lanes, size)."""
    if isinstance(value, tuple):
        out = np.zeros((len(lanes), kind.size), np.uint8)
        for (_, own, offset), part in zip(kind.fields, value):
            out[:, offset : offset + own.size] = bytes_of(part, own, lanes)
        return out
    part = value[lanes] if isinstance(value, np.ndarray) else np.full(len(lanes), value)
    part = np.ascontiguousarray(part.astype(kind.dtype))
    return part.view(np.uint8).reshape(len(lanes), kind.size)
