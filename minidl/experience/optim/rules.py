"""The rules: from a gradient to a step. PyTorch's defaults and arithmetic.

The two that run most are rows of their own, in place and with few temporaries; beside
each stands its composition. The others are compositions only.
"""

from math import sqrt

from ...framework import ops
from ...framework.op import Op
from .optimizer import Optimizer, zeros


def momentum_step(
    xp, p, g, velocity, *, lr, momentum, nesterov=False, weight_decay=0.0
):
    if weight_decay:
        g = g + weight_decay * p
    velocity *= momentum
    velocity += g
    p -= lr * (g + momentum * velocity if nesterov else velocity)
    return p


def composed_momentum_step(
    p, g, velocity, *, lr, momentum, nesterov=False, weight_decay=0.0
):
    g = g + p * weight_decay if weight_decay else g
    velocity.copy_(velocity * momentum + g)
    return p.copy_(p - (g + velocity * momentum if nesterov else velocity) * lr)


sgd = Op("sgd", momentum_step, writes=(0, 2), composed=composed_momentum_step)


class SGD(Optimizer):
    """p -= lr v, where v = momentum v + g gathers the gradients so far.

    Nesterov's variant looks ahead along v. Weight decay adds its part to g.
    """

    def __init__(self, params, lr=1e-3, momentum=0.0, weight_decay=0.0, nesterov=False):
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum")
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def update(self, p, g, state, group):
        if group["momentum"]:
            settings = {k: v for k, v in group.items() if k != "params"}
            sgd(p, g, *zeros(state, p, "velocity"), **settings)
        else:
            g = g + p * group["weight_decay"] if group["weight_decay"] else g
            p.copy_(p - g * group["lr"])


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
    root = square.sqrt() * (1 - beta2**step) ** -0.5 + eps
    return p.copy_(p - mean / root * (lr / (1 - beta1**step)))


adam = Op("adam", adam_step, writes=(0, 2, 3), composed=composed_adam_step)


class Adam(Optimizer):
    """Mean gradient over root mean square: steps of about lr (arXiv 1412.6980)."""

    decoupled = False  # whether weight decay acts on the weight, not on the gradient

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, p, g, state, group):
        decay, lr = group["weight_decay"], group["lr"]
        if decay and self.decoupled:
            p.copy_(p * (1 - lr * decay))
        elif decay:
            g = g + p * decay
        state["step"] = state.get("step", 0) + 1
        (beta1, beta2), averages = group["betas"], zeros(state, p, "mean", "square")
        rates = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": group["eps"]}
        adam(p, g, *averages, step=state["step"], **rates)


class AdamW(Adam):
    """Adam whose weight decay shrinks the weight itself (arXiv 1711.05101)."""

    decoupled = True

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01
    ):
        super().__init__(params, lr, betas, eps, weight_decay)


class RMSprop(Optimizer):
    """The gradient over the root of its running mean square."""

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, momentum=momentum)

    def update(self, p, g, state, group):
        (square,) = zeros(state, p, "square")
        square.copy_(square * group["alpha"] + g * g * (1 - group["alpha"]))
        g = g / (square.sqrt() + group["eps"])
        if group["momentum"]:
            (velocity,) = zeros(state, p, "velocity")
            g = velocity.copy_(velocity * group["momentum"] + g)
        p.copy_(p - g * group["lr"])


class Adagrad(Optimizer):
    """The gradient over the root of the sum of all its squares so far."""

    def __init__(self, params, lr=1e-2, eps=1e-10):
        super().__init__(params, lr=lr, eps=eps)

    def update(self, p, g, state, group):
        (total,) = zeros(state, p, "total")
        total.copy_(total + g * g)
        p.copy_(p - g / (total.sqrt() + group["eps"]) * group["lr"])


class Lion(Optimizer):
    """Steps of one size in every weight: an average's sign (arXiv 2302.06675)."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    def update(self, p, g, state, group):
        (mean,), (beta1, beta2) = zeros(state, p, "mean"), group["betas"]
        way = ops.sign(mean * beta1 + g * (1 - beta1))
        p.copy_(p - (way + p * group["weight_decay"]) * group["lr"])
        mean.copy_(mean * beta2 + g * (1 - beta2))
