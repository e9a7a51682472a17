"""Submissions that take too much: time, memory, processes, disk, words.

One cell is one submission, as in reading.py. A part that hangs loses only itself, so
`running` keeps its points where the harm begins in `scaled`.
"""
# ruff: noqa


# %% endless_loop scaled=0 running=5
def scaled(x, k):
    while True:
        pass


# %% endless_loop_in_a_cell scaled=0 running=0
while True:
    pass


# %% endless_sleep scaled=0 running=5
import time


def scaled(x, k):
    time.sleep(86399)


# %% loop_that_catches_everything scaled=0 running=5
def scaled(x, k):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


# %% loop_that_ignores_signals scaled=0 running=5
import signal

for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def scaled(x, k):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        pass


# %% loop_inside_c scaled=0 running=5
def scaled(x, k):
    return 10 ** (10**9)


# %% fork_bomb scaled=0 running=5
import os
import time


def scaled(x, k):
    until = time.time() + 1
    while time.time() < until:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
    os._exit(0)


# %% thread_bomb scaled=0 running=5
import threading
import time


def scaled(x, k):
    while True:
        try:
            threading.Thread(target=time.sleep, args=(86399,)).start()
        except RuntimeError:
            time.sleep(0.01)


# %% memory_bomb scaled=0 running=5
def scaled(x, k):
    kept = []
    while True:
        kept.append(np.ones(1 << 24))


# %% one_array_too_large scaled=0 running=5
def scaled(x, k):
    return np.ones(1 << 36)


# %% disk_fill_by_one_file scaled=0 running=5
def scaled(x, k):
    with open("/tmp/minidl-hostile-fill", "wb") as file:
        while True:
            file.write(bytes(1 << 20))


# %% disk_fill_by_many_files scaled=0 running=5
def scaled(x, k):
    n = 0
    while True:
        n += 1
        with open(f"/tmp/minidl-hostile-{n}", "wb") as file:
            file.write(bytes(1 << 16))


# %% output_flood scaled=0 running=5
import sys


def scaled(x, k):
    while True:
        print("flood " * 10000)
        print("flood " * 10000, file=sys.stderr)


# %% output_flood_below_python scaled=0 running=5
import os


def scaled(x, k):
    block = b"flood " * 10000
    while True:
        for fd in range(1, 12):
            try:
                os.write(fd, block)
            except OSError:
                pass


# %% result_is_huge scaled=0 running=5
def scaled(x, k):
    return np.zeros(1 << 26)


# %% result_is_a_long_text scaled=0 running=5
def scaled(x, k):
    return "A" * (1 << 27)


# %% result_is_nested_deeply scaled=0 running=5
def scaled(x, k):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested


# %% result_contains_itself scaled=0 running=5
def scaled(x, k):
    loop = []
    loop.append(loop)
    return loop


# %% result_is_a_huge_whole_number scaled=0 running=5
def scaled(x, k):
    return 1 << 20_000_000


# %% message_is_huge scaled=0 running=5
def scaled(x, k):
    raise ValueError("A" * (1 << 27))


# %% message_never_ends scaled=0 running=5
class Endless(Exception):
    def __str__(self):
        while True:
            pass


def scaled(x, k):
    raise Endless


# %% names_without_number scaled=0 running=5
for n in range(100_000):
    globals()[f"minidl_{n}" * 3] = n

del n


def skaled(x, k):
    return k * x
