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
from _measure import compare, row
from _models import SIZES, images, minidl_step, torch_step

import minidl as dl

LR, MOMENTUM = 0.05, 0.9
TORCH = {"MLP": 1 / 1.2, "CNN": 1 / 1.5, "GPT": 1 / 1.5}  # as fast as PyTorch, at least
REPEATS = {"MLP": 40, "CNN": 10, "GPT": 3}


def autograd_step():
    import autograd
    import autograd.numpy as anp

    x, y = images((784,))
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
        return -anp.mean(logs[anp.arange(len(y)), y])

    slope = autograd.value_and_grad(loss)

    def step():
        value, gradients = slope(params)
        for p, v, g in zip(params, velocity, gradients):
            v *= MOMENTUM
            v += g
            p -= LR * v
        return value

    return step


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


def contestants(name):
    """{library: its training step of the model called `name`}, those installed."""
    makers = {"minidl": minidl_step, "PyTorch eager": torch_step}
    if name == "MLP":
        makers["HIPS autograd"] = lambda name: autograd_step()
    made = {}
    for library, make in makers.items():
        try:
            made[library] = make(name)
        except ImportError:
            print(f"{library} is not installed; its rows are left out")
    return made


def main():
    rows = []
    for name, bar in TORCH.items():
        seconds = compare(contestants(name), repeats=REPEATS[name])
        ours = seconds.pop("minidl") * 1e3
        bars = {"PyTorch eager": bar, "HIPS autograd": 2.0}
        rows += [
            row(f"{name} training step", ours, peer * 1e3, library, "ms", bars[library])
            for library, peer in seconds.items()
        ]
    small = small_op_microseconds()
    rows.append(row("add of 4 elements", small, 3.0, "limit", "us", 1.0))
    rows.append(row("import minidl", import_seconds(), 0.4, "limit", "s", 1.0))
    return rows
