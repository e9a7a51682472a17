"""What can go wrong in a CUDA kernel, said with its source line. (Chapter 11.)

A `CompileError` is about the text alone. A `KernelFault` happened to one thread of one
block while it ran: it names both, the values, and the likely mend.
"""


class CompileError(ValueError):
    """The source is not the C that the simulated GPU reads."""

    def __init__(self, words, line=None, source=""):
        self.line = line
        lines = source.splitlines()
        text = lines[line - 1].strip() if line and 0 < line <= len(lines) else ""
        where = f"line {line}: " if line else ""
        super().__init__(f"{where}{words}" + (f"\n    {text}" if text else ""))


class KernelFault(RuntimeError):
    """A thread did what a kernel must not do.

    `kind` is a row of `KINDS`; `line` a line of the source; `block` and `thread` are
    (x, y, z), or None where no single thread is at fault.
    """

    def __init__(self, kind, words, line, text, block=None, thread=None):
        self.kind, self.line, self.block, self.thread = kind, line, block, thread
        who = f"block {block}, thread {thread}: " if block is not None else ""
        super().__init__(
            f"{kind} in line {line}: {who}{words}\n    {text.strip()}\n"
            f"Likely mend: {KINDS[kind]}."
        )


KINDS = {  # kind: the likely mend
    "out of bounds": "guard the access with `if (i < n)`, or correct the index",
    "misaligned access": "a vector access needs an address divisible by its size: "
    "start rows at multiples of the vector, or load element by element",
    "uninitialised read": "write the value before it is read; in shared memory a "
    "__syncthreads() must stand between the write and another thread's read",
    "race": "put a __syncthreads() between the two accesses where they are in one "
    "block; across blocks give each its own element or use an atomic function",
    "divergent barrier": "move __syncthreads() out of the branch, so that every thread "
    "of the block reaches it",
    "divergent warp function": "let every lane that the mask names reach the call, or "
    "build the mask with __ballot_sync before the branch",
    "endless loop": "look at the loop's condition and at what changes in it; a kernel "
    "that waits for another block waits for ever here",
    "division by zero": "test the divisor first",
    "bad shift": "shift by less than the number of bits of the left operand",
    "bad shuffle": "name a lane that takes part and a width of 2, 4, 8, 16 or 32",
    "bad launch": "see the limits in the message",
}
