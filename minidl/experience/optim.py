"""Optimisers: from gradients to the next weights, in place. (Chapter 4.)

An optimiser writes with tensor operations under `no_grad`, so whoever watches
operations sees the update too. PyTorch's names, defaults and arithmetic.
"""

from math import sqrt

from ..framework.autodiff import no_grad
from ..framework.create import zeros_like


class Optimizer:
    """Holds parameters and, for each, the state that its rule remembers."""

    def __init__(self, params, lr):
        self.params = list(params)
        if not self.params:
            raise ValueError(f"{type(self).__name__} got no parameters")
        if not lr > 0:
            raise ValueError(f"the learning rate must be positive, got {lr}")
        self.lr = lr
        self.state = [{} for _ in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @no_grad()
    def step(self):
        """Moves each parameter that has a gradient by one step of the rule."""
        if all(p.grad is None for p in self.params):
            raise RuntimeError(
                f"{type(self).__name__}.step(): none of the {len(self.params)} "
                "parameters has a gradient; call loss.backward() first"
            )
        for p, state in zip(self.params, self.state):
            if p.grad is not None:
                self.update(p, p.grad, state)

    def update(self, p, g, state):
        raise NotImplementedError(
            f"{type(self).__name__} has no update(self, p, g, state)"
        )


class SGD(Optimizer):
    """p -= lr * v, where v = momentum * v + g gathers the gradients seen so far."""

    def __init__(self, params, lr=1e-3, momentum=0.0):
        super().__init__(params, lr)
        self.momentum = momentum

    def update(self, p, g, state):
        if self.momentum:
            if "v" in state:
                state["v"].copy_(state["v"] * self.momentum + g)
            else:
                state["v"] = g.clone()
            g = state["v"]
        p.copy_(p - g * self.lr)


class Adam(Optimizer):
    """Mean gradient over root mean square: steps of about lr (arXiv 1412.6980)."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr)
        self.betas, self.eps = betas, eps

    def update(self, p, g, state):
        if not state:
            state.update(step=0, mean=zeros_like(p), square=zeros_like(p))
        beta1, beta2 = self.betas
        state["step"] += 1
        mean, square = state["mean"], state["square"]
        mean.copy_(mean * beta1 + g * (1 - beta1))
        square.copy_(square * beta2 + g * g * (1 - beta2))
        # Both averages start at 0; dividing takes that bias out.
        unbiased1 = 1 - beta1 ** state["step"]
        unbiased2 = 1 - beta2 ** state["step"]
        root = square.sqrt() * (1 / sqrt(unbiased2)) + self.eps
        p.copy_(p - mean / root * (self.lr / unbiased1))
