"""The dtypes of elements: NumPy's, and bfloat16, which ml_dtypes adds to NumPy.

bfloat16 is float32 with the last 16 bits cut off: the same range, 8 bits of precision
where float16 has 11 bits and a range up to 65,504. (Chapters 1 and 4.)
"""

import ml_dtypes
import numpy as np

float16, float32, float64 = map(np.dtype, ("float16", "float32", "float64"))
bfloat16 = np.dtype(ml_dtypes.bfloat16)
int8, int16, int32, int64 = map(np.dtype, ("int8", "int16", "int32", "int64"))
uint8, bool_ = np.dtype("uint8"), np.dtype("bool")

RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2}  # by NumPy's letters of kinds
HALVES = (float16, bfloat16)


def is_number(dtype):
    """Whether a tensor can hold `dtype`: truth values, integers, floats."""
    return dtype == bfloat16 if dtype.kind == "V" else dtype.kind in RANKS


def is_float(dtype):
    return dtype.kind in "fV"  # the only V among a tensor's dtypes is bfloat16


def rank(dtype):
    """0 for truth values, 1 for integers, 2 for floats."""
    return RANKS[dtype.kind]


def wider(a, b):
    """The dtype that holds all values of `a` and of `b`, two dtypes of one rank."""
    if a != b and {a, b} == set(HALVES):
        return float32
    return np.promote_types(a, b)
