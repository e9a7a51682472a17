"""Layout: images last in memory, (C, H, W, N), from one end of a network to the other.

A convolution or a pooling becomes one of a row whose images come last, with a permute
before it and one after it. A permute then goes down past whatever follows, elementwise
operations, borders, sums, until it meets the permute before the next such row, and both
are gone. What remains stands at the network's input and before its linear layers, where
(N, C H W) is the transpose of what lies in memory: BLAS reads that as it is. (Chapter 8.)
"""

import numpy as np

from .. import ops
from ..convolution import (
    conv2d,
    conv2d_image,
    conv2d_weight,
    max_pool2d,
    max_pool2d_back,
)
from ..graph import keep, make, rebuild
from ..images_last import conv_last, conv_last_weight, pool_last, pool_last_back
from .images import IMAGES, WINDOWS
from .inside import everywhere
from .moves import MOVES, again
from .rewrite import rewrite
from .through import ELEMENTWISE

LAST, FIRST = (1, 2, 3, 0), (3, 0, 1, 2)  # the dims of permutes to a layout
FEWEST = 8  # images, for a loop along them to be worth it
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@everywhere
def layout(graph):
    """`graph` with images last wherever that needs no other row."""
    if not any(node.op in (conv2d, max_pool2d) for node in graph.nodes):
        return graph
    graph = rewrite(graph, IMAGES)
    return rewrite(rebuild(graph, moved), MOVES + WINDOWS)


def moved(node, inputs):
    """What stands for `node`: the same, or a permute of its like with images last."""
    node = keep(node, inputs)
    row = ROWS.get(node.op)
    return (row and row(node)) or node


# ---- from one layout to the other


def is_first(x):
    """Whether `x` is a value that lies with its images last."""
    return x.op is ops.permute and x.attrs["dims"] == FIRST


def first(node, like):
    return again(ops.permute, node, node=like, dims=FIRST)


def last(x):
    """(N, C, H, W) -> (C, H, W, N)."""
    if is_first(x):
        return x.inputs[0]
    if x.op is ops.reshape and len(x.inputs[0].shape) == 2 and x.shape[0] == x.inputs[0].shape[0]:
        rows = again(ops.permute, x.inputs[0], node=x, dims=(1, 0))  # (C H W, N)
        return again(ops.reshape, rows, node=x, shape=rotated(x.shape))
    return again(ops.permute, x, node=x, dims=LAST)


def rotated(values):
    """What belongs to (N, C, H, W), in the order (C, H, W, N)."""
    return (*values[1:], values[0])


# ---- the rows that change


def has_loops(node):
    """Whether the rows with images last can compute what `node` does."""
    steps = node.attrs["stride"] if node.op in CONVOLUTIONS else (1, 1)
    images = node.inputs[0].shape[0]
    return tuple(steps) == (1, 1) and images >= FEWEST and node.dtype in FLOATS


def changed(row):
    """A function of a node: permutes around `row(node)`; None where it can't be."""

    def function(node):
        return first(row(node), node) if has_loops(node) else None

    return function


def convolution(node):
    x, weight, *bias = node.inputs
    out = again(conv_last, last(x), weight, node=node)
    for b in bias:
        column = again(ops.reshape, b, node=node, shape=(len_of(b), 1, 1, 1))
        out = again(ops.add, out, column, node=node)
    return out


def len_of(x):
    return x.shape[0]


def to_weight(node):
    if not has_loops(node):
        return None
    y, x = map(last, node.inputs)
    return again(conv_last_weight, y, x, node=node, shape=node.attrs["shape"])


def to_image(node):
    """The gradient of images: the weight, turned, over a gradient with a border."""
    y, weight = last(node.inputs[0]), node.inputs[1]
    (K, R, S, N), (h, w) = y.shape, weight.shape[2:]
    index = ((0, K, 1), (h - 1, h - 1 + R, 1), (w - 1, w - 1 + S, 1), (0, N, 1))
    shape = (K, R + 2 * h - 2, S + 2 * w - 2, N)
    wide = again(ops.pad, y, node=node, index=index, shape=shape)
    return again(conv_last, wide, weight, node=node, turned=True)


def pooling(row):
    return lambda node: again(row, *map(last, node.inputs), node=node, **node.attrs)


CONVOLUTIONS = {conv2d, conv2d_weight, conv2d_image}

# ---- the rows that let permutes pass


def elementwise(node):
    """permute(f(...)) for f(permute, ...)."""
    here = [x for x in node.inputs if is_first(x) and x.shape == node.shape]
    if not here:
        return None
    inputs = [x if x.shape == () else last(in_four(x, node)) for x in node.inputs]
    return first(again(node.op, *inputs, node=node, **node.attrs), node)


def in_four(x, node):
    missing = 4 - len(x.shape)
    shape = (1,) * missing + tuple(x.shape)
    return again(ops.reshape, x, node=node, shape=shape) if missing else x


def ranges(node):
    """Of pad and slice: all that they say is by dimension."""
    (x,) = node.inputs
    if not is_first(x):
        return None
    attrs = {name: rotated(value) for name, value in node.attrs.items()}
    return first(again(node.op, x.inputs[0], node=node, **attrs), node)


def reduction(node):
    """Of sum and amax, unless images and some other dimension are left."""
    (x,), dims, keepdim = node.inputs, node.attrs["dims"], node.attrs["keepdim"]
    left = set(range(4)) - set(dims)
    if not is_first(x) or not (keepdim or 0 in dims or left == {0}):
        return None
    attrs = {"dims": tuple(sorted((d - 1) % 4 for d in dims)), "keepdim": keepdim}
    out = again(node.op, x.inputs[0], node=node, **attrs)
    return first(out, node) if keepdim else out


def flattened(node):
    """(N, C H W) is the transpose of what lies in memory."""
    (x,) = node.inputs
    if not is_first(x) or len(node.shape) != 2 or node.shape[0] != x.shape[0]:
        return None
    rows = again(ops.reshape, x.inputs[0], node=node, shape=node.shape[::-1])
    return again(ops.permute, rows, node=node, dims=(1, 0))


ROWS = {
    conv2d: changed(convolution),
    conv2d_weight: to_weight,
    conv2d_image: changed(to_image),
    max_pool2d: changed(pooling(pool_last)),
    max_pool2d_back: changed(pooling(pool_last_back)),
    ops.pad: ranges,
    ops.slice_: ranges,
    ops.sum: reduction,
    ops.amax: reduction,
    ops.reshape: flattened,
    **dict.fromkeys(ELEMENTWISE, elementwise),
}
