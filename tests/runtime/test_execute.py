"""Programs in memory: plans, threads, and what is bound again."""

import json
import os
import sys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.runtime.execute import Call, Executor, Trial
from minidl.runtime.memory import ALIGNMENT, first_fit, overlap, padded
from minidl.runtime.pool import Pool, parts_of
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


def doubling(n, threads):
    """An executor of y = 2 x over n rows, its arrays, and who ran which rows."""
    calls = []

    def run(x, y, start, stop):
        calls.append((start, stop))
        y[start:stop] = 2 * x[start:stop]

    program = lives(
        [8 * n, 8 * n], ["input", "output"], [Instruction("k", (0,), (1,), flops=10**9)]
    )

    def bind(t, arrays):
        def part(start, stop):
            return [*arrays, start, stop]

        return Call(run, part(0, n), rows=n, part=part)

    types = [((n,), np.dtype(float))] * 2
    executor = Executor(program, bind, types, threads)
    executor.trial.choice = threads > 1
    return executor, calls


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_all_rows_and_no_row_twice(threads):
    executor, calls = doubling(10, threads)
    x, y = np.arange(10.0), np.zeros(10)
    executor.place(0, x), executor.place(1, y)
    executor.run()
    assert sorted(calls) == parts_of(10, threads)
    np.testing.assert_array_equal(y, 2 * x)


def test_a_buffer_placed_anew_is_the_one_that_is_used():
    executor, _ = doubling(4, 1)
    y = np.zeros(4)
    executor.place(0, np.ones(4)), executor.place(1, y)
    executor.run()
    executor.place(0, np.full(4, 5.0))
    executor.run()
    assert y.tolist() == [10] * 4


def test_an_error_in_a_worker_is_raised_and_the_pool_goes_on():
    pool, seen = Pool(2), []

    def fail(i):
        if i:
            raise ValueError("in a worker")
        seen.append(i)

    with pytest.raises(ValueError, match="in a worker"):
        pool.run(fail, [[0], [1]])
    pool.run(seen.append, [[7], [8]])
    assert sorted(seen) == [0, 7, 8]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="fork beside threads warns")
def test_a_forked_process_does_the_work_alone():
    pool = Pool(2)
    pool.run(abs, [[1], [2]])
    child = os.fork()
    if child == 0:
        seen = []
        pool.run(seen.append, [[1], [2]])
        os._exit(0 if sorted(seen) == [1, 2] else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_trial_settles_on_the_faster_way():
    pauses = {True: 20_000, False: 200}
    for order in permutations(pauses):
        trial = Trial(list(order))
        while trial.choice is None:
            trial.run(lambda way: sum(range(pauses[way])))
        assert trial.choice is False


@given(st.integers(0, 50), st.integers(1, 8))
def test_parts_are_all_rows_in_order(n, threads):
    parts = parts_of(n, threads)
    assert [i for a, b in parts for i in range(a, b)] == list(range(n))
    assert padded(n) % ALIGNMENT == 0
