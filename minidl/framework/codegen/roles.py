"""Roles: what part an operation can take in a loop.

Elementwise ones and reductions walk over the elements of a value; views only say where
these lie; rows of a table are found by their numbers. (Chapters 8 and 9.)
"""

from math import prod

from .. import ops
from .functions import FUNCTIONS

STRAIGHT = ("reshape", "expand")  # views that keep the order of elements
VIEWS = (*STRAIGHT, "permute", "slice")
REDUCTIONS = ("sum", "amax", "peak")
KINDS = "fib"  # of dtypes that kernels compute with
COMPUTED = set(ops.TABLE) & set(FUNCTIONS)


def is_fusable(node):
    """Whether a loop can compute `node`."""
    name, dtypes = node.op.name, [node.dtype, *[x.dtype for x in node.inputs]]
    if node.op is not ops.TABLE.get(name) or any(d.kind not in KINDS for d in dtypes):
        return False
    if name in REDUCTIONS:
        return node.dtype == node.inputs[0].dtype and walked(node).size > 0
    if by_number(node):
        return walked(node).size > 0 and is_dense(node.inputs[0])
    return name in COMPUTED and walked(node).size > 0


def by_number(node):
    """Whether it takes rows of a table by their numbers, or adds rows to it."""
    return node.op.name in ("index", "index_add") and len(node.inputs) == 2


def walked(node):
    """The value over whose elements a loop for `node` walks."""
    return node.inputs[0] if node.op.name in (*REDUCTIONS, "index_add") else node


def row_length(node):
    """The elements of a row, for a reduction of each row to a number; else None."""
    if node.op.name not in REDUCTIONS:
        return None
    shape, dims = node.inputs[0].shape, sorted(node.attrs["dims"])
    lead = len(shape) - len(dims)
    return prod(shape[lead:]) if dims == list(range(lead, len(shape))) else None


def closes(node):
    """Whether it is whole only after all elements, so that no member can read it."""
    return node.op.name == "index_add" or (
        node.op.name in REDUCTIONS and row_length(node) is None
    )


def origin(node):
    """The node whose memory `node` looks at, itself unless it is a view."""
    while node.op.name in VIEWS:
        node = node.inputs[0]
    return node


def is_dense(node):
    """Whether it lies in memory as it is: only reshapes lead to it."""
    while node.op.name == "reshape":
        node = node.inputs[0]
    return node.op.name not in VIEWS


def in_order(node):
    """Whether views lead to `node` that all keep the order of elements."""
    while node.op.name in VIEWS:
        if node.op.name not in STRAIGHT:
            return False
        node = node.inputs[0]
    return True
