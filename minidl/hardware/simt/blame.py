"""Faults in words: which thread did what, where, and to what. (Chapter 11.)"""

from . import memory, races
from .faults import KernelFault
from .memory import BLOCK, INSIDE, OBJECT


class Blame:
    """The part of a Machine that says what went wrong."""

    def fault(self, kind, words, site, lane=None):
        line = self.launch.program.lines[site]
        text = self.launch.program.source.splitlines()[line - 1]
        block = thread = None
        if lane is not None:
            block = self.launch.block_at(int(self.block[lane]))
            thread = self.launch.thread_at(int(self.thread[lane]))
        raise KernelFault(kind, words, line, text, block, thread)

    def misplaced(self, site, address, space, size, align, lane, code):
        what, byte = int(address) >> OBJECT, int(address) & INSIDE
        if byte >> (OBJECT - 1):  # below an object's first byte: back to its own number
            what, byte = what + 1, byte - (1 << OBJECT)
        names = self.launch.object_names(space.name)
        name, nbytes = "no object", 0
        if 0 <= what < len(names):
            name, nbytes = names[what], int(space.sizes[what])
        if code == memory.MISALIGNED:
            words = (
                f"byte {byte} of {name} is no multiple of {align}, as an access of "
                f"{size} bytes needs"
            )
            self.fault("misaligned access", words, site, lane)
        unit = self.launch.unit(space.name, what, size)
        words = (
            f"element {byte // unit} of {name}, which has {nbytes // unit} "
            f"({space.name} memory, {size} bytes at byte {byte} of {nbytes})"
        )
        self.fault("out of bounds", words, site, lane)

    def raced(self, site, space, lane, how):
        """A fault for the lane that met another thread in the memory."""
        if how == races.UNWRITTEN:
            words = f"{self.named_place(space, lane)} was never written"
            self.fault("uninitialised read", words, site, lane)
        other = int(self.other[lane])
        thread = self.launch.thread_at(other & ((1 << BLOCK) - 1))
        block = self.launch.block_at(other >> BLOCK)
        if other == self.names[lane]:
            words = f"other threads read {self.named_place(space, lane)} too"
            self.fault("race", f"{words}, with no barrier between", site, lane)
        did = "read" if how == races.AFTER_READ else "wrote"
        same = " in the same instruction" if how == races.SAME_INSTRUCTION else ""
        words = (
            f"thread {thread} of block {block} {did} {self.named_place(space, lane)}"
            f"{same}, with no barrier between"
        )
        self.fault("race", words, site, lane)

    def named_place(self, space, lane):
        """The object and element of an access, in words."""
        byte = int(self.places[lane] - space.origin[lane])
        inside = (space.starts <= byte) & (byte < space.starts + space.sizes)
        what = int(inside.argmax())
        unit = self.launch.unit(space.name, what, 4)
        name = self.launch.object_names(space.name)[what]
        return f"element {(byte - int(space.starts[what])) // unit} of {name}"
