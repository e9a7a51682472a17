"""Callbacks: what may be hung into the fit loop.

Each method is handed the Run. What a callback remembers is in its `state_dict`, so that
a training that was interrupted goes on as if it had not been.
"""

from math import inf

from ..safetensors import save


class Callback:
    """Base: redefine what is wanted."""

    saves = False  # one that saves the run comes last, to save what the others did

    def on_start(self, run):
        """Before the first step, or the first after an interruption."""

    def on_step(self, run):
        """After each step; its loss is run.losses[-1]."""

    def on_epoch(self, run):
        """After each epoch; its Epoch is run.history[-1]."""


class Schedule(Callback):
    """Moves a learning-rate schedule, `optim.LambdaLR`, after each step."""

    def __init__(self, schedule):
        self.schedule = schedule

    def on_step(self, run):
        self.schedule.step()

    def state_dict(self):
        return self.schedule.state_dict()

    def load_state_dict(self, saved):
        self.schedule.load_state_dict(saved)


class Best(Callback):
    """Calls `better` or `worse` after each epoch, by a metric or the training loss.

    `mode` "max" or "min" says which way is better: for "loss" "min", else "max".
    """

    def __init__(self, metric="accuracy", mode=None):
        self.metric, self.mode = metric, mode or ("min" if metric == "loss" else "max")
        if self.mode not in ("min", "max"):
            raise ValueError(f"mode is 'min' or 'max', got {mode!r}")
        self.best = inf if self.mode == "min" else -inf

    def on_epoch(self, run):
        epoch = run.history[-1]
        known = {"loss": epoch.loss} | epoch.metrics
        if self.metric not in known:
            raise ValueError(
                f"{type(self).__name__} watches {self.metric!r}, but fit measures "
                f"{', '.join(known)}; give it `test` and `metrics` that have it"
            )
        value = known[self.metric]
        if value < self.best if self.mode == "min" else value > self.best:
            self.best = value
            self.better(run)
        else:
            self.worse(run)

    def better(self, run):
        pass

    def worse(self, run):
        pass

    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, saved):
        self.best = saved["best"]


class EarlyStopping(Best):
    """Ends the training after `patience` epochs in a row without a better value."""

    def __init__(self, metric="accuracy", patience=3, mode=None):
        super().__init__(metric, mode)
        self.patience, self.waited = patience, 0

    def better(self, run):
        self.waited = 0

    def worse(self, run):
        self.waited += 1
        run.stopped = run.stopped or self.waited >= self.patience

    def state_dict(self):
        return super().state_dict() | {"waited": self.waited}

    def load_state_dict(self, saved):
        super().load_state_dict(saved)
        self.waited = saved["waited"]


class KeepBest(Best):
    """Saves the model's weights to `path` after each epoch that is the best so far."""

    def __init__(self, path, metric="accuracy", mode=None):
        super().__init__(metric, mode)
        self.path = path

    def better(self, run):
        save(run.model.state_dict(), self.path)
