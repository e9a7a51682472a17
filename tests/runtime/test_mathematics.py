"""The float32 functions of generated code: as exact as said, and vectorised."""

import platform

import numba
import numpy as np
import pytest

from minidl.runtime.build import FAST
from minidl.runtime.kernels import mathematics

EXACT = {
    "exp": np.exp,
    "tanh": np.tanh,
    "log": np.log,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
MOST_ULP = {"exp": 1.1, "tanh": 2.6, "log": 1.0, "sigmoid": 2.6}
SPECIAL = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], np.float32)


def over(function):
    """A loop over `function`, compiled as generated kernels are."""

    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    signature = "void(float32[::1], float32[::1])"
    return numba.njit(signature, fastmath=FAST, error_model="numpy")(loop)


@pytest.fixture(scope="module", params=EXACT)
def function(request):
    return request.param, over(getattr(mathematics, request.param))


def samples():
    """Dense where the functions bend, and every size of float, both signs."""
    sizes = np.geomspace(1e-45, 3e38, 300_001)
    dense = [np.linspace(-110, 100, 500_001), np.linspace(-1, 1, 200_001)]
    return np.concatenate([*dense, sizes, -sizes]).astype(np.float32)


def ulps(found, exact):
    """How far off, in units in the last place of the float32 nearest to `exact`."""
    nearest = exact.astype(np.float32)
    off = np.abs(found - exact) / np.spacing(np.abs(nearest))
    return np.where((found == nearest) | np.isnan(found) & np.isnan(nearest), 0, off)


@np.errstate(all="ignore")
def test_errors_stay_below_some_units_in_the_last_place(function):
    name, loop = function
    x = samples()
    if name == "sigmoid":
        x = x[~(x < -88.7)]  # there exp(-x) is inf and NumPy says 0, too
    out = np.empty_like(x)
    loop(x, out)
    assert ulps(out.astype("f8"), EXACT[name](x.astype("f8"))).max() < MOST_ULP[name]


@np.errstate(all="ignore")
def test_inf_nan_and_zeros_give_what_numpy_gives(function):
    name, loop = function
    out = np.empty_like(SPECIAL)
    loop(SPECIAL, out)
    np.testing.assert_array_equal(out, EXACT[name](SPECIAL))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names x86's registers")
def test_a_loop_over_them_runs_in_vector_registers(function):
    """One call a number, as with np.exp, leaves no wide register in the code."""
    name, loop = function
    (code,) = loop.inspect_asm().values()
    wide = [row for row in code.splitlines() if "%ymm" in row or "%zmm" in row]
    assert sum("mul" in row or "fma" in row for row in wide) > 5


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_keep_nan_as_numpy_does(name, dtype):
    own = getattr(mathematics, name)
    values = np.array([np.nan, np.inf, -np.inf, 0, 1, -2], dtype)
    x, y = (a.ravel().copy() for a in np.meshgrid(values, values))

    @numba.njit
    def loop(x, y, out):
        for i in range(x.shape[0]):
            out[i] = own(x[i], y[i])

    out = np.empty_like(x)
    loop(x, y, out)
    np.testing.assert_array_equal(out, getattr(np, name)(x, y))
