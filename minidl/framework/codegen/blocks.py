"""A block a row: threads share the inner loops, and join what each has summed.

Outside of the shared loops all threads do the same, and keep the same scalars; one of
them stores. Between a store and an access of the same memory that follows, in whatever
thread, stands a barrier. (Chapter 9.)
"""

from dataclasses import replace

from . import loops as ir
from .cuda_helpers import UNITS
from .cuda_text import STEP, assigned, constant, let, strided, thread, type_text, update
from .dependence import accesses
from .functions import ATOM
from .threads import spread, updated


class Block:
    """Writes the body of a row; knows what was touched since the last barrier."""

    def __init__(self):
        self.read, self.written = set(), set()

    def lines(self, body, margin):
        return [line for s in body for line in self.LINES[type(s)](self, s, margin)]

    def barrier(self, body, margin):
        """A barrier, if `body` depends on what another thread has touched."""
        found = accesses(body)
        reads = {a.buffer.name for a in found if not a.store or a.fn}
        writes = {a.buffer.name for a in found if a.store}
        needed = self.written & (reads | writes) or self.read & writes
        if needed:
            self.forget()
        self.read |= reads
        self.written |= writes
        return [f"{margin}__syncthreads();"] if needed else []

    def forget(self):
        self.read, self.written = set(), set()

    def scalar(self, node, margin):
        writer = let if isinstance(node, ir.Let) else update
        return [*self.barrier((node,), margin), *writer(node, margin)]

    def store(self, node, margin):
        (line,) = thread((node,), "")
        barrier = self.barrier((node,), margin)
        return [*barrier, f"{margin}if (threadIdx.x == 0) {line}"]

    def loop(self, node, margin):
        loops, body = spread(node, reductions=True)
        if loops:
            return self.shared(loops, body, margin)
        barrier = self.barrier(node.body, margin)
        head, tail = thread((replace(node, body=(), kind="serial"),), margin)
        lines = Block().lines(node.body, margin + STEP)
        if any(a.store for a in accesses(node.body)):  # the next round may need it
            lines.append(f"{margin}{STEP}__syncthreads();")
        return [*barrier, head, *lines, tail]

    def shared(self, loops, body, margin):
        """A loop whose iterations go to the threads, one after another."""
        sums = updated(body)
        barrier = self.barrier(body, margin)
        mine = {x: ir.Local(f"my_{x.name}", x.dtype) for x in sums}
        own = [begun(x, fn, mine[x], margin) for x, fn in sums.items()]
        body = [ir.substitute(s, mine) for s in body]
        lines = strided(
            loops, "threadIdx.x", "blockDim.x", margin, lambda m: thread(body, m)
        )
        ends = [met(x, fn, mine[x], margin) for x, fn in sums.items()]
        if sums:
            self.forget()  # to join is a barrier
        return [*barrier, *own, *lines, *ends]

    LINES = {ir.Let: scalar, ir.Update: scalar, ir.Store: store, ir.Loop: loop}


def suffix(dtype):
    return {"float32": "f", "float64": ""}.get(dtype.name, "_whole")


def begun(local, fn, mine, margin):
    """Each thread's own sum, from the value that changes nothing."""
    unit = UNITS[fn][suffix(local.dtype)]
    if local.dtype.kind == "b":
        unit = constant(fn == "minimum", local.dtype)
    return f"{margin}{type_text(local.dtype)} {mine.name} = {unit};"


def met(local, fn, mine, margin):
    """The sums of all threads, joined into the scalar that all of them keep."""
    any_true = local.dtype.kind == "b" and fn == "add"
    call = f"block_{'maximum' if any_true else fn}{suffix(local.dtype)}({mine.name})"
    return margin + assigned(local.name, fn, (call, ATOM), local.dtype)
