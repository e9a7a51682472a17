"""How weights start: so that signals neither fade nor grow from layer to layer.

A layer that adds up fan_in inputs of variance v with weights of variance s gives
variance fan_in s v; going back, it is fan_out s v. Xavier's s = 2 / (fan_in + fan_out)
keeps both near v; Kaiming's s = 2 / fan_in makes up for the half that a relu cuts off.
All fill a parameter in place and return it, under PyTorch's names. (Chapter 3; Glorot &
Bengio, 2010; He and others, arXiv 1502.01852; Saxe and others, arXiv 1312.6120.)
"""

from math import prod, sqrt

import numpy as np

from ...framework.create import default_generator, rand, randn
from ...framework.tape import no_grad

GAIN = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2), "selu": 0.75}


@no_grad()
def constant_(p, value):
    """Fills `p` with `value`, and returns it, as all of these do."""
    return p.copy_(value)


def zeros_(p):
    """Fills `p` with 0."""
    return constant_(p, 0.0)


def ones_(p):
    """Fills `p` with 1."""
    return constant_(p, 1.0)


@no_grad()
def uniform_(p, low=0.0, high=1.0):
    """Draws uniformly from [low, high)."""
    return p.copy_(rand(*p.shape, device=p.device) * (high - low) + low)


@no_grad()
def normal_(p, mean=0.0, std=1.0):
    """Draws from a normal distribution."""
    return p.copy_(randn(*p.shape, device=p.device) * std + mean)


def fans(p):
    """(fan_in, fan_out) of a weight (out, in, ...), as in Linear and Conv2d."""
    if p.ndim < 2:
        raise ValueError(f"a weight of {tuple(p.shape)} has no fan: it has no inputs")
    window = prod(p.shape[2:])
    return p.shape[1] * window, p.shape[0] * window


def xavier_uniform_(p, gain=1.0):
    """Uniform, of variance 2 gain^2 / (fan_in + fan_out)."""
    bound = gain * sqrt(6 / sum(fans(p)))
    return uniform_(p, -bound, bound)


def xavier_normal_(p, gain=1.0):
    """Normal, of variance 2 gain^2 / (fan_in + fan_out)."""
    return normal_(p, std=gain * sqrt(2 / sum(fans(p))))


def kaiming_uniform_(p, mode="fan_in", nonlinearity="relu"):
    """Uniform; a layer keeps the variance of what passes through."""
    bound = sqrt(3) * kaiming_std(p, mode, nonlinearity)
    return uniform_(p, -bound, bound)


def kaiming_normal_(p, mode="fan_in", nonlinearity="relu"):
    """Normal; a layer keeps the variance of what passes through."""
    return normal_(p, std=kaiming_std(p, mode, nonlinearity))


def kaiming_std(p, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out") or nonlinearity not in GAIN:
        raise ValueError(
            f"kaiming: mode {mode!r} is fan_in or fan_out, nonlinearity "
            f"{nonlinearity!r} one of {', '.join(GAIN)}"
        )
    return GAIN[nonlinearity] / sqrt(fans(p)[mode == "fan_out"])


@no_grad()
def orthogonal_(p, gain=1.0):
    """Rows (or columns, where there are more rows) at right angles, of length gain."""
    rows, columns = p.shape[0], prod(p.shape[1:])
    shape = max(rows, columns), min(rows, columns)
    q, r = np.linalg.qr(default_generator.numpy().standard_normal(shape))
    q = q * np.sign(np.diag(r))  # else the directions are not uniform
    return p.copy_(gain * (q if rows >= columns else q.T).reshape(p.shape))
