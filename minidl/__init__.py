"""minidl: a whole deep-learning system that one person can read.

    ecosystem    built on the stack       to come
    experience   what a user touches      nn, optim, data, train, tools
    framework    the mathematics          op, ops, tape, autodiff, graph, compile
    runtime      programs on buffers      program, memory, execute, build, kernels
    cluster      many machines            to come
    hardware     where numbers live       device, cpu, cuda, simt

Imports go down only. A training step is read from `experience.train.step`: it
calls a model (experience.nn), whose functions apply operations (framework.op) of one
table (framework.ops) to tensors (framework.tensor) while a tape records them
(framework.tape), and devices (hardware) do the arithmetic.
"""

from .experience import data, nn, optim, tools, train
from .experience.nn import functional
from .experience.safetensors import load, save
from .framework import autodiff, ops
from .framework.autocast import autocast
from .framework.autodiff import grad, vjp
from .framework.compile import compile
from .framework.control.api import cond, scan, while_loop
from .framework.cost import Ledger
from .framework.create import *  # noqa: F403
from .framework.dtypes import (
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from .framework.gradcheck import gradcheck
from .framework.kernel import kernel
from .framework.op import Op, apply, composed, handling
from .framework.replace import replace
from .framework.script.check import CheckError, check
from .framework.script.scripted import Scripted, script
from .framework.script.source import ScriptError
from .framework.script.types import Bool, Double, Float, Int
from .framework.sizes import Size
from .framework.tape import enable_grad, no_grad
from .framework.tensor import Tensor
from .framework.trace.capture import trace
from .framework.trace.place import TraceError
from .hardware.registry import device, devices

__version__ = "0.1.0"
