"""Threads that walk through a program together.

A worker is in machine code most of its time: it asks its box for lines to walk, walks
them, and asks again. Where none come for some tenths of a millisecond it sleeps, for a
core that waits is of no use to anybody; to wake takes tens of microseconds. (Chapter
14.)
"""

import ctypes
import os
import sys
import threading
from contextlib import suppress
from functools import cache

from .build import KERNELS, build
from .memory import ALIGNMENT, aligned


class Worker:
    """Thread number `me`, which has one of the boxes that begin at an address."""

    def __init__(self, me, boxes):
        self.me, self.boxes, self.posted = me, boxes, threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        serve, done, core = native("serve"), 0, core_teller()
        while True:
            done, found = serve(self.boxes, self.me, done, offer(), core)
            if found < 0:
                self.posted.wait()
                self.posted.clear()
                core = core_teller()
            else:
                keep_off(found)
                core = 0  # that is enough until it has slept


class Pool:
    """`threads` of them, the caller's included."""

    def __init__(self, threads):
        self.threads, self.busy = threads, threading.Lock()
        self.memory = aligned(threads * ALIGNMENT)
        self.boxes = self.memory.ctypes.data
        self.walk, self.post, _ = map(native, SIGNATURES)
        self.workers = [Worker(i, self.boxes) for i in range(1, threads)]

    def run(self, lines, counter):
        """Walks `lines`, [n, threads, 2], whose threads meet at an address `counter`.

        False if another program has the threads.
        """
        if not self.busy.acquire(blocking=False):
            return False
        try:
            n, threads, _ = lines.shape
            core = core_now()
            if self.post(self.boxes, lines.ctypes.data, n, threads, counter, core):
                for worker in self.workers:
                    worker.posted.set()
            self.walk(lines, 0, 1, threads, counter, offer())
        finally:
            self.busy.release()
        return True


SIGNATURES = {
    "walk": "void(int64[:,:,::1], int64, int64, int64, int64, int64)",
    "post": "int64(int64, int64, int64, int64, int64, int64)",
    "serve": "UniTuple(int64, 2)(int64, int64, int64, int64, int64)",
}


@cache
def native(name):
    """A function of kernels/native.py."""
    source = (KERNELS / "native.py").read_text(encoding="utf-8")
    return build(source, name, SIGNATURES[name])


# ---- the system


@cache
def offer():
    """The address of the system's function that lets another program have the core."""
    if sys.platform == "win32":
        return address(ctypes.windll.kernel32.SwitchToThread)
    return address(ctypes.CDLL(None).sched_yield)


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


@cache
def core_function():
    """What tells the core that a thread is on, where the system has it (Linux)."""
    found = sys.platform == "linux" and ctypes.CDLL(None)
    return getattr(found, "sched_getcpu", None)


def core_teller():
    """Its address, or 0."""
    return address(core_function()) if core_function() else 0


def core_now():
    return core_function()() if core_function() else -1


def keep_off(core):
    """Moves this thread away from a core.

    Linux likes to wake a thread on the core of who wakes it. There the two would take
    turns, and for less time than it takes the system to see that a core is idle.
    """
    others = os.sched_getaffinity(os.getpid()) - {core}
    with suppress(OSError):  # none left, or not allowed to: then here, in turns
        os.sched_setaffinity(0, others)


def count():
    """How many threads a program may use: $OMP_NUM_THREADS, or one for each core."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pool(threads):
    """The one pool of so many threads in this process; a fork makes its own."""
    return pool_in(os.getpid(), threads)


@cache
def pool_in(process, threads):
    return Pool(threads)


def parts_of(n, threads, unit=1):
    """(start, stop) of each thread's share of n rows, in multiples of `unit`."""
    units = -(-n // unit)
    edges = [min(units * i // threads * unit, n) for i in range(threads + 1)]
    return list(zip(edges, edges[1:]))
