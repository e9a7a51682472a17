"""Dense: a copy written out wherever an operation needs memory in row order.

A reshape reads elements in row order. After a permute or a slice that may be an order
which no strides give, and the elements have to move first. So it is for the rows that
bring their own loops, whose inputs are arrays without gaps. In the graph the copy is an
operation like others, and fusion can have the kernel before or after it do the moving.
(Chapter 8.)
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .. import ops
from ..codegen.roles import in_order, is_fusable, origin
from ..codegen.rows import LOOPS
from ..graph import keep, make, rebuild


def dense(graph):
    """The graph with `contiguous` before each reshape that would copy, and loops."""
    layouts, copies = {}, {}

    def change(node, inputs):
        node = keep(node, inputs)
        if node.op is ops.reshape and layout(node, layouts) is None:
            return keep(node, (moved(node.inputs[0], copies),))
        if node.op.name in LOOPS:
            gaps = [not layout(x, layouts).flags.c_contiguous for x in node.inputs]
            inputs = [moved(x, copies) if gap else x for x, gap in zip(inputs, gaps)]
        if node.op is ops.cat:
            inputs = [x if made_for_it(x) else moved(x, copies) for x in inputs]
        return keep(node, tuple(inputs))

    return rebuild(graph, change)


def made_for_it(x):
    """Whether a kernel makes this part of a `cat`, and can write it in its place."""
    return is_fusable(origin(x)) and in_order(x)


def moved(x, copies):
    """The copy of `x`, one for all that read it."""
    if x not in copies:
        copies[x] = make(ops.contiguous, (x,), where=x.where)
    return copies[x]


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
