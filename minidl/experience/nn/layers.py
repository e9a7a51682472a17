"""Layers: modules of one function each. Weights start as PyTorch starts them."""

from math import prod, sqrt

from ...framework.create import rand, randn
from . import functional as F
from .module import Module, ModuleList, Parameter


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
    """The largest of each window."""

    pool = staticmethod(F.max_pool2d)

    def __init__(self, kernel_size, stride=None):
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x):
        return self.pool(x, self.kernel_size, self.stride)

    def extra_repr(self):
        return str(self.kernel_size)


class AvgPool2d(MaxPool2d):
    """The mean of each window."""

    pool = staticmethod(F.avg_pool2d)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x):
        return F.relu(x)


class GELU(Module):
    """x times the share of a normal distribution below x, approximated by tanh."""

    def forward(self, x):
        return F.gelu(x)


class SiLU(Module):
    """x sigmoid(x)."""

    def forward(self, x):
        return F.silu(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x):
        return x.tanh()


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x):
        return x.sigmoid()


class Identity(Module):
    """Nothing, where a model wants a module."""

    def forward(self, x):
        return x


class Dropout(Module):
    """Zeros elements with probability `p` in training; nothing in `eval()`."""

    def __init__(self, p=0.5):
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, self.training)

    def extra_repr(self):
        return f"p={self.p}"


class Embedding(Module):
    """A table of vectors, one for each of `num_embeddings` integers."""

    def __init__(self, num_embeddings, embedding_dim):
        self.weight = Parameter(randn(num_embeddings, embedding_dim))

    def forward(self, index):
        return F.embedding(index, self.weight)

    def extra_repr(self):
        return ", ".join(map(str, self.weight.shape))


class Flatten(Module):
    """(N, ...) to (N, features)."""

    def forward(self, x):
        return x.flatten(1)


class Sequential(ModuleList):
    """Modules one after the other; `model[0]` is the first."""

    def __init__(self, *modules):
        super().__init__(modules)

    def forward(self, x):
        for module in self:
            x = module(x)
        return x
