"""Workers: how far ahead they are, what goes wrong in them, and how they end.

Processes take a good part of a second to start, so a test starts one or two.
"""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest
from rows import Accident, Place, Squares, Visits, labels, pulled

import minidl as dl
from minidl.experience.data import processes

DataLoader = dl.data.DataLoader


def eventually(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


class Counting(Squares):
    """Squares that count the batches begun."""

    begun = 0
    lock = threading.Lock()

    def rows(self, indices):
        with self.lock:
            self.begun += 1
        return super().rows(indices)


@pytest.mark.parametrize("num_workers, factor", [(1, 1), (2, 1), (2, 3)])
def test_as_many_batches_as_asked_for_are_made_ahead_and_no_more(num_workers, factor):
    data, ahead = Counting(40), num_workers * factor
    loader = DataLoader(data, 2, num_workers=num_workers, prefetch_factor=factor)
    for received, _ in enumerate(loader, 1):
        expected = min(received + ahead, len(loader))
        assert eventually(lambda n=expected: data.begun == n)
        if received == 3:
            time.sleep(0.05)
            assert data.begun == expected


def test_processes_stay_between_passes_and_compute_with_one_thread(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    loader = DataLoader(Place(), 1, num_workers=2, worker="process")
    passes = [pulled(loader) for _ in range(2)]
    pids, again = ({batch[0][0] for batch in part} for part in passes)
    assert os.getpid() not in pids and len(pids | again) <= 2
    assert {batch[1][0] for part in passes for batch in part} == {1}
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    loader.close()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_other_ways_to_start_processes_work_too(method, monkeypatch):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    monkeypatch.setattr(processes, "START_METHOD", method)
    loader = DataLoader(Squares(6), 2, num_workers=1, worker="process")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads
        assert labels(pulled(loader)) == [0, 1, 4, 9, 16, 25]
    loader.close()


def test_processes_read_the_arrays_of_the_dataset_and_cannot_write_them():
    data = Visits(4)
    loader = DataLoader(data, 2, num_workers=1, worker="process")
    with pytest.raises(ValueError, match="read-only") as caught:
        pulled(loader)
    assert "in row 0 of the dataset" in caught.value.__notes__
    assert not data.visits.any()
    loader.close()


@pytest.mark.parametrize("worker", ["none", "thread", "process"])
def test_an_exception_arrives_in_its_turn_and_says_where_it_was(worker):
    options = {} if worker == "none" else {"num_workers": 2, "worker": worker}
    loader = DataLoader(Accident(40, "refuse"), 6, **options)
    for _ in range(2):
        batches = iter(loader)
        assert next(batches)[1].tolist() == [0, 1, 4, 9, 16, 25]
        with pytest.raises(KeyError, match="no row 7") as caught:
            next(batches)
        assert caught.value.__notes__ == [
            "in row 7 of the dataset",
            "in batch 1 of the pass: rows 6, 7, 8, 9, 10 and 1 more",
        ]
        assert loader.state_dict()["received"] == 1
    where = caught.getrepr() if worker != "process" else caught.value.__cause__
    assert "refuse" in str(where)  # the function that raised it
    loader.close()


def test_an_exception_that_cannot_be_sent_arrives_in_words():
    loader = DataLoader(Accident(8, "odd"), 4, num_workers=1, worker="process")
    with pytest.raises(RuntimeError, match="Unpicklable: 7 is not 8") as caught:
        pulled(loader)
    assert "in row 7 of the dataset" in caught.value.__notes__
    loader.close()


def test_a_worker_that_dies_is_an_error_and_the_next_pass_starts_others():
    loader = DataLoader(Accident(12, "die"), 2, num_workers=1, worker="process")
    for _ in range(2):
        batches = iter(loader)
        assert next(batches)[1].tolist() == [0, 1]
        with pytest.raises(RuntimeError, match="a process worker .* died"):
            list(batches)
    assert not multiprocessing.active_children()


class Gated(Counting):
    """Squares whose batches after the first wait for a gate to open."""

    def __init__(self, n):
        self.n, self.gate = n, threading.Event()

    def rows(self, indices):
        batch = super().rows(indices)
        assert 0 in indices or self.gate.wait(10)
        return batch


def test_what_was_asked_for_is_not_begun_once_the_caller_has_left():
    data = Gated(20)
    loader = DataLoader(data, 2, num_workers=1, prefetch_factor=4)
    for _ in loader:
        assert eventually(lambda: data.begun == 2)  # and three more wait for a worker
        break
    data.gate.set()
    assert len(pulled(loader)) == 10
    assert data.begun == 2 + 10


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_leaving_early_leaks_nothing(worker):
    before = threading.active_count()
    loader = DataLoader(Squares(100), 1, num_workers=2, worker=worker)
    for _ in loader:
        break
    del loader
    gc.collect()
    assert eventually(lambda: threading.active_count() <= before)
    assert eventually(lambda: not multiprocessing.active_children())


def test_what_cannot_be_sent_to_a_process_is_said():
    loader = DataLoader(
        Squares(4), transform=lambda x: x, num_workers=1, worker="process"
    )
    with pytest.raises(TypeError, match="lambda.* use worker='thread'"):
        pulled(loader)


NOTEBOOK = """
import minidl as dl
class Mine:
    def __len__(self): return 99
    def __getitem__(self, i): return i
def first(worker):
    global passes
    loader = dl.data.DataLoader(Mine(), 3, num_workers=1, worker=worker)
    passes = iter(loader)
    return next(passes)
print(first("thread").tolist())
try: first("process")
except RuntimeError as error: print(error)
first("thread")
"""


def test_a_notebooks_classes_suit_threads_and_a_program_ends_within_a_pass():
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and not done.stderr
    found = done.stdout.splitlines()
    assert found[0] == "[0, 1, 2]"
    assert "can't rebuild" in found[1] and "worker='thread'" in found[1]


STOPPED = """
import time, minidl as dl
from rows import Squares
if __name__ == "__main__":
    options = {"num_workers": 2, "worker": "process"}
    for _ in dl.data.DataLoader(Squares(9), 1, **options):
        print("ready", flush=True)
        time.sleep(10)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process group")
def test_ctrl_c_ends_caller_and_workers_with_one_traceback(tmp_path):
    script = tmp_path / "stopped.py"
    script.write_text(STOPPED, "utf-8")
    program = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.stdout.readline() == "ready\n"
    os.killpg(program.pid, signal.SIGINT)
    _, words = program.communicate(timeout=8)  # less than the sleep
    assert words.count("Traceback") == 1 and "KeyboardInterrupt" in words
