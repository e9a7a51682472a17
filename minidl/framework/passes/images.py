"""Rules of convolutions and poolings: less to compute, less to keep. (Chapter 8.)

A pooling picks the largest. What grows with its argument, a ReLU or a bias, can be done
after it, on a quarter of the elements or less; going back, the gate of that ReLU comes
before the gradients are spread again.
"""

import numpy as np

from .. import ops
from ..convolution import conv2d, max_pool2d, max_pool2d_back
from ..graph import CONSTANT
from ..images_last import conv_last, pool_last_back
from .moves import again
from .pattern import Pattern, anything, of
from .rewrite import EXACT, ROUNDS, SIGN, Rule

x, g, b, w, any_ = map(anything, ("x", "g", "b", "w", ""))
LAST = (1, 2, 3, 0)  # the dims of a permute (N, C, H, W) -> (C, H, W, N)


def is_even(b, image):
    """Whether `b`, added to an image, is the same all over a channel."""
    shape = (1,) * (4 - len(b.shape)) + tuple(b.shape)
    return shape[2:] == (1, 1) and all(n in (1, m) for n, m in zip(shape, image.shape))


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
    if len(x.shape) != 4 or not is_even(b, x):
        return None
    return again(ops.add, pooled(x, node), b, node=node)


# ---- backward


def gate_earlier(node, g, x, relu, best, back_):
    pool = best.inputs[0]
    if pool.inputs[0] is not x or pool.attrs != back_.attrs:
        return None
    return back(again(ops.gate, g, best, node=node), x, pool, back_)


def bias_ignored(node, x, g, b, pool):
    same = pool.inputs[0] is x and pool.attrs == node.attrs
    return back(g, x, pool, node) if same and is_even(b, x) else None


def summed(node, x, moved):
    """The sums of channels that were written as a product with ones."""
    rows = node.inputs[0]
    if rows.shape[0] != moved.shape[0] or node.shape[1] != 1:
        return None
    total = again(ops.sum, moved, node=node, dims=(1, 2, 3), keepdim=False)
    return again(ops.reshape, total, node=node, shape=node.shape)


relu = of(ops.relu, x, name="relu")
ones = Pattern(ops=(CONSTANT,), when=lambda c: bool(np.all(c.attrs["value"] == 1)))
channels = of(ops.permute, x, name="moved", when=lambda p: p.attrs["dims"] == LAST)
pool = of(max_pool2d, x, name="pool")
best = of(ops.relu, of(max_pool2d, x), name="best")

IMAGES = [
    Rule("bias apart from conv2d", of(conv2d, x, w, b), bias_apart, EXACT,
         "it is added last"),
    Rule("relu after max_pool2d", of(max_pool2d, of(ops.relu, x)), relu_later, SIGN,
         "it keeps the order of numbers"),
    Rule("bias after max_pool2d", of(max_pool2d, of(ops.add, x, b)), bias_later, ROUNDS,
         "a sum of finite numbers, rounded, keeps their order"),
    Rule("gate before max_pool2d_back",
         of(ops.gate, of(max_pool2d_back, g, relu, best, name="back_"),
            anything("relu")),
         gate_earlier, SIGN, "where the best is no more than 0, all are gated"),
    Rule("bias under max_pool2d_back",
         of(max_pool2d_back, g, of(ops.add, x, b), of(ops.add, pool, b)),
         bias_ignored, ROUNDS, "added to all, it changes no order but by rounding"),
    Rule("product with ones",
         of(ops.matmul, of(ops.reshape, channels), ones), summed, ROUNDS,
         "a sum can share a loop with what computes its terms"),
]  # fmt: skip

# ---- windows: where less is asked of a convolution, less of a border is needed


def fewer_windows(node, x, w, conv):
    """A slice of a convolution of a padded image is one of a slice of that."""
    channels, rows, columns, images = node.attrs["index"]
    ends = [range(*channels), range(*images)]
    if ends != [range(conv.shape[0]), range(conv.shape[3])] or (
        rows[2] != 1 or columns[2] != 1
    ):
        return None
    (start, stop, _), (left, right, _), (h, width) = rows, columns, w.shape[2:]
    index = ((0, x.shape[0], 1), (start, stop + h - 1, 1),
             (left, right + width - 1, 1), images)  # fmt: skip
    part = again(ops.slice_, x, node=node, index=index)
    return again(conv_last, part, w, node=node, **conv.attrs)


def less_padding(node, x, wide):
    """A slice that cuts away border only, or part of it."""
    pairs = list(zip(node.attrs["index"], wide.attrs["index"]))
    if any(
        start > low or stop < high or (step, s) != (1, 1)
        for (start, stop, step), (low, high, s) in pairs
    ):
        return None
    index = tuple((low - cut[0], high - cut[0], 1) for cut, (low, high, _) in pairs)
    return again(ops.pad, x, node=node, index=index, shape=node.shape)


def pad_after(node, x, wide):
    """permute(pad(x)) as pad(permute(x)): fewer elements move."""
    order = node.attrs["dims"]
    moved = again(ops.permute, x, node=node, dims=order)
    attrs = {k: tuple(v[d] for d in order) for k, v in wide.attrs.items()}
    return again(ops.pad, moved, node=node, **attrs)


def summed_before(node, g):
    """A window gives all of its gradient to one element: so the sum is there before."""
    if not {1, 2} <= set(node.attrs["dims"]):
        return None
    return again(ops.sum, g, node=node, **node.attrs)


def turned_product(node, x, w):
    if node.attrs["dims"] != (1, 0):
        return None
    parts = [again(ops.permute, p, node=node, dims=(1, 0)) for p in (w, x)]
    return again(ops.matmul, *parts, node=node)


padded = of(ops.pad, name="x")
WINDOWS = [
    Rule("slice of conv_last",
         of(ops.slice_, of(conv_last, padded, w, name="conv", once=True)),
         fewer_windows, EXACT, "a window sees only its own place"),
    Rule("slice of pad", of(ops.slice_, of(ops.pad, x, name="wide")), less_padding,
         EXACT, "zeros that nobody reads"),
    Rule("permute of pad", of(ops.permute, of(ops.pad, x, name="wide")), pad_after,
         EXACT, "the border is put on last, where the elements are to lie"),
    Rule("sum of pool_last_back", of(ops.sum, of(pool_last_back, g, any_, any_)),
         summed_before, ROUNDS, "it only puts elements into place, among zeros"),
    Rule("transpose of a product", of(ops.permute, of(ops.matmul, x, w, once=True)),
         turned_product, ROUNDS, "BLAS reads either way"),
]  # fmt: skip
