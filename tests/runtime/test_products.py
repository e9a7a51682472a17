"""Products by BLAS's address: any matrices that lie as BLAS can read them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.hardware import blas
from minidl.runtime import products
from minidl.runtime.build import Entry
from minidl.runtime.execute import Call
from minidl.runtime.pool import parts_of
from minidl.runtime.products import best_pieces, native, product_call

has_blas = pytest.mark.skipif(blas.product("f") is None, reason="no BLAS is found")
sizes = st.integers(1, 20)


def run(function, arguments):
    if isinstance(function, Entry):
        function.bound(arguments)()
    else:
        function(*arguments)


@st.composite
def matrices(draw, lead, rows, columns, dtype):
    """Matrices as they lie, transposed, or cut out of a larger array."""
    shape = (*lead, rows, columns)
    data = np.random.default_rng(draw(st.integers(0, 99))).standard_normal
    kind = draw(st.sampled_from(["whole", "transposed", "cut", "heads"]))
    if kind == "transposed":
        return data((*lead, columns, rows)).astype(dtype).swapaxes(-1, -2)
    if kind == "cut":
        return data((*lead, rows + 2, columns + 3)).astype(dtype)[..., 1:-1, 2:-1]
    if kind == "heads" and len(lead) == 2:  # as of attention: places before heads
        return data((lead[0], rows, lead[1], columns)).astype(dtype).swapaxes(1, 2)
    return data(shape).astype(dtype)


@st.composite
def pairs(draw):
    dtype = draw(st.sampled_from(["float32", "float64"]))
    lead = tuple(draw(st.lists(st.integers(1, 4), max_size=2)))
    m, k, n = draw(sizes), draw(sizes), draw(sizes)
    x = draw(matrices(lead, m, k, dtype))
    if lead and draw(st.booleans()):
        lead = lead[1:]  # broadcast
    return x, draw(matrices(lead, k, n, dtype))


def close(out, x, y):
    exact = x.astype(float) @ y.astype(float)
    scale = np.abs(x).astype(float) @ np.abs(y).astype(float)
    assert (np.abs(out - exact) <= 1e-6 * scale + 1e-30).all()


@given(pairs(), st.integers(1, 3))
def test_it_is_the_product_whole_and_in_parts(pair, threads):
    x, y = pair
    out = np.full(np.matmul(x, y).shape, np.nan, x.dtype)
    call = product_call(x, y, out)
    run(call.function, call.arguments)
    close(out, x, y)
    out[...] = np.nan
    for start, stop in parts_of(call.rows, threads, call.unit):
        if start < stop:
            run(call.function, call.part(start, stop))
    close(out, x, y)


@has_blas
@given(pairs())
def test_no_product_of_these_needs_numpy(pair):
    x, y = pair
    out = np.empty(np.matmul(x, y).shape, x.dtype)
    assert isinstance(product_call(x, y, out).function, Entry)


@has_blas
@pytest.mark.parametrize("pieces", [(8, 16), (3, 5), (40, 30), (16, 48)])
def test_pieces_make_up_the_whole(pieces):
    rng = np.random.default_rng(0)
    for x in (rng.random((37, 20)), rng.random((20, 37)).T):
        for y in (rng.random((20, 41)), rng.random((41, 20)).T):
            out = np.full((37, 41), np.nan)
            run(*native(x, y, out, pieces))
            close(out, x, y)


STRANGE = {
    "whole numbers": (np.ones((3, 4), int), np.ones((4, 2), int)),
    "every other element": (np.ones((3, 8), "f")[:, ::2], np.ones((4, 2), "f")),
    "backwards": (np.ones((3, 4), "f")[::-1], np.ones((4, 2), "f")),
    "one row again": (np.broadcast_to(np.float32(1), (3, 4)), np.ones((4, 2), "f")),
    "nothing": (np.ones((3, 0), "f"), np.ones((0, 2), "f")),
    "a vector": (np.ones(4, "f"), np.ones((4, 2), "f")),
}


@pytest.mark.parametrize("what", STRANGE)
def test_numpy_does_what_blas_can_not(what):
    x, y = STRANGE[what]
    out = np.full(np.matmul(x, y).shape, 7, x.dtype)
    call = product_call(x, y, out)
    assert call.function is np.matmul
    run(call.function, call.arguments)
    np.testing.assert_array_equal(out, x @ y)


def test_without_a_library_numpy_does_all(monkeypatch):
    monkeypatch.setattr(products.blas, "product", lambda char: None)
    x, y = np.ones((3, 4)), np.ones((4, 2))
    assert isinstance(product_call(x, y, np.empty((3, 2))), Call)
    assert product_call(x, y, np.empty((3, 2))).function is np.matmul


@has_blas
def test_only_products_of_few_rows_are_cut():
    assert best_pieces(512, 512, 512, 111, 111, "float32") == (512, 512)
    assert best_pieces(8, 8, 8, 111, 111, "float32") == (8, 8)
    rows, columns = best_pieces(64, 128, 784, 111, 112, "float32")
    assert rows <= 64 and columns <= 128


def test_single_thread_gives_back_what_was_set():
    counts = lambda: [library.get_num_threads() for library in blas.libraries()]  # noqa: E731
    before = counts()
    with blas.SingleThread(), blas.SingleThread():
        assert counts() == [1] * len(before)
    assert counts() == before
