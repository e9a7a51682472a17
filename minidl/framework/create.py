"""New tensors, and functions of several. PyTorch's names and defaults. (Chapter 1.)

Random tensors come from counted keys: `manual_seed(s)` starts at (s, 0), and each draw
takes the next key, so a program repeats its numbers bit for bit on every device.
"""

import secrets

import numpy as np

from ..hardware.registry import device as device_called
from . import ops
from .arithmetic import promoted
from .dtypes import float32, float64, int64, is_number
from .movement import sizes_of
from .replace import replaceable
from .sizes import is_symbolic
from .tensor import Tensor

__all__ = """tensor from_numpy full zeros ones zeros_like ones_like arange linspace eye
rand randn randint randperm manual_seed Generator cat stack where maximum
minimum""".split()


def tensor(data, dtype=None, device="cpu", requires_grad=False):
    """A tensor holding a copy of `data`: numbers, nested sequences, an array, a tensor.

    Python floats become float32, integers int64; arrays keep their dtype. Raises
    ValueError for sequences of unequal lengths, TypeError for what holds no numbers.
    """
    if isinstance(data, Tensor):
        data = data.detach().cpu().data
    try:
        array = np.array(data, dtype=dtype)
    except ValueError as error:
        raise ValueError(
            f"tensor(...) of nested sequences that don't match: {error}"
        ) from None
    except OverflowError as error:
        raise ValueError(f"tensor(...): {error}") from None
    if not is_number(array.dtype):
        raise TypeError(
            f"tensor(...) takes numbers, found {array.dtype} ({data!r:.40})"
        )
    if dtype is None and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(float32 if array.dtype == float64 else array.dtype)
    return finished(device_called(device).array(array), requires_grad)


def finished(array, requires_grad):
    x = Tensor(array)
    return x.requires_grad_() if requires_grad else x


def from_numpy(array):
    """A CPU tensor that shares the memory of `array`."""
    if not isinstance(array, np.ndarray) or not is_number(array.dtype):
        raise TypeError(f"from_numpy takes an array of numbers, got {array!r:.40}")
    return Tensor(array)


def full(shape, value, dtype=float32, device="cpu", requires_grad=False):
    """A tensor of that shape with `value` everywhere."""
    if isinstance(shape, tuple) and is_symbolic(shape):
        return Tensor(np.asarray(value, dtype)).expand(*shape)
    array = device_called(device).xp.full(shape, value, dtype)
    if not is_number(array.dtype):
        raise TypeError(f"a tensor holds numbers; {array.dtype} is none of its dtypes")
    return finished(array, requires_grad)


def zeros(*shape, dtype=float32, device="cpu", requires_grad=False):
    """A tensor of zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
    return full(sizes(shape), 0, dtype, device, requires_grad)


def ones(*shape, dtype=float32, device="cpu", requires_grad=False):
    """A tensor of ones: `ones(2, 3)` or `ones((2, 3))`."""
    return full(sizes(shape), 1, dtype, device, requires_grad)


def zeros_like(x):
    """Zeros in the shape and dtype of `x`, on its device."""
    return full(x.shape, 0, x.dtype, x.device)


def ones_like(x):
    """Ones in the shape and dtype of `x`, on its device."""
    return full(x.shape, 1, x.dtype, x.device)


def arange(*bounds, dtype=None, device="cpu"):
    """start, start + step, ... below stop; called as Python's range is."""
    array = np.arange(*bounds, dtype=dtype)
    if dtype is None and array.dtype == float64:
        array = array.astype(float32)
    return Tensor(device_called(device).array(array))


def linspace(start, end, steps, dtype=float32, device="cpu"):
    """`steps` numbers at equal distances, both ends among them."""
    return Tensor(
        device_called(device).array(np.linspace(start, end, steps, dtype=dtype))
    )


def eye(n, dtype=float32, device="cpu"):
    """The n x n matrix with ones on its diagonal."""
    return Tensor(device_called(device).xp.eye(n, dtype=dtype))


def sizes(shape):
    shape = sizes_of(shape)
    if any(size < 0 for size in shape):
        raise ValueError(f"a tensor can't have the shape {shape}")
    return shape


# ---- random


class Generator:
    """A sequence of keys (seed, draw): each random tensor takes the next one."""

    def __init__(self, seed=None):
        self.manual_seed(secrets.randbits(31) if seed is None else seed)

    def manual_seed(self, seed):
        if not isinstance(seed, int | np.integer) or not -(2**63) <= seed < 2**63:
            raise ValueError(f"a seed is an integer of 64 bits, got {seed!r}")
        self.seed, self.draw = seed, 0
        return self

    def key(self, device="cpu"):
        return next_key(self, device)

    def numpy(self):
        """A NumPy generator for a shuffle or the like; it takes one key."""
        return ops.generator(self.key().data)


@replaceable
def next_key(generator, device):
    """The key that `generator` gives next, (seed, draw) as a tensor."""
    generator.draw += 1
    key = (generator.seed, generator.draw - 1)
    return Tensor(device_called(device).array(key, int64))


default_generator = Generator()


def manual_seed(seed):
    """Seeds the random numbers of all code without a generator of its own."""
    return default_generator.manual_seed(seed)


def rand(*shape, dtype=float32, device="cpu", generator=default_generator):
    """Uniform in [0, 1)."""
    return ops.uniform(generator.key(device), shape=sizes(shape), dtype=np.dtype(dtype))


def randn(*shape, dtype=float32, device="cpu", generator=default_generator):
    """Normal with mean 0 and variance 1."""
    return ops.normal(generator.key(device), shape=sizes(shape), dtype=np.dtype(dtype))


def randint(low, high, shape, device="cpu", generator=default_generator):
    """Integers in low ... high - 1, int64."""
    array = generator.numpy().integers(low, high, shape)
    return Tensor(device_called(device).array(array))


def randperm(n, device="cpu", generator=default_generator):
    """The integers below n in a random order."""
    return Tensor(device_called(device).array(generator.numpy().permutation(n)))


# ---- functions of several tensors


def cat(tensors, dim=0):
    """The tensors one after the other along `dim`."""
    tensors = listed(tensors, "cat")
    (dim,) = tensors[0].dims((dim,))
    return ops.cat(*of_one_dtype(tensors), dim=dim)


def stack(tensors, dim=0):
    """The tensors, which have one shape, along a new dimension `dim`."""
    return cat([x.unsqueeze(dim) for x in listed(tensors, "stack")], dim)


def listed(tensors, verb):
    tensors = list(tensors)
    if not tensors:
        raise ValueError(f"{verb} of no tensors at all")
    if not all(isinstance(x, Tensor) for x in tensors):
        raise TypeError(f"{verb} takes tensors, got {tensors!r:.40}")
    return tensors


def of_one_dtype(tensors):
    widest = tensors[0]
    for x in tensors[1:]:
        widest, _ = promoted(widest, x)
    return [x.cast(widest.dtype) for x in tensors]


def where(condition, x, y):
    """`x` where `condition` holds, `y` elsewhere; all three broadcast."""
    if not isinstance(condition, Tensor):
        raise TypeError("where: the condition is a tensor of truth values")
    if not isinstance(x, Tensor):
        x = condition.wrap(
            condition.device.array(x, float32 if isinstance(x, float) else None)
        )
    return x.where(condition, y)


def maximum(x, y):
    """The larger of each pair of elements; ties share the gradient."""
    return x.maximum(y)


def minimum(x, y):
    """The smaller of each pair of elements; ties share the gradient."""
    return x.minimum(y)
