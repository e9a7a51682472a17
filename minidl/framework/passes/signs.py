"""What is known of a value before the graph runs: that it has no sign to lose.

A small abstract interpretation: rather than numbers, a fact is passed from inputs to
results. Some operations make it true, some keep it where it holds for all inputs; of
all others nothing is known. A nan counts as without sign; -0 as 0. (Chapter 8.)
"""

from .. import ops
from ..graph import CONSTANT

ALWAYS = {ops.exp, ops.abs, ops.sqrt, ops.sigmoid, ops.relu, ops.uniform}
IF_ALL = {
    ops.add, ops.mul, ops.div, ops.maximum, ops.sum, ops.amax,
    ops.reshape, ops.permute, ops.expand, ops.slice_, ops.pad,
}  # fmt: skip
DEPTH = 8  # how far back to look: more would take longer than it gains


def is_nonnegative(node, depth=DEPTH):
    """Whether each element is known to be 0, above 0 or nan. Only for floats.

    Integers wrap: the square of a large one can be negative.
    """
    if node.dtype is None or node.dtype.kind not in "fV":
        return False
    if node.op is CONSTANT:
        return bool((node.attrs["value"] >= 0).all())
    if node.op in ALWAYS or is_square(node):
        return True
    known = node.op in IF_ALL and depth > 0
    return known and all(is_nonnegative(x, depth - 1) for x in node.inputs)


def is_square(node):
    return node.op is ops.mul and node.inputs[0] is node.inputs[1]
