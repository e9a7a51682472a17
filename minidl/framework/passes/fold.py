"""Constant folding: what depends on constants alone is computed now, once.

The node's own evaluation does it, so each later run finds the same bits that it would
have computed. Left as they are: random numbers, since a program may want to see that it
draws them; results that would fill memory with what a few bytes describe; operations
that write into their inputs. (Chapter 8.)
"""

from .. import ops
from ..graph import CONSTANT, ITEM, constant, keep, rebuild, result
from ..tape import no_grad
from ..tensor import Tensor

RANDOM = {ops.uniform, ops.normal}
SMALL = 4096  # bytes that may always become a constant
WIDEST = 8  # times the bytes of the inputs: truth values may become float64


@no_grad()
def fold(graph):
    """`graph` with each node whose inputs are constants replaced by its value."""

    def change(node, inputs):
        node = keep(node, inputs)
        return constant(value(node), node.where) if foldable(node) else node

    return rebuild(graph, change)


def foldable(node):
    if not node.inputs or node.op in RANDOM or node.op.writes or node.op is ITEM:
        return False
    known = all(x.op is CONSTANT for x in node.inputs)
    return known and is_small(node)


def is_small(node):
    """Whether the result takes little memory, or not many times what the inputs do."""
    if isinstance(node.dtype, tuple):  # several results
        return False
    return node.nbytes <= max(SMALL, WIDEST * sum(x.nbytes for x in node.inputs))


def value(node):
    """The array that `node` computes from constants; its layout in memory is kept."""
    return result(node, [Tensor(x.attrs["value"]) for x in node.inputs]).data
