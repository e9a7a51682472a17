"""Prints seconds of a tiled matmul on Numba's CUDA simulator, and its inner iterations.

A process of its own: Numba takes the simulator only where NUMBA_ENABLE_CUDASIM=1 is set
before it is imported.
"""

import time

import numpy as np
from numba import cuda, float32

TILE, N = 16, 32


@cuda.jit
def matmul(A, B, C):
    a = cuda.shared.array((TILE, TILE), float32)
    b = cuda.shared.array((TILE, TILE), float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    row, col = cuda.blockIdx.y * TILE + y, cuda.blockIdx.x * TILE + x
    total = float32(0)
    for tile in range(N // TILE):
        a[y, x] = A[row, tile * TILE + x]
        b[y, x] = B[tile * TILE + y, col]
        cuda.syncthreads()
        for k in range(TILE):
            total += a[y, k] * b[k, x]
        cuda.syncthreads()
    C[row, col] = total


def main():
    a, b = np.random.default_rng(0).random((2, N, N), np.float32)
    c = np.zeros_like(a)
    start = time.perf_counter()
    matmul[(N // TILE, N // TILE), (TILE, TILE)](a, b, c)
    seconds = time.perf_counter() - start
    assert np.allclose(c, a @ b, rtol=1e-4)
    print(seconds, N**3)


if __name__ == "__main__":
    main()
