"""Clipping: gradients kept within bounds, in place, between backward() and step()."""

from ...framework.dtypes import HALVES
from ...framework.tape import no_grad


@no_grad()
def clip_grad_norm_(parameters, max_norm):
    """Scales all gradients so that their joint norm is at most `max_norm`.

    Returns the norm that they had.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    wide = [g.float() if g.dtype in HALVES else g for g in gradients]
    norm = sum((g * g).sum().item() for g in wide) ** 0.5
    if norm > max_norm:
        for g in gradients:
            g.mul_(max_norm / (norm + 1e-6))
    return norm


@no_grad()
def clip_grad_value_(parameters, clip_value):
    """Brings each element of each gradient within -clip_value ... clip_value."""
    for p in parameters:
        if p.grad is not None:
            p.grad.copy_(p.grad.clamp(-clip_value, clip_value))
