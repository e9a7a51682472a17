"""Programs in memory: plans, threads, and what is bound again."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.runtime.build import build_entry
from minidl.runtime.execute import Call, Executor
from minidl.runtime.memory import ALIGNMENT, first_fit, overlap, padded
from minidl.runtime.pool import parts_of
from minidl.runtime.program import Instruction, Program, lives


def chain(sizes):
    """A program in which instruction i makes buffer i from the one before."""
    made = [Instruction("k", (i - 1,) if i else (), (i,)) for i in range(len(sizes))]
    return lives(sizes, ["temporary"] * len(sizes), made)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_no_two_live_buffers_overlap(sizes):
    program = chain(sizes)
    plan = first_fit(program)
    places = [(plan.offsets[b], plan.offsets[b] + sizes[b]) for b in range(len(sizes))]
    for a in range(len(sizes)):
        for b in range(a):
            if overlap(program.buffers[a], program.buffers[b]):
                apart = places[a][1] <= places[b][0] or places[b][1] <= places[a][0]
                assert apart
    assert all(start % ALIGNMENT == 0 for start, _ in places)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_an_arena_is_no_smaller_than_what_is_live_at_once(sizes):
    program = chain(sizes)
    assert max(program.live()) <= first_fit(program).nbytes


@given(st.lists(st.sampled_from([64, 128, 192]), min_size=2, max_size=5))
def test_first_fit_meets_brute_force_on_chains(sizes):
    """In a chain two buffers live at a time: the best arena is the largest pair."""
    best = max(a + b for a, b in zip(sizes, sizes[1:]))
    assert best <= first_fit(chain(sizes)).nbytes <= best + max(sizes)


def test_a_program_survives_its_file():
    program = chain([64, 128, 256])
    assert Program.from_json(program.to_json()) == program


def test_a_file_without_a_buffer_is_refused():
    written = json.loads(chain([64, 128, 256]).to_json())
    written["buffers"].pop()
    with pytest.raises(ValueError, match="2 buffers uses 2"):
        Program.from_json(json.dumps(written))


DOUBLE = """
from numba import carray, float64
from minidl.runtime.kernels.native import pointer


def double_at(at):
    n = at[2]
    x, y = carray(pointer(at[0]), n, float64), carray(pointer(at[1]), n, float64)
    for i in range(at[3], at[4]):
        y[i] += 2 * x[i]
"""


def doubling(n, threads, steps="native"):
    """An executor that adds 2 x to y, of n rows, once for each word of `steps`."""
    cost = 10**9  # FLOPs, so that it is worth several threads
    words = steps.split()
    made = [Instruction(word, (0,), (1,), flops=cost) for word in words]
    program = lives([8 * n, 8 * n], ["input", "output"], made)

    def bind(t, arrays):
        x, y = arrays
        if words[t] == "python":
            return Call(lambda: np.add(y, 2 * x, out=y), [])
        whole = [x, y, n]
        part = lambda start, stop: [*whole, start, stop]  # noqa: E731
        return Call(build_entry(DOUBLE, "double_at"), part(0, n), n, part)

    return Executor(program, bind, [((n,), np.dtype(float))] * 2, threads)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 10])
def test_threads_share_all_rows_and_no_row_twice(threads, n):
    executor = doubling(n, threads)
    x, y = np.arange(n * 1.0), np.zeros(n)
    executor.place(0, x), executor.place(1, y)
    executor.run()
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize("threads", [1, 2])
def test_python_and_machine_code_run_in_the_order_of_the_program(threads):
    executor = doubling(4, threads, "python native native python native")
    y = np.zeros(4)
    executor.place(0, np.ones(4)), executor.place(1, y)
    executor.run()
    assert [type(s).__name__ for s in executor.sections] == [
        "partial", "Lines", "partial", "Lines"
    ]  # fmt: skip
    assert y.tolist() == [10] * 4


def test_a_buffer_placed_anew_is_the_one_that_is_used():
    executor = doubling(4, 1)
    y = np.zeros(4)
    executor.place(0, np.ones(4)), executor.place(1, y)
    executor.run()
    executor.place(0, np.full(4, 5.0))
    executor.run()
    assert y.tolist() == [12] * 4


def test_what_takes_no_time_wakes_nobody():
    program = lives([8], ["input"], [Instruction("k", (0,), (0,), nbytes=16)])
    executor = Executor(program, lambda t, arrays: None, [((1,), float)], threads=4)
    assert executor.threads == 1


@given(st.integers(0, 50), st.integers(1, 8), st.integers(1, 20))
def test_parts_are_all_rows_in_order(n, threads, unit):
    parts = parts_of(n, threads, unit)
    assert [i for a, b in parts for i in range(a, b)] == list(range(n))
    assert all(a % unit == 0 for a, b in parts if a < b)
    assert padded(n) % ALIGNMENT == 0
