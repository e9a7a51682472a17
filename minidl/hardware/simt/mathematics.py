"""The mathematics that a kernel can call, each as a NumPy function. (Chapter 11.)"""

import math

import numpy as np
from numba import vectorize


@vectorize(["f4(f4)", "f8(f8)"], cache=True)
def erf(x):
    return math.erf(x)


@vectorize(["f4(f4)", "f8(f8)"], cache=True)
def erfc(x):
    return math.erfc(x)


def fused(a, b, c):
    """a * b + c with one rounding, by way of a wider type."""
    wide = np.float64 if a.dtype == np.float32 else np.longdouble
    return (a.astype(wide) * b + c).astype(a.dtype)


MATHEMATICS = {  # name: (number of arguments, function)
    "sqrt": (1, np.sqrt), "rsqrt": (1, lambda x: 1 / np.sqrt(x)), "cbrt": (1, np.cbrt),
    "exp": (1, np.exp), "exp2": (1, np.exp2), "expm1": (1, np.expm1),
    "exp10": (1, lambda x: np.power(x.dtype.type(10), x)),
    "log": (1, np.log), "log2": (1, np.log2), "log10": (1, np.log10),
    "log1p": (1, np.log1p), "sin": (1, np.sin), "cos": (1, np.cos), "tan": (1, np.tan),
    "asin": (1, np.arcsin), "acos": (1, np.arccos), "atan": (1, np.arctan),
    "sinh": (1, np.sinh), "cosh": (1, np.cosh), "tanh": (1, np.tanh),
    "asinh": (1, np.arcsinh), "acosh": (1, np.arccosh), "atanh": (1, np.arctanh),
    "floor": (1, np.floor), "ceil": (1, np.ceil), "trunc": (1, np.trunc),
    "rint": (1, np.rint), "nearbyint": (1, np.rint), "fabs": (1, np.abs),
    "round": (1, lambda x: np.copysign(np.floor(np.abs(x) + x.dtype.type(0.5)), x)),
    "erf": (1, erf), "erfc": (1, erfc),
    "pow": (2, np.power), "atan2": (2, np.arctan2), "fmod": (2, np.fmod),
    "hypot": (2, np.hypot), "fmax": (2, np.fmax), "fmin": (2, np.fmin),
    "copysign": (2, np.copysign), "fdim": (2, lambda a, b: np.fmax(a - b, a * 0)),
    "fma": (3, fused),
}  # fmt: skip


INTRINSICS = {"__expf": "exp", "__logf": "log", "__sinf": "sin", "__cosf": "cos",
              "__tanf": "tan", "__powf": "pow", "__exp10f": "exp10", "__log2f": "log2",
              "__log10f": "log10", "__fsqrt_rn": "sqrt", "__frsqrt_rn": "rsqrt",
              "__fmaf_rn": "fma", "__saturatef": "saturate"}  # fmt: skip


def saturate(x):
    return np.clip(np.where(x == x, x, x.dtype.type(0)), 0, 1)[()]


ROUNDINGS = {"rn": np.rint, "rz": np.trunc, "rd": np.floor, "ru": np.ceil}
