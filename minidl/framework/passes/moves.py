"""The rules of movement, as rows: reshapes, permutes, casts that need not happen.

Movement rounds nothing, so all rows are exact. (Chapter 8.)
"""

import numpy as np

from .. import ops
from ..dtypes import HALVES, is_float
from ..graph import make
from .pattern import anything, of
from .rewrite import EXACT, Rule

x = anything("x")


def again(op, *inputs, node, **attrs):
    """`op` on `inputs`, from the same line of the program as `node`."""
    return make(op, inputs, attrs, node.where)


def unchanged(node):
    """Whether a movement leaves its input as it is."""
    return node.shape == node.inputs[0].shape


def in_place(node):
    return node.attrs["dims"] == tuple(range(len(node.shape)))


def same_dtype(node):
    return node.dtype == node.inputs[0].dtype


def on_host(node):
    return node.attrs["device"].xp is np


def whole_slice(node):
    return unchanged(node) and all(step == 1 for *_, step in node.attrs["index"])


def reshaped(node, x):
    return again(ops.reshape, x, node=node, shape=node.shape)


def permuted(node, x, inner):
    dims = tuple(inner.attrs["dims"][d] for d in node.attrs["dims"])
    return again(ops.permute, x, node=node, dims=dims)


def expanded(node, x):
    return again(ops.expand, x, node=node, shape=node.shape)


def sliced(node, x, inner):
    """Steps multiply, and the inner slice's start is where the outer one counts from"""
    pairs = zip(inner.attrs["index"], node.attrs["index"])
    index = tuple(composed(*pair) for pair in pairs)
    return again(ops.slice_, x, node=node, index=index)


def composed(inner, outer):
    both = range(*inner)[slice(*outer)]
    return both.start, both.stop, both.step


def unflipped(node, x, inner):
    return x if set(inner.attrs["dims"]) == set(node.attrs["dims"]) else None


# ---- casts


def cast_once(node, x, inner):
    """One cast, where the dtype in between holds whatever `x` may hold."""
    if not holds(inner.dtype, x.dtype):
        return None
    return again(ops.cast, x, node=node, dtype=node.attrs["dtype"])


def holds(wide, narrow):
    """Whether each value of dtype `narrow` is one of `wide` too."""
    if wide == narrow or narrow.kind == "b":
        return True
    if is_float(wide) and is_float(narrow):
        return wide.itemsize > narrow.itemsize or wide == narrow
    if is_float(wide):
        return wide not in HALVES and digits(narrow) <= np.finfo(wide).nmant + 1
    return narrow.kind in "iu" and bool(np.can_cast(narrow, wide))


def digits(dtype):
    return 8 * dtype.itemsize - (dtype.kind == "i")


NOTHING = [
    Rule("reshape to the same shape", of(ops.reshape, x, when=unchanged), x, EXACT,
         "nothing moves"),
    Rule("permute to the same order", of(ops.permute, x, when=in_place), x, EXACT,
         "nothing moves"),
    Rule("expand to the same shape", of(ops.expand, x, when=unchanged), x, EXACT,
         "nothing is stretched"),
    Rule("slice of all", of(ops.slice_, x, when=whole_slice), x, EXACT, "all is kept"),
    Rule("pad by nothing", of(ops.pad, x, when=unchanged), x, EXACT, "none is added"),
    Rule("cast to the same dtype", of(ops.cast, x, when=same_dtype), x, EXACT,
         "nothing is rounded"),
    Rule("copy on the host", of(ops.copy, x, when=on_host), x, EXACT,
         "in a graph nothing is written twice, so nothing needs memory of its own"),
    Rule("cat of one", of(ops.cat, x), x, EXACT, "nothing is joined"),
]  # fmt: skip

CHAINS = [
    Rule("reshape of reshape", of(ops.reshape, of(ops.reshape, x)), reshaped, EXACT,
         "both keep the order of the elements"),
    Rule("permute of permute", of(ops.permute, of(ops.permute, x, name="inner")),
         permuted, EXACT, "two reorderings are one"),
    Rule("expand of expand", of(ops.expand, of(ops.expand, x)), expanded, EXACT,
         "what was stretched is stretched further"),
    Rule("slice of slice", of(ops.slice_, of(ops.slice_, x, name="inner")), sliced,
         EXACT, "a range of a range is a range"),
    Rule("flip of flip", of(ops.flip, of(ops.flip, x, name="inner")), unflipped, EXACT,
         "two turns"),
    Rule("cast of cast", of(ops.cast, of(ops.cast, x, name="inner")), cast_once, EXACT,
         "only where the first cast loses nothing"),
]  # fmt: skip

MOVES = NOTHING + CHAINS
