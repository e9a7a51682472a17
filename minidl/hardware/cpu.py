"""The CPU as a device: NumPy arrays, and every call returns when its work is done."""

import ctypes
import os
import platform

import numpy

from .device import Availability, Device

cpu = Device("cpu", numpy, to_numpy=lambda array: array, synchronize=lambda: None)


def availability():
    return Availability(
        "cpu", True, f"NumPy {numpy.__version__}, {os.cpu_count()} cores"
    )


def keep_freed_memory(nbytes=1 << 30):
    """Has the C library keep up to `nbytes` of freed memory for the next array.

    glibc gives large blocks back to the system at once, and each new array then costs a
    page fault every 4 KiB: several times the arithmetic it is made for. A training step
    makes and frees the same arrays again and again. Does nothing elsewhere.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    libc = ctypes.CDLL(None)
    libc.mallopt(M_TRIM_THRESHOLD, nbytes)
    libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the most that glibc accepts


keep_freed_memory()
