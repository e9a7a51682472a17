"""Atomic functions: one lane after another, so that none is lost. (Chapter 11.)"""

from numba import njit


def one_by_one(new):
    """A loop over lanes that stores new(old, value, other) and keeps each old value."""
    new = njit(new)

    @njit
    def run(memory, places, active, old, value, other):
        for lane in range(places.size):
            if active[lane]:
                at = places[lane]
                old[lane] = memory[at]
                memory[at] = new(memory[at], value[lane], other[lane])

    return lambda memory, places, active, old, *values: run(
        memory, places, active, old, values[0], values[-1]
    )


ATOMICS = {
    "add": lambda old, value, other: old + value,
    "sub": lambda old, value, other: old - value,
    "exch": lambda old, value, other: value,
    "min": lambda old, value, other: min(old, value),
    "max": lambda old, value, other: max(old, value),
    "and": lambda old, value, other: old & value,
    "or": lambda old, value, other: old | value,
    "xor": lambda old, value, other: old ^ value,
    "inc": lambda old, value, other: 0 if old >= value else old + 1,
    "dec": lambda old, value, other: value if old == 0 or old > value else old - 1,
    "cas": lambda old, value, other: other if old == value else old,
}
