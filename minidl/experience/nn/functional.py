"""Layers and losses as functions of their weights: compositions of the table's rows.

N images, C channels, H x W pixels; labels are class numbers.
"""

from ...framework import composites, convolution
from ...framework.attention import attention as attention_row
from ...framework.create import arange, default_generator, from_numpy, rand
from ...framework.replace import replaceable


def relu(x):
    """max(x, 0), whose gradient at 0 is 0."""
    return x.relu()


@replaceable
def linear(x, weight, bias=None):
    """x @ weight.T + bias: (..., in) and (out, in) to (..., out)."""
    flat = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    out = flat @ weight.T if bias is None else composites.linear(flat, weight, bias)
    return out if x.ndim == 2 else out.reshape(*x.shape[:-1], weight.shape[0])


@replaceable
def conv2d(x, weight, bias=None, stride=1, padding=0):
    """Cross-correlation: (N, C, H, W) and (O, C, h, w) to (N, O, rows, columns)."""
    if any(pair(padding)):
        x = x.pad([(p, p) for p in pair(padding)])
    parts = (x, weight) if bias is None else (x, weight, bias)
    return convolution.conv2d(*parts, stride=pair(stride))


@replaceable
def max_pool2d(x, size, stride=None):
    """The largest of each window: (..., H, W) to (..., rows, columns)."""
    stride = size if stride is None else stride
    return convolution.max_pool2d(x, size=pair(size), stride=pair(stride))


def avg_pool2d(x, size, stride=None):
    """The mean of each window: (..., H, W) to (..., rows, columns)."""
    stride = size if stride is None else stride
    return x.windows(pair(size), pair(stride)).mean((-2, -1))


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


@replaceable
def log_softmax(x, dim=-1):
    """x - log(sum(exp(x))) along `dim`."""
    return composites.log_softmax(x, dim=x.dims(dim)[0])


def softmax(x, dim=-1):
    """exp(x) / sum(exp(x)) along `dim`: positive, and sums to 1."""
    return composites.softmax(x, dim=x.dims(dim)[0])


def gelu(x):
    """x times the share of a normal distribution below x, approximated by tanh."""
    return composites.gelu(x)


def silu(x):
    """x sigmoid(x)."""
    return x * x.sigmoid()


def dropout(x, p=0.5, training=True, generator=default_generator):
    """Each element 0 with probability `p`, else divided by 1 - p, while `training`."""
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is a probability below 1, got {p}")
    if not training or p == 0:
        return x
    keep = rand(*x.shape, device=x.device, generator=generator) >= p
    return x * (keep.to(x.dtype) * (1 / (1 - p)))


def embedding(index, weight):
    """The rows of `weight`, (V, d), that integers (...) name: (..., d)."""
    return weight[index]


# ---- normalisation


@replaceable
def layer_norm(x, weight=None, bias=None, eps=1e-5, dims=1):
    """`x` to mean 0 and variance 1 over its last `dims` dimensions, then scaled."""
    flat = x if dims == 1 else x.flatten(x.ndim - dims)
    return scaled(composites.normalise(flat, eps=eps).reshape(x.shape), weight, bias)


def rms_norm(x, weight=None, eps=1e-6):
    """`x` over the root of its mean square along the last dimension, then scaled."""
    return scaled(x / ((x * x).mean(-1, keepdim=True) + eps).sqrt(), weight, None)


@replaceable
def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    """(N, C, ...): each group of channels to mean 0 and variance 1, then scaled."""
    N, C = x.shape[:2]
    if C % groups:
        raise ValueError(f"group_norm: {C} channels don't make {groups} equal groups")
    out = layer_norm(x.reshape(N, groups, -1), eps=eps).reshape(x.shape)
    return scaled(out, *per_channel(x.ndim, weight, bias))


def per_channel(ndim, *parameters):
    """Parameters (C,) in the shape that goes with (N, C, ...)."""
    return [p if p is None else p.reshape(-1, *[1] * (ndim - 2)) for p in parameters]


def scaled(x, weight, bias):
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


# ---- attention


@replaceable
def attention(q, k, v, mask=None):
    """softmax(q k^T / sqrt(d)) v: (..., T, d), (..., S, d), (..., S, e) to (..., T, e).

    `mask` is True where a query may look at a key; it broadcasts to (..., T, S).
    """
    return attention_row(q, k, v, *(() if mask is None else (mask,)))


def causal_mask(T, device="cpu"):
    """(T, T): True where a position may look, at itself and what came before."""
    places = arange(T, device=device)
    return places[:, None] >= places


# ---- losses: a mean over all elements or samples


@replaceable
def cross_entropy(logits, targets, label_smoothing=0.0, ignore_index=None):
    """The mean of -log softmax(logits)[target]: (N, C) float and (N,) integer to ().

    With `label_smoothing` s, the target has 1 - s of the probability and all classes
    share s. Samples whose target is `ignore_index` don't count.
    """
    if ignore_index is not None:
        counted = from_numpy((targets != ignore_index).numpy().nonzero()[0])
        logits, targets = logits[counted.to(logits.device)], targets[counted]
    hit = composites.cross_entropy(logits, targets)
    if not label_smoothing:
        return hit
    spread = -log_softmax(logits).mean()
    return hit * (1 - label_smoothing) + spread * label_smoothing


def binary_cross_entropy_with_logits(logits, targets):
    """The mean of -log p(target), p = sigmoid(logit), for targets from 0 to 1."""
    same_shape("binary_cross_entropy_with_logits", logits, targets)
    # log(1 + exp(-|x|)) never overflows.
    tail = (1 + (-logits.abs()).exp()).log()
    return (logits.relu() - logits * targets + tail).mean()


def mse_loss(x, targets):
    """The mean square of the differences."""
    same_shape("mse_loss", x, targets)
    difference = x - targets
    return (difference * difference).mean()


def huber_loss(x, targets, delta=1.0):
    """The mean of d^2 / 2 for differences d up to `delta`, beyond it linear."""
    same_shape("huber_loss", x, targets)
    distance = (x - targets).abs()
    inside = distance.minimum(delta)
    return (inside * (distance - inside * 0.5)).mean()


def same_shape(name, x, targets):
    if x.shape != targets.shape:
        raise ValueError(
            f"{name} of {tuple(x.shape)} and targets {tuple(targets.shape)}"
        )


def accuracy(logits, targets):
    """The share of rows whose largest logit is the target's, as a Python float."""
    return (logits.argmax(1) == targets).float().mean().item()
