"""Permutes that let others pass: f(permute(x)) as permute(f(x)), images last inside.

For the pass `layout`. A function of PASSING takes a node whose inputs may be permutes
(C, H, W, N) -> (N, C, H, W), and gives its like on what these permute, with a permute
after it; None where nothing is to be gained. (Chapter 8.)
"""

from .. import ops
from .images import LAST
from .moves import again
from .through import ELEMENTWISE

FIRST = (3, 0, 1, 2)  # the dims of a permute (C, H, W, N) -> (N, C, H, W)


def is_first(x):
    """Whether `x` is (N, C, H, W) of what lies with its images last."""
    return x.op is ops.permute and x.attrs["dims"] == FIRST


def first(x, like):
    return again(ops.permute, x, node=like, dims=FIRST)


def last(x):
    """(N, C, H, W) -> (C, H, W, N); of rows (N, C H W), their transpose."""
    if is_first(x):
        return x.inputs[0]
    if x.op is ops.reshape and x.inputs[0].shape[1:] == (x.size // x.shape[0],):
        rows = again(ops.permute, x.inputs[0], node=x, dims=(1, 0))
        return again(ops.reshape, rows, node=x, shape=rotated(x.shape))
    return again(ops.permute, x, node=x, dims=LAST)


def rotated(values):
    """What belongs to (N, C, H, W), in the order (C, H, W, N)."""
    return (*values[1:], values[0])


def elementwise(node):
    """permute(f(...)) for f(permute, ...)."""
    if not any(is_first(x) and x.shape == node.shape for x in node.inputs):
        return None
    inputs = [x if x.shape == () else last(in_four(x)) for x in node.inputs]
    return first(again(node.op, *inputs, node=node, **node.attrs), node)


def in_four(x):
    shape = (1,) * (4 - len(x.shape)) + tuple(x.shape)
    return x if shape == x.shape else again(ops.reshape, x, node=x, shape=shape)


def ranges(node):
    """Of pad and slice: all that they say is by dimension."""
    (x,) = node.inputs
    if not is_first(x):
        return None
    attrs = {name: rotated(value) for name, value in node.attrs.items()}
    return first(again(node.op, x.inputs[0], node=node, **attrs), node)


def reduction(node):
    """Of sum and amax: over the same dimensions; those left, in their order again."""
    (x,), dims, keepdim = node.inputs, node.attrs["dims"], node.attrs["keepdim"]
    if not is_first(x):
        return None
    attrs = {"dims": tuple(sorted((d - 1) % 4 for d in dims)), "keepdim": keepdim}
    out = again(node.op, x.inputs[0], node=node, **attrs)
    left = [d for d in LAST if keepdim or d not in dims]
    order = tuple(left.index(d) for d in sorted(left))
    return again(ops.permute, out, node=node, dims=order)


def flattened(node):
    """(N, C H W) is the transpose of what lies in memory."""
    (x,) = node.inputs
    if not is_first(x) or node.shape != (x.shape[0], x.size // x.shape[0]):
        return None
    rows = again(ops.reshape, x.inputs[0], node=node, shape=node.shape[::-1])
    return again(ops.permute, rows, node=node, dims=(1, 0))


PASSING = {
    ops.pad: ranges,
    ops.slice_: ranges,
    ops.sum: reduction,
    ops.amax: reduction,
    ops.reshape: flattened,
    **dict.fromkeys(ELEMENTWISE, elementwise),
}
