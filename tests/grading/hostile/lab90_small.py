"""The small lab on which hostile submissions are graded: two parts, a second each.

Every property has cases drawn from the seed, so that what is known beforehand is not
enough for any of them.
"""

import numpy as np

from kit.labs.parts import Part, Property, same


def by_hand_and_drawn(rng):
    yield {"x": np.array([1.0, 2.0, 3.0]), "k": 2.0}
    for _ in range(3):
        yield {"x": rng.uniform(-9, 9, 5), "k": float(rng.uniform(2, 9))}


def tables(rng):
    for rows in (1, 4):
        yield {"x": rng.uniform(-9, 9, (rows, 3)), "k": float(rng.uniform(2, 9))}


def call_scaled(lab, x, k):
    return lab.scaled(x, k)


def judge_scaled(found, x, k):
    return same(k * x, found)


def rows(rng):
    yield {"x": np.array([1.0, 2.0, 3.0])}
    yield {"x": rng.uniform(-9, 9, 6)}


def call_running(lab, x):
    return lab.running(x)


def judge_running(found, x):
    return same([sum(x[: n + 1]) for n in range(len(x))], found)


SCALED = Part(
    "scaled",
    defines=("scaled",),
    properties=(
        Property(
            "Each element is multiplied by k.",
            by_hand_and_drawn, call_scaled, judge_scaled, "A product, one by one.",
        ),
        Property(
            "It works on tables too.",
            tables, call_scaled, judge_scaled, "NumPy multiplies tables, too.",
        ),
    ),
    points=10,
    seconds=1.0,
)  # fmt: skip

RUNNING = Part(
    "running",
    defines=("running",),
    properties=(
        Property(
            "Element n is the sum of the first n + 1.",
            rows, call_running, judge_running, "np.cumsum does it.",
        ),
    ),
    points=5,
    seconds=1.0,
)  # fmt: skip

PARTS = [SCALED, RUNNING]
