"""Operations made of others, with an evaluation of their own because they run so often.

Each says both: `composed`, what it is, in rows of the table, and `eval`, the same in
fewer passes over memory. In a `composed()` block the compositions run instead; tests
hold the two equal. (Chapter 3.)
"""

from . import ops
from . import shapes as rules
from .op import Op


def affine_shape(x, weight, bias):
    product = rules.multiplied(x, weight[::-1])
    if bias != product[1:]:
        raise ValueError(f"the bias must have shape {product[1:]}")
    return product


def affine(xp, x, weight, bias):
    out = x @ weight.T
    out += bias
    return out


linear = Op(
    "linear",
    affine,
    shape=affine_shape,
    vjp=(lambda g, weight: g @ weight, lambda g, x: g.mT @ x, lambda g: g),
    flops=lambda result, x, *others: (2 * x[1] + 1) * rules.one_per_result(result),
    composed=lambda x, weight, bias: x @ weight.mT + bias,
)


def log_of_softmax(xp, x, *, dim):
    out = x - x.max(axis=dim, keepdims=True)
    out -= xp.log(xp.exp(out).sum(axis=dim, keepdims=True))
    return out


def composed_log_softmax(x, *, dim):
    shifted = x - x.detach().amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


log_softmax = Op(
    "log_softmax",
    log_of_softmax,
    dtype=rules.float_dtype,
    vjp=lambda g, out, dim: g - ops.exp(out) * g.sum(dim, keepdim=True),
    flops=lambda result, *shapes, dim: 5 * rules.one_per_result(result),
    composed=composed_log_softmax,
)


def entropy_shape(logits, targets):
    if len(logits) != 2 or targets != logits[:1]:
        raise ValueError("wants logits (N, C) and N targets, class numbers")
    return ()


def entropy_dtype(logits, targets):
    return rules.by_index(rules.float_dtype(logits), targets)


def mean_entropy(xp, logits, targets):
    entropy_shape(logits.shape, targets.shape)  # indexing alone would broadcast
    classes = logits.shape[1]
    if len(targets) and not 0 <= targets.min() <= targets.max() < classes:
        raise ValueError(f"a target is a class number, 0 to {classes - 1}")
    logs = log_of_softmax(xp, logits, dim=1)
    return -logs[xp.arange(len(logs)), targets].mean()


def entropy_slope(g, logits, targets, shapes):
    """(softmax(logits) - one_hot(targets)) g / N."""
    rows = targets.wrap(targets.device.xp.arange(shapes[0][0]))
    hits = ops.index_add(g.expand(shapes[1]), rows, targets, shape=shapes[0])
    return (log_softmax(logits, dim=1).exp() * g - hits) * (1 / shapes[0][0])


def composed_cross_entropy(logits, targets):
    rows = targets.wrap(targets.device.xp.arange(len(targets)))
    return -log_softmax(logits, dim=1)[rows, targets].mean()


cross_entropy = Op(
    "cross_entropy",
    mean_entropy,
    shape=entropy_shape,
    dtype=entropy_dtype,
    vjp=(entropy_slope, None),
    flops=lambda result, logits, targets: 5 * rules.one_per_result(logits),
    composed=composed_cross_entropy,
)
