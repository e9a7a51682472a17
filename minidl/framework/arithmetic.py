"""Arithmetic: the operators and functions of a tensor, and how mixed dtypes meet.

The rows of the table want inputs of one dtype. Here mixed ones are promoted by
PyTorch's rule: truth values < integers < floats, and within a kind the wider; Python
numbers and 0-dimensional tensors never widen a tensor that has dimensions. (Chapter 1.)
"""

from math import prod

import numpy as np

from . import ops
from .dtypes import bool_, float32, int64, is_float, is_number, rank, wider
from .op import apply

DEFAULT = {"f": float32, "i": int64, "b": bool_}


def result_dtype(x, y):
    """The dtype in which tensors `x` and `y` are combined."""
    a, b = x.dtype, y.dtype
    if rank(a) != rank(b):
        return a if rank(a) > rank(b) else b
    if bool(x.ndim) != bool(y.ndim):
        return a if x.ndim else b
    return wider(a, b)


def number_dtype(x, number):
    """The dtype in which tensor `x` meets a Python number."""
    kind = np.dtype(type(number)).kind
    if kind not in DEFAULT:
        raise TypeError(f"a tensor can't be combined with the number {number!r}")
    default = DEFAULT[kind]
    return x.dtype if rank(x.dtype) >= rank(default) else default


def promoted(x, y):
    """`x` and `y` as tensors of one dtype; None where `y` is no number."""
    if isinstance(y, bool | int | float):
        dtype = number_dtype(x, y)
        return x.cast(dtype), x.wrap(x.device.xp.asarray(y, dtype))
    if isinstance(y, np.ndarray | np.generic) and is_number(y.dtype):
        y = x.wrap(x.device.xp.asarray(y))
    if hasattr(y, "symbol"):  # a Number of a program that is being traced
        dtype = number_dtype(x, y.value)
        return x.cast(dtype), x.wrap(y.symbol(dtype))
    if not isinstance(y, Arithmetic):
        return None
    dtype = result_dtype(x, y)
    return x.cast(dtype), y.cast(dtype)


def operator(op, swap=False, of_floats=False):
    """A two-operand method of a tensor that promotes, then applies `op`."""

    def method(self, other):
        x, y = self, other
        if not (isinstance(y, Arithmetic) and y.data.dtype is x.data.dtype):
            pair = promoted(x, y)
            if pair is None:
                return NotImplemented
            x, y = pair
        if of_floats and not is_float(x.data.dtype):
            x, y = x.float(), y.float()
        return apply(op, y, x) if swap else apply(op, x, y)

    method.__name__ = op.name
    return method


def function(op):
    """A one-operand method that computes integers as float32."""

    def method(self):
        return op(self if is_float(self.dtype) else self.float())

    method.__name__ = op.name
    method.__doc__ = f"{op.name} of each element."
    return method


def mirrored(x):
    """`x` in reverse order, smallest for largest: -x, without overflow for integers."""
    if x.dtype == bool:
        return ops.logical_not(x)
    return -x if is_float(x.dtype) else -x - 1


def refuse(method, verb):
    """`method`, with TypeError in place of NotImplemented: for methods with a name."""

    def named(self, other):
        answer = method(self, other)
        if answer is NotImplemented:
            raise TypeError(
                f"{verb} needs a tensor or a number, got {type(other).__name__}"
            )
        return answer

    return named


def of_truths(method):
    """`method` for truth values alone; that of integers would work on their bits."""

    def checked(self, other):
        kinds = [np.dtype(getattr(x, "dtype", type(x))).kind for x in (self, other)]
        return method(self, other) if kinds == ["b", "b"] else NotImplemented

    return checked


class Arithmetic:
    __array_ufunc__ = None  # so that numpy_array * tensor is the tensor's to compute

    __add__, __radd__ = operator(ops.add), operator(ops.add, swap=True)
    __sub__, __rsub__ = operator(ops.sub), operator(ops.sub, swap=True)
    __mul__, __rmul__ = operator(ops.mul), operator(ops.mul, swap=True)
    __truediv__ = operator(ops.div, of_floats=True)
    __rtruediv__ = operator(ops.div, swap=True, of_floats=True)
    __pow__, __rpow__ = operator(ops.pow), operator(ops.pow, swap=True)
    __eq__ = operator(ops.eq)
    __lt__, __gt__ = operator(ops.lt), operator(ops.lt, swap=True)
    __le__, __ge__ = operator(ops.le), operator(ops.le, swap=True)
    __and__ = __rand__ = of_truths(operator(ops.logical_and))
    maximum = refuse(operator(ops.maximum), "maximum")

    exp, log, sqrt = function(ops.exp), function(ops.log), function(ops.sqrt)
    sin, cos, tanh = function(ops.sin), function(ops.cos), function(ops.tanh)
    sigmoid = function(ops.sigmoid)

    def operand(self, value):
        """`value` as a tensor on this tensor's device."""
        if isinstance(value, Arithmetic):
            return value
        if hasattr(value, "symbol"):
            return self.wrap(value.symbol(self.dtype))
        try:
            array = np.asarray(value)
            if not is_number(array.dtype):
                raise TypeError(f"it holds {array.dtype}, no numbers")
            dtype = None if array.ndim else self.dtype
            return self.wrap(self.device.array(value, dtype))
        except (ValueError, TypeError, OverflowError) as error:
            raise TypeError(
                f"{type(value).__name__} can't be made a tensor: {error}"
            ) from None

    def __ne__(self, other):
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else ops.logical_not(equal)

    def __neg__(self):
        return ops.neg(self)

    def __invert__(self):
        if self.dtype != bool:
            raise TypeError(f"~ is for truth values, not for {self.dtype}")
        return ops.logical_not(self)

    def __abs__(self):
        return ops.abs(self)

    abs = __abs__

    def relu(self):
        return ops.relu(self)

    def minimum(self, other):
        pair = promoted(self, other)
        if pair is None:
            return NotImplemented
        x, y = pair
        return mirrored(mirrored(x).maximum(mirrored(y)))

    minimum = refuse(minimum, "minimum")

    def clamp(self, min=None, max=None):
        """Each element, but not below `min` nor above `max`."""
        x = self if min is None else self.maximum(min)
        return x if max is None else x.minimum(max)

    def where(self, condition, other):
        """This tensor where `condition` holds, `other` elsewhere."""
        pair = promoted(self, other)
        if pair is None or getattr(condition, "dtype", None) not in (bool,):
            raise TypeError(
                "where takes a tensor of truth values, and tensors or numbers; got "
                f"{type(condition).__name__} and {type(other).__name__}"
            )
        return ops.where(condition, *pair)

    def masked_fill(self, mask, value):
        return self.where(~mask, value)

    def __matmul__(self, other):
        """Matrix product; a 1-D operand is a row on the left, a column on the right."""
        if not isinstance(other, Arithmetic | np.ndarray):
            return NotImplemented
        x, y = promoted(self, other)
        if x.ndim > 1 and y.ndim > 1:
            return ops.matmul(x, y)
        if not (x.ndim and y.ndim):
            raise ValueError(
                f"matmul {x.shape}, {y.shape}: a 0-D tensor has no product"
            )
        out = ops.matmul(
            x[None] if x.ndim == 1 else x, y[:, None] if y.ndim == 1 else y
        )
        out = out.squeeze(-1) if y.ndim == 1 else out
        return out.squeeze(-1 if y.ndim == 1 else -2) if x.ndim == 1 else out

    matmul = refuse(__matmul__, "matmul")

    # ---- reductions: `dim` is a dimension, several, or None for all

    def sum(self, dim=None, keepdim=False):
        return ops.sum(self, dims=self.dims(dim), keepdim=keepdim)

    def mean(self, dim=None, keepdim=False):
        """The mean over `dim`. Raises TypeError for integers."""
        if not is_float(self.dtype):
            raise TypeError(f"mean of {self.dtype}: cast with .float() first")
        total = self.sum(dim, keepdim)
        return total * (total.numel() / self.numel() if self.numel() else float("nan"))

    def var(self, dim=None, correction=1, keepdim=False):
        """The variance over `dim`, dividing by (count - correction)."""
        centred = self - self.mean(dim, keepdim=True)
        squares = (centred * centred).sum(dim, keepdim)
        count = prod(self.shape[i] for i in self.dims(dim))
        return squares / max(count - correction, 0)

    def std(self, dim=None, correction=1, keepdim=False):
        return self.var(dim, correction, keepdim).sqrt()

    def amax(self, dim=None, keepdim=False):
        """The largest over `dim`; ties share the gradient."""
        dims = self.dims(dim)
        if any(self.shape[i] == 0 for i in dims):
            raise ValueError(f"amax of {tuple(self.shape)}: nothing to choose from")
        return ops.amax(self, dims=dims, keepdim=keepdim)

    def amin(self, dim=None, keepdim=False):
        return mirrored(mirrored(self).amax(dim, keepdim))

    max, min = amax, amin

    def argmax(self, dim=None, keepdim=False):
        """Where the (first) largest stands along `dim`; in flat order if None."""
        if dim is None:
            return ops.argmax(self.reshape(-1), dim=0, keepdim=False)
        if isinstance(dim, tuple | list):
            raise TypeError(f"argmax along one dimension at a time, got {dim}")
        (dim,) = self.dims(dim)
        return ops.argmax(self, dim=dim, keepdim=keepdim)

    def all(self):
        return ~(self == 0).any()

    def any(self):
        return (self != 0).sum() > 0
