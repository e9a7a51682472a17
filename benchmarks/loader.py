"""DataLoader against PyTorch's: the same MNIST rows, passes that take turns.

A pass only takes the batches and does nothing with them. Workers of both are kept
between passes and started before the first that counts.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from _measure import compare, row

import minidl as dl

BATCH = 64


class Shifted:
    """MNIST images, each shifted and scaled by Python when it is asked for."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        down, right = i % 5 - 2, i % 3 - 1
        image = np.roll(self.images[i], (down, right), (-2, -1))
        return (image - np.float32(0.1307)) / np.float32(0.3081), self.labels[i]


def one_pass(loader):
    def step():
        assert sum(len(y) for _, y in loader) == len(loader.dataset)

    return step


def minidl_loader(arrays, python, workers):
    dataset = Shifted(*arrays) if python else dl.data.TensorDataset(*arrays)
    return dl.data.DataLoader(
        dataset, BATCH, shuffle=True, num_workers=workers, worker="process"
    )


def torch_loader(arrays, python, workers):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
    tensors = map(torch.from_numpy, arrays)
    return DataLoader(
        Shifted(*arrays) if python else TensorDataset(*tensors),
        BATCH,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


CASES = {  # name: (rows read by Python one by one?, worker processes)
    "tensors, 0 workers": (False, 0),
    "Python rows, 0 workers": (True, 0),
    "Python rows, 2 processes": (True, 2),
}
PEER = "PyTorch DataLoader"


def main():
    train, _ = dl.data.load("mnist")
    arrays = [tensor.numpy() for tensor in train.tensors]
    rows = []
    for name, case in CASES.items():
        ours = minidl_loader(arrays, *case)
        try:
            peer = torch_loader(arrays, *case)
        except ImportError:
            print(f"{PEER} is not installed; its rows are left out")
            break
        seconds = compare(
            {"minidl": one_pass(ours), PEER: one_pass(peer)},
            rounds=7,
            repeats=5,
            warmup=1,
        )
        ours.close()
        milliseconds = [seconds[who] * 1e3 for who in ("minidl", PEER)]
        rows.append(row(name, *milliseconds, PEER, "ms", 1.0))
    return rows
