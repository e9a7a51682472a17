"""A fit loop: epochs of steps, a progress bar, the accuracy after each epoch."""

from dataclasses import dataclass

from ..framework.tape import no_grad
from .nn import functional as F
from .progress import progress


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data came to."""

    number: int
    loss: float  # mean over its steps
    accuracy: float  # on the held-out data; nan without any

    def __repr__(self):
        return (
            f"epoch {self.number}: loss {self.loss:.4f}, accuracy {self.accuracy:.3f}"
        )


def fit(
    model, optimizer, loader, test=None, epochs=1, loss=F.cross_entropy, verbose=True
):
    """Trains `model` on the batches (x, y) of `loader`; returns an Epoch for each pass.

    `test` is a dataset on which the accuracy is measured after each epoch. A progress
    bar shows the epoch under way; with `verbose`, each finished one is printed.
    """
    if not len(loader):
        raise ValueError("fit: the loader has no batches; is its dataset empty?")
    history = []
    for number in range(1, epochs + 1):
        losses = train_epoch(model, optimizer, loader, loss, f"epoch {number}/{epochs}")
        score = evaluate(model, test) if test is not None else float("nan")
        history.append(Epoch(number, sum(losses) / len(losses), score))
        if verbose:
            print(history[-1])
    return history


def train_epoch(model, optimizer, loader, loss, label):
    """The loss of each step of one pass over `loader`."""
    model.train()
    losses = []
    with progress(loader, desc=label) as bar:
        for x, y in bar:
            losses.append(train_step(model, optimizer, loss, x, y))
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    return losses


def train_step(model, optimizer, loss, x, y):
    """One training step, the unit this whole library is about; returns the loss."""
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value.item()


@no_grad()
def evaluate(model, dataset, batch_size=500):
    """The share of `dataset` that `model` classifies rightly, in [0, 1]."""
    model.eval()
    x, y = dataset.tensors
    parts = range(0, len(x), batch_size)
    right = [
        F.accuracy(model(x[i : i + batch_size]), y[i : i + batch_size]) for i in parts
    ]
    sizes = [min(batch_size, len(x) - i) for i in parts]
    return sum(share * n for share, n in zip(right, sizes)) / len(x)
