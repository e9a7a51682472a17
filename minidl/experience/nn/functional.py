"""Layers and losses as functions of their weights: compositions of the table's rows.

N images, C channels, H x W pixels; labels are class numbers.
"""

from ...framework import composites, convolution
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
    out = convolution.conv2d(x, weight, stride=pair(stride))
    return out if bias is None else out + bias.reshape(-1, 1, 1)


@replaceable
def max_pool2d(x, size, stride=None):
    """The largest of each window: (..., H, W) to (..., rows, columns)."""
    stride = size if stride is None else stride
    return convolution.max_pool2d(x, size=pair(size), stride=pair(stride))


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


@replaceable
def log_softmax(x, dim=-1):
    """x - log(sum(exp(x))) along `dim`."""
    return composites.log_softmax(x, dim=x.dims(dim)[0])


def softmax(x, dim=-1):
    """exp(x) / sum(exp(x)) along `dim`: positive, and sums to 1."""
    powers = (x - x.detach().amax(dim, keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True)


@replaceable
def cross_entropy(logits, targets):
    """The mean of -log softmax(logits)[target]: (N, C) float and (N,) integer to ()."""
    return composites.cross_entropy(logits, targets)


def accuracy(logits, targets):
    """The share of rows whose largest logit is the target's, as a Python float."""
    return (logits.argmax(1) == targets).float().mean().item()
