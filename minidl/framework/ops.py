"""The table of operations: a row holds all about one. (Chapters 1 and 2.)

Layers, losses and optimisers are compositions of these rows. Inputs of one operation
have one dtype (`Tensor`'s methods promote mixed ones). Operations that move data come
in pairs, each the other's gradient: expand and sum, slice and pad, windows and fold,
index and index_add.
"""

import itertools

import numpy as np

from . import shapes as rules
from .dtypes import HALVES, float32, is_float
from .op import Op

# ---- elementwise, one input


def floating(name, eval, vjp, **rules_of_its_own):
    return Op(name, eval, vjp=vjp, dtype=rules.float_dtype, **rules_of_its_own)


def zero(g):
    """A 0-dimensional 0 that goes with `g`: it broadcasts, and is 0 where g is inf."""
    return g.wrap(g.device.xp.zeros((), g.dtype))


neg = Op("neg", lambda xp, x: -x, dtype=rules.number_dtype, vjp=lambda g: -g)
exp = floating("exp", lambda xp, x: xp.exp(x), lambda g, out: g * out)
log = floating("log", lambda xp, x: xp.log(x), lambda g, x: g / x)
sqrt = floating("sqrt", lambda xp, x: xp.sqrt(x), lambda g, out: g / (out + out))
sin = floating("sin", lambda xp, x: xp.sin(x), lambda g, x: g * cos(x))
cos = floating("cos", lambda xp, x: xp.cos(x), lambda g, x: -g * sin(x))
tanh = floating("tanh", lambda xp, x: xp.tanh(x), lambda g, out: g - g * out * out)
sigmoid = floating(
    "sigmoid",
    lambda xp, x: 1 / (1 + xp.exp(-x)),
    lambda g, out: g * out * (1 - out),
    flops=lambda result, shape: 4 * rules.one_per_result(result),
)
relu = Op("relu", lambda xp, x: xp.maximum(x, 0), vjp=lambda g, out: gate(g, out))
abs = Op("abs", lambda xp, x: xp.abs(x), vjp=lambda g, x: g * sign(x))
sign = Op(
    "sign", lambda xp, x: xp.sign(x), vjp=lambda g: expand(zero(g), shape=g.shape)
)
logical_not = Op("logical_not", lambda xp, x: xp.logical_not(x), dtype=rules.truth)

# ---- elementwise, several inputs, which broadcast


def elementwise(name, eval, **rules_of_its_own):
    return Op(name, eval, **{"shape": rules.broadcast, **rules_of_its_own})


add = elementwise("add", lambda xp, x, y: x + y, vjp=(lambda g: g, lambda g: g))
sub = elementwise(
    "sub",
    lambda xp, x, y: x - y,
    dtype=rules.number_dtype,
    vjp=(lambda g: g, lambda g: -g),
)
mul = elementwise(
    "mul", lambda xp, x, y: x * y, vjp=(lambda g, y: g * y, lambda g, x: g * x)
)
div = elementwise(
    "div",
    lambda xp, x, y: x / y,
    dtype=rules.float_dtype,
    vjp=(lambda g, y: g / y, lambda g, y, out: -g * out / y),
)
pow = elementwise(
    "pow",
    lambda xp, x, y: x**y,
    vjp=(
        # At y = 0 the power is 1 whatever x is, also where x ** -1 is infinite.
        lambda g, x, y: where(y == 0, zero(g), g * y * x ** (y - 1)),
        # At x = 0 and y > 0 the limit of out * log(x) is 0.
        lambda g, x, y, out: where((x == 0) & (y >= 0), zero(g), g * out * log(x)),
    ),
)
maximum = elementwise(
    "maximum",
    lambda xp, x, y: xp.maximum(x, y),
    vjp=(
        lambda g, x, y: g * larger_share(x, y),
        lambda g, x, y: g * larger_share(y, x),
    ),
)
gate = elementwise(  # x where y is positive, else 0 (nan beside an inf)
    "gate", lambda xp, x, y: x * (y > 0), vjp=(lambda g, y: gate(g, y), None)
)
eq = elementwise("eq", lambda xp, x, y: x == y, dtype=rules.truth)
lt = elementwise("lt", lambda xp, x, y: x < y, dtype=rules.truth)
le = elementwise("le", lambda xp, x, y: x <= y, dtype=rules.truth)
logical_and = elementwise(
    "logical_and", lambda xp, x, y: xp.logical_and(x, y), dtype=rules.truth
)
where = elementwise(
    "where",
    lambda xp, condition, x, y: xp.where(condition, x, y),
    dtype=rules.chosen_dtype,
    vjp=(
        None,
        lambda g, condition: where(condition, g, zero(g)),
        lambda g, condition: where(condition, zero(g), g),
    ),
)


def larger_share(x, y):
    """What x gets of the maximum's gradient: 1 if larger, 1/2 in a tie, else 0."""
    return where(x == y, (x - x) + 0.5, (y < x).to(x.dtype))


# ---- reductions


def kept(x, shape, dims):
    """A reduction's result with its lost dimensions back, as size 1."""
    return reshape(x, shape=rules.reduced(shape, dims=dims, keepdim=True))


def total(xp, x, *, dims, keepdim):
    counted = None if is_float(x.dtype) else xp.int64
    return x.sum(axis=dims, keepdims=keepdim, dtype=counted)


sum = Op(
    "sum",
    total,
    shape=rules.reduced,
    dtype=rules.total_dtype,
    vjp=lambda g, shapes, dims: expand(kept(g, shapes[0], dims), shape=shapes[0]),
    flops=rules.one_per_input,
)


def shared_among_ties(g, x, out, shapes, dims):
    """A maximum's gradient, in equal parts to all elements that reach it."""
    ties = (x == kept(out, shapes[0], dims)).to(g.dtype)
    return ties * kept(g, shapes[0], dims) / sum(ties, dims=dims, keepdim=True)


amax = Op(
    "amax",
    lambda xp, x, *, dims, keepdim: x.max(axis=dims, keepdims=keepdim),
    shape=rules.reduced,
    vjp=shared_among_ties,
    flops=rules.one_per_input,
)
peak = Op(  # amax for a shift: nan is left out, so that it costs one instruction
    "peak",
    lambda xp, x, *, dims, keepdim: xp.where(x == x, x, x.dtype.type(-np.inf)).max(
        axis=dims, keepdims=keepdim
    ),
    shape=rules.reduced,
    dtype=rules.float_dtype,
    flops=rules.one_per_input,
)
argmax = Op(
    "argmax",
    lambda xp, x, *, dim, keepdim: x.argmax(axis=dim, keepdims=keepdim),
    shape=rules.argument,
    dtype=rules.position,
    flops=rules.one_per_input,
)

# ---- movement: a view changes how memory is read, the others copy


def movement(name, eval, **rules_of_its_own):
    return Op(name, eval, **{"flops": rules.none, **rules_of_its_own})


def inverse(dims):
    return tuple(dims.index(i) for i in range(len(dims)))


def slices(index):
    return tuple(slice(*bounds) for bounds in index)


reshape = movement(
    "reshape",
    lambda xp, x, *, shape: x.reshape(shape),
    shape=rules.reshaped,
    vjp=lambda g, shapes: reshape(g, shape=shapes[0]),
    view=True,
)
permute = movement(
    "permute",
    lambda xp, x, *, dims: x.transpose(dims),
    shape=rules.permuted,
    vjp=lambda g, dims: permute(g, dims=inverse(dims)),
    view=True,
)
expand = movement(
    "expand",
    lambda xp, x, *, shape: xp.broadcast_to(x, shape),
    shape=rules.expanded,
    vjp=lambda g: g,  # the tape sums over what was stretched
    view=True,
)
slice_ = movement(
    "slice",
    lambda xp, x, *, index: x[slices(index)],
    shape=rules.sliced,
    vjp=lambda g, shapes, index: pad(g, index=index, shape=shapes[0]),
    view=True,
)


def padded(xp, x, *, index, shape):
    """Zeros of `shape` with `x` at `index`, (start, stop, step) by dimension."""
    out = xp.zeros_like(x, shape=shape)  # laid out in memory as x is
    out[slices(index)] = x
    return out


pad = movement(
    "pad", padded, shape=rules.padded, vjp=lambda g, index: slice_(g, index=index)
)
contiguous = movement(
    "contiguous", lambda xp, x: xp.ascontiguousarray(x), vjp=lambda g: g
)
flip = movement(
    "flip",
    lambda xp, x, *, dims: xp.ascontiguousarray(xp.flip(x, dims)),
    vjp=lambda g, dims: flip(g, dims=dims),
)


def part_of(g, i, shapes, dim):
    """What of a concatenation's gradient belongs to its input `i`."""
    start = np.sum([shape[dim] for shape in shapes[:i]], dtype=int).item()
    index = [(0, size, 1) for size in shapes[i]]
    index[dim] = (start, start + shapes[i][dim], 1)
    return slice_(g, index=tuple(index))


cat = movement(
    "cat",
    lambda xp, *xs, dim: xp.concatenate(xs, axis=dim),
    shape=rules.joined,
    vjp=part_of,
)


def overlapping(xp, x, *, size, stride):
    """Windows of `size` over the last dimensions, as a view: strides overlap."""
    lead = x.ndim - len(size)
    steps = [s * k for s, k in zip(x.strides[lead:], stride)]
    return xp.lib.stride_tricks.as_strided(
        x,
        rules.windowed(x.shape, size=size, stride=stride),
        (*x.strides[:lead], *steps, *x.strides[lead:]),
    )


def folded(xp, x, *, shape, size, stride):
    """Windows summed where they overlap: `windows` reversed."""
    rules.folded(x.shape, shape=shape, size=size, stride=stride)
    out = xp.zeros(shape, x.dtype)
    places = x.shape[x.ndim - 2 * len(size) : x.ndim - len(size)]
    for offsets in itertools.product(*map(range, size)):
        spots = [slice(o, o + s * n, s) for o, s, n in zip(offsets, stride, places)]
        out[(..., *spots)] += x[(..., *offsets)]
    return out


windows = movement(
    "windows",
    overlapping,
    shape=rules.windowed,
    vjp=lambda g, shapes, size, stride: fold(
        g, shape=shapes[0], size=size, stride=stride
    ),
    view=True,
)
fold = Op(
    "fold",
    folded,
    shape=rules.folded,
    vjp=lambda g, size, stride: windows(g, size=size, stride=stride),
    flops=rules.one_per_input,
)

# ---- gather and scatter: `idx` are integer tensors for the leading dimensions

index = movement(
    "index",
    lambda xp, x, *idx: x[idx],
    shape=rules.indexed,
    dtype=rules.by_index,
    vjp=(lambda g, shapes, idx: index_add(g, *idx, shape=shapes[0]), None),
)


def checked_range(xp, x, *, size):
    """`x`, if all its numbers are positions of a dimension of that size."""
    if x.size and not -size <= x.min() <= x.max() < size:
        raise IndexError(f"a number is out of range: there are {size} places")
    return x


in_range = movement("in_range", checked_range, view=True)


def index_added(xp, x, *idx, shape):
    """Zeros of `shape` to which `x` is added at `idx`; repeated places add up."""
    out = xp.zeros(shape, x.dtype)
    if xp is np and len(idx) == 1 and x.ndim > idx[0].ndim and x.size:
        add_rows(out, x.reshape(idx[0].size, *out.shape[1:]), idx[0].reshape(-1))
    else:
        xp.add.at(out, idx, x)
    return out


def add_rows(out, rows, places):
    """Adds row i of `rows` to `out` at places[i]: rows of one place are summed first.

    Several times as fast as `np.add.at`, which goes element by element.
    """
    places = np.arange(len(out))[places]  # -1 and the last are one place
    order = places.argsort(kind="stable")
    places = places[order]
    first = np.flatnonzero(np.diff(places, prepend=places[:1] - 1))
    out[places[first]] += np.add.reduceat(rows[order], first)


index_add = Op(
    "index_add",
    index_added,
    shape=rules.scattered,
    dtype=rules.by_index,
    vjp=(lambda g, idx: index(g, *idx), None),
    flops=rules.one_per_input,
)


def index_putted(xp, x, values, *idx):
    """A copy of `x` with `values` at `idx`."""
    out = x.copy()
    out[idx] = values
    return out


index_put = movement(
    "index_put",
    index_putted,
    shape=rules.put,
    dtype=rules.put_dtype,
    vjp=(
        lambda g, shapes, idx: index_put(g, index(g, *idx) * 0, *idx),
        lambda g, idx: index(g, *idx),
        None,
    ),
)

# ---- products

matmul = Op(
    "matmul",
    lambda xp, x, y: x @ y,
    shape=rules.multiplied,
    vjp=(
        lambda g, y: g @ y.mT,
        # Not `x.mT @ g`: in `x @ weight.mT`, a linear layer, this order leaves the
        # gradient of `weight` contiguous.
        lambda g, x: (g.mT @ x).mT,
    ),
    flops=rules.multiply_add,
)

# ---- copies. The tape returns gradients to the dtype and the device of the input.


def moved(xp, x, *, device):
    return device.array(x if device.xp is xp else to_host(x))


def to_host(array):
    return array if isinstance(array, np.ndarray) else array.get()


cast = movement(
    "cast",
    lambda xp, x, *, dtype: x.astype(dtype),
    dtype=rules.asked_dtype,
    vjp=lambda g: g,
)
copy = movement("copy", moved, vjp=lambda g: g)


def assigned(xp, x, value):
    x[...] = value
    return x


assign = movement("assign", assigned, dtype=rules.first_dtype, writes=(0,))

# ---- random numbers: `key` is (seed, draw), so the same key gives the same numbers,
# on every device and in every replay (counter-based: Salmon et al., 2011)


def generator(key):
    seed, draw = to_host(key).tolist()
    return np.random.Generator(np.random.Philox(key=(seed, draw)))


def drawn_dtype(dtype):
    """The dtype in which numbers are drawn: 16-bit ones are rounded from float32."""
    return float32 if dtype in HALVES else dtype


def uniformly(xp, key, *, shape, dtype):
    return xp.asarray(generator(key).random(shape, drawn_dtype(dtype)), dtype)


def normally(xp, key, *, shape, dtype):
    return xp.asarray(generator(key).standard_normal(shape, drawn_dtype(dtype)), dtype)


uniform = Op("uniform", uniformly, shape=rules.given, dtype=rules.asked_dtype)
normal = Op("normal", normally, shape=rules.given, dtype=rules.asked_dtype)


# ---- the table, and broadcasting undone

TABLE = {row.name: row for row in list(globals().values()) if isinstance(row, Op)}


def sum_to(x, shape):
    """`x` summed over what broadcasting from `shape` added or stretched.

    Raises ValueError where `shape` doesn't broadcast to that of `x`.
    """
    if x.shape == shape:
        return x
    rules.expanded(shape, shape=x.shape)
    lead = len(x.shape) - len(shape)
    stretched = [
        i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1
    ]
    summed = sum(x, dims=(*range(lead), *stretched), keepdim=False)
    return reshape(summed, shape=shape)
