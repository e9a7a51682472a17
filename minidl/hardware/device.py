"""A device: a place where arrays live, and the array module that computes there.

The unit of thought is the array module: NumPy on the CPU, CuPy on a GPU. They share
names, so one rule written as `xp.exp(x)` runs on both. A device adds what they do not
share: moving arrays in and out, and waiting for work that runs asynchronously. (Chapter
1.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Device:
    name: str
    xp: ModuleType  # numpy or cupy
    to_numpy: Callable  # array of this device -> numpy array; no copy on the CPU
    synchronize: Callable  # returns when all work given to the device is done

    def array(self, data, dtype=None):
        """A new array on this device, in row order, holding a copy of `data`."""
        return self.xp.array(data, dtype=dtype, order="C")

    def __repr__(self):
        return f"device({self.name!r})"


@dataclass(frozen=True)
class Availability:
    """What `devices()` reports of one device: whether it can be used, and why not."""

    name: str
    available: bool
    note: str

    def __repr__(self):
        return f"{self.name:<6}{'ready' if self.available else 'absent':<8}{self.note}"
