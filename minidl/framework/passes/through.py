"""The rules of movement into other operations: sums of copies, permutes that cancel.

(Chapter 8.)
"""

from math import prod

import numpy as np

from .. import ops
from ..graph import constant, make
from .moves import again, reshaped
from .pattern import anything, of
from .rewrite import EXACT, ROUNDS, SIGN, Rule

x = anything("x")
UNARY = (
    ops.neg, ops.exp, ops.log, ops.sqrt, ops.sin, ops.cos, ops.tanh, ops.sigmoid,
    ops.relu, ops.abs, ops.sign, ops.logical_not, ops.cast,
)  # fmt: skip
BROADCASTING = (
    ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.maximum, ops.gate, ops.eq, ops.lt,
    ops.le, ops.logical_and, ops.where,
)  # fmt: skip
ELEMENTWISE = UNARY + BROADCASTING


def single(node):
    """Whether a reduction reduces dimensions of size 1 only."""
    return all(node.inputs[0].shape[d] == 1 for d in node.attrs["dims"])


def summed_one(node, x):
    return again(ops.cast, reshaped(node, x), node=node, dtype=node.dtype)


def summed_copies(node, x, inner):
    """n x rather than x + x + ... + x, over the dimensions that were stretched."""
    lead = (1,) * (len(inner.shape) - len(x.shape))
    narrow = again(ops.reshape, x, node=node, shape=lead + x.shape)
    dims = node.attrs["dims"]
    stretched = [inner.shape[d] for d in dims if narrow.shape[d] == 1]
    n = prod(stretched)
    if n < 2:  # none is stretched, or there is nothing to sum
        return None
    total = again(ops.sum, narrow, node=node, dims=dims, keepdim=True)
    times = constant(np.asarray(n, total.dtype), node.where)
    product = again(ops.mul, total, times, node=node)
    if not node.attrs["keepdim"]:
        kept = tuple(s for d, s in enumerate(product.shape) if d not in dims)
        product = again(ops.reshape, product, node=node, shape=kept)
    return product


# ---- through elementwise operations


def broadcast_alone(node):
    """`node` without the expands among its inputs; None where they give the shape."""
    bare = tuple(x.inputs[0] if x.op is ops.expand else x for x in node.inputs)
    if bare == node.inputs or node.op not in BROADCASTING:
        return None
    new = make(node.op, bare, node.attrs, node.where)
    return new if new.shape == node.shape else None


def cancelled(node, f):
    """permute(f(permute(x)), ...) without the permutes, where they undo each other."""
    bare = [freed(x, node.attrs["dims"]) for x in f.inputs]
    moved = [x.op is ops.permute for x in f.inputs]
    if None in bare or not any(moved):
        return None
    return make(f.op, bare, f.attrs, f.where)


def freed(x, dims):
    """The input of permute `x`, if permuting by `dims` undoes it; a lone number too."""
    if x.shape == ():
        return x
    undone = x.op is ops.permute and len(x.shape) == len(dims)
    if undone and tuple(x.attrs["dims"][d] for d in dims) == tuple(range(len(dims))):
        return x.inputs[0]
    return None


REDUCTIONS = [
    Rule("sum of single elements", of(ops.sum, x, when=single), summed_one, SIGN,
         "a sum begins with 0, and 0 + -0 is 0"),
    Rule("amax of single elements", of(ops.amax, x, when=single), reshaped, EXACT,
         "each is the largest"),
    Rule("sum of expand = n * x", of(ops.sum, of(ops.expand, x, name="inner")),
         summed_copies, ROUNDS, "one product rounds once; n - 1 sums round more"),
]  # fmt: skip

ELEMENTWISE_RULES = [
    Rule("expand under a broadcasting op", of(BROADCASTING), broadcast_alone, EXACT,
         "it stretches its operands itself"),
    Rule("permutes around an elementwise op",
         of(ops.permute, of(ELEMENTWISE, name="f", once=True)), cancelled, EXACT,
         "element by element, so the order is of no account"),
]  # fmt: skip

THROUGH = REDUCTIONS + ELEMENTWISE_RULES
