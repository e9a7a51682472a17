"""Neural networks: modules, layers and losses, under PyTorch's names. (Chapter 3.)"""

from . import functional
from .layers import (
    Conv2d,
    CrossEntropyLoss,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from .module import Module, Parameter

__all__ = [
    "Conv2d", "CrossEntropyLoss", "Flatten", "Linear", "MaxPool2d", "Module",
    "Parameter", "ReLU", "Sequential", "functional",
]  # fmt: skip
