"""The simulated GPU against Numba's CUDA simulator, and against limits of its own.

The tiled matmul is compared by the time of one inner iteration, of one thread: Numba's
simulator gets 32 x 32 matrices, ours 256 x 256; both have blocks of 16 x 16 threads.
Rounds take turns.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from _measure import row

from minidl.hardware import simt
from minidl.runtime import kernels

PEER = "Numba's CUDA simulator"
LIMIT = "the limit set"
FAST = {"checks": False, "counters": False}
MATMUL = """
#define TILE 16
extern "C" __global__ void matmul(const float* A, const float* B, float* C, int n) {
    __shared__ float a[TILE][TILE];
    __shared__ float b[TILE][TILE];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * TILE + y, col = blockIdx.x * TILE + x;
    float total = 0.0f;
    for (int tile = 0; tile < n / TILE; ++tile) {
        a[y][x] = A[row * n + tile * TILE + x];
        b[y][x] = B[(tile * TILE + y) * n + col];
        __syncthreads();
        for (int k = 0; k < TILE; ++k) total += a[y][k] * b[k][x];
        __syncthreads();
    }
    C[row * n + col] = total;
}
"""


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def matmul(n=256, **options):
    """A function that gives nanoseconds of an inner iteration of ours."""
    a, b = np.random.default_rng(0).random((2, n, n), np.float32)
    c = np.zeros_like(a)
    kernel = simt.RawKernel(MATMUL, "matmul", **options)
    launch = (n // 16, n // 16), (16, 16), (a, b, c, np.int32(n))
    kernel(*launch)  # the first launch compiles
    assert np.allclose(c, a @ b, rtol=1e-4)
    return lambda: seconds(lambda: kernel(*launch)) / n**3 * 1e9


def numba_simulator():
    """Nanoseconds of an inner iteration of Numba's, in a process of its own."""
    answer = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("_numba_cudasim.py"))],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    taken, iterations = map(float, answer.stdout.split())
    return taken / iterations * 1e9


def elementwise(**options):
    """Seconds of an addition of 4,096 x 4,096 elements."""
    n = 4096 * 4096
    x, y, out = (np.ones(n, np.float32) for _ in range(3))
    kernel = kernels.kernel("vector_add", "vector_add", **options)
    return seconds(lambda: kernel((n // 256,), (256,), (x, y, out, np.int32(n))))


def reduction(name):
    """Seconds in which one rung adds up 2^20 elements, partial sums and all."""
    n = 1 << 20
    x, kernel = np.ones(n, np.float32), kernels.kernel("reduction", name)
    each = {"reduce_first_add": 512, "reduce_shuffle": 512}.get(name, 256)

    def run():
        total, left = x, n
        while left > 1:
            count = -(-left // each)
            if name == "reduce_grid_stride":
                count = min(count, 64) if left > 64 else 1
            partial = np.zeros(count, np.float32)
            kernel((count,), (256,), (total, partial, np.int32(left)))
            total, left = partial, count
        assert total[0] == n

    return seconds(run)


def main():
    contestants = {
        "with": matmul(), "without": matmul(**FAST), PEER: numba_simulator,
    }  # fmt: skip
    times = {name: [] for name in contestants}
    for _ in range(5):
        for name, contestant in contestants.items():
            times[name].append(contestant())
    ns = {name: statistics.median(found) for name, found in times.items()}
    slowest = max(reduction(name) for name in kernels.families()["reduction"])
    return [
        row("matmul, checks, counters", ns["with"], ns[PEER], PEER, "ns", 1000),
        row("matmul, neither", ns["without"], ns[PEER], PEER, "ns", 3000),
        row("4,096 x 4,096 elementwise", elementwise(), 3.0, LIMIT, "s", 1.0),
        row("2^20 reduced, slowest rung", slowest, 1.0, LIMIT, "s", 1.0),
    ]
