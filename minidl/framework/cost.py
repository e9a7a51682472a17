"""What a computation costs, counted operation by operation as it runs.

FLOPs come from each row's rule; bytes are those an operation reads and writes if
nothing stays in a cache, so a view costs none. Both are counts, not measurements.
(Chapter 0.)
"""

from collections import Counter
from dataclasses import dataclass

from .op import apply, handling


@dataclass(frozen=True)
class Entry:
    """One operation that ran."""

    op: str
    shapes: tuple  # of the inputs
    shape: tuple  # of the result
    flops: int
    nbytes: int


class Ledger:
    """Everything that ran inside `with Ledger() as ledger:`, in order."""

    def __init__(self):
        self.entries = []

    def __enter__(self):
        self.block = handling(self)
        self.block.__enter__()
        return self

    def __exit__(self, *error):
        return self.block.__exit__(*error)

    def __call__(self, op, inputs, attrs):
        out = apply(op, *inputs, **attrs)
        shapes = tuple(tuple(x.shape) for x in inputs)
        flops = op.flops(out.shape, *shapes, **attrs)
        self.entries.append(
            Entry(op.name, shapes, tuple(out.shape), flops, moved(op, inputs, out))
        )
        return out

    @property
    def flops(self):
        return sum(entry.flops for entry in self.entries)

    @property
    def nbytes(self):
        return sum(entry.nbytes for entry in self.entries)

    def count(self):
        """How often each operation ran, the most frequent first."""
        return dict(Counter(entry.op for entry in self.entries).most_common())


def moved(op, inputs, out):
    """Bytes read and written by one operation."""
    if op.view and out.version is inputs[0].version:
        return 0
    read = sum(x.nbytes for x in inputs)
    return read + (
        sum(inputs[i].nbytes for i in op.writes) if op.writes else out.nbytes
    )
