"""Layers: modules of one function each. Weights start as PyTorch starts them."""

from math import prod, sqrt

from ...framework.create import rand
from . import functional as F
from .module import Module, Parameter


def uniform(shape, fan_in):
    """A parameter, uniform within 1 / sqrt(fan_in) of 0."""
    bound = 1 / sqrt(fan_in)
    return Parameter((rand(*shape) * 2 - 1) * bound)


class Linear(Module):
    """x @ weight.T + bias: (..., in_features) to (..., out_features)."""

    def __init__(self, in_features, out_features, bias=True):
        self.weight = uniform((out_features, in_features), in_features)
        self.bias = uniform((out_features,), in_features) if bias else None

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self):
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}, bias={self.bias is not None}"


class Conv2d(Module):
    """(N, in_channels, H, W) to (N, out_channels, rows, columns)."""

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True
    ):
        shape = (out_channels, in_channels, *F.pair(kernel_size))
        self.stride, self.padding = stride, padding
        self.weight = uniform(shape, prod(shape[1:]))
        self.bias = uniform((out_channels,), prod(shape[1:])) if bias else None

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)

    def extra_repr(self):
        out_channels, in_channels, *size = self.weight.shape
        return (
            f"{in_channels}, {out_channels}, kernel_size={tuple(size)}, "
            f"stride={self.stride}, padding={self.padding}"
        )


class MaxPool2d(Module):
    def __init__(self, kernel_size, stride=None):
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x):
        return F.max_pool2d(x, self.kernel_size, self.stride)

    def extra_repr(self):
        return str(self.kernel_size)


class ReLU(Module):
    def forward(self, x):
        return F.relu(x)


class Flatten(Module):
    """(N, ...) to (N, features)."""

    def forward(self, x):
        return x.flatten(1)


class Sequential(Module):
    """Modules one after the other; `model[0]` is the first."""

    def __init__(self, *modules):
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, x):
        for _, module in self.named_children():
            x = module(x)
        return x

    def __getitem__(self, i):
        return self.named_children()[i][1]

    def __len__(self):
        return len(self.named_children())


class CrossEntropyLoss(Module):
    def forward(self, logits, targets):
        return F.cross_entropy(logits, targets)
