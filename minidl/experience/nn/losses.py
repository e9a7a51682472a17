"""Losses as modules: the functions of `functional`, with their settings kept."""

from . import functional as F
from .module import Module


class CrossEntropyLoss(Module):
    """The mean of -log p(right class), from scores (B, classes)."""

    def __init__(self, label_smoothing=0.0, ignore_index=None):
        self.label_smoothing, self.ignore_index = label_smoothing, ignore_index

    def forward(self, logits, targets):
        return F.cross_entropy(logits, targets, self.label_smoothing, self.ignore_index)


class BCEWithLogitsLoss(Module):
    """The mean of -log p(right answer) to yes-or-no questions, from scores."""

    def forward(self, logits, targets):
        return F.binary_cross_entropy_with_logits(logits, targets)


class MSELoss(Module):
    """The mean squared difference."""

    def forward(self, x, targets):
        return F.mse_loss(x, targets)


class HuberLoss(Module):
    """Half the square of a difference, and a line beyond `delta`; the mean."""

    def __init__(self, delta=1.0):
        self.delta = delta

    def forward(self, x, targets):
        return F.huber_loss(x, targets, self.delta)
