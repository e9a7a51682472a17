"""Learning rates over time: a schedule is a function from the step to a factor.

`LambdaLR` multiplies each group's learning rate by it; call its `step()` after the
optimiser's.
"""

from math import cos, pi


class LambdaLR:
    """Sets the learning rate to its first value times `factor(step)`."""

    def __init__(self, optimizer, factor):
        self.optimizer, self.factor, self.count = optimizer, factor, 0
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.apply()

    def apply(self):
        for group, lr in zip(self.optimizer.param_groups, self.first):
            group["lr"] = lr * self.factor(self.count)

    def step(self):
        self.count += 1
        self.apply()

    def state_dict(self):
        return {"count": self.count, "first": list(self.first)}

    def load_state_dict(self, saved):
        self.count, self.first = saved["count"], list(saved["first"])
        self.apply()


def step_decay(every, gamma=0.1):
    """`gamma` once more after each `every` steps."""
    return lambda step: gamma ** (step // every)


def between(start, end, share):
    """From `start` to `end` on half a cosine wave, `share` of the way."""
    return end + (start - end) * (1 + cos(pi * share)) / 2


def cosine(total, warmup=0, floor=0.0):
    """Up in a line over `warmup` steps, then down on a cosine to `floor` at `total`."""
    if not 0 <= warmup < total:
        raise ValueError(f"cosine: a warm-up of {warmup} steps in {total}")

    def factor(step):
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return between(1, floor, min(1, (step - warmup) / (total - warmup)))

    return factor


def one_cycle(total, rise=0.3, first=1 / 25, last=1e-4):
    """Up to 1 over the share `rise` of `total` steps, then down to `first * last`.

    The optimiser's learning rate is the highest (Smith & Topin, arXiv 1708.07120).
    """
    peak = rise * total - 1

    def factor(step):
        if step <= peak:
            return between(first, 1, step / peak)
        return between(1, first * last, min(1, (step - peak) / (total - 1 - peak)))

    return factor
