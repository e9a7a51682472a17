"""What the tests of loaders read: a module that worker processes can import.

It imports little, so that they start fast.
"""

import itertools
import os

import numpy as np

import minidl as dl


class Squares(dl.data.Dataset):
    """(i, i * i) for the rows below n, one by one."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return np.full((1, 2, 2), i, np.float32), i * i


class Unpicklable(Exception):
    """Pickle gives it too few arguments when it rebuilds it."""

    def __init__(self, left, right):
        super().__init__(f"{left} is not {right}")


def refuse(i):
    raise KeyError(f"no row {i}")


def two_arguments(i):
    raise Unpicklable(i, 8)


ACCIDENTS = {"refuse": refuse, "die": lambda i: os._exit(3), "odd": two_arguments}


class Accident(Squares):
    """Squares in which something happens at row 7."""

    def __init__(self, n, what):
        self.n, self.what = n, what

    def __getitem__(self, i):
        return ACCIDENTS[self.what](i) if i == 7 else super().__getitem__(i)


class Place(dl.data.Dataset):
    """Who reads: its process, and how many threads BLAS was told to take there."""

    def __len__(self):
        return 8

    def __getitem__(self, i):
        return os.getpid(), int(os.environ.get("OPENBLAS_NUM_THREADS", 0))


class Visits(dl.data.Dataset):
    """Counts, in an array of its own, how often a row was read."""

    def __init__(self, n):
        self.visits = np.zeros(n, int)

    def __len__(self):
        return len(self.visits)

    def __getitem__(self, i):
        self.visits[i] += 1
        return self.visits[i]


def noisy(images, rng):
    return images + rng.random(images.shape, np.float32)


def pulled(loader, most=None):
    """Up to `most` batches of one pass as lists, images first."""
    batches = itertools.islice(loader, most)
    return [tuple(part.tolist() for part in batch) for batch in batches]


def labels(batches):
    return [y for batch in batches for y in batch[-1]]
