"""Where tasks run: processes of this machine, or a dask cluster. The results are the
same, for each depends on its task alone."""

import importlib.util
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from ..environment import KitError
from .engine import grade


def processes(tasks, workers):
    """(number of the task, what grade() makes of it), as each is done.

    Should a worker die, the tasks that it leaves are graded by new ones.
    """
    left, tries = dict(enumerate(tasks)), 3
    while left and tries:
        tries -= 1
        pool = ProcessPoolExecutor(workers, get_context("spawn"), quiet)
        try:
            waiting = {pool.submit(grade, task): n for n, task in left.items()}
            for future in as_completed(waiting):
                n = waiting[future]
                yield n, future.result()
                del left[n]
        except BrokenProcessPool:
            continue
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    if left:
        raise KitError(
            f"Workers keep dying, with {len(left)} submissions left: the machine may "
            "be out of memory. What is done is kept; try fewer, by --workers."
        )


def quiet():
    """A worker leaves Ctrl-C to the one that it works for, and uses one core."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def dask(tasks, workers, address=None):
    """The same on a cluster: the one at `address`, or processes of this machine."""
    if importlib.util.find_spec("distributed") is None:
        raise KitError(
            "--executor dask needs dask.distributed: pip install 'minidl[cluster]'."
        )
    from distributed import Client, LocalCluster
    from distributed import as_completed as completed

    own = None
    if address is None:
        own = LocalCluster(workers, threads_per_worker=1, dashboard_address=None)
    try:
        with Client(address or own) as client:
            futures = client.map(grade, tasks, pure=False)
            numbers = {future.key: n for n, future in enumerate(futures)}
            for future in completed(futures):
                yield numbers[future.key], future.result()
    finally:
        if own is not None:
            own.close()


EXECUTORS = {"processes": processes, "dask": dask}


def cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
