"""Names to devices: one table, so a new device is a new row."""

import numpy

from . import cpu, cuda
from .device import Device

DEVICES = {"cpu": lambda: cpu.cpu, "cuda": cuda.cuda}
AVAILABILITY = (cpu.availability, cuda.availability)


def device(name):
    """The device called `name`; a Device passes through.

    Raises ValueError for an unknown name, RuntimeError where the machine lacks it.
    """
    if isinstance(name, Device):
        return name
    if name not in DEVICES:
        raise ValueError(f"no device {name!r}; known: {', '.join(DEVICES)}")
    return DEVICES[name]()


def devices():
    """One line a device: is it there, and if not, why not."""
    return [availability() for availability in AVAILABILITY]


def device_of(array):
    """The device on which `array` lives."""
    if isinstance(array, numpy.ndarray):
        return cpu.cpu
    return getattr(array, "on", None) or cuda.cuda()  # what stands for one says where
