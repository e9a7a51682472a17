"""Rules of convolutions and poolings: less to compute, less to keep. (Chapter 8.)

A pooling picks the largest. What grows with its argument, a ReLU or a bias, can be done
after it, on a quarter of the elements or less; going back, the gate of that ReLU comes
before the gradients are spread again.
"""

import numpy as np

from .. import ops
from ..convolution import conv2d, max_pool2d, max_pool2d_back
from ..graph import CONSTANT, make
from ..images_last import conv_last
from .moves import again
from .pattern import Pattern, anything, of
from .rewrite import EXACT, ROUNDS, SIGN, Rule

x, g, b, w, any_ = map(anything, ("x", "g", "b", "w", ""))
LAST = (1, 2, 3, 0)


def is_even(b, node):
    """Whether `b` is the same at all places of a channel of images like `node`."""
    shape = (1,) * (4 - len(b.shape)) + tuple(b.shape)
    return shape[2:] == (1, 1) and shape[1] in (1, node.shape[1])


def pooled(x, like):
    return again(max_pool2d, x, node=like, **like.attrs)


def back(g, x, best, like):
    return again(max_pool2d_back, g, x, best, node=like, **like.attrs)


# ---- forward


def relu_later(node, x):
    return again(ops.relu, pooled(x, node), node=node)


def bias_apart(node, x, w, b):
    out = again(conv2d, x, w, node=node, **node.attrs)
    column = again(ops.reshape, b, node=node, shape=(1, b.shape[0], 1, 1))
    return again(ops.add, out, column, node=node)


def bias_later(node, x, b):
    if not is_even(b, x) or x.shape != node.inputs[0].shape:
        return None
    return again(ops.add, pooled(x, node), b, node=node)


# ---- backward


def gate_earlier(node, g, x, relu, best, back_):
    gated = again(ops.gate, g, best, node=node)
    pool = best.inputs[0]
    if pool.inputs[0] is not x or pool.attrs != back_.attrs:
        return None
    return back(gated, x, pool, back_)


def bias_ignored(node, g, x, b, pool):
    same = pool.inputs[0] is x and pool.attrs == node.attrs
    return back(g, x, pool, node) if same and is_even(b, x) else None


def summed_before(node, g):
    """Each window gives all of its gradient to one element: the sum is there before."""
    dims = node.attrs["dims"]
    return again(ops.sum, g, node=node, **node.attrs) if {2, 3} <= set(dims) else None


def summed(node, x):
    """The sums of channels that were written as a product with ones."""
    rows, ones = node.inputs
    if ones.shape[1] != 1 or rows.shape[0] != x.shape[1]:
        return None
    total = again(ops.sum, x, node=node, dims=(0, 2, 3), keepdim=False)
    return again(ops.reshape, total, node=node, shape=node.shape)


relu = of(ops.relu, x, name="relu")
ones = Pattern(ops=(CONSTANT,), when=lambda c: bool(np.all(c.attrs["value"] == 1)))
channels = of(ops.permute, x, when=lambda p: p.attrs["dims"] == LAST)
pool = of(max_pool2d, x, name="pool")
best = of(ops.relu, of(max_pool2d, x), name="best")

IMAGES = [
    Rule("bias apart from conv2d", of(conv2d, x, w, b), bias_apart, EXACT,
         "it is added last"),
    Rule("relu after max_pool2d", of(max_pool2d, of(ops.relu, x)), relu_later, EXACT,
         "it keeps the order of numbers"),
    Rule("bias after max_pool2d", of(max_pool2d, of(ops.add, x, b)), bias_later, EXACT,
         "rounded, a sum keeps the order of numbers too"),
    Rule("gate before max_pool2d_back",
         of(ops.gate, of(max_pool2d_back, g, relu, best, name="back_"),
            anything("relu")),
         gate_earlier, SIGN, "where the best is no more than 0, all are gated"),
    Rule("bias under max_pool2d_back",
         of(max_pool2d_back, g, of(ops.add, x, b), of(ops.add, pool, b)),
         bias_ignored, ROUNDS, "added to all, it changes no order but for rounding"),
    Rule("sum of max_pool2d_back", of(ops.sum, of(max_pool2d_back, g, any_, any_)),
         summed_before, ROUNDS, "it only puts elements into place, among zeros"),
    Rule("product with ones",
         of(ops.matmul, of(ops.reshape, channels), ones), summed, ROUNDS,
         "a sum can share a loop with what computes its terms"),
]  # fmt: skip

# ---- windows: where less is asked of a convolution, less of a border is needed


def fewer_windows(node, x, w, conv):
    """A slice of a convolution of a padded image is one of a slice of that."""
    index = node.attrs["index"]
    (k, rows, columns, n), (h, width) = index, w.shape[2:]
    whole = (range(*k), range(*n)) == (range(conv.shape[0]), range(conv.shape[3]))
    if not whole or rows[2] != 1 or columns[2] != 1:
        return None
    index = (
        (0, x.shape[0], 1),
        (rows[0], rows[1] + h - 1, 1),
        (columns[0], columns[1] + width - 1, 1),
        n,
    )
    part = again(ops.slice_, x, node=node, index=index)
    return again(conv_last, part, w, node=node, **conv.attrs)


def less_padding(node, x, wide):
    """A slice that cuts away border only, or part of it."""
    index = []
    for (start, stop, step), (low, high, s) in zip(
        node.attrs["index"], wide.attrs["index"]
    ):
        if step != 1 or s != 1 or start > low or stop < high:
            return None
        index.append((low - start, high - start, 1))
    return again(ops.pad, x, node=node, index=tuple(index), shape=node.shape)


def product_of_transposes(node, x, w):
    if len(x.shape) != 2 or len(w.shape) != 2:
        return None
    parts = [make(ops.permute, (p,), {"dims": (1, 0)}, node.where) for p in (w, x)]
    return again(ops.matmul, *parts, node=node)


def pad_after(node, x, wide):
    """permute(pad(x)) as pad(permute(x)): the fewer elements move."""
    order = node.attrs["dims"]
    moved = again(ops.permute, x, node=node, dims=order)
    attrs = {k: tuple(v[d] for d in order) for k, v in wide.attrs.items()}
    return again(ops.pad, moved, node=node, **attrs)


WINDOWS = [
    Rule("permute of pad", of(ops.permute, of(ops.pad, x, name="wide")), pad_after,
         EXACT, "the border is put on last, where the elements are to lie"),
    Rule("slice of conv_last",
         of(ops.slice_, of(conv_last, of(ops.pad, name="x"), w, name="conv", once=True)),
         fewer_windows, EXACT,
         "a window sees only its own place"),
    Rule("slice of pad", of(ops.slice_, of(ops.pad, x, name="wide", once=True)),
         less_padding, EXACT, "zeros that nobody reads"),
    Rule("transpose of a product", of(ops.permute, of(ops.matmul, x, w, once=True)),
         product_of_transposes, ROUNDS, "BLAS reads either way"),
]  # fmt: skip
