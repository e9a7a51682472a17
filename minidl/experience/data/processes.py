"""Worker processes: how a dataset gets there, and what comes back. (Chapter 5.)

Each process gets the recipe once, when it starts: a pickle of it, and its arrays in
memory that all processes read. A task is a few numbers. A batch comes back through a
pipe, which costs a few copies of it; an exception with its traceback. The pool itself
is the standard library's.
"""

import multiprocessing
import os
import pickle
import signal
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache

# A forked process inherits the locks that other threads hold, BLAS's and the pool's
# own among them, and may wait for ever; a spawned one begins from nothing, everywhere.
START_METHOD = "spawn"
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

received = ()  # in a worker process, the pieces of its recipe


def processes(recipe, n):
    """(executor of `n` processes, the function to submit to it for a batch)"""
    context = multiprocessing.get_context(START_METHOD)
    pool = ProcessPoolExecutor(n, context, receive, (share(recipe, context),))
    with one_thread_each(), ctrl_c_held():
        for _ in range(n):  # a process starts when a task finds none idle
            pool.submit(int)
    return pool, make


@contextmanager
def one_thread_each():
    """Processes started in the block compute with one thread: they are many already."""
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def ctrl_c_held():
    """Ctrl-C waits for the block's end, and is never for a process started in it.

    A process inherits which signals its parent holds back. Windows has no such thing:
    there a process ignores Ctrl-C from `receive` on.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---- a recipe on its way to the processes


def share(recipe, context):
    """The recipe as pieces of shared memory: its pickle, then each array it holds."""
    arrays = []
    try:
        body = pickle.dumps(recipe, protocol=5, buffer_callback=arrays.append)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"worker='process' can't send this dataset or transform: {error}. Define "
            "its classes and functions at the top of a module, or use worker='thread'"
        ) from error
    pieces = []
    for part in (memoryview(body), *(array.raw() for array in arrays)):
        pieces.append(context.RawArray("B", part.nbytes))
        memoryview(pieces[-1]).cast("B")[:] = part
    return pieces


def receive(pieces):
    """What a worker process does first."""
    global received
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    received = pieces


@cache
def rebuilt():
    """The recipe, in a worker process; its arrays can't be written."""
    body, *arrays = [memoryview(piece).toreadonly() for piece in received]
    try:
        return pickle.loads(body, buffers=arrays)
    except (AttributeError, ImportError) as error:
        raise RuntimeError(
            f"a worker process can't rebuild the dataset or transform: {error}. "
            "Classes defined in a notebook are unknown there: put them in a module, or "
            "use worker='thread'"
        ) from error


# ---- in a worker process


def make(*task):
    """One batch; an exception that pickle can't send becomes a RuntimeError."""
    try:
        return rebuilt()(*task)
    except Exception as error:
        if survives_pickle(error):
            raise
        stand_in = RuntimeError(f"{type(error).__name__}: {error}")
        stand_in.__notes__ = getattr(error, "__notes__", [])
        raise stand_in from error


def survives_pickle(error):
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False
