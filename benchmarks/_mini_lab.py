"""The checker of the lab on which attacks are tried: two functions that double."""

import numpy as np

from kit.labs.parts import Part, Property, same


def whole_numbers(rng):
    yield {"n": 3}
    yield {"n": int(rng.integers(10**6, 10**9))}


def arrays(rng):
    yield {"x": np.array([1.5, 2.5])}
    yield {"x": rng.standard_normal(3)}


def call_whole(lab, n):
    return lab.whole(n)


def judge_whole(found, n):
    return None if found == 2 * n else f"expected {2 * n}, found {found}"


def call_scaled(lab, x):
    return lab.scaled(x)


def judge_scaled(found, x):
    return same(2 * x, found)


WHOLE = Property("It doubles.", whole_numbers, call_whole, judge_whole, "n + n")
SCALED = Property("It doubles arrays.", arrays, call_scaled, judge_scaled, "x + x")
PARTS = [
    Part("whole", ("whole",), (WHOLE,), points=5, seconds=5.0),
    Part("scaled", ("scaled",), (SCALED,), points=5, seconds=5.0),
]
