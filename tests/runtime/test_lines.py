"""Threads that walk lines: they meet after each, sleep, wake, and are done without."""

import os
import threading
import time

import numpy as np
import pytest

from minidl.runtime import pool
from minidl.runtime.build import build_entry
from minidl.runtime.lines import Lines

# Out[i] = x[n - 1 - i] + 1: each thread reads what another wrote in the line before.
TURN = """
from numba import carray, float64
from minidl.runtime.kernels.native import pointer


def turn_at(at):
    n = at[2]
    x, out = carray(pointer(at[0]), n, float64), carray(pointer(at[1]), n, float64)
    for i in range(at[3], at[4]):
        out[i] = x[n - 1 - i] + 1
"""
LINES, N = 40, 30


def turning(threads):
    """Lines that turn an array round LINES times, back and forth between two."""
    entry, lines = build_entry(TURN, "turn_at"), Lines(LINES, threads)
    arrays = [np.arange(N * 1.0), np.zeros(N)]
    for i in range(LINES):
        x, out = arrays[i % 2], arrays[(i + 1) % 2]
        edges = pool.parts_of(N, threads)
        lines.put(i, entry, [[x, out, N, *edge] for edge in edges])
    return lines, arrays[0]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_who_comes_first_waits_for_the_others(threads):
    lines, x = turning(threads)
    for run in range(1, 200):
        lines()
        np.testing.assert_array_equal(x, np.arange(N) + run * LINES)


def test_a_worker_that_sleeps_is_woken():
    lines, x = turning(2)
    for run in range(1, 30):
        time.sleep(0.0004 * (run % 5))  # before and after a worker goes to sleep
        lines()
    assert x[0] == 29 * LINES


def test_a_thread_without_a_part_only_meets_the_others():
    lines, x = turning(2)
    whole = Lines(LINES, 2)
    for i, (entry, parts, _) in enumerate(lines.held):
        whole.put(i, entry, [[*parts[0][:3], 0, N]])
    whole()
    assert x[0] == LINES


def test_a_program_goes_alone_while_another_has_the_threads():
    lines, x = turning(2)
    with pool.pool(2).busy:
        lines()
    np.testing.assert_array_equal(x, np.arange(N) + LINES)


def test_programs_of_several_threads_of_python_all_come_to_their_end():
    made = [turning(2) for _ in range(3)]

    def again(lines):
        for _ in range(100):
            lines()

    threads = [threading.Thread(target=again, args=(lines,)) for lines, _ in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, x in made:
        np.testing.assert_array_equal(x, np.arange(N) + 100 * LINES)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    lines, x = turning(2)
    lines()
    child = os.fork()
    if child == 0:
        lines()
        os._exit(0 if x[0] == 2 * LINES else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(pool.core_now() < 0, reason="the system does not say where it runs")
@pytest.mark.skipif(os.cpu_count() == 1, reason="there is one core")
def test_a_thread_that_keeps_off_a_core_runs_on_another():
    seen = []

    def look():
        here = pool.core_now()
        pool.keep_off(here)
        seen.extend([here, pool.core_now()])

    thread = threading.Thread(target=look)
    thread.start(), thread.join()
    assert seen[0] != seen[1]


def test_a_program_gets_as_many_threads_as_were_asked_for(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert pool.count() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert 1 <= pool.count() <= os.cpu_count()
