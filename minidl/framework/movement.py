"""Movement: views that read the same memory otherwise, joins, and indexing.

A view costs no copy: reshape (where the strides allow it), permute, expand, slice and
windows only change shape, strides and the first position. (Chapter 1.)
"""

from math import prod

import numpy as np

from . import ops
from .sizes import Size, count, slice_bounds

WHOLE_NUMBERS = int | np.integer | Size


def sizes_of(sizes):
    """Sizes given one by one or as one sequence."""
    nested = len(sizes) == 1 and isinstance(sizes[0], tuple | list)
    sizes = tuple(sizes[0]) if nested else tuple(sizes)
    if not all(isinstance(size, WHOLE_NUMBERS) for size in sizes):
        raise TypeError(f"sizes and dimensions are integers, got {sizes}")
    return sizes


def is_pair(width):
    """Whether `width` is a (before, after) of `pad`."""
    return isinstance(width, tuple | list) and len(width) == 2 and min(width) >= 0


def is_basic(key):
    """Whether integers, slices, None and ... make up an index: then it's a view."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, slice | int | np.integer)
        and not isinstance(part, bool)
        for part in parts
    )


def overlaps(array):
    """Whether elements of `array` share memory, seen from its strides."""
    if not array.size:
        return False
    reach = 0  # bytes from the first element to the last, in the dimensions so far
    for step, size in sorted((abs(s), n) for s, n in zip(array.strides, array.shape)):
        if size > 1 and step <= reach:
            return True
        reach += step * (size - 1)
    return False


class Movement:
    def dims(self, dim):
        """`dim` (an int, several, or None for all) as a tuple of non-negative ints."""
        if dim is None:
            return tuple(range(self.ndim))
        wanted = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
        wanted = sizes_of(wanted)
        for d in wanted:
            if not -self.ndim <= d < self.ndim:
                raise IndexError(
                    f"dimension {d} of {tuple(self.shape)}: there are {self.ndim}, "
                    f"{-self.ndim} to {self.ndim - 1}"
                )
        positive = tuple(d % self.ndim for d in wanted)
        if len(set(positive)) < len(positive):
            raise ValueError(f"dimensions {wanted} name one of them twice")
        return positive

    # ---- shape

    def reshape(self, *shape):
        """The elements in their order, in another shape; one size may be -1."""
        shape = sizes_of(shape)
        if any(size < -1 for size in shape):
            raise ValueError(f"reshape to {shape}: sizes are counts, or one -1")
        if -1 in shape:
            known = prod(size for size in shape if size != -1)
            if shape.count(-1) > 1 or not known or self.numel() % known:
                raise ValueError(
                    f"reshape {tuple(self.shape)} to {shape}: the -1 can't be worked "
                    f"out for {self.numel()} elements"
                )
            shape = tuple(
                self.numel() // known if size == -1 else size for size in shape
            )
        return ops.reshape(self, shape=shape)

    def view(self, *shape):
        """Like reshape, but raises ValueError where that would have to copy."""
        out = self.reshape(*shape)
        if out.version is not self.version:
            raise ValueError(
                f"view of {tuple(self.shape)} with strides {self.stride()} as "
                f"{tuple(out.shape)} isn't possible without a copy: use reshape"
            )
        return out

    def flatten(self, start_dim=0, end_dim=-1):
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self.dims((start_dim,))[0], self.dims((end_dim,))[0]
        if start > end:
            raise ValueError(f"flatten from {start_dim} to {end_dim}: none lie between")
        middle = prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], middle, *self.shape[end + 1 :])

    def squeeze(self, dim=None):
        """Without the dimensions of size 1 among `dim`."""
        lost = {d for d in self.dims(dim) if self.shape[d] == 1}
        return self.reshape([n for d, n in enumerate(self.shape) if d not in lost])

    def unsqueeze(self, dim):
        """With a new dimension of size 1 that becomes dimension `dim`."""
        (dim,) = sizes_of((dim,))
        if not -self.ndim - 1 <= dim <= self.ndim:
            raise IndexError(f"unsqueeze at {dim} of {tuple(self.shape)}: out of range")
        dim %= self.ndim + 1
        return self.reshape(*self.shape[:dim], 1, *self.shape[dim:])

    def permute(self, *dims):
        return ops.permute(self, dims=self.dims(sizes_of(dims)))

    def transpose(self, dim0, dim1):
        dims = list(range(self.ndim))
        a, b = self.dims((dim0,))[0], self.dims((dim1,))[0]
        dims[a], dims[b] = b, a
        return ops.permute(self, dims=tuple(dims))

    @property
    def mT(self):
        """Each matrix transposed: the last two dimensions swapped."""
        if self.ndim < 2:
            raise ValueError(f"mT of {tuple(self.shape)}: a matrix has two dimensions")
        n = self.ndim
        return ops.permute(self, dims=(*range(n - 2), n - 1, n - 2))

    @property
    def T(self):
        if self.ndim > 2:
            raise ValueError(
                f"T of {tuple(self.shape)}: it has {self.ndim} dimensions; use mT"
            )
        return self.mT if self.ndim == 2 else self

    def expand(self, *shape):
        """Size-1 dimensions stretched without a copy; -1 keeps a size."""
        shape = sizes_of(shape)
        lead = len(shape) - self.ndim
        kept = [None] * lead + list(self.shape)
        wanted = [k if n == -1 else n for n, k in zip(shape, kept)]
        if lead < 0 or None in wanted:
            raise ValueError(f"{tuple(self.shape)} can't expand to {shape}")
        return ops.expand(self, shape=tuple(wanted))

    broadcast_to = expand

    def contiguous(self):
        return self if self.is_contiguous() else self.clone()

    def flip(self, *dims):
        return ops.flip(self, dims=self.dims(sizes_of(dims)))

    def pad(self, widths, value=0):
        """Widened by (before, after) elements of `value` along the last dimensions.

        `widths` has a pair for each dimension padded, the last pair for the last.
        """
        if len(widths) > self.ndim or not all(map(is_pair, widths)):
            raise ValueError(
                f"pad of {tuple(self.shape)} by {widths}: wants a pair of counts "
                f"(before, after) for each of at most {self.ndim} dimensions"
            )
        widths = [(0, 0)] * (self.ndim - len(widths)) + list(widths)
        shape = tuple(a + n + b for n, (a, b) in zip(self.shape, widths))
        index = tuple((a, a + n, 1) for n, (a, _) in zip(self.shape, widths))
        out = ops.pad(self, index=index, shape=shape)
        if value == 0:
            return out
        inside = self.wrap(self.device.xp.ones(self.shape, bool))
        return out.where(ops.pad(inside, index=index, shape=shape), value)

    def windows(self, size, stride=1):
        """(..., H, W) -> (..., rows, columns, *size): windows of the last dimensions.

        A view: a window shares its elements with its neighbours.
        """
        size = (size,) if isinstance(size, int) else tuple(size)
        stride = (stride,) * len(size) if isinstance(stride, int) else tuple(stride)
        return ops.windows(self, size=size, stride=stride)

    # ---- indexing

    def __getitem__(self, key):
        if is_basic(key):
            return self.at(key)
        leading = key if isinstance(key, tuple) else (key,)
        if all(isinstance(k, Movement) and k.dtype != bool for k in leading):
            return ops.index(self, *leading)
        places = self.places(key)
        return ops.index(self.reshape(-1), places)

    def at(self, key):
        """The view that integers, slices, None and ... ask for."""
        parts = list(key if isinstance(key, tuple) else (key,))
        if parts.count(Ellipsis) > 1:
            raise IndexError("an index has one ... at most")
        named = sum(part is not None and part is not Ellipsis for part in parts)
        if named > self.ndim:
            raise IndexError(f"{named} indices for {tuple(self.shape)}")
        gap = [slice(None)] * (self.ndim - named)
        spot = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
        parts[spot : spot + 1] = gap
        index, shape, dim = [], [], 0
        for part in parts:
            if part is None:
                shape.append(1)
                continue
            index.append(self.bounds(part, dim))
            if isinstance(part, slice):
                shape.append(count(*index[-1]))
            dim += 1
        index = tuple(index)
        whole = tuple((0, n, 1) for n in self.shape)
        x = self if index == whole else ops.slice_(self, index=index)
        return x if x.shape == tuple(shape) and x is not self else x.reshape(shape)

    def bounds(self, part, dim):
        """One index of dimension `dim` as (start, stop, step)."""
        size = self.shape[dim]
        if isinstance(part, slice):
            if part.step is not None and part.step < 1:
                raise ValueError(f"index {part}: a step must be positive; use flip()")
            return slice_bounds(part, size)
        if not -size <= part < size:
            raise IndexError(
                f"index {part} of dimension {dim} of {tuple(self.shape)}: it has {size}"
            )
        place = int(part) + size if part < 0 else int(part)
        return (place, place + 1, 1)

    def places(self, key):
        """The flat positions of the elements that `key` picks, as an integer tensor."""
        parts = key if isinstance(key, tuple) else (key,)
        arrays = tuple(k.data if isinstance(k, Movement) else k for k in parts)
        numbers = self.device.xp.arange(self.numel()).reshape(self.shape)
        try:
            return self.wrap(numbers[arrays])
        except IndexError as error:
            words = str(error)
            if words.startswith("only integers"):
                words = "made of integers, slices, ..., None, integer tensors and masks"
            raise IndexError(f"index {key} of {tuple(self.shape)}: {words}") from None

    def gather(self, dim, index):
        """out[i][j] = self[i][index[i][j]] for dim 1: picks along `dim` by `index`."""
        (dim,) = self.dims((dim,))
        if getattr(index, "ndim", None) != self.ndim:
            raise ValueError(
                f"gather from {tuple(self.shape)}: wants an index tensor of "
                f"{self.ndim} dimensions"
            )
        xp = self.device.xp
        grid = xp.meshgrid(*[xp.arange(n) for n in index.shape], indexing="ij")
        idx = [index if d == dim else self.wrap(axis) for d, axis in enumerate(grid)]
        return ops.index(self, *idx)

    def with_put(self, key, value):
        """A copy with `value`, which broadcasts, at `key`."""
        places = self.places(key)
        flat = ops.index_put(self.reshape(-1), value.expand(*places.shape), places)
        return flat.reshape(self.shape)

    def put_(self, key, value):
        """Writes `value` at `key` in place; not recorded."""
        if is_basic(key):
            self.at(key).copy_(value)
        else:
            self.copy_(self.with_put(key, value))
