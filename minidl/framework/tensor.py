"""Tensor: an array on a device, and what the tape knows of how it was computed.

`data` is the array (NumPy or CuPy), which may be a view of memory that other tensors
read too; tensors of one memory share `version`, which counts the writes into it. A
tensor with `requires_grad` and no `node` is a leaf: `backward()` leaves its gradient in
`.grad`. Arithmetic and movement come from the two classes beside this one. (Chapters 1
and 2.)
"""

import weakref

import numpy as np
from numpy import generic

from ..hardware.registry import device, device_of
from . import autodiff, ops, tape
from .arithmetic import Arithmetic
from .dtypes import is_float, is_number, rank
from .movement import Movement, overlaps
from .op import is_writable, owner
from .printing import text


class Tensor(Arithmetic, Movement):
    """An array on a device, and what the tape knows of how it was computed."""

    requires_grad = False
    grad = None  # of a leaf: the gradients that backward() has added up
    node = None  # how it was computed, where the tape recorded it
    hooks = None
    edges = ()  # a leaf is a vertex of the recorded graph with nothing before it

    def __init__(self, data, version=None):
        # A full reduction gives a NumPy scalar rather than an array.
        self.data = np.asarray(data) if isinstance(data, generic) else data
        self.version = [0] if version is None else version

    # ---- what it is

    @property
    def shape(self):
        return self.data.shape

    @property
    def dtype(self):
        return self.data.dtype

    @property
    def ndim(self):
        return self.data.ndim

    @property
    def device(self):
        return device_of(self.data)

    @property
    def nbytes(self):
        """Bytes of all elements, though a view may read fewer of them."""
        return self.numel() * self.dtype.itemsize

    @property
    def is_leaf(self):
        return self.node is None

    def numel(self):
        """How many elements it has."""
        return self.data.size

    def size(self, dim=None):
        """The shape, or its entry `dim`."""
        return self.shape if dim is None else self.shape[self.dims(dim)[0]]

    def dim(self):
        return self.ndim

    def stride(self):
        """Elements from one position to the next, for each dimension."""
        return tuple(step // self.dtype.itemsize for step in self.data.strides)

    def is_contiguous(self):
        """Whether its elements lie in memory one after the other, in row order."""
        return self.data.flags.c_contiguous

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of a 0-dimensional tensor")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return text(self)

    __hash__ = object.__hash__  # by identity; == compares elements

    # ---- out of the library

    def numpy(self):
        """The elements as a NumPy array, which shares memory with a CPU tensor."""
        if self.requires_grad:
            raise RuntimeError(
                "numpy() would lose the gradient: use x.detach().numpy()"
            )
        if self.device.name != "cpu":
            raise RuntimeError(
                f"numpy() of a tensor on {self.device.name}: use x.cpu()"
            )
        return self.data

    def __array__(self, dtype=None, copy=None):
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self):
        """The only element, as a Python number; ValueError where there are more."""
        if self.numel() != 1:
            raise ValueError(
                f"item() of {tuple(self.shape)}: it has {self.numel()} elements"
            )
        return self.data.item()

    def tolist(self):
        """The elements as Python numbers, in nested lists."""
        return self.data.tolist()

    def __bool__(self):
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        if self.dtype.kind not in "iu":
            raise TypeError(f"only an integer tensor can be an index, got {self.dtype}")
        return self.item()

    # ---- dtype and device

    def to(self, *targets):
        """This tensor in another dtype, on another device; itself if it is so."""
        x = self
        for target in targets:
            if isinstance(target, str) and target.split(":")[0] in ("cpu", "cuda"):
                target = device(target)
            x = x.moved(target) if hasattr(target, "xp") else x.cast(target)
        return x

    def cast(self, dtype):
        try:
            wanted = np.dtype(dtype)
        except TypeError:
            wanted = np.dtype(object)
        if dtype is None or not is_number(wanted):
            raise TypeError(
                f"to({dtype!r}): neither a dtype such as 'float32' nor a device, 'cpu' "
                "or 'cuda'"
            )
        return self if wanted == self.dtype else ops.cast(self, dtype=wanted)

    def moved(self, target):
        return self if target is self.device else ops.copy(self, device=target)

    def cpu(self):
        return self.to("cpu")

    def cuda(self):
        return self.to("cuda")

    def float(self):
        return self.cast(np.float32)

    def long(self):
        return self.cast(np.int64)

    def clone(self):
        """The same elements in memory of their own; the gradient passes."""
        return ops.copy(self, device=self.device)

    # ---- gradients

    def requires_grad_(self, on=True):
        """Asks for this leaf's gradient; only a floating tensor can have one."""
        if on and not is_float(self.dtype):
            raise TypeError(
                f"only floating tensors have gradients, this one is {self.dtype}"
            )
        if self.node is not None:
            raise RuntimeError(f"{self.node} computed this tensor; detach() it first")
        self.requires_grad = on
        return self

    def detach(self):
        """The same memory, as a tensor whose history the tape doesn't know."""
        return self.wrap(self.data, self.version)

    def backward(self, gradient=None, retain_graph=None, create_graph=False):
        """Adds this tensor's gradient to `.grad` of each leaf it comes from."""
        autodiff.backward(self, gradient, retain_graph, create_graph)

    def register_hook(self, hook):
        """Calls `hook(gradient)` in each backward(); what it returns replaces it.

        Returns a function that takes the hook off again.
        """
        if not self.requires_grad:
            raise RuntimeError("a hook needs a tensor with requires_grad=True")
        vertex = self.node or self
        vertex.hooks = [*(vertex.hooks or ()), hook]

        def remove():
            vertex.hooks = [other for other in vertex.hooks if other is not hook]

        return remove

    def retain_grad(self):
        """Adds up this result's gradient in `.grad`, as is done for a leaf."""
        if self.is_leaf and self.requires_grad:
            return
        result = weakref.ref(self)  # its node keeps the hook, so not the other way too

        def keep(g):
            x = result()
            if x is not None:
                x.grad = g.clone() if x.grad is None else x.grad + g

        self.register_hook(keep)

    # ---- writing in place

    def copy_(self, value):
        """Writes `value`, which broadcasts, into this tensor's memory; returns self."""
        value = self.operand(value).cast(self.dtype)
        if value is self:
            return self
        recorded = tape.is_recording() and (self.requires_grad or value.requires_grad)
        if recorded and tape.is_view_of_leaf(self):
            raise tape.leaf_error(self, "an in-place write")
        if recorded and self.node is None and owner(self.data) is not self.data:
            raise RuntimeError(
                f"an in-place write to {tuple(self.shape)} of what has a gradient: "
                "this is a view, and what it is a view of would not learn of it. Write "
                "into the whole, whole[i] = ..., or clone() the view first"
            )
        if overlaps(self.data) or not is_writable(self.data):
            raise RuntimeError(
                f"an in-place write to {tuple(self.shape)}: its elements share memory, "
                "as after expand() or windows(), or it is read-only. clone() it first"
            )
        ops.assign(self, value)
        if recorded:
            self.requires_grad, self.node = False, None
            tape.record(ops.copy, (value,), {"device": self.device}, self)
        return self

    def __setitem__(self, key, value):
        value = self.operand(value).cast(self.dtype)
        if tape.is_recording() and (self.requires_grad or value.requires_grad):
            self.copy_(self.with_put(key, value))
        else:
            self.put_(key, value)

    def zero_(self):
        return self.copy_(0)

    def fill_(self, value):
        return self.copy_(value)

    def become(self, result):
        """Writes `result` here; TypeError where this dtype can't hold its kind."""
        if rank(result.dtype) > rank(self.dtype):
            raise TypeError(
                f"an in-place write of {result.dtype} to {self.dtype} would lose "
                "fractions: cast first, or write x = x + y rather than x += y"
            )
        return self.copy_(result)

    def add_(self, other):
        return self.become(self + other)

    def sub_(self, other):
        return self.become(self - other)

    def mul_(self, other):
        return self.become(self * other)

    def div_(self, other):
        return self.become(self / other)

    __iadd__, __isub__, __imul__, __itruediv__ = add_, sub_, mul_, div_


Tensor.wrap = Tensor  # x.wrap(array): how files below this one make tensors
