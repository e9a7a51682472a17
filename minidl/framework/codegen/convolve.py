"""Loops of convolutions whose images come last in memory. (Chapter 9.)

The naive nest of a convolution has a multiplication at its core:

    out[k, r, s] += x[c, r + i, s + j N] * weight[k, c, i, j]

with s along the run of all places of a row and all images. Loops over s are vector
loops. What makes them fast is how often a number is used once it is in a register. Two
transformations see to that, both known as unroll and jam: the loops over the window are
unrolled inside the loop over s, and so are a few output channels. An element of the
image is then loaded once for these channels, and the result once for a whole window.
More channels would need more registers than there are.
"""

from itertools import product
from math import prod

from .loops import INT, Buffer, Const, Kernel, Let, Load, Local, Loop, Store, Update, Var

MOST_TERMS = 18  # weights in registers while a loop over s runs; vector units have 32
MOST_SUMS = 12  # a multiply-add takes about 4 cycles, and so many sums can be under way


def divisor(n, most):
    """The largest divisor of `n` that is at most `most`; at least 1."""
    return max(d for d in range(1, max(most, 1) + 1) if n % d == 0)


def numbers(*values):
    return tuple(Const(v, INT) for v in values)


def conv_last(node):
    """The Kernel of a convolution, a part of the rows of places for each thread."""
    x, weight = node.inputs
    (C, H, W, N), (K, R, S, _), (h, w) = x.shape, node.shape, weight.shape[2:]
    image = Buffer("x0", (C, H, W * N), node.dtype)
    taps = Buffer("x1", weight.shape, node.dtype)
    out = Buffer("y0", (K, R, S * N), node.dtype)
    tile, groups = tiles(K, h, w)
    r, s, c, outer = map(Var, ("r", "s", "c", "k_outer"))

    def weight_at(k, c, i, j):
        if node.attrs.get("turned"):
            return Load(taps, (c, k, *numbers(h - 1 - i, w - 1 - j)))
        return Load(taps, (k, c, *numbers(i, j)))

    def along(c, group, fn):
        """A loop over s that adds what a group of taps of channel `c` contributes."""
        body, stores = [], []
        for number in range(tile):
            k, made = outer * tile + number, Local(f"t{number}", node.dtype)
            terms = [Load(image, (c, r + i, s + j * N)) * weight_at(k, c, i, j)
                     for i, j in group]  # fmt: skip
            terms = [Load(out, (k, r, s)), *terms] if fn else terms
            body.append(Let(made, sum(terms[1:], terms[0])))
            stores.append(Store(out, (k, r, s), made))
        body += stores
        return Loop("s", S * N, tuple(body), "vector")

    first = [along(Const(0, INT), g, "add" if n else None) for n, g in enumerate(groups)]
    rest = Loop("c", C - 1, tuple(along(c + 1, g, "add") for g in groups))
    body = (Loop("k_outer", K // tile, (*first, *[rest] * (C > 1))),)
    return Kernel(
        "conv_last", (out,), (image, taps), body=(Loop("r", R, body, "parallel"),)
    )


def tiles(K, h, w):
    """(channels at once, groups of (i, j) at once) for windows of (h, w)."""
    rows = max(1, min(h, MOST_TERMS // (2 * w)))
    groups = [list(product(range(i, min(i + rows, h)), range(w)))
              for i in range(0, h, rows)]  # fmt: skip
    return divisor(K, MOST_TERMS // (rows * w)), groups


def conv_last_weight(node):
    """The Kernel of a weight's gradient, a part of the output channels a thread.

    A sum for each element of the weight, over all places of all images. Those of some
    channels and a row of the window are made at once, from what is loaded once.
    """
    y, x = node.inputs
    (C, H, W, N), (K, R, S, _), w = x.shape, y.shape, node.shape[3]
    slope = Buffer("x0", (K, R, S * N), node.dtype)
    image = Buffer("x1", (C, H, W * N), node.dtype)
    out = Buffer("y0", node.shape, node.dtype)
    tile = divisor(K, MOST_SUMS // w)
    r, s, c, i, outer = map(Var, ("r", "s", "c", "i", "k_outer"))
    sums = {(k, j): Local(f"t{k}_{j}", node.dtype)
            for k, j in product(range(tile), range(w))}  # fmt: skip
    zero = Const(0, node.dtype)
    steps = [
        Update(t, "add", Load(slope, (outer * tile + k, r, s))
               * Load(image, (c, r + i, s + j * N)))
        for (k, j), t in sums.items()
    ]  # fmt: skip
    body = (
        *[Let(t, zero) for t in sums.values()],
        Loop("r", R, (Loop("s", S * N, tuple(steps), "vector"),)),
        *[Store(out, (outer * tile + k, c, i, Const(j, INT)), t)
          for (k, j), t in sums.items()],
    )  # fmt: skip
    nest = (Loop("c", C, (Loop("i", node.shape[2], body),)),)
    loops = (Loop("k_outer", K // tile, nest, "parallel"),)
    return Kernel("conv_last_weight", (out,), (slope, image), body=loops)
