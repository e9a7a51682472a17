"""Neural networks: modules, layers and losses, under PyTorch's names. (Chapter 3.)"""

from . import functional
from .layers import (
    GELU,
    Conv2d,
    CrossEntropyLoss,
    Dropout,
    Embedding,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from .module import Module, ModuleList, Parameter
from .norm import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, RMSNorm
from .recurrent import GRU, LSTM, RNN
from .transformer import GPT, Block, MultiheadAttention
