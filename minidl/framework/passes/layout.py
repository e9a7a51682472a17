"""Layout: images last in memory, (C, H, W, N), from one end of a network to the other.

A convolution or a pooling becomes one of a row whose images come last, with a permute
before it and one after it. A permute then goes down past whatever follows, elementwise
operations, borders, sums, until it meets the permute before the next such row, and both
are gone. What remains stands at the network's input and before its linear layers, where
(N, C H W) is the transpose of what lies in memory: BLAS reads it as it is. (Chapter 8.)
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
from ..graph import keep, rebuild
from ..images_last import conv_last, conv_last_weight, pool_last, pool_last_back
from .images import IMAGES, WINDOWS
from .inside import everywhere
from .moves import MOVES, again
from .rewrite import rewrite
from .turning import PASSING, first, last

FEWEST = 8  # images, for a loop along them to be worth it
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
MOST_MORE = 3  # times the multiplications, for an image's gradient by a wide border


@everywhere
def layout(graph):
    """`graph` with images last wherever there are rows for it."""
    if not any(node.op in (conv2d, max_pool2d) for node in graph.nodes):
        return graph
    graph = rewrite(graph, IMAGES)
    return rewrite(rebuild(graph, moved), MOVES + WINDOWS)


def moved(node, inputs):
    """What stands for `node`: the same, or a permute of its like with images last."""
    node = keep(node, inputs)
    row = ROWS.get(node.op)
    return (row and row(node)) or node


# ---- the rows that change


def suits(node):
    """Whether the rows with images last can compute what `node` does."""
    stride = (1, 1) if node.op in POOLINGS else tuple(node.attrs["stride"])
    many = node.inputs[0].shape[0] >= FEWEST
    return stride == (1, 1) and many and node.dtype in FLOATS


def changed(row):
    """A function of a node: permutes around `row(node)`; None where it can't be."""

    def function(node):
        new = row(node) if suits(node) else None
        return new and first(new, node)

    return function


def convolution(node):
    x, weight = last(node.inputs[0]), node.inputs[1]
    if is_point(weight.shape):
        return product(matrix(weight), matrix(x), node, x.shape[1:])
    return again(conv_last, x, weight, node=node)


def to_image(node):
    """The gradient of images: the weight, turned, over a gradient with a border."""
    y, weight = last(node.inputs[0]), node.inputs[1]
    (K, R, S, N), (h, w) = y.shape, weight.shape[2:]
    if is_point(weight.shape):
        return product(transposed(matrix(weight)), matrix(y), node, y.shape[1:])
    wide = (K, R + 2 * h - 2, S + 2 * w - 2, N)
    if (R + h - 1) * (S + w - 1) > MOST_MORE * R * S:
        return None
    index = ((0, K, 1), (h - 1, h - 1 + R, 1), (w - 1, w - 1 + S, 1), (0, N, 1))
    y = again(ops.pad, y, node=node, index=index, shape=wide)
    return again(conv_last, y, weight, node=node, turned=True)


def to_weight(node):
    if not suits(node):
        return None
    y, x = map(last, node.inputs)
    if is_point(node.shape):
        return product(matrix(y), transposed(matrix(x)), node, node.shape[1:])
    return again(conv_last_weight, y, x, node=node, shape=node.attrs["shape"])


def pooling(row):
    return lambda node: again(row, *map(last, node.inputs), node=node, **node.attrs)


# A convolution of windows of one element is a product of matrices.


def is_point(weight):
    return weight[2:] == (1, 1)


def matrix(x):
    """(C, ...) -> (C, elements)."""
    shape = (x.shape[0], x.size // x.shape[0])
    return again(ops.reshape, x, node=x, shape=shape)


def transposed(x):
    return again(ops.permute, x, node=x, dims=(1, 0))


def product(x, y, node, rest):
    out = again(ops.matmul, x, y, node=node)
    return again(ops.reshape, out, node=node, shape=(out.shape[0], *rest))


POOLINGS = {max_pool2d, max_pool2d_back}
ROWS = {
    conv2d: changed(convolution),
    conv2d_weight: to_weight,
    conv2d_image: changed(to_image),
    max_pool2d: changed(pooling(pool_last)),
    max_pool2d_back: changed(pooling(pool_last_back)),
    **PASSING,
}
