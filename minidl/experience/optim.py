"""Optimisers: from gradients to the next weights, in place. (Chapter 4.)

An update is an operation that writes into its inputs, so whoever watches operations
sees it too. PyTorch's names, defaults and arithmetic.
"""

from math import sqrt

from ..framework.autodiff import no_grad
from ..framework.create import zeros_like
from ..framework.op import Op


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


def momentum_step(xp, p, g, velocity, *, lr, momentum):
    velocity *= momentum
    velocity += g
    p -= lr * velocity
    return p


def composed_momentum_step(p, g, velocity, *, lr, momentum):
    velocity.copy_(velocity * momentum + g)
    return p.copy_(p - velocity * lr)


sgd = Op("sgd", momentum_step, writes=(0, 2), composed=composed_momentum_step)


class SGD(Optimizer):
    """p -= lr * v, where v = momentum * v + g gathers the gradients seen so far."""

    def __init__(self, params, lr=1e-3, momentum=0.0):
        super().__init__(params, lr)
        self.momentum = momentum

    def update(self, p, g, state):
        if not self.momentum:
            p.copy_(p - g * self.lr)
            return
        if not state:
            state["velocity"] = zeros_like(p)
        sgd(p, g, state["velocity"], lr=self.lr, momentum=self.momentum)


def adam_step(xp, p, g, mean, square, *, lr, beta1, beta2, eps, step):
    mean *= beta1
    mean += (1 - beta1) * g
    square *= beta2
    square += (1 - beta2) * (g * g)
    # Both averages start at 0; dividing takes that bias out.
    root = xp.sqrt(square)
    root *= 1 / sqrt(1 - beta2**step)
    root += eps
    p -= lr / (1 - beta1**step) * (mean / root)
    return p


def composed_adam_step(p, g, mean, square, *, lr, beta1, beta2, eps, step):
    mean.copy_(mean * beta1 + g * (1 - beta1))
    square.copy_(square * beta2 + g * g * (1 - beta2))
    root = square.sqrt() * (1 / sqrt(1 - beta2**step)) + eps
    return p.copy_(p - mean / root * (lr / (1 - beta1**step)))


adam = Op("adam", adam_step, writes=(0, 2, 3), composed=composed_adam_step)


class Adam(Optimizer):
    """Mean gradient over root mean square: steps of about lr (arXiv 1412.6980)."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr)
        self.betas, self.eps = betas, eps

    def update(self, p, g, state):
        if not state:
            state.update(step=0, mean=zeros_like(p), square=zeros_like(p))
        state["step"] += 1
        beta1, beta2 = self.betas
        rates = dict(lr=self.lr, beta1=beta1, beta2=beta2, eps=self.eps)
        adam(p, g, state["mean"], state["square"], step=state["step"], **rates)
