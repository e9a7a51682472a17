"""Eager execution against PyTorch and HIPS autograd, side by side in one process.

Rounds alternate between the contestants, so a slow moment of the machine meets all of
them; each row gives medians and the ratio of medians. Both libraries use two threads,
and the pause before a round lets the other's, which spin for a while, go to sleep.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "2")

import statistics
import subprocess
import sys
import time

import numpy as np

import minidl as dl
from minidl import nn

SIZES = (784, 256, 128, 10)
BATCH, LR, MOMENTUM = 64, 0.05, 0.9


def batch():
    """One batch of the size of MNIST's: images in [0, 1] and labels."""
    draw = np.random.default_rng(0)
    return draw.random((BATCH, SIZES[0]), np.float32), draw.integers(0, 10, BATCH)


def minidl_step():
    x, y = map(dl.from_numpy, batch())
    layers = [nn.Linear(a, b) for a, b in zip(SIZES, SIZES[1:])]
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    optimizer = dl.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    return lambda: dl.train.train_step(
        model, optimizer, nn.functional.cross_entropy, x, y
    )


def torch_step():
    import torch

    torch.set_num_threads(2)
    x, y = map(torch.from_numpy, batch())
    layers = [torch.nn.Linear(a, b) for a, b in zip(SIZES, SIZES[1:])]
    relu = torch.nn.ReLU()
    model = torch.nn.Sequential(layers[0], relu, layers[1], relu, layers[2])
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def autograd_step():
    import autograd
    import autograd.numpy as anp

    x, y = batch()
    draw = np.random.default_rng(1)
    params, velocity = [], []
    for a, b in zip(SIZES, SIZES[1:]):
        for shape in ((a, b), (b,)):
            params.append(draw.uniform(-1, 1, shape).astype(np.float32) / np.sqrt(a))
            velocity.append(np.zeros(shape, np.float32))

    def loss(params):
        h = x
        for i in range(0, 6, 2):
            h = anp.dot(h, params[i]) + params[i + 1]
            h = anp.maximum(h, 0) if i < 4 else h
        shifted = h - anp.max(h, axis=1, keepdims=True)
        logs = shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True))
        return -anp.mean(logs[anp.arange(BATCH), y])

    slope = autograd.value_and_grad(loss)

    def step():
        value, gradients = slope(params)
        for p, v, g in zip(params, velocity, gradients):
            v *= MOMENTUM
            v += g
            p -= LR * v
        return value

    return step


def compare(contestants, rounds=15, repeats=40, pause=0.2):
    """Median seconds of one call, for each contestant; rounds take turns."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, step in contestants.items():
            time.sleep(pause)
            for _ in range(5):
                step()
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def import_seconds(rounds=7):
    """Median seconds that `import minidl` adds to a bare Python's start."""
    clock = "time.perf_counter()"
    timed = f"import time; t = {clock}; import minidl; print({clock} - t)"
    runs = [
        float(subprocess.run([sys.executable, "-c", timed], capture_output=True).stdout)
        for _ in range(rounds)
    ]
    return statistics.median(runs)


def small_op_microseconds(rounds=50):
    """One addition of four elements, no handler on, the tape in its place.

    The fastest round of a thousand, as `timeit` advises for what takes microseconds: on
    a shared machine the others measure the neighbours.
    """
    x, best = dl.ones(4), float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(1000):
            x + x
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def row(name, ours, peer, peer_name, unit, bar):
    """`ratio` is how many times better than the peer, or than the limit."""
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": peer / ours,
        "bar": bar,
        "met": peer / ours >= bar,
    }


def main():
    contestants = {"minidl": minidl_step()}
    for name, make in {
        "PyTorch eager": torch_step,
        "HIPS autograd": autograd_step,
    }.items():
        try:
            contestants[name] = make()
        except ImportError:
            print(f"{name} is not installed; its rows are left out")
    seconds = compare(contestants)
    bars = {"PyTorch eager": 1 / 1.2, "HIPS autograd": 2.0}
    rows = [
        row(
            "MLP training step",
            seconds["minidl"] * 1e3,
            seconds[peer] * 1e3,
            peer,
            "ms",
            bar,
        )
        for peer, bar in bars.items()
        if peer in seconds
    ]
    small = small_op_microseconds()
    rows.append(row("add of 4 elements", small, 3.0, "limit", "us", 1.0))
    rows.append(row("import minidl", import_seconds(), 0.4, "limit", "s", 1.0))
    return rows
