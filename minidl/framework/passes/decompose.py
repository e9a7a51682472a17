"""Decomposition: a row that is made of others, replaced by those others.

Written out, a softmax is six simple operations, each of which other rules know how to
simplify, to share and to fuse. Until they are fused, more bytes move than before.
(Chapter 8.)
"""

from ..convolution import conv2d, max_pool2d
from ..graph import keep, rebuild
from ..op import composed
from ..trace.recorder import record
from .inside import everywhere

# Written out, each element of an image would be copied once for each window over it.
WHOLE = {conv2d, max_pool2d}


def decompose(graph, whole=WHOLE):
    """`graph` in rows that are made of no others, but for the rows `whole`."""

    def change(node, inputs):
        node = keep(node, inputs)
        if not is_composed(node) or node.op in whole:
            return node
        with composed():
            return written_out(node)

    return everywhere(lambda graph: rebuild(graph, change))(graph)


def is_composed(node):
    """Whether it is made of other rows; control flow, of several results, is not."""
    return node.op.composed is not None and not isinstance(node.dtype, tuple)


def written_out(node):
    """The result of `node` by the rows that it is made of, one level down."""

    def composition(*inputs):
        return node.op.composed(*inputs, **node.attrs)

    (result,) = record(composition, node.inputs, node.where)
    return result
