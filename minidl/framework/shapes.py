"""Rules that say what comes out of an operation: its shape, its dtype, its arithmetic.

Shape rules take the shapes of the inputs, then the attributes; they raise ValueError
with the sizes at fault. Dtype rules take dtypes. FLOP rules take the shape of the
result first and count one operation an element, a transcendental function like any
other.
"""

from math import prod

from .dtypes import bool_, int64, is_float
from .sizes import count

# ---- shapes


def same(shape, /, *others, **attrs):
    return shape


def broadcast(*shapes, **attrs):
    """The common shape: sizes are aligned at the right, and a size 1 stretches."""
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(
        broadcast_size(sizes, i - ndim) for i, sizes in enumerate(zip(*padded))
    )


def broadcast_size(sizes, dim):
    wide = {size for size in sizes if size != 1}
    if len(wide) > 1:
        found = " and ".join(sorted(map(str, wide), key=lambda n: (len(n), n)))
        raise ValueError(
            f"sizes {found} in dimension {dim} differ and none of them is 1"
        )
    return wide.pop() if wide else 1


def reduced(shape, *, dims, keepdim):
    if keepdim:
        return tuple(1 if i in dims else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in dims)


def argument(shape, *, dim, keepdim):
    return reduced(shape, dims=(dim,), keepdim=keepdim)


def reshaped(before, *, shape):
    if prod(before) != prod(shape):
        raise ValueError(
            f"{prod(before)} elements can't take shape {tuple(shape)}, "
            f"which holds {prod(shape)}"
        )
    return shape


def permuted(shape, *, dims):
    if sorted(dims) != list(range(len(shape))):
        raise ValueError(f"dims {dims} must name each of {len(shape)} dimensions once")
    return tuple(shape[i] for i in dims)


def expanded(before, *, shape):
    if broadcast(before, shape) != tuple(shape):
        raise ValueError(f"{tuple(before)} can't expand to {tuple(shape)}")
    return shape


def sliced(shape, *, index):
    return tuple(count(*bounds) for bounds in index)


def padded(before, *, index, shape):
    if sliced(shape, index=index) != tuple(before):
        raise ValueError(f"{tuple(before)} doesn't fill the slice {index} of {shape}")
    return shape


def joined(*shapes, dim):
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(shape, first)) if i != dim
        ):
            raise ValueError(f"all sizes but that of dimension {dim} must be equal")
    return (*first[:dim], sum(shape[dim] for shape in shapes), *first[dim + 1 :])


def windowed(shape, *, size, stride):
    """(..., H, W) -> (..., rows, columns, *size): where a window of `size` fits."""
    lead = len(shape) - len(size)
    if len(stride) != len(size) or min((*size, *stride), default=1) < 1:
        raise ValueError(f"a window of {size} and steps of {stride} must be positive")
    if lead < 0 or any(n < k for n, k in zip(shape[lead:], size)):
        raise ValueError(f"a window of {size} doesn't fit into {tuple(shape)}")
    places = [(n - k) // s + 1 for n, k, s in zip(shape[lead:], size, stride)]
    return (*shape[:lead], *places, *size)


def folded(before, *, shape, size, stride):
    if windowed(shape, size=size, stride=stride) != tuple(before):
        raise ValueError(f"these windows of {size} don't tile {tuple(shape)}")
    return shape


def multiplied(a, b):
    """(..., m, k) @ (..., k, n) -> (..., m, n)."""
    if len(a) < 2 or len(b) < 2:
        raise ValueError("a matrix has at least two dimensions")
    if a[-1] != b[-2]:
        raise ValueError(f"inner sizes {a[-1]} and {b[-2]} differ")
    return (*broadcast(a[:-2], b[:-2]), a[-2], b[-1])


def indexed(shape, *idx):
    if len(idx) > len(shape):
        raise ValueError(f"{len(idx)} indices for {len(shape)} dimensions")
    return (*broadcast(*idx), *shape[len(idx) :])


def scattered(values, *idx, shape):
    if indexed(shape, *idx) != tuple(values):
        raise ValueError(f"values must have the shape {indexed(shape, *idx)}")
    return shape


def put(shape, values, *idx):
    scattered(values, *idx, shape=shape)
    return shape


def given(*inputs, shape, **attrs):
    return shape


# ---- dtypes


def first_dtype(dtype, *others, **attrs):
    if any(other != dtype for other in others):
        raise ValueError("dtypes differ; cast with .to(dtype)")
    return dtype


def float_dtype(dtype, *others, **attrs):
    if not is_float(dtype):
        raise ValueError(f"needs a floating dtype, got {dtype}; cast with .to(float32)")
    return first_dtype(dtype, *others)


def number_dtype(dtype, *others, **attrs):
    if dtype.kind == "b":
        raise ValueError("truth values can't be subtracted; cast with .to(dtype)")
    return first_dtype(dtype, *others)


def truth(*dtypes, **attrs):
    return bool_


def position(*dtypes, **attrs):
    return int64


def total_dtype(dtype, **attrs):
    """Sums of truth values and integers are counted in int64."""
    return dtype if is_float(dtype) else int64


def chosen_dtype(condition, x, y):
    if condition.kind != "b":
        raise ValueError(f"the condition must be bool, got {condition}")
    return first_dtype(x, y)


def by_index(dtype, *idx, **attrs):
    for dtype_of_index in idx:
        if dtype_of_index.kind not in "iu":
            raise ValueError(
                f"an index must be of an integer dtype, got {dtype_of_index}"
            )
    return dtype


def put_dtype(dtype, values, *idx):
    return by_index(first_dtype(dtype, values), *idx)


def asked_dtype(*dtypes, dtype, **attrs):
    return dtype


# ---- arithmetic


def one_per_result(result, *shapes, **attrs):
    return prod(result)


def one_per_input(result, before, /, *others, **attrs):
    return prod(before)


def none(result, *shapes, **attrs):
    return 0


def multiply_add(result, a, b):
    """2 m n k for each matrix product: a multiplication and an addition."""
    return 2 * prod(result) * a[-1]
