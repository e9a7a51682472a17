"""Autocast: what gains from 16 bits runs in 16 bits, what would suffer in float32.

Products read and write half the bytes so, and a GPU has units for them. Sums of many
terms, powers and losses leave the range or the precision of 16 bits and get float32.
All other operations take the widest of their inputs. Parameters stay float32: a handler
casts what an operation reads, and the tape casts gradients back. (Chapter 4.)
"""

import threading

from . import ops
from .dtypes import HALVES, bfloat16, float32
from .op import apply, handling
from .tape import is_recording, record

LOW = set("matmul linear conv2d conv2d_image conv2d_weight".split())
FULL = set("exp log pow sqrt sum softmax log_softmax normalise cross_entropy".split())


class Active(threading.local):
    """The blocks that this thread is in, the innermost last."""

    def __init__(self):
        self.blocks = []


active = Active()


class autocast:
    """`with autocast("float16"):` or "bfloat16". Call backward() after the block.

    On the CPU, 16 bits are how results are stored; the arithmetic is float32.
    """

    def __init__(self, dtype=bfloat16):
        if dtype not in HALVES:
            raise ValueError(f"autocast to {dtype!r}: 'float16' or 'bfloat16' is meant")
        self.dtype, self.blocks = HALVES[HALVES.index(dtype)], []
        self.cache = {}  # parameters that were cast already: a loop reads them often

    def __enter__(self):
        self.blocks.append(handling(self))
        self.blocks[-1].__enter__()
        active.blocks.append(self)
        return self

    def __exit__(self, *error):
        self.cache.clear()
        active.blocks.pop()
        return self.blocks.pop().__exit__(*error)

    def __call__(self, op, inputs, attrs):
        if self.covered():
            return apply(op, *inputs, **attrs)
        if op.name in LOW:
            inputs = [self.cast(x, self.dtype) for x in inputs]
        elif op.name in FULL:
            inputs = [self.cast(x, float32) for x in inputs]
        elif op.composed and not op.vjp and not op.writes:
            with handling(self):  # it is cast part by part
                return op.composed(*inputs, **attrs)
        elif not op.writes and {x.dtype for x in inputs} & {float32}:
            inputs = [self.cast(x, float32) for x in inputs]
        return apply(op, *inputs, **attrs)

    def covered(self):
        """Whether a block within this one casts already."""
        return active.blocks[-1:] != [self]

    def cast(self, x, dtype):
        """`x` in `dtype`; itself where it is neither float32 nor of 16 bits."""
        if x.dtype == dtype or x.dtype not in (float32, *HALVES):
            return x
        if not (x.requires_grad and x.is_leaf):
            return ops.cast(x, dtype=dtype)
        kept, version, low = self.cache.get(id(x), (None, None, None))
        if kept is not x or version != x.version[0]:
            low = ops.cast(x.detach(), dtype=dtype)
            self.cache[id(x)] = x, x.version[0], low
        out = low.detach()
        if is_recording():  # each use by itself: one may go back before another
            record(ops.cast, (x,), {"dtype": dtype}, out)
        return out
