"""C's arithmetic where NumPy's is another: division, shifts, choices, bits.

(Chapter 11.)
"""

import numpy as np

from . import kinds


def quotient(machine, site, mask, a, b):
    """a / b of integers: cut towards zero, as C has it."""
    b = divisor(machine, site, mask, b)
    whole = a // b
    if whole.dtype.kind == "u":
        return whole
    inexact = (whole * b != a) & ((a < 0) != (b < 0))
    return (whole + inexact).astype(whole.dtype)


def remainder(machine, site, mask, a, b):
    """a % b of integers: with the sign of `a`."""
    b = divisor(machine, site, mask, b)
    if b.dtype.kind == "u":
        return a % b
    return np.fmod(a, b)


def divisor(machine, site, mask, b):
    """`b` where no active lane has 0; the others' is 1."""
    if not isinstance(b, np.ndarray):
        if b == 0:
            machine.fault(
                "division by zero", "the divisor is 0", site, int(mask.lanes.argmax())
            )
        return b
    none = b == 0
    if none.any():
        wrong = none & mask.lanes
        if wrong.any():
            lane = int(wrong.argmax())
            machine.fault("division by zero", "the divisor is 0", site, lane)
        return np.where(none, b.dtype.type(1), b)
    return b


def shift_count(machine, site, mask, a, b):
    bits = 8 * a.dtype.itemsize
    outside = (b < 0) | (b >= bits)
    if np.any(outside):
        wrong = np.broadcast_to(outside, (machine.lanes,)) & mask.lanes
        if wrong.any():
            lane = int(wrong.argmax())
            found = np.broadcast_to(b, (machine.lanes,))[lane]
            words = f"a value of {bits} bits is shifted by {found}"
            machine.fault("bad shift", words, site, lane)
        b = np.where(outside, 0, b)
    return b.astype(a.dtype)


def shifted_left(machine, site, mask, a, b):
    return a << shift_count(machine, site, mask, a, b)


def shifted_right(machine, site, mask, a, b):
    return a >> shift_count(machine, site, mask, a, b)


def choose(condition, a, b):
    """`a` where the condition holds, else `b`; None is a side that nobody took."""
    if a is None or b is None:
        return b if a is None else a
    if not isinstance(condition, np.ndarray):
        return a if condition else b
    if isinstance(a, tuple):
        return tuple(choose(condition, x, y) for x, y in zip(a, b))
    if hasattr(a, "chosen"):
        return a.chosen(condition, b)
    return np.where(condition, a, b)


def late_cast(value, old, new):
    return None if value is None else kinds.converted(value, old, new)


def with_field(value, number, new):
    """A structure with one field replaced."""
    return (*value[:number], new, *value[number + 1 :])


def leading_zeros(x):
    return np.int32(32) - np.ceil(np.log2(x.astype(np.float64) + 1)).astype(np.int32)


def first_set(x):
    lowest = x & (~x + x.dtype.type(1))
    return np.int32(32) - leading_zeros(lowest)


def reversed_bits(x):
    out = x & np.uint32(0)
    for i in range(32):
        out = out | ((x >> np.uint32(i) & np.uint32(1)) << np.uint32(31 - i))
    return out
