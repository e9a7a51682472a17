"""Threads that share the rows of one kernel.

A kernel that walks over rows can be run by several threads, each on its part, for
compiled kernels and BLAS let other threads run. A worker waits on a lock: to hand it
its part takes some ten microseconds, so only what takes several times as long is split.
(Chapter 14.)
"""

import os
import threading
from functools import cache


class Worker:
    """A thread that runs what it is given, one task at a time."""

    def __init__(self):
        self.given, self.done = threading.Lock(), threading.Lock()
        self.given.acquire()
        self.done.acquire()
        self.error = None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            self.given.acquire()
            try:
                self.function(*self.arguments)
            except BaseException as error:  # raised again by who waits
                self.error = error
            self.done.release()

    def start(self, function, arguments):
        self.function, self.arguments = function, arguments
        self.given.release()

    def wait(self):
        self.done.acquire()
        error, self.error = self.error, None
        if error is not None:
            raise error


class Pool:
    """`threads` of them, the caller's included."""

    def __init__(self, threads):
        self.workers = [Worker() for _ in range(threads - 1)]
        self.busy, self.process = threading.Lock(), os.getpid()

    def run(self, function, parts):
        """`function` of each of `parts`, argument lists, as many as threads."""
        # A forked process has none of the threads; another program may be using them.
        if os.getpid() != self.process or not self.busy.acquire(blocking=False):
            for arguments in parts:
                function(*arguments)
            return
        try:
            for worker, arguments in zip(self.workers, parts[1:]):
                worker.start(function, arguments)
            function(*parts[0])
            for worker in self.workers[: len(parts) - 1]:
                worker.wait()
        finally:
            self.busy.release()


def count():
    """How many threads a program may use: $OMP_NUM_THREADS, or a core each."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) else os.cpu_count() or 1


@cache
def pool(threads):
    """The one pool of so many threads in this process."""
    return Pool(threads)


def parts_of(n, threads):
    """(start, stop) of each thread's share of n rows."""
    edges = [n * i // threads for i in range(threads + 1)]
    return list(zip(edges, edges[1:]))
