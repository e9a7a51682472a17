"""The CPU as a device: NumPy arrays, and every call returns when its work is done."""

import os

import numpy

from .device import Availability, Device

cpu = Device("cpu", numpy, to_numpy=lambda array: array, synchronize=lambda: None)


def availability():
    return Availability(
        "cpu", True, f"NumPy {numpy.__version__}, {os.cpu_count()} cores"
    )
