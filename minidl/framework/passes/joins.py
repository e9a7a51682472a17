"""Joins: what a gradient adds up from parts, written once instead.

The gradient of a slice is a pad, zeros around a part; that of three slices of one value
is the sum of three such. Where the parts tile the whole, that sum is the parts side by
side. And the gradient of a pick from each row, one class of each sample, is a sum into
zeros at one place a row: a choice by comparing each place with the number. A factor of
one operand of a product is left to what reads the result. (Chapter 8.)
"""

import numpy as np

from .. import ops
from ..graph import CONSTANT, constant, keep, make, rebuild

WIDEST = 4096  # elements of a row for which a comparison each beats a jump


def join_parts(graph):
    """The graph with `cat` for sums of parts that tile a whole, and picks compared."""

    def change(node, inputs):
        node = keep(node, inputs)
        for rule in RULES.get(node.op, ()):
            node = rule(node) or node
        return node

    return rebuild(graph, change)


def parts_side_by_side(node):
    """cat(a, b, c) for pad(a) + pad(b) + pad(c) that tile one dimension."""
    parts = list(terms(node))
    if len(parts) < 2 or any(x.op is not ops.pad for x in parts):
        return None
    dims = {d for x in parts for d in tiled(x)}
    if len(dims) != 1:
        return None
    (dim,) = dims
    parts.sort(key=lambda x: x.attrs["index"][dim][0])
    edges = [x.attrs["index"][dim][:2] for x in parts]
    if [0, *[b for _, b in edges]] != [*[a for a, _ in edges], node.shape[dim]]:
        return None
    inner = tuple(x.inputs[0] for x in parts)
    return make(ops.cat, inner, {"dim": dim}, node.where)


def terms(node):
    """The values that a tree of additions adds."""
    if node.op is ops.add and node.inputs[0].shape == node.inputs[1].shape:
        for x in node.inputs:
            yield from terms(x)
    else:
        yield node


def tiled(pad):
    """The dimensions in which a pad adds zeros; those with gaps name no dimension."""
    bounds = zip(pad.attrs["index"], pad.shape)
    return [
        d if step == 1 else -1
        for d, ((start, stop, step), n) in enumerate(bounds)
        if (start, stop, step) != (0, n, 1)
    ]


def is_each_row(node, n):
    """Whether `node` is 0, 1, ... n - 1."""
    return node.op is CONSTANT and np.array_equal(node.attrs["value"], np.arange(n))


def matches(numbers, shape, where):
    """(n, m) truth values: whether a column's number is that of the row."""
    n, m = shape
    numbers = make(ops.reshape, (numbers,), {"shape": (n, 1)}, where)
    columns = constant(np.arange(m, dtype=numbers.dtype).reshape(1, m))
    below = make(ops.lt, (numbers, constant(np.zeros((), numbers.dtype))), {}, where)
    last = make(ops.add, (numbers, constant(np.array(m, numbers.dtype))), {}, where)
    return make(ops.eq, (columns, make(ops.where, (below, last, numbers), {}, where)))


def is_pick(node, table):
    """Whether it takes from, or adds to, one place in each row of a matrix."""
    rows = node.inputs[1]
    return (
        len(node.inputs) == 3
        and len(table) == 2
        and table[1] <= WIDEST
        and is_each_row(rows, table[0])
        and node.inputs[2].shape == rows.shape
    )


def pick(node):
    """sum(where(column == number, x, 0)) for x[rows, numbers]."""
    x, _, numbers = (*node.inputs, None, None)[:3]
    if not is_pick(node, x.shape):
        return None
    found = matches(in_range(numbers, x.shape[1], node), x.shape, node.where)
    zero = constant(np.zeros((), x.dtype))
    chosen = make(ops.where, (found, x, zero), {}, node.where)
    return make(ops.sum, (chosen,), {"dims": (1,), "keepdim": False}, node.where)


def put(node):
    """where(column == number, x, 0) for x added into zeros at [rows, numbers]."""
    shape = node.attrs["shape"]
    if not is_pick(node, shape):
        return None
    x, _, numbers = node.inputs
    found = matches(in_range(numbers, shape[1], node), shape, node.where)
    x = make(ops.reshape, (x,), {"shape": (shape[0], 1)}, node.where)
    return make(ops.where, (found, x, constant(np.zeros((), x.dtype))), {}, node.where)


def in_range(numbers, size, node):
    return make(ops.in_range, (numbers,), {"size": size}, node.where)


def guarded(node):
    """The same with its row numbers looked at before, as a kernel doesn't."""
    if len(node.inputs) != 2 or node.inputs[1].op is ops.in_range:
        return None
    x, numbers = node.inputs
    size = node.attrs.get("shape", x.shape)[0]
    inputs = (x, in_range(numbers, size, node))
    return make(node.op, inputs, node.attrs, node.where)


def scaled_after(node):
    """(x @ y) c for (x c) @ y: other loops around the product can do it."""
    for i, x in enumerate(node.inputs):
        factors = x.inputs[::-1] if x.op is ops.mul else ()
        if factors and factors[1].op is CONSTANT:
            factors = factors[::-1]
        if factors and factors[0].op is CONSTANT and factors[0].shape == ():
            c, inner = factors
            if inner.shape == x.shape:
                inputs = [*node.inputs[:i], inner, *node.inputs[i + 1 :]]
                product = make(ops.matmul, inputs, where=node.where)
                return make(ops.mul, (product, c), where=node.where)
    return None


RULES = {
    ops.matmul: (scaled_after,),
    ops.add: (parts_side_by_side,),
    ops.index: (pick, guarded),
    ops.index_add: (put, guarded),
}
