"""Normalisation layers: statistics of a sample, of its channels, or of the batch."""

from ...framework.create import ones, zeros
from ...framework.tape import no_grad
from . import functional as F
from .module import Module, Parameter


class LayerNorm(Module):
    """Over the last dimensions, whose sizes are `normalized_shape`."""

    def __init__(self, normalized_shape, eps=1e-5):
        shape = normalized_shape
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.weight, self.bias, self.eps = (
            Parameter(ones(shape)),
            Parameter(zeros(shape)),
            eps,
        )

    def forward(self, x):
        return F.layer_norm(x, self.weight, self.bias, self.eps, self.weight.ndim)

    def extra_repr(self):
        return f"{tuple(self.weight.shape)}"


class RMSNorm(Module):
    """Over the last dimension, of size `dim`, without taking the mean off."""

    def __init__(self, dim, eps=1e-6):
        self.weight, self.eps = Parameter(ones(dim)), eps

    def forward(self, x):
        return F.rms_norm(x, self.weight, self.eps)


class GroupNorm(Module):
    """Over groups of channels of (N, C, ...)."""

    def __init__(self, num_groups, num_channels, eps=1e-5):
        self.num_groups, self.eps = num_groups, eps
        self.weight, self.bias = (
            Parameter(ones(num_channels)),
            Parameter(zeros(num_channels)),
        )

    def forward(self, x):
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.num_groups}, {len(self.weight)}"


class BatchNorm(Module):
    """Over the batch, for each channel of (N, C, ...).

    In training the batch's own statistics serve, and running averages of them gather
    for `eval()`. As in PyTorch, these take the unbiased variance.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = (
            Parameter(ones(num_features)),
            Parameter(zeros(num_features)),
        )
        self.running_mean, self.running_var = zeros(num_features), ones(num_features)

    def forward(self, x):
        dims = (0, *range(2, x.ndim))
        if self.training:
            mean = x.mean(dims)
            var = x.var(dims, correction=0)
            self.remember(mean, var, x.numel() // len(mean))
        else:
            mean, var = self.running_mean, self.running_var
        scale = self.weight / (var + self.eps).sqrt()
        shift = self.bias - mean * scale
        return F.scaled(x, *F.per_channel(x.ndim, scale, shift))

    @no_grad()
    def remember(self, mean, var, count):
        """Moves the running averages towards this batch's."""
        if count < 2:
            raise ValueError("BatchNorm in training needs several values a channel")
        unbiased = var * (count / (count - 1))
        for running, now in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.copy_(running * (1 - self.momentum) + now * self.momentum)

    def extra_repr(self):
        return str(len(self.weight))


BatchNorm1d = BatchNorm2d = BatchNorm
