"""minidl: a whole deep-learning system that one person can read.

    ecosystem     what is built on the stack                          to come experience
    nn, optim, data, train, tools                      what a user touches framework
    op, ops, tensor, autodiff, replace, cost            the mathematics runtime
    programs, memory, schedules, kernels                to come cluster       networks,
    collectives, jobs                         to come hardware      device, cpu, cuda
    where arrays live

Imports go down only. A training step is read from `experience.train.train_step`: it
calls a model (experience.nn), whose functions apply operations (framework.op) of one
table (framework.ops) to tensors (framework.tensor) while a tape records them
(framework.autodiff), and devices (hardware) do the arithmetic.
"""

from .experience import data, nn, optim, tools, train
from .experience.nn import functional
from .framework import autodiff, ops
from .framework.autodiff import enable_grad, grad, no_grad, vjp
from .framework.cost import Ledger
from .framework.create import *  # noqa: F403
from .framework.gradcheck import gradcheck
from .framework.op import Op, apply, composed, handling
from .framework.replace import replace
from .framework.tensor import Tensor
from .hardware.registry import device, devices

__version__ = "0.1.0"
