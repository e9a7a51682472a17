"""One training step: plain, and with what large models need around it."""

from contextlib import nullcontext

from ...framework.autocast import autocast
from ...framework.tape import no_grad
from ..data import DataLoader
from ..nn import functional as F
from ..optim import GradScaler, clip_grad_norm_


def train_step(model, optimizer, loss, x, y):
    """One training step, the unit this whole library is about; returns the loss."""
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value.item()


class Step:
    """A training step in 16 bits, in pieces, with clipped gradients, as asked.

    `dtype` "float16" or "bfloat16" computes under autocast, and float16 with a loss
    scale. The gradients of `accumulate` equal pieces of the batch are added up before
    the optimiser moves: the same step for a fraction of the memory. `clip_norm` is the
    largest norm that all gradients together may have.
    """

    def __init__(self, dtype=None, accumulate=1, clip_norm=None, scaler=None):
        if accumulate < 1:
            raise ValueError(f"accumulate counts pieces of a batch, got {accumulate}")
        self.dtype, self.accumulate, self.clip_norm = dtype, accumulate, clip_norm
        self.scaler = scaler or (GradScaler() if dtype == "float16" else None)
        self.norm = None  # of the last gradients, before clipping

    def __call__(self, model, optimizer, loss, x, y):
        optimizer.zero_grad()
        values = [
            self.backward(model, loss, *piece, share)
            for *piece, share in pieces(x, y, self.accumulate)
        ]
        self.move(model, optimizer)
        return sum(values)

    def backward(self, model, loss, x, y, share):
        """Adds the gradients of one piece; returns its share of the batch's loss."""
        with autocast(self.dtype) if self.dtype else nullcontext():
            value = loss(model(x), y) * share
        (self.scaler.scale(value) if self.scaler else value).backward()
        return value.item()

    def move(self, model, optimizer):
        if self.scaler and self.clip_norm is not None:
            self.scaler.unscale_(optimizer)
        if self.clip_norm is not None:
            self.norm = clip_grad_norm_(model.parameters(), self.clip_norm)
        if self.scaler:
            self.scaler.step(optimizer)
            self.scaler.update()
        else:
            optimizer.step()

    def state_dict(self):
        return {"scaler": self.scaler.state_dict()} if self.scaler else {}

    def load_state_dict(self, saved):
        if bool(self.scaler) != ("scaler" in saved):
            raise ValueError(
                "Step: a run with a loss scale can't go on without, nor the other way; "
                "give it the dtype it had"
            )
        if self.scaler:
            self.scaler.load_state_dict(saved["scaler"])


def pieces(x, y, count):
    """(x, y, share of the samples) for each of at most `count` pieces of a batch."""
    size = -(-len(x) // count)
    for start in range(0, len(x), size):
        part = x[start : start + size]
        yield part, y[start : start + size], len(part) / len(x)


@no_grad()
def evaluate(model, dataset, batch_size=500):
    """The share of `dataset` that `model` classifies rightly, in [0, 1]."""
    model.eval()
    batches = DataLoader(dataset, batch_size)
    right = sum(F.accuracy(model(x), y) * len(y) for x, y in batches)
    return right / len(dataset)
