"""Kernels as CUDA C: NVRTC compiles them, and the simulated GPU finds no race."""

import numpy as np
import pytest
from hypothesis import given
from loop_kernels import (
    Buffer,
    Const,
    F,
    Let,
    Load,
    Local,
    Loop,
    Store,
    Update,
    columns,
    exact_softmax,
    gelu,
    i,
    ir,
    j,
    matmul,
    nest,
    ptx,
    simulated,
    softmax,
    total,
)
from loop_strategies import expression_kernels, reduction_kernels

from minidl.framework.codegen import cuda, schedule
from minidl.hardware.simt import RawKernel

KERNELS = {
    "gelu": gelu(30, 50),
    "softmax": softmax(6, 300),
    "matmul": matmul(9, 11, 13),
    "columns": columns(12, 40),
    "total": total(12, 40),
    "tiled": schedule.tile(schedule.tile(matmul(9, 11, 13), "j", 4), "i", 3),
}


@pytest.mark.parametrize("name", KERNELS)
def test_nvrtc_compiles(name):
    assert ptx(cuda.source(KERNELS[name]))


def exact(name, *inputs):
    wide = [x.astype("f8") for x in inputs]
    inner = wide[0] * (wide[0] ** 2 * 0.035677408 + 0.7978846)
    return {
        "gelu": lambda x: x * 0.5 * (np.tanh(inner) + 1),
        "softmax": exact_softmax,
        "columns": lambda x: x.sum(0),
        "total": lambda x: x.sum(),
    }.get(name, np.matmul)(*wide)


@pytest.mark.parametrize("name", KERNELS)
def test_the_simulated_gpu_agrees_with_numpy(name, rng):
    kernel = KERNELS[name]
    inputs = [rng.standard_normal(b.shape).astype(F) for b in kernel.inputs]
    out = np.zeros(kernel.outputs[0].shape, F)
    simulated(kernel)(out, *inputs)
    np.testing.assert_allclose(out, exact(name, *inputs), 2e-5, 1e-5)


def test_elementwise_memory_is_touched_by_neighbours_side_by_side(rng):
    """64 warps of 32 floats: 4 sectors of 32 bytes a request, the least there is."""
    kernel, x = gelu(32, 64), rng.standard_normal((32, 64)).astype(F)
    run = RawKernel(cuda.source(kernel), "gelu")
    run(*cuda.launch(kernel), (np.zeros_like(x), x))
    text = cuda.source(kernel)
    assert "x[t]" in text and "out[t]" in text
    assert "4.0" in str(run.report())


def test_a_row_that_is_reduced_has_a_block():
    assert cuda.launch(softmax(6, 300)) == ((6,), (256,))
    assert cuda.launch(softmax(6, 40)) == ((6,), (64,))


def test_a_short_row_has_a_thread(rng):
    kernel, x = softmax(600, 5), rng.standard_normal((600, 5)).astype(F)
    assert cuda.launch(kernel) == ((3,), (256,)) and ptx(cuda.source(kernel))
    out = np.zeros_like(x)
    simulated(kernel)(out, x)
    np.testing.assert_allclose(out, exact_softmax(x), 2e-6, 1e-7)


def test_many_elements_are_several_a_thread():
    assert cuda.launch(gelu(4096, 4096)) == ((2048,), (256,))


def test_the_order_of_loops_says_which_threads_are_neighbours():
    by_rows = cuda.source(gelu(32, 64))
    by_columns = cuda.source(schedule.reorder(gelu(32, 64), "j", "i"))
    assert "x[t]" in by_rows and "x[i * 64 + j]" in by_columns


def test_what_one_part_stores_another_reads_after_a_barrier(rng):
    """Column sums, then their sum, in one kernel: one block, with barriers."""
    x, out = Buffer("x", (12, 40), F), Buffer("out", (40,), F)
    whole = Buffer("whole", (), F)
    a = Local("a", F)
    tail = (
        Let(a, Const(0.0, F)),
        Loop("j", 40, (Update(a, "add", Load(out, (j,))),)),
        Store(whole, (), a),
    )
    body = columns(12, 40).body + tail
    kernel = ir.Kernel("both", (out, whole), (x,), body=body)
    assert cuda.launch(kernel).grid == (1,)
    data, sums, s = (
        rng.standard_normal((12, 40)).astype(F),
        np.ones(40, F),
        np.zeros((), F),
    )
    simulated(kernel)(sums, s, data)
    np.testing.assert_allclose(s, data.sum(dtype="f8"), 1e-5, 1e-5)


def test_a_row_is_read_backwards_after_a_barrier(rng):
    """The thread that reads an element of scratch isn't the one that has stored it."""
    x, out = Buffer("x", (3, 100), F), Buffer("out", (3, 100), F)
    row = Buffer("row", (100,), F)
    body = (
        Loop("j", 100, (Store(row, (j,), Load(x, (i, j))),)),
        Loop("j", 100, (Store(out, (i, j), Load(row, (Const(99, ir.INT) - j,))),)),
    )
    kernel = ir.Kernel("flip", (out,), (x,), scratch=(row,), body=(Loop("i", 3, body),))
    assert cuda.launch(kernel) == ((3,), (128,))
    data, made = rng.standard_normal((3, 100)).astype(F), np.zeros((3, 100), F)
    simulated(kernel)(made, data)
    assert (made == data[:, ::-1]).all()


def test_all_read_a_scalar_before_one_overwrites_it(rng):
    x, out, a = Buffer("x", (3, 100), F), Buffer("out", (3,), F), Local("a", F)
    body = (
        Let(a, Load(out, (i,))),
        Loop("j", 100, (Update(a, "add", Load(x, (i, j))),)),
        Let(Local("b", F), Load(out, (i,))),
        Store(out, (i,), a + Local("b", F)),
    )
    kernel = ir.Kernel("twice", (out,), (x,), body=(Loop("i", 3, body),))
    data, made = np.ones((3, 100), F), np.arange(3, dtype=F)
    simulated(kernel)(made, data)
    assert made.tolist() == [100, 102, 104]


def test_two_sums_of_a_block_do_not_meet():
    """The second may not begin while a thread still reads the first."""
    x, out = Buffer("x", (2, 256), F), Buffer("out", (2,), F)
    a, b = Local("a", F), Local("b", F)
    body = (
        Let(a, Const(0.0, F)),
        Let(b, Const(0.0, F)),
        Loop("j", 256, (Update(a, "add", Load(x, (i, j))),
                        Update(b, "add", Load(x, (i, j)) * 2.0))),
        Store(out, (i,), a + b),
    )  # fmt: skip
    kernel = ir.Kernel("sums", (out,), (x,), body=(Loop("i", 2, body),))
    made = np.zeros(2, F)
    simulated(kernel)(made, np.ones((2, 256), F))
    assert made.tolist() == [768, 768]


def test_parts_that_need_each_others_elements_share_no_grid(rng):
    """There is no barrier across a grid, so one block does it all."""
    x, kept, out = (Buffer(name, (600,), F) for name in ("x", "kept", "out"))
    back = Load(kept, (Const(599, ir.INT) - i,))
    body = nest((600,), Store(kept, (i,), Load(x, (i,)))) + nest(
        (600,), Store(out, (i,), back)
    )
    kernel = ir.Kernel("flip", (kept, out), (x,), body=body)
    assert cuda.launch(kernel).grid == (1,)
    data, made = rng.standard_normal(600).astype(F), np.zeros(600, F)
    simulated(kernel)(np.zeros(600, F), made, data)
    assert (made == data[::-1]).all()


def test_a_running_sum_is_right_if_slow(rng):
    """No two iterations may run at once: one thread stores, all others wait."""
    x, out = Buffer("x", (20,), F), Buffer("out", (21,), F)
    step = Store(out, (i + 1,), Load(out, (i,)) + Load(x, (i,)))
    kernel = ir.Kernel("scan", (out,), (x,), body=nest((20,), step))
    data, made = rng.standard_normal(20).astype(F), np.zeros(21, F)
    simulated(kernel)(made, data)
    np.testing.assert_allclose(made[1:], data.cumsum(), 1e-5, 1e-5)


def test_scratch_beyond_what_a_block_has_is_refused():
    with pytest.raises(ValueError, match="bytes of scratch"):
        cuda.source(softmax(2, 20_000))


def test_a_float16_is_refused_in_words():
    x = Buffer("x", (4,), "float16")
    kernel = ir.Kernel("k", (x,), body=nest((4,), Store(x, (i,), Const(0, "float16"))))
    with pytest.raises(ValueError, match="cast it to float32"):
        cuda.source(kernel)


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool", "float64"])
@pytest.mark.parametrize("fn", ["add", "maximum", "minimum"])
def test_a_block_joins_what_its_threads_have_for_every_dtype(fn, dtype, rng):
    dtype = np.dtype(dtype)
    x, out, a = (
        Buffer("x", (3, 70), dtype),
        Buffer("out", (3,), dtype),
        Local("a", dtype),
    )
    first = Load(x, (i, Const(0, ir.INT)))
    body = (
        Let(a, first),
        Loop("j", 70, (Update(a, fn, Load(x, (i, j))),)),
        Store(out, (i,), a),
    )
    kernel = ir.Kernel("join", (out,), (x,), body=(Loop("i", 3, body),))
    assert cuda.launch(kernel).grid == (3,) and ptx(cuda.source(kernel))
    data = rng.integers(-2, 3, (3, 70)).astype(dtype)
    made = np.zeros(3, dtype)
    simulated(kernel)(made, data)
    join = {"add": np.add, "maximum": np.maximum, "minimum": np.minimum}[fn]
    wanted = join(data[:, 0], join.reduce(data, axis=1, dtype=dtype))
    assert (made == wanted).all()


@given(expression_kernels())
def test_random_expressions_agree_with_numpy(case):
    case.check(simulated(case.kernel))
    assert ptx(cuda.source(case.kernel))


@given(reduction_kernels())
def test_random_reductions_of_rows_agree_with_numpy(case):
    case.check(simulated(case.kernel))
    assert ptx(cuda.source(case.kernel))
