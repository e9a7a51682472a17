"""The cost model ranks as the machine does; the search takes the fastest."""

import numpy as np
import pytest
from loop_kernels import F, compiled, gelu, matmul, softmax

from minidl.framework.codegen.schedule import reorder, tile, unroll, vectorise
from minidl.framework.codegen.tuning import modelled, tuned
from minidl.runtime import build


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache that knows no choice; what was compiled before stays in the process."""
    monkeypatch.setattr("minidl.runtime.tune.folder", lambda: tmp_path)
    return tmp_path


def blocked(kernel, rows, depth):
    kernel = tile(tile(kernel, "i", rows), "k", depth)
    order = "i_outer", "k_outer", "j", "i_inner", "k_inner"
    return unroll(unroll(reorder(kernel, *order), "i_inner"), "k_inner")


def test_the_model_prefers_memory_in_order_and_shared_loads():
    naive = matmul(512, 512, 512)
    ladder = [reorder(naive, "j", "k", "i"), naive, reorder(naive, "i", "k", "j"),
              blocked(naive, 1, 4), blocked(naive, 2, 4)]  # fmt: skip
    seconds = [modelled(kernel) for kernel in ladder]
    assert seconds == sorted(seconds, reverse=True)


def test_the_model_counts_a_small_kernel_by_hand():
    """x of 4 x 16 floats is 4 lines, out as many: 8 lines of 64 bytes, 20 GB/s.

    8 operations, a load of x and a store of out on 64 floats, 8 at once.
    """
    seconds = modelled(gelu(4, 16))
    assert seconds == pytest.approx(8 * 64 / 20e9 + 8 * (8 + 2) / 6e9)


def test_three_rounds_take_as_many_vectors_as_eight():
    """4 rows of 3, or 8, floats are 4 vectors and 4 lines, of x and of out alike."""
    by_hand = 8 * 64 / 20e9 + 4 * (8 + 2) / 6e9
    assert modelled(gelu(4, 3)) == pytest.approx(by_hand)
    assert modelled(gelu(4, 8)) == pytest.approx(by_hand)


def test_a_search_finds_the_fastest_and_keeps_it(own_cache):
    naive = matmul(128, 128, 128)
    schedules = {
        "as written": lambda kernel: kernel,
        "i, k, j": lambda kernel: reorder(kernel, "i", "k", "j"),
        "blocked": lambda kernel: blocked(kernel, 2, 4),
        "k as a vector": lambda kernel: vectorise(kernel, "k"),
    }
    best, report = tuned(naive, schedules, repeats=3)
    assert report.chosen != "as written" and best == schedules[report.chosen](naive)
    notes = {trial.name: trial.note for trial in report.trials}
    assert "aren't independent" in notes["k as a vector"]
    again = tuned(naive, schedules, repeats=3)[1]
    assert again.remembered and again.chosen == report.chosen
    a = np.eye(128, dtype=F)
    out = np.zeros((128, 128), F)
    compiled(best)(out, a, a)
    assert (out == a).all()


def test_a_parallel_kernel_is_timed_over_its_whole_loop(own_cache):
    _, report = tuned(softmax(4, 16), {"as written": lambda kernel: kernel}, repeats=1)
    assert report.best.measured > 0 and build.folder() != own_cache
