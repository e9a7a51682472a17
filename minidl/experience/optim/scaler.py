"""Dynamic loss scaling: float16 gradients kept off zero, and off infinity.

The smallest float16 is 6e-8; many gradients are smaller. A loss times 65,536 has
gradients times 65,536. Where that is too much, one is infinite: that step is left out
and the factor halved. After a while without, it is doubled (Micikevicius and others,
arXiv 1710.03740). (Chapter 4.)
"""

from math import isfinite

from ...framework.tape import no_grad


class GradScaler:
    """`scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update()`."""

    def __init__(
        self,
        init_scale=2.0**16,
        growth_factor=2.0,
        backoff_factor=0.5,
        growth_interval=2000,
    ):
        self.factor = init_scale
        self.growth, self.backoff = growth_factor, backoff_factor
        self.interval, self.streak = growth_interval, 0  # steps since the last change
        self.overflow = {}  # optimizer: whether its unscaled gradients hold an infinity

    def scale(self, loss):
        return loss * self.factor

    def get_scale(self):
        return self.factor

    @no_grad()
    def unscale_(self, optimizer):
        """Divides the gradients by the factor, in place: to clip them before step()."""
        if optimizer in self.overflow:
            raise RuntimeError("unscale_: these gradients are unscaled; call update()")
        gradients = [p.grad for p in optimizer.state if p.grad is not None]
        for g in gradients:
            g.mul_(1 / self.factor)
        self.overflow[optimizer] = not all(
            isfinite((g * 0).sum().item()) for g in gradients
        )

    def step(self, optimizer):
        """The optimiser's step, unless a gradient is infinite or no number."""
        if optimizer not in self.overflow:
            self.unscale_(optimizer)
        if not self.overflow[optimizer]:
            optimizer.step()

    def update(self):
        """Moves the factor by what the last step met."""
        if not self.overflow:
            raise RuntimeError("update(): no step was taken since the last one")
        overflow = any(self.overflow.values())
        self.streak = 0 if overflow else self.streak + 1
        if overflow:
            self.factor *= self.backoff
        elif self.streak == self.interval:
            self.factor, self.streak = self.factor * self.growth, 0
        self.overflow = {}

    def state_dict(self):
        return {"factor": self.factor, "streak": self.streak}

    def load_state_dict(self, saved):
        self.factor, self.streak = saved["factor"], saved["streak"]
