"""Program: what the runtime knows of a computation, buffers and instructions.

No tensors and no gradients: an instruction is a kernel's name, the buffers that it
reads and those that it writes. A buffer has a size and a life, from the instruction
that first writes it to the last one that reads it. Planning memory, scheduling and
running are functions of this, and a program can be written to a file and read again.
(Chapters 13 and 14.)
"""

import json
from dataclasses import asdict, dataclass
from functools import cached_property

KINDS = ("temporary", "input", "output", "constant")


@dataclass(frozen=True)
class Buffer:
    """`nbytes` of memory. Only a "temporary" shares its place, in turn, with others."""

    nbytes: int
    born: int  # index of the instruction that writes it first; -1 if it is there before
    dies: int  # index of its last reader; the count of instructions if it stays
    kind: str = "temporary"


@dataclass(frozen=True)
class Instruction:
    """One run of a kernel, and its cost: FLOPs, and bytes read and written."""

    kernel: str
    inputs: tuple  # indices of buffers
    outputs: tuple
    flops: int = 0
    nbytes: int = 0


@dataclass(frozen=True)
class Program:
    buffers: tuple
    instructions: tuple

    @cached_property
    def temporaries(self):
        """The indices of the buffers that a memory plan may place."""
        return [i for i, b in enumerate(self.buffers) if b.kind == "temporary"]

    @property
    def flops(self):
        return sum(i.flops for i in self.instructions)

    @property
    def nbytes(self):
        return sum(i.nbytes for i in self.instructions)

    def live(self):
        """Bytes of temporaries that are needed during each instruction."""
        levels = [0] * len(self.instructions)
        for i in self.temporaries:
            buffer = self.buffers[i]
            for t in range(max(buffer.born, 0), min(buffer.dies + 1, len(levels))):
                levels[t] += buffer.nbytes
        return levels

    def to_json(self):
        return json.dumps(asdict(self), indent=1)

    @staticmethod
    def from_json(text):
        """The program that `to_json` wrote. ValueError where a buffer is missing."""
        read = json.loads(text)
        buffers = tuple(Buffer(**b) for b in read["buffers"])
        made = tuple(
            Instruction(
                **{**i, "inputs": tuple(i["inputs"]), "outputs": tuple(i["outputs"])}
            )
            for i in read["instructions"]
        )
        used = {b for i in made for b in (*i.inputs, *i.outputs)}
        if not used <= set(range(len(buffers))):
            raise ValueError(f"a program of {len(buffers)} buffers uses {max(used)}")
        return Program(buffers, made)


def lives(sizes, kinds, instructions):
    """The Program of `instructions`, with the life of each buffer found out.

    `sizes` and `kinds` have an entry for each buffer.
    """
    end = len(instructions)
    born, dies = [-1] * len(sizes), [-1] * len(sizes)
    for t, instruction in enumerate(instructions):
        for b in instruction.outputs:
            born[b] = (
                t if born[b] < 0 and kinds[b] in ("temporary", "output") else born[b]
            )
        for b in (*instruction.inputs, *instruction.outputs):
            dies[b] = t
    dies = [end if kind != "temporary" else t for kind, t in zip(kinds, dies)]
    buffers = tuple(map(Buffer, sizes, born, dies, kinds))
    return Program(buffers, tuple(instructions))
