"""The fit loop: epochs of steps, with a progress bar and a measure after each epoch.

A Run is a training under way, all that there is to save and go on from. Callbacks look
at it after each step and each epoch, and may change it.
"""

from dataclasses import dataclass, field

from ...framework.create import default_generator
from ...framework.tape import no_grad
from ..nn import functional as F
from ..progress import progress
from .callbacks import Callback
from .step import evaluate, train_step


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data came to."""

    number: int
    loss: float  # mean over its steps
    metrics: dict  # on the held-out data, by name

    @property
    def accuracy(self):
        return self.metrics.get("accuracy", float("nan"))

    def __repr__(self):
        parts = [f"loss {self.loss:.4f}"]
        parts += [f"{name} {value:.3f}" for name, value in self.metrics.items()]
        return f"epoch {self.number}: {', '.join(parts)}"


@dataclass
class Run:
    """A training under way: what takes part in it, and how far it has come."""

    model: object
    optimizer: object
    loader: object
    step: object = train_step
    callbacks: tuple = ()
    steps: int = 0  # done since the beginning
    history: list = field(default_factory=list)  # an Epoch for each one finished
    losses: list = field(default_factory=list)  # of the epoch under way, step by step
    stopped: bool = False  # set by a callback: no further epoch begins

    def parts(self):
        """{name: each part that has a state of its own}."""
        named = {"model": self.model, "optimizer": self.optimizer, "step": self.step}
        named |= {f"callback {i}": part for i, part in enumerate(self.callbacks)}
        named["loader"] = self.loader
        return {k: part for k, part in named.items() if hasattr(part, "state_dict")}

    def state_dict(self):
        return {
            "parts": {name: part.state_dict() for name, part in self.parts().items()},
            "generator": [default_generator.seed, default_generator.draw],
            "steps": self.steps,
            "history": [[e.number, e.loss, e.metrics] for e in self.history],
            "losses": list(self.losses),
            "stopped": self.stopped,
        }

    def load_state_dict(self, saved):
        if set(saved["parts"]) != set(self.parts()):
            raise ValueError(
                f"a run of {', '.join(saved['parts'])} was saved; this one has "
                f"{', '.join(self.parts())}: give fit what it was given then"
            )
        for name, part in self.parts().items():
            part.load_state_dict(saved["parts"][name])
        default_generator.seed, default_generator.draw = saved["generator"]
        self.steps, self.stopped = saved["steps"], saved["stopped"]
        self.history = [Epoch(*entry) for entry in saved["history"]]
        self.losses = list(saved["losses"])


def fit(
    model,
    optimizer,
    loader,
    test=None,
    epochs=1,
    loss=F.cross_entropy,
    verbose=True,
    step=train_step,
    metrics=None,
    callbacks=(),
):
    """Trains `model` on the batches (x, y) of `loader`; returns an Epoch for each pass.

    After each epoch, `metrics` are taken on `test`: functions (model, test) by name,
    the accuracy if none are given. `step` is what is done with a batch, `train_step` or
    a `Step`; `callbacks` are called in their order. With `verbose`, a progress bar
    shows the epoch under way, and each finished one is printed.
    """
    if not len(loader):
        raise ValueError("fit: the loader has no batches; is its dataset empty?")
    if test is not None and hasattr(test, "__len__") and not len(test):
        raise ValueError("fit: the test set is empty; leave it out for none")
    if metrics is None:
        metrics = {"accuracy": evaluate}
    metrics = metrics if test is not None else {}
    run = Run(model, optimizer, loader, step, in_order(callbacks))
    tell(run, "on_start")
    while len(run.history) < epochs and not run.stopped:
        number = len(run.history) + 1
        train_epoch(run, loss, f"epoch {number}/{epochs}", verbose)
        measured = measure(model, test, metrics)
        mean = sum(run.losses) / len(run.losses)
        run.history.append(Epoch(number, mean, measured))
        run.losses = []
        if verbose:
            print(run.history[-1])
        tell(run, "on_epoch")
    return run.history


@no_grad()
def measure(model, test, metrics):
    """{name: number}; the model is at rest, whatever a metric does with it."""
    measured = {}
    for name, metric in metrics.items():
        model.eval()
        measured[name] = float(metric(model, test))
    return measured


def train_epoch(run, loss, label, verbose):
    """The steps of one pass over the loader, or of what is left of it."""
    run.model.train()
    done = len(run.losses)
    with progress(run.loader, not verbose, desc=label, initial=done) as bar:
        for x, y in bar:
            value = run.step(run.model, run.optimizer, loss, x, y)
            run.losses.append(value)
            run.steps += 1
            bar.set_postfix(loss=f"{value:.3f}", refresh=False)
            tell(run, "on_step")


def in_order(callbacks):
    strangers = [type(c).__name__ for c in callbacks if not isinstance(c, Callback)]
    if strangers:
        raise TypeError(f"fit: a callback is a train.Callback, got {strangers[0]}")
    return tuple(sorted(callbacks, key=lambda callback: callback.saves))


def tell(run, event):
    for callback in run.callbacks:
        getattr(callback, event)(run)
