"""Operations made of others, with an evaluation of their own because they run so often.

Each says both: `composed`, what it is, in rows of the table, and `eval`, the same in
fewer passes over memory. In a `composed()` block the compositions run instead; tests
hold the two equal. (Chapter 3.)
"""

from math import pi, sqrt

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
    shifted = x - ops.peak(x.detach(), dims=(dim,), keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


log_softmax = Op(
    "log_softmax",
    log_of_softmax,
    dtype=rules.float_dtype,
    vjp=lambda g, out, dim: g - ops.exp(out) * g.sum(dim, keepdim=True),
    flops=lambda result, *shapes, dim: 5 * rules.one_per_result(result),
    composed=composed_log_softmax,
)


def inner(xp, x, y, dim=-1):
    """The sum of products along `dim`, which stays as size 1."""
    if dim % x.ndim == x.ndim - 1:
        return xp.einsum("...i,...i->...", x, y)[..., None]
    return (x * y).sum(axis=dim, keepdims=True)


def softmax_of(xp, x, *mask, dim):
    x = masked(xp, x, *mask)
    out = x - x.max(axis=dim, keepdims=True)
    xp.exp(out, out=out)
    out /= out.sum(axis=dim, keepdims=True)
    return out


def masked(xp, x, *mask):
    """`x` where the mask holds, -inf elsewhere: adding is faster than choosing."""
    for m in mask:
        x = x + xp.where(m, x.dtype.type(0), x.dtype.type(-xp.inf))
    return x


def masked_shape(x, *mask, dim):
    if mask and rules.broadcast(x, *mask) != x:
        raise ValueError("the mask must broadcast to what it masks")
    return x


def masked_dtype(x, *mask, dim):
    if any(m.kind != "b" for m in mask):
        raise ValueError(f"the mask must be bool, got {mask[0]}")
    return rules.float_dtype(x)


def composed_softmax(x, *mask, dim):
    for m in mask:
        x = x + ops.where(m, ops.zero(x), ops.zero(x) - float("inf"))
    powers = (x - ops.peak(x.detach(), dims=(dim,), keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True)


def softmax_slope(xp, y, p, *, dim):
    out = y - inner(xp, y, p, dim)
    out *= p
    return out


softmax = Op(  # with a mask, of what it shows: the rest has no share
    "softmax",
    softmax_of,
    shape=masked_shape,
    dtype=masked_dtype,
    vjp=(lambda g, out, dim: softmax_back(g, out, dim=dim), None),
    flops=lambda result, *shapes, dim: 4 * rules.one_per_result(result),
    composed=composed_softmax,
)
softmax_back = Op(
    "softmax_back",
    softmax_slope,
    dtype=rules.float_dtype,
    flops=lambda result, *shapes, dim: 4 * rules.one_per_result(result),
    composed=lambda y, p, *, dim: p * (y - (y * p).sum(dim, keepdim=True)),
)

# ---- normalisation of the last dimension to mean 0 and variance 1 (Ba, Kiros &
# Hinton, 2016)


def statistics(xp, x, eps):
    """(x less its mean, 1 / its deviation)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = inner(xp, centred, centred) / x.dtype.type(x.shape[-1])
    return centred, 1 / xp.sqrt(variance + x.dtype.type(eps))


def normalised(xp, x, *, eps):
    centred, scale = statistics(xp, x, eps)
    centred *= scale
    return centred


def composed_normalise(x, *, eps):
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred * centred).mean(-1, keepdim=True)
    return centred * (1 / (variance + eps).sqrt())


def normalised_slope(xp, y, x, *, eps):
    out, scale = statistics(xp, x, eps)
    out *= scale
    out *= inner(xp, y, out) * x.dtype.type(-1 / x.shape[-1])
    out += y
    out -= y.mean(axis=-1, keepdims=True)
    out *= scale
    return out


def composed_normalise_back(y, x, *, eps):
    centred = x - x.mean(-1, keepdim=True)
    scale = 1 / ((centred * centred).mean(-1, keepdim=True) + eps).sqrt()
    unit = centred * scale
    shared = (y * unit).mean(-1, keepdim=True)
    return (y - y.mean(-1, keepdim=True) - unit * shared) * scale


normalise = Op(
    "normalise",
    normalised,
    dtype=rules.float_dtype,
    vjp=lambda g, x, eps: normalise_back(g, x, eps=eps),
    flops=lambda result, *shapes, **attrs: 6 * rules.one_per_result(result),
    composed=composed_normalise,
)
normalise_back = Op(
    "normalise_back",
    normalised_slope,
    dtype=rules.float_dtype,
    flops=lambda result, *shapes, **attrs: 11 * rules.one_per_result(result),
    composed=composed_normalise_back,
)

# ---- GELU: x times the normal distribution's share below x, as approximated by tanh
# (Hendrycks & Gimpel, 2016)

ROOT, CUBIC = sqrt(2 / pi), 0.044715


def gelu_of(xp, x):
    out = x * x
    out *= CUBIC * ROOT
    out += ROOT
    out *= x
    out = xp.tanh(out)
    out += 1
    out *= x
    out *= 0.5
    return out


def composed_gelu(x):
    return 0.5 * x * (1 + (ROOT * x * (1 + CUBIC * x * x)).tanh())


def gelu_slope(xp, y, x):
    square = x * x
    t = square * (CUBIC * ROOT)
    t += ROOT
    t *= x
    t = xp.tanh(t)
    square *= 3 * CUBIC * ROOT
    square += ROOT
    square *= x
    square *= 1 - t * t
    square += t
    square += 1
    square *= y
    square *= 0.5
    return square


def composed_gelu_back(y, x):
    t = (ROOT * x * (1 + CUBIC * x * x)).tanh()
    inner = ROOT * (1 + 3 * CUBIC * x * x)
    return 0.5 * y * (1 + t + x * (1 - t * t) * inner)


gelu = Op(
    "gelu",
    gelu_of,
    dtype=rules.float_dtype,
    vjp=lambda g, x: gelu_back(g, x),
    flops=lambda result, x: 8 * rules.one_per_result(result),
    composed=composed_gelu,
)
gelu_back = Op(
    "gelu_back",
    gelu_slope,
    dtype=rules.float_dtype,
    flops=lambda result, *shapes: 15 * rules.one_per_result(result),
    composed=composed_gelu_back,
)

# ---- the loss of a classifier


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
    hits = logs[xp.arange(len(logs)), targets]
    return -hits.sum() / hits.dtype.type(len(hits))  # nan where there is none


def entropy_slope(g, logits, targets, shapes):
    """(softmax(logits) - one_hot(targets)) g / N."""
    rows = targets.wrap(targets.device.xp.arange(shapes[0][0]))
    hits = ops.index_add(g.expand(shapes[1]), rows, targets, shape=shapes[0])
    return (log_softmax(logits, dim=1).exp() * g - hits) * (1 / max(shapes[0][0], 1))


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
