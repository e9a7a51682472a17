"""Schedules change how a kernel runs, and never what it computes."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_kernels import (
    Buffer,
    F,
    Load,
    Loop,
    Store,
    compiled,
    function,
    gelu,
    i,
    interpreted,
    ir,
    j,
    matmul,
    nest,
    simulated,
    softmax,
)

from minidl.framework.codegen import python
from minidl.framework.codegen.schedule import (
    parallelise,
    reorder,
    tile,
    unroll,
    vectorise,
)
from minidl.runtime.tune import medians


def whole(kernel, seed=0):
    """Arrays of whole numbers for a kernel: sums of them are exact in any order."""
    rng = np.random.default_rng(seed)
    return [
        rng.integers(-3, 4, b.shape).astype(F)
        for b in (*kernel.outputs, *kernel.inputs)
    ]


def results(kernel, run=interpreted, seed=0):
    arrays = whole(kernel, seed)
    run(kernel)(*arrays)
    return arrays[: len(kernel.outputs)]


def same(kernel, other, run=interpreted):
    return all(map(np.array_equal, results(kernel), results(other, run)))


# ---- what each does


def test_a_tile_is_two_loops_and_the_last_may_be_smaller():
    text = ir.text(tile(matmul(10, 4, 2), "i", 4))
    assert "serial i_outer < 3" in text
    assert "serial i_inner < minimum(4, 10 - i_outer * 4)" in text
    assert "serial i_inner < 5" in ir.text(tile(matmul(10, 4, 2), "i", 5))


@pytest.mark.parametrize("order", list(permutations("ijk")))
def test_all_orders_of_a_matmul_are_one_product(order):
    kernel = reorder(matmul(3, 4, 5), *order)
    assert [x.var for x in ir.walk(kernel) if isinstance(x, Loop)] == list(order)
    assert same(matmul(3, 4, 5), kernel)


def test_loops_that_are_not_named_stay():
    kernel = tile(matmul(4, 4, 4), "j", 2)
    kernel = reorder(kernel, "k", "i")
    order = [x.var for x in ir.walk(kernel) if isinstance(x, Loop)]
    assert order == ["k", "j_outer", "j_inner", "i"]


def test_unrolling_leaves_no_loop_in_python():
    kernel = unroll(tile(matmul(4, 4, 8), "k", 4), "k_inner")
    assert python.source(kernel).count("c[i, j] +=") == 4


def test_a_schedule_may_name_the_loops_of_several_nests():
    text = ir.text(vectorise(softmax(3, 5), "j"))
    assert text.count("vector j < 5") == 3


# ---- what each refuses

RECURRENCE = ir.Kernel(
    "scan",
    (Buffer("out", (9,), F),),
    body=nest(
        (8,),
        Store(Buffer("out", (9,), F), (i + 1,), Load(Buffer("out", (9,), F), (i,))),
    ),
)
REFUSED = {
    "no loop over 'z'; there are i, j, k": lambda: tile(matmul(2, 2, 2), "z", 2),
    "whole size of at least 1, not 0": lambda: tile(matmul(2, 2, 2), "i", 0),
    "is parallel already: tile it before": lambda: tile(softmax(4, 4), "i", 2),
    "loops over i, z don't stand directly in each other; those that do: i > j > k":
        lambda: reorder(matmul(2, 2, 2), "i", "z"),
    "extent of i_inner depends on i_outer":
        lambda: reorder(tile(matmul(5, 2, 2), "i", 2), "i_inner", "i_outer"),
    "k can't be vector: its iterations aren't independent":
        lambda: vectorise(matmul(2, 2, 2), "k"),
    "loop i holds loop j": lambda: vectorise(gelu(2, 2), "i"),
    "loop j isn't outermost; i is": lambda: parallelise(gelu(2, 2), "j"),
    "two of them may touch one element of out": lambda: parallelise(RECURRENCE, "i"),
    "loop i runs 100 times; unrolling takes a fixed number, 64 at most":
        lambda: unroll(gelu(100, 2), "i"),
    "runs minimum(2, 5 - i_outer * 2) times":
        lambda: unroll(tile(matmul(5, 2, 2), "i", 2), "i_inner"),
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_what_can_not_be_done_is_refused_with_the_reason(words):
    with pytest.raises(ValueError) as found:
        REFUSED[words]()
    assert words in str(found.value)


# ---- any sequence that is allowed

MOVES = {
    "tile": lambda kernel, names, n: tile(kernel, names[0], n),
    "reorder": lambda kernel, names, n: reorder(kernel, *names),
    "vectorise": lambda kernel, names, n: vectorise(kernel, names[0]),
    "parallelise": lambda kernel, names, n: parallelise(kernel, names[0]),
    "unroll": lambda kernel, names, n: unroll(kernel, names[0]),
}


@st.composite
def scheduled(draw, kernel):
    """A kernel after up to six moves, the illegal ones left out."""
    for _ in range(draw(st.integers(1, 6))):
        loops = sorted({x.var for x in ir.walk(kernel) if isinstance(x, Loop)})
        names = draw(st.permutations(loops))[: draw(st.integers(1, 3))]
        move = MOVES[draw(st.sampled_from(sorted(MOVES)))]
        try:
            kernel = move(kernel, names, draw(st.integers(1, 4)))
        except ValueError:
            pass
    return kernel


@given(scheduled(matmul(3, 5, 4)))
def test_any_schedule_of_a_matmul_gives_the_same_on_both_machines(kernel):
    assert same(matmul(3, 5, 4), kernel)
    assert same(matmul(3, 5, 4), kernel, simulated)


@settings(max_examples=6)
@given(scheduled(matmul(3, 5, 4)))
def test_any_schedule_of_a_matmul_compiles_to_the_same(kernel):
    assert same(matmul(3, 5, 4), kernel, compiled)


@st.composite
def entangled(draw):
    """A nest whose iterations may well touch the same elements of its output."""

    def place():
        a, b, c = (draw(st.integers(0, 3)) for _ in range(3))
        return (i * a + j * b + c,)

    x, out = Buffer("x", (4, 3), F), Buffer("out", (20,), F)
    value = Load(x, (i, j))
    if draw(st.booleans()):
        value = value - Load(out, place())
    fn = draw(st.sampled_from([None, "add", "maximum"]))
    step = Store(out, place(), value, fn)
    return ir.Kernel("tangle", (out,), (x,), body=nest((4, 3), step))


@settings(max_examples=200)
@given(entangled(), st.integers(1, 3))
def test_an_order_that_is_allowed_gives_the_same(kernel, size):
    moves = [lambda: reorder(kernel, "j", "i"),
             lambda: reorder(tile(kernel, "j", size), "j_outer", "i")]  # fmt: skip
    for move in moves:
        try:
            other = move()
        except ValueError:
            continue
        assert same(kernel, other)


@settings(max_examples=200)
@given(entangled())
def test_a_loop_that_may_be_parallel_runs_in_any_order(kernel):
    try:
        split = parallelise(kernel, "i")
    except ValueError:
        return
    run, arrays = function(split), whole(split)
    for first in (2, 0, 3, 1):
        run(*arrays, first, first + 1)
    assert np.array_equal(arrays[0], results(kernel)[0])


@settings(max_examples=60)
@given(entangled())
def test_threads_of_a_gpu_give_what_the_loops_give_one_by_one(kernel):
    """Whatever the iterations share; the simulated GPU would also report a race."""
    assert same(kernel, kernel, simulated)


# ---- speed


def test_a_schedule_of_a_matmul_is_ten_times_as_fast():
    """The bar is far below what it brings, some 100 times for 512 x 512."""
    naive, n = matmul(256, 256, 256), 256
    fast = tile(tile(naive, "i", 2), "k", 4)
    fast = reorder(fast, "i_outer", "k_outer", "j", "i_inner", "k_inner")
    fast = unroll(unroll(fast, "i_inner"), "k_inner")
    arrays = [np.ones((n, n), F) for _ in range(3)]
    runs = {name: compiled(x) for name, x in (("naive", naive), ("fast", fast))}
    times = medians({m: lambda r=r: r(*arrays) for m, r in runs.items()}, 3)
    assert times["naive"] > 10 * times["fast"]
