"""A case of each kernel of runtime/kernels: what to launch it on, what must come out.

A case is (grid, block, arguments, [(output, result in float64 by NumPy)]). Its sizes
are no multiples of a block, but for some of the first.
"""

import numpy as np


def blocks(n, each):
    return -(-n // each)


def floats(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def vector_add(name, rng, size):
    n = 1000 * size + size
    x, y, out = floats(rng, n), floats(rng, n), np.zeros(n, np.float32)
    grid = {"vector_add": blocks(n, 256), "vector_add_float4": blocks(n, 1024)}
    args = x, y, out, np.int32(n)
    return (grid.get(name, 3),), (256,), args, [(out, x.astype("f8") + y)]


def transpose(name, rng, size):
    rows, cols = 32 * size + size, 64 * size - 5
    x, out = floats(rng, rows, cols), np.zeros((cols, rows), np.float32)
    grid = blocks(cols, 32), blocks(rows, 32)
    return grid, (32, 8), (x, out, np.int32(rows), np.int32(cols)), [(out, x.T)]


def reduction(name, rng, size):
    n = 1500 * size + size
    each = {"reduce_first_add": 512, "reduce_shuffle": 512}.get(name, 256)
    count = 3 if name == "reduce_grid_stride" else blocks(n, each)
    x, partial = floats(rng, n), np.zeros(count, np.float32)
    if name == "reduce_grid_stride":
        return (
            (count,),
            (256,),
            (x, partial, np.int32(n)),
            [(partial, x.sum(dtype="f8"))],
        )
    parts = np.add.reduceat(x.astype("f8"), np.arange(0, n, each))
    return (count,), (256,), (x, partial, np.int32(n)), [(partial, parts)]


def scan(name, rng, size):
    n = 600 * size + size
    count = blocks(n, 256)
    x, out, sums = floats(rng, n), np.zeros(n, np.float32), np.zeros(count, np.float32)
    padded = np.zeros((count, 256))
    padded.flat[:n] = x
    within = padded.cumsum(1)
    if name == "add_offsets":
        out[:] = within.reshape(-1)[:n]
        sums[:] = within[:, -1].cumsum()
        args = out, sums, np.int32(n)
        return (count,), (256,), args, [(out, x.cumsum(dtype="f8"))]
    wanted = [(out, within.reshape(-1)[:n]), (sums, within[:, -1])]
    return (count,), (256,), (x, out, sums, np.int32(n)), wanted


def histogram(name, rng, size):
    n = 3000 * size + size
    data = (rng.standard_normal(n) * 20 + 128).clip(0, 255).astype(np.uint8)
    counts = np.ones(256, np.uint32)
    args = data, counts, np.int32(n)
    return (3,), (256,), args, [(counts, 1 + np.bincount(data, minlength=256))]


def row_launch(name, rows):
    if name == "softmax_naive":
        return (blocks(rows, 128),), (128,)
    per_block = {"softmax_online": 8, "layer_norm_welford": 8}.get(name, 1)
    return (blocks(rows, per_block),), (256,)


def softmax(name, rng, size):
    rows, cols = 10 * size + 1, (7, 300, 515)[size - 1]
    x = 10 * floats(rng, rows, cols)
    out = np.zeros_like(x)
    e = np.exp(x.astype("f8") - x.max(1, keepdims=True))
    args = x, out, np.int32(rows), np.int32(cols)
    return *row_launch(name, rows), args, [(out, e / e.sum(1, keepdims=True))]


def layer_norm(name, rng, size):
    rows, cols = 10 * size + 1, (7, 300, 515)[size - 1]
    x, gain, bias = 5 + floats(rng, rows, cols), floats(rng, cols), floats(rng, cols)
    out, wide = np.zeros_like(x), x.astype("f8")
    scale = 1 / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    wanted = (wide - wide.mean(1, keepdims=True)) * scale * gain + bias
    args = x, gain, bias, out, np.int32(rows), np.int32(cols), np.float32(1e-5)
    return *row_launch(name, rows), args, [(out, wanted)]


def matmul(name, rng, size):
    m, n, k = ((32, 64, 32), (70, 52, 36), (128, 132, 40))[size - 1]
    a, b, c = floats(rng, m, k), floats(rng, k, n), np.zeros((m, n), np.float32)
    grid, block = {
        "matmul_naive": ((blocks(m, 32), blocks(n, 32)), (32, 32)),
        "matmul_register_1d": ((blocks(n, 64), blocks(m, 64)), (64, 8)),
        "matmul_register_2d": ((blocks(n, 64), blocks(m, 64)), (16, 16)),
    }.get(name, ((blocks(n, 32), blocks(m, 32)), (32, 32)))
    args = a, b, c, np.int32(m), np.int32(n), np.int32(k)
    return grid, block, args, [(c, a.astype("f8") @ b)]


def convolution(name, rng, size):
    channels, height, width = size, 18 * size + size, 34 * size - 3
    x, filters = floats(rng, channels, height, width), floats(rng, 2, channels, 3, 3)
    out = np.zeros((2, height - 2, width - 2), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype("f8"), (3, 3), (1, 2))
    wanted = np.einsum("chwij,fcij->fhw", windows, filters)
    grid = blocks(width - 2, 16), blocks(height - 2, 16), 2
    args = x, filters, out, *(np.int32(s) for s in x.shape)
    return grid, (16, 16), args, [(out, wanted)]


def attention(name, rng, size, causal=1):
    heads, length = 2, (32, 50, 97)[size - 1]
    q, k, v = (floats(rng, heads, length, 32) for _ in range(3))
    out, scores = np.zeros_like(q), np.zeros((heads, length, length), np.float32)
    wide = q.astype("f8") @ k.transpose(0, 2, 1) / np.sqrt(32)
    if causal:
        wide[:, ~np.tri(length, dtype=bool)] = -np.inf
    weights = np.exp(wide - wide.max(-1, keepdims=True))
    wanted = weights / weights.sum(-1, keepdims=True) @ v
    arrays = (q, k, v, scores, out) if name == "attention_naive" else (q, k, v, out)
    args = *arrays, np.int32(length), np.int32(causal)
    return (blocks(length, 32), heads), (32,), args, [(out, wanted)]


CASES = {
    f.__name__: f for f in (vector_add, transpose, reduction, scan, histogram, softmax,
                            layer_norm, matmul, convolution, attention)
}  # fmt: skip
