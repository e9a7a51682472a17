"""What kernels call, against Python's own mathematics and bit tricks by hand."""

import math

import numpy as np
import pytest

from minidl.hardware import simt

X = [0.25, 0.5, 0.75, 0.125, 0.9, 0.01]
Y = [0.5, 2.0, 3.0, 0.3, 0.7, 1.5]
WITNESSES = {  # name: (number of arguments, Python's function)
    "sqrt": (1, math.sqrt), "rsqrt": (1, lambda x: 1 / math.sqrt(x)),
    "cbrt": (1, math.cbrt), "exp": (1, math.exp), "exp2": (1, lambda x: 2**x),
    "exp10": (1, lambda x: 10**x), "expm1": (1, math.expm1), "log": (1, math.log),
    "log2": (1, math.log2), "log10": (1, math.log10), "log1p": (1, math.log1p),
    "sin": (1, math.sin), "cos": (1, math.cos), "tan": (1, math.tan),
    "asin": (1, math.asin), "acos": (1, math.acos), "atan": (1, math.atan),
    "sinh": (1, math.sinh), "cosh": (1, math.cosh), "tanh": (1, math.tanh),
    "asinh": (1, math.asinh), "atanh": (1, math.atanh), "erf": (1, math.erf),
    "erfc": (1, math.erfc), "floor": (1, math.floor), "ceil": (1, math.ceil),
    "trunc": (1, math.trunc), "rint": (1, round), "fabs": (1, abs),
    "round": (1, lambda x: math.floor(x + 0.5)), "nearbyint": (1, round),
    "pow": (2, math.pow), "atan2": (2, math.atan2), "fmod": (2, math.fmod),
    "hypot": (2, math.hypot), "fmax": (2, max), "fmin": (2, min),
    "copysign": (2, math.copysign), "fdim": (2, lambda a, b: max(a - b, 0)),
    "fma": (3, lambda a, b, c: a * b + c),
}  # fmt: skip
FAST = {
    "__expf": (1, math.exp), "__logf": (1, math.log), "__sinf": (1, math.sin),
    "__cosf": (1, math.cos), "__powf": (2, math.pow), "__fsqrt_rn": (1, math.sqrt),
    "__frsqrt_rn": (1, lambda x: 1 / math.sqrt(x)),
    "__fdividef": (2, lambda a, b: a / b),
    "__saturatef": (1, lambda x: min(max(x, 0), 1)), "min": (2, min), "max": (2, max),
}  # fmt: skip
WHOLE = {  # call on int a, unsigned u: Python's value for a, u
    "__popc(u)": lambda a, u: u.bit_count(),
    "__clz(a)": lambda a, u: 32 - (a & 0xFFFFFFFF).bit_length(),
    "__ffs(a)": lambda a, u: (a & -a).bit_length(),
    "__brev(u)": lambda a, u: int(f"{u:032b}"[::-1], 2),
    "abs(a)": lambda a, u: abs(a),
    "min(a, 5)": lambda a, u: min(a, 5),
    "max(a, -3)": lambda a, u: max(a, -3),
    "min(u, 77u)": lambda a, u: min(u, 77),
    "__popcll(0xffffffffff)": lambda a, u: 40,
    "__float_as_int(1.0f)": lambda a, u: 0x3F800000,
    "__float2int_rn(2.5f)": lambda a, u: 2,
    "__float2int_ru(a / 2.0f)": lambda a, u: math.ceil(np.float32(a) / 2),
    "__float2int_rd(a / 2.0f)": lambda a, u: math.floor(np.float32(a) / 2),
    "__float2int_rz(-1.75f)": lambda a, u: -1,
    "isnan(0.0f / 0.0f) + isinf(1.0f / 0.0f) * 2 + isfinite(1.0f) * 4": lambda a, u: 7,
    "(int)__int2float_rn(7)": lambda a, u: 7,
    "(int)__half2float(__float2half(3.0f))": lambda a, u: 3,
}


def by_lanes_and_by_scalars(kind, call, columns, out, argument):
    """Values of a call where each lane has its own arguments, and where all agree."""
    names = "xyz"[: len(columns)] if argument is None else argument
    dtype = np.dtype(out)
    given = ", ".join(f"const {t}* {n}" for t, n in zip(kind, names))
    single = ", ".join(f"{t} {n}" for t, n in zip(kind, names))
    result = {"f4": "float", "f8": "double", "i8": "long long"}[dtype.str[1:]]
    loads = "".join(f"{t} {n} = in_{n}[i]; " for t, n in zip(kind, names))
    given = given.replace("* ", "* in_")
    source = (
        f"__global__ void many({result}* out, {given}) {{ int i = threadIdx.x; {loads}"
        f"out[i] = {call}; }}\n"
        f"__global__ void one({result}* out, {single}) {{ out[0] = {call}; }}"
    )
    many, one = np.zeros(len(columns[0]), dtype), np.zeros(1, dtype)
    simt.RawKernel(source, "many")((1,), (len(many),), (many, *columns))
    scalars = []
    kernel = simt.RawKernel(source, "one")
    for values in zip(*columns):
        kernel((1,), (1,), (one, *values))
        scalars.append(one[0])
    return many, scalars


def checked(call, number, function, kind, dtype, tolerance):
    columns = [np.array(v, dtype) for v in (X, Y, Y[::-1])[:number]]
    many, scalars = by_lanes_and_by_scalars([kind] * number, call, columns, dtype, None)
    wanted = [function(*map(float, row)) for row in zip(*columns)]
    np.testing.assert_allclose(many, wanted, rtol=tolerance)
    np.testing.assert_allclose(scalars, wanted, rtol=tolerance)


@pytest.mark.parametrize("name", WITNESSES)
def test_mathematics_agrees_with_python_in_double_and_in_float(name):
    number, function = WITNESSES[name]
    given = ", ".join("xyz"[:number])
    checked(f"{name}({given})", number, function, "double", np.float64, 1e-14)
    checked(f"{name}f({given})", number, function, "float", np.float32, 1e-6)
    checked(f"{name}({given})", number, function, "float", np.float32, 1e-6)


def test_acosh_agrees_with_python():
    for call, kind, dtype in (("acosh", "double", "f8"), ("acoshf", "float", "f4")):
        wider = lambda x: math.acosh(x + 1)  # noqa: E731
        checked(f"{call}(x + 1)", 1, wider, kind, np.dtype(dtype), 1e-6)


@pytest.mark.parametrize("name", FAST)
def test_fast_mathematics_agrees_with_python(name):
    number, function = FAST[name]
    call = f"{name}({', '.join('xy'[:number])})"
    checked(call, number, function, "float", np.float32, 1e-6)


@pytest.mark.parametrize("call", WHOLE)
def test_functions_of_bits_and_whole_numbers(call):
    a = np.array([0, 1, -1, 12, -(2**31), 2**31 - 1, -77], np.int32)
    u = np.array([0, 1, 2**32 - 1, 12, 2**31, 77, 5], np.uint32)
    if call.startswith("abs"):
        a[4] = 3  # the least int has no absolute value
    many, scalars = by_lanes_and_by_scalars(
        ["int", "unsigned"], call, [a, u], np.int64, "au"
    )
    wanted = [WHOLE[call](int(p), int(q)) for p, q in zip(a, u)]
    assert many.tolist() == wanted
    assert [int(s) for s in scalars] == wanted
