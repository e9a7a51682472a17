"""Convolution and pooling with the images last in memory, as rows of a table.

What `conv2d` and its kin compute on (N, C, H, W), these compute on (C, H, W, N). All
images have one place of one channel side by side, and places of one row follow one
another: a loop over (place, image) is one long run of numbers, for the image that is
read, for what stands j columns further right, and for the result alike. The layout pass
puts these rows in place of the others; nobody applies them by hand. Stride is 1, and
borders are padded before. (Chapters 8 and 9.)
"""

from math import prod

from . import shapes as rules
from .convolution import corners, images_first, images_last, pooled, put_back
from .op import Op


def windows_last(x, size, stride=(1, 1)):
    """(C, R, S, N): one place for each window of `size` in images (C, H, W, N)."""
    C, H, W, N = x
    places = rules.windowed((H, W), size=size, stride=stride)[:2]
    return C, *places, N


def turned_weight(weight):
    """(K, C, h, w) -> (C, K, h, w), turned by half a circle.

    With it, a convolution takes a gradient from its result back to its images.
    """
    return weight.swapaxes(0, 1)[:, :, ::-1, ::-1]


def columns_of(xp, x, size, places):
    """(C, H, W, N) -> (C h w, R S N): each window a column."""
    C, N = x.shape[0], x.shape[3]
    columns = xp.empty((C, *size, *places, N), x.dtype)
    for (i, j), part in corners(x, size, places, (1, 1)):
        columns[:, i, j] = part
    return columns.reshape(C * prod(size), -1)


def convolved_shape(x, weight, *, turned=False):
    channels, made = (weight[:2]) if turned else weight[1::-1]
    if channels != x[0]:
        raise ValueError(f"{x[0]} channels of images, {channels} of the weight")
    return made, *windows_last(x, weight[2:])[1:]


def convolved(xp, x, weight, *, turned=False):
    shape = convolved_shape(x.shape, weight.shape, turned=turned)
    weight = turned_weight(weight) if turned else weight
    columns = columns_of(xp, x, weight.shape[2:], shape[1:3])
    return (weight.reshape(shape[0], -1) @ columns).reshape(shape)


def weight_gradient(xp, y, x, *, shape):
    columns = columns_of(xp, x, shape[2:], y.shape[1:3])
    return (y.reshape(shape[0], -1) @ columns.T).reshape(shape)


conv_last = Op(
    "conv_last",
    convolved,
    shape=convolved_shape,
    flops=lambda result, x, weight, *, turned=False: (
        2 * prod(result) * x[0] * prod(weight[2:])
    ),
)
conv_last_weight = Op(
    "conv_last_weight",
    weight_gradient,
    shape=rules.given,
    flops=lambda result, y, x, *, shape: 2 * prod(y) * prod(shape[1:]),
)
pool_last = Op(
    "pool_last",
    lambda xp, x, *, size, stride: images_last(
        pooled(xp, images_first(x), size=size, stride=stride)
    ),
    shape=lambda x, *, size, stride: windows_last(x, size, stride),
    flops=lambda result, x, *, size, stride: prod(result) * prod(size),
)
pool_last_back = Op(
    "pool_last_back",
    lambda xp, y, x, best, *, size, stride: images_last(
        put_back(xp, *map(images_first, (y, x, best)), size=size, stride=stride)
    ),
    shape=lambda y, x, best, **attrs: x,
    flops=lambda result, y, *others, size, stride: prod(y) * prod(size),
)
