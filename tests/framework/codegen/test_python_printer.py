"""Kernels as Python for Numba: what the text says, and what it computes."""

import numpy as np
import pytest
from hypothesis import given, settings
from loop_kernels import (
    Buffer,
    Const,
    F,
    Load,
    Loop,
    Store,
    call,
    columns,
    compiled,
    exact_softmax,
    gelu,
    i,
    interpreted,
    ir,
    j,
    matmul,
    nest,
    softmax,
    total,
)
from loop_strategies import expression_kernels, reduction_kernels

from minidl.framework.codegen import python
from minidl.runtime.build import build


def test_the_text_is_the_loops_and_nothing_else():
    x, out = Buffer("x", (4, 8), F), Buffer("out", (4, 8), F)
    step = Store(out, (i, j), call("tanh", Load(x, (i, j))) * 2.0 + 1.0)
    kernel = ir.Kernel("scaled", (out,), (x,), body=nest((4, 8), step))
    assert (
        python.source(kernel)
        == '''"""scaled, generated from its loops."""

import numpy as np

from minidl.runtime.kernels.mathematics import tanh

f32 = np.float32


def scaled(out, x):
    for i in range(4):
        for j in range(8):
            out[i, j] = tanh(x[i, j]) * f32(2.0) + f32(1.0)
'''
    )


def test_a_kernel_without_functions_imports_none():
    text = python.source(matmul(2, 3, 4))
    assert "import" not in text.replace("import numpy as np", "")
    assert "c[i, j] += a[i, k] * b[k, j]" in text


def test_numba_is_told_ranks_and_dense_memory():
    shapes = {"a": ((), F), "b": ((2,), "bool"), "c": ((2, 3), "int64")}
    outputs = [Buffer(name, *rest) for name, rest in shapes.items()]
    loop = Loop("i", 2, (), "parallel")
    kernel = ir.Kernel("k", outputs, params=(ir.Param("scale", "bool"),), body=(loop,))
    arrays = "Array(float32, 0, 'C'), boolean[::1], int64[:, ::1]"
    assert python.signature(kernel) == f"void({arrays}, boolean, int64, int64)"


def test_gelu_agrees_with_numpy(rng):
    x = rng.standard_normal((30, 50)).astype(F)
    out, wide = np.zeros_like(x), x.astype("f8")
    compiled(gelu(30, 50))(out, x)
    inner = wide * (wide * wide * 0.035677408 + 0.7978846)
    np.testing.assert_allclose(out, wide * 0.5 * (np.tanh(inner) + 1), 1e-6, 1e-6)


def test_softmax_agrees_with_numpy_also_where_scores_are_minus_infinity(rng):
    x = rng.standard_normal((20, 40)).astype(F)
    x[:, ::3] = -np.inf
    out = np.zeros_like(x)
    compiled(softmax(20, 40))(out, x)
    np.testing.assert_allclose(out, exact_softmax(x), 2e-6, 1e-7)


def test_a_nan_in_a_row_stays_in_the_row(rng):
    x = rng.standard_normal((3, 40)).astype(F)
    x[1, 17] = np.nan
    out = np.zeros_like(x)
    compiled(softmax(3, 40))(out, x)
    assert np.isnan(out[1]).all() and np.isfinite(out[[0, 2]]).all()


def test_parts_of_a_parallel_loop_are_the_whole(rng):
    x = rng.standard_normal((20, 40)).astype(F)
    out = np.zeros_like(x)
    kernel = softmax(20, 40)
    run = build(python.source(kernel), "softmax", python.signature(kernel))
    for start, stop in ((13, 20), (0, 5), (5, 13)):
        run(out, x, start, stop)
    np.testing.assert_allclose(out, exact_softmax(x), 2e-6, 1e-7)


@pytest.mark.parametrize("make, axis", [(columns, 0), (total, None)])
def test_sums_over_columns_and_over_all_agree_with_numpy(make, axis, rng):
    x = rng.standard_normal((33, 41)).astype(F)
    out = np.ones_like(x.sum(axis), shape=x.sum(axis).shape)
    compiled(make(33, 41))(out, x)
    np.testing.assert_allclose(out, x.sum(axis, dtype="f8"), 1e-5, 1e-5)


def test_scalars_come_from_the_caller_and_outputs_may_be_read():
    w, g, rate = Buffer("w", (5,), F), Buffer("g", (5,), F), ir.Param("rate", F)
    step = Store(w, (i,), Load(w, (i,)) - rate * Load(g, (i,)))
    kernel = ir.Kernel("sgd", (w,), (g,), (rate,), body=nest((5,), step))
    weights = np.arange(5, dtype=F)
    compiled(kernel)(weights, np.ones(5, F), np.float32(0.5))
    assert weights.tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5]


def test_rows_are_gathered_by_an_index_that_is_loaded():
    table, rows = Buffer("table", (4, 3), F), Buffer("rows", (5,), "int64")
    out = Buffer("out", (5, 3), F)
    step = Store(out, (i, j), Load(table, (Load(rows, (i,)), j)))
    kernel = ir.Kernel("gather", (out,), (table, rows), body=nest((5, 3), step))
    x, at, made = np.arange(12, dtype=F).reshape(4, 3), np.array([3, 0, 0, 2, 1]), None
    made = np.zeros((5, 3), F)
    compiled(kernel)(made, x, at)
    assert (made == x[at]).all()


def test_an_unrolled_loop_is_its_body_repeated():
    out = Buffer("out", (6,), "int64")
    (loop,) = nest((3,), Store(out, (i * 2 + 1,), i), names="i")
    kernel = ir.Kernel("odd", (out,), body=(Loop("i", 3, loop.body, "unroll"),))
    text = python.source(kernel)
    assert "for" not in text and "out[5] = 2" in text
    made = np.zeros(6, np.int64)
    interpreted(kernel)(made)
    assert made.tolist() == [0, 0, 0, 1, 0, 2]


def test_an_unrolled_loop_has_a_fixed_and_small_extent():
    out = Buffer("out", (99,), F)
    body = (Store(out, (i,), Const(0.0, F)),)
    kernel = ir.Kernel("zero", (out,), body=(Loop("i", 99, body, "unroll"),))
    with pytest.raises(ValueError, match="can't be unrolled"):
        python.source(kernel)


@settings(max_examples=8)
@given(expression_kernels())
def test_random_expressions_agree_with_numpy(case):
    case.check(compiled(case.kernel))


@settings(max_examples=8)
@given(reduction_kernels())
def test_random_reductions_of_rows_agree_with_numpy(case):
    case.check(compiled(case.kernel))
