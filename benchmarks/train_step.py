"""Compiled training steps against PyTorch, and against what the machine could do.

Rounds take turns in one process, two threads each; rows give medians, and ratios to the
better of PyTorch eager and torch.compile. The floor of a step is its matrix products at
the rate that BLAS reaches here, plus what it must read and write once at the rate of a
copy. Compilation and memory are measured in fresh processes. Without PyTorch, the floor
alone is the peer.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "2")

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _measure import compare, row
from _models import MODELS, minidl_step, torch_step

import minidl as dl
from minidl.framework.graph import INPUT
from minidl.hardware import blas

BARS = {"MLP": 1.7, "CNN": 1.25, "GPT": 1.4}
REPEATS = {"MLP": 40, "CNN": 10, "GPT": 3}
PEERS = {
    "PyTorch eager": torch_step,
    "torch.compile": lambda name: torch_step(name, compile=True),
}
COLD, WARM = 15.0, 2.0  # seconds
MATMULS = {"matmul", "conv2d", "conv2d_image", "conv2d_weight"}


def compiled_step(name):
    return minidl_step(name, dl.compile)


# ---- the floor


def best(function, rounds=30):
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def gemm_rate(n=1024):
    """FLOPs that a square matrix product reaches in a second."""
    a = np.random.default_rng(0).random((n, n), np.float32)
    out = np.empty_like(a)
    return 2 * n**3 / best(lambda: np.dot(a, a, out))


def copy_rate(nbytes=1 << 26):
    """Bytes that a copy reads and writes in a second."""
    source = np.ones(nbytes // 4, np.float32)
    out = np.empty_like(source)
    return 2 * nbytes / best(lambda: np.copyto(out, source))


def floor_seconds(name):
    """Seconds below which no step of the model can be: products, then state once."""
    make, batch, optimiser, settings = MODELS[name]
    step = minidl_step(name, lambda train_step: capturing(train_step))
    graph = step()
    flops = sum(
        node.op.flops(node.shape, *[x.shape for x in node.inputs], **node.attrs)
        for node in graph.nodes
        if node.op.name in MATMULS | {"linear"}
    )
    state = sum(x.nbytes for x in graph.nodes if x.op is INPUT)
    written = sum(x.nbytes for x in graph.outputs)
    return flops / gemm_rate() + (state + written) / copy_rate()


def capturing(train_step):
    return lambda *args: dl.trace(train_step, *args)


# ---- in fresh processes

FRESH = """
import sys, time
sys.path[:0] = {path!r}
import train_step
start = time.perf_counter()
step = {maker}
step()
first = time.perf_counter() - start
for _ in range({steps}):
    step()
print(first, train_step.peak_bytes())
"""


def peak_bytes():
    """The most memory that this process ever had resident (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def fresh(maker, steps=1, cache=None):
    """(seconds of the first call, peak bytes) of a step in a process of its own."""
    text = FRESH.format(path=[str(Path(__file__).parent)], maker=maker, steps=steps)
    environ = {**os.environ, **({"MINIDL_CACHE": cache} if cache else {})}
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, env=environ
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return tuple(map(float, done.stdout.split()[-2:]))


def compile_rows():
    """Compiling the GPT step: with nothing on disk, and with all kernels there."""
    with tempfile.TemporaryDirectory() as cache:
        maker = "train_step.compiled_step('GPT')"
        cold = fresh(maker, cache=cache)[0]
        warm = statistics.median(fresh(maker, cache=cache)[0] for _ in range(3))
    return [
        row("GPT compiled, cold", cold, COLD, "limit", "s", 1.0),
        row("GPT compiled, warm", warm, WARM, "limit", "s", 1.0),
    ]


def memory_rows():
    """Peak resident memory of a process that trains the GPT."""
    ours = fresh("train_step.compiled_step('GPT')", steps=20)[1] / 2**20
    theirs = fresh("train_step.torch_step('GPT')", steps=20)[1] / 2**20
    return [row("GPT peak memory", ours, theirs, "PyTorch eager", "MiB", 1.0)]


# ---- the table


def contestants(name):
    """{who: its step}, those that are installed and work here."""
    made = {"minidl": compiled_step(name)}
    for who, make in PEERS.items():
        try:
            made[who] = make(name)
            made[who]()
        except Exception as error:  # no PyTorch, or no C++ compiler for it
            print(f"{who} is left out: {str(error).splitlines()[0]}")
            made.pop(who, None)
    return made


def step_rows(name):
    seconds = compare(contestants(name), repeats=REPEATS[name])
    ours, least = seconds.pop("minidl") * 1e3, floor_seconds(name) * 1e3
    rows = []
    if seconds:
        who = min(seconds, key=seconds.get)
        for other in sorted(seconds, key=seconds.get)[1:]:
            print(f"{name}: {other} took {seconds[other] * 1e3:.2f} ms")
        title = f"{name} training step"
        rows = [row(title, ours, seconds[who] * 1e3, who, "ms", BARS[name])]
    floor = row(f"{name} step and its floor", ours, least, "floor", "ms", 0.0)
    return [*rows, floor]


def main():
    for library in blas.libraries():
        print(f"NumPy's BLAS: {library.internal_api} {library.version}, kernels for "
              f"{getattr(library, 'architecture', 'this processor')}")  # fmt: skip
    rows = [r for name in BARS for r in step_rows(name)]
    rows += compile_rows()
    try:
        import torch  # noqa: F401
    except ImportError:
        return rows
    return rows + memory_rows()
