"""Dense: a copy written out wherever a reshape can't be a view.

A reshape reads elements in row order. After a permute or a slice that may be an order
which no strides give, and the elements have to move first. In the graph that is an
operation like others, so fusion can have the kernel before or after it do the moving.
(Chapter 8.)
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .. import ops
from ..graph import keep, make, rebuild


def dense(graph):
    """The graph with `contiguous` before each reshape that would copy."""
    layouts = {}

    def change(node, inputs):
        node = keep(node, inputs)
        if node.op is ops.reshape and layout(node, layouts) is None:
            moved = make(ops.contiguous, node.inputs, where=node.where)
            node = make(ops.reshape, (moved,), node.attrs, node.where)
        return node

    return rebuild(graph, change)


def layout(node, known):
    """An array with the strides in which a view sees memory; None for a copy."""
    if node not in known:
        if node.op.name in ("permute", "expand", "slice"):
            known[node] = node.op.eval(np, layout(node.inputs[0], known), **node.attrs)
        elif node.op is ops.reshape:
            known[node] = reshaped(layout(node.inputs[0], known), node.shape)
        else:
            known[node] = hollow(node.shape)
    return known[node]


def reshaped(array, shape):
    try:
        return array.reshape(shape, copy=False)
    except ValueError:
        return None


def hollow(shape):
    """An array of dense strides without the memory, never to be read."""
    strides = [int(np.prod(shape[d + 1 :])) for d in range(len(shape))]
    return as_strided(np.empty(1, np.int8), shape, strides, writeable=False)
