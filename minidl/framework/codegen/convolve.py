"""Loops of convolutions whose images come last in memory. (Chapter 9.)

The naive nest of a convolution has one multiplication at its core:

    out[k, r, s] += x[c, r + i, s + j N] * weight[k, c, i, j]

with s along the run of all places of a row and all images. Loops over s are vector
loops. What makes them fast is how often a number is used once it is in a register, or
in the cache next to it. Unroll and jam: the loops over the window are unrolled inside
the loop over s, and so are a few output channels. An element of the image is then
loaded once for these channels, a partial sum once for a window. Tiling: the run is cut
into blocks whose partial sums stay in the first cache, in scratch, until they are
complete. More channels at once would need more registers than there are.
"""

from itertools import product

from .loops import (
    INT,
    Buffer,
    Const,
    Kernel,
    Let,
    Load,
    Local,
    Loop,
    Store,
    Update,
    Var,
)

MOST_TERMS = 18  # weights in registers while a loop over s runs; vector units have 32
MOST_SUMS = 12  # a multiply-add takes about 4 cycles, and so many sums can be under way
BLOCK = 1024  # numbers of a run: rows of a window and sums of them fit into 32 KiB
APART = 16  # between rows of sums, which 4 KiB apart would compete for one place


def divisor(n, most):
    """The largest divisor of `n` that is at most `most`; at least 1."""
    return max(d for d in range(1, max(most, 1) + 1) if n % d == 0)


def numbers(*values):
    return tuple(Const(v, INT) for v in values)


def conv_last(node):
    """The Kernel of a convolution, a part of the rows of places for each thread."""
    K, R, S, N = node.shape
    tile, groups = tiles(K, *node.inputs[1].shape[2:])
    places = -(-S // -(-S * N // BLOCK))  # in a block: as many as make blocks equal
    parts = Parts(node, tile, groups, min(S, places) * N)
    blocks = Loop("block", S // places, parts.nest(Var("block") * parts.size))
    body = (blocks,)
    if S % places:
        start, size = S // places * places * N, S % places * N
        body = (blocks, *parts.nest(Const(start, INT), size))
    body = (Loop("r", R, (Loop("k_outer", K // tile, body),), "parallel"),)
    inputs, scratch = (parts.image, parts.weight), (parts.sums,)
    return Kernel("conv_last", (parts.out,), inputs, scratch=scratch, body=body)


class Parts:
    """The loops for one row of places, `tile` channels and a block of the run."""

    def __init__(self, node, tile, groups, size):
        x, weight = node.inputs
        (C, H, W, N), (K, R, S, _) = x.shape, node.shape
        self.C, self.N, self.tile, self.groups, self.size = C, N, tile, groups, size
        self.turned = node.attrs.get("turned", False)
        self.image = Buffer("x0", (C, H, W * N), node.dtype)
        self.weight = Buffer("x1", weight.shape, node.dtype)
        self.out = Buffer("y0", (K, R, S * N), node.dtype)
        self.sums = Buffer("sums", (tile, size + APART), node.dtype)

    def nest(self, start, size=None):
        """Clears the sums of a block, adds channel by channel, and keeps them."""
        r, s, outer = map(Var, ("r", "s", "k_outer"))

        def along(statement):
            body = [statement(outer * self.tile + t, (Const(t, INT), s))
                    for t in range(self.tile)]  # fmt: skip
            return Loop("s", size or self.size, tuple(body), "vector")

        def add(group):
            return along(lambda k, t: Store(
                self.sums, t, self.window(k, start + s, group), "add"))  # fmt: skip

        def place(k):
            return k, r, start + s

        if self.C == len(self.groups) == 1:  # each sum is complete at once
            (group,) = self.groups
            only = along(lambda k, t: Store(
                self.out, place(k), self.window(k, start + s, group)))  # fmt: skip
            return (Loop("c", 1, (only,)),)
        zero = Const(0, self.sums.dtype)
        return (
            along(lambda k, t: Store(self.sums, t, zero)),
            Loop("c", self.C, tuple(map(add, self.groups))),
            along(lambda k, t: Store(self.out, place(k), Load(self.sums, t))),
        )

    def window(self, k, s, group):
        """What the elements (i, j) of a group contribute to channel `k` at `s`."""
        r, c = Var("r"), Var("c")
        first, *others = [
            Load(self.image, (c, r + i, s + j * self.N)) * self.tap(k, c, i, j)
            for i, j in group
        ]
        return sum(others, first)

    def tap(self, k, c, i, j):
        """The weight from channel `c` of the images to `k` of the result."""
        if self.turned:
            h, w = self.weight.shape[2:]
            return Load(self.weight, (c, k, *numbers(h - 1 - i, w - 1 - j)))
        return Load(self.weight, (k, c, *numbers(i, j)))


def tiles(K, h, w):
    """(channels at once, groups of (i, j) at once) for windows of (h, w)."""
    rows = max(1, min(h, MOST_TERMS // (2 * w)))
    groups = [list(product(range(i, min(i + rows, h)), range(w)))
              for i in range(0, h, rows)]  # fmt: skip
    return divisor(K, min(8, MOST_TERMS // (rows * w))), groups


def conv_last_weight(node):
    """The Kernel of a weight's gradient, a part of the output channels a thread.

    A sum for each element of the weight, over all places of all images. Those of some
    channels and a row of the window are made at once, from what is loaded once.
    """
    (K, R, S, N), (C, H, W, _), w = *(x.shape for x in node.inputs), node.shape[3]
    slope = Buffer("x0", (K, R, S * N), node.dtype)
    image = Buffer("x1", (C, H, W * N), node.dtype)
    out = Buffer("y0", node.shape, node.dtype)
    tile = divisor(K, MOST_SUMS // w)
    sums = {(t, j): Local(f"sum{t}_{j}", node.dtype)
            for t, j in product(range(tile), range(w))}  # fmt: skip
    row = Loop("i", node.shape[2], summed_up(slope, image, out, sums, tile))
    loops = Loop("k_outer", K // tile, (Loop("c", C, (row,)),), "parallel")
    return Kernel("conv_last_weight", (out,), (slope, image), body=(loops,))


def summed_up(slope, image, out, sums, tile):
    """The statements for `sums`, {(channel in the tile, j): local}, of one row."""
    c, i, r, s, outer = map(Var, ("c", "i", "r", "s", "k_outer"))
    (_, R, run), zero, steps, stores = slope.shape, Const(0, out.dtype), [], []
    step = (image.shape[2] - run) // max(out.shape[3] - 1, 1)  # from j to j + 1
    for (t, j), local in sums.items():
        k, there = outer * tile + t, Load(image, (c, r + i, s + j * step))
        steps.append(Update(local, "add", Load(slope, (k, r, s)) * there))
        stores.append(Store(out, (k, c, i, Const(j, INT)), local))
    body = Loop("r", R, (Loop("s", run, tuple(steps), "vector"),))
    return (*[Let(local, zero) for local in sums.values()], body, *stores)
