"""Convolution and pooling of images, as rows that differentiate into one another.

N images, C channels, K output channels, windows of (h, w) at R x S places. A
convolution is linear in the image and in the weight, so each of its gradients is such a
map too, and the three rows are closed under differentiation. They lay the windows out
as the columns of one matrix and leave the arithmetic to one product (Chellapilla, Puri
& Simard, 2006). Pooling picks an element of each window, and its gradient puts back.

Shapes are (N, C, H, W) as everywhere; in memory the images come last, (C, H, W, N), so
that what all images have at one place is one run of numbers, to copy or add at once.
(Chapter 3.)
"""

from itertools import product
from math import prod

from . import shapes as rules
from .op import Op

SMALL_PRODUCT = 100**3  # multiply-adds


def images_last(x):
    """(N, C, H, W) -> (C, H, W, N), a view."""
    return x.transpose(1, 2, 3, 0)


def images_first(x):
    """(C, H, W, N) -> (N, C, H, W), a view."""
    return x.transpose(3, 0, 1, 2)


def corners(x, size, places, stride):
    """For each (i, j) of a window, what all windows read there: (C, R, S, N)."""
    for i, j in product(*map(range, size)):
        rows = slice(i, i + stride[0] * places[0], stride[0])
        columns = slice(j, j + stride[1] * places[1], stride[1])
        yield (i, j), x[:, rows, columns]


def column_matrix(xp, x, size, stride):
    """(N, C, H, W) -> (C h w, R S N): each window a column."""
    N, C, R, S = rules.windowed(x.shape, size=size, stride=stride)[:4]
    x = xp.ascontiguousarray(images_last(x))
    columns = xp.empty((C, *size, R, S, N), x.dtype)
    for (i, j), part in corners(x, size, (R, S), stride):
        columns[:, i, j] = part
    return columns.reshape(C * prod(size), R * S * N)


def row_matrix(y):
    """(N, K, R, S) -> (K, R S N), a view of what `convolved` made."""
    return images_last(y).reshape(y.shape[1], -1)


def convolved_shape(x, weight, *bias, stride):
    if any(b != weight[:1] for b in bias):
        raise ValueError(f"the bias must have shape {weight[:1]}")
    if len(x) != 4 or len(weight) != 4 or x[1] != weight[1]:
        raise ValueError(
            "an image is (N, C, H, W) and a weight (K, C, h, w), with the same C"
        )
    return (x[0], weight[0], *rules.windowed(x, size=weight[2:], stride=stride)[2:4])


def convolved(xp, x, weight, *bias, stride):
    N, K, R, S = convolved_shape(x.shape, weight.shape, stride=stride)
    out = weight.reshape(K, -1) @ column_matrix(xp, x, weight.shape[2:], stride)
    for b in bias:
        out += b[:, None]
    return images_first(out.reshape(K, R, S, N))


def image_gradient(xp, y, weight, *, shape, stride):
    """What each pixel of images of `shape` gets of `y`, a gradient of the result."""
    N, C, H, W = shape
    K, _, *size = weight.shape
    columns = weight.reshape(K, -1).T @ row_matrix(y)
    columns = columns.reshape(C, *size, *y.shape[2:], N)
    out = xp.zeros((C, H, W, N), y.dtype)
    for (i, j), part in corners(out, size, y.shape[2:], stride):
        part += columns[:, i, j]
    return images_first(out)


def weight_gradient(xp, y, x, *, shape, stride):
    """What each element of a weight of `shape` gets of `y`, over all images.

    The product is long and thin. OpenBLAS has a faster way for one of up to 100^3
    multiply-adds, so a small weight gets one for each row of the result, and their sum.
    """
    columns, K, R = column_matrix(xp, x, shape[2:], stride), shape[0], y.shape[2]
    parts = R if R * SMALL_PRODUCT >= columns.size * K else 1
    left = columns.reshape(-1, parts, columns.shape[1] // parts).swapaxes(0, 1)
    right = row_matrix(y).reshape(K, parts, -1).transpose(1, 2, 0)
    return (left @ right).sum(axis=0).T.reshape(shape)


def composed_conv2d(x, weight, *bias, stride):
    """The same by rows of the table: windows, then one product."""
    K, C, h, w = weight.shape
    patches = x.windows((h, w), stride)  # (N, C, R, S, h, w)
    N, _, R, S = patches.shape[:4]
    rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(N * R * S, C * h * w)
    out = rows @ weight.reshape(K, -1).T
    for b in bias:
        out = out + b
    return out.reshape(N, R, S, K).permute(0, 3, 1, 2)


def channel_sums(y):
    """(N, K, R, S) -> (K,), as a product with ones: BLAS adds up faster than a sum."""
    rows = y.permute(1, 2, 3, 0).reshape(y.shape[1], -1)
    return (rows @ y.wrap(y.device.xp.ones((rows.shape[1], 1), y.dtype))).reshape(-1)


def multiply_adds(images, weight):
    """2 for each element of a window, at each place, for each output channel."""
    return 2 * prod(images) * prod(weight[1:])


conv2d = Op(
    "conv2d",
    convolved,
    shape=convolved_shape,
    vjp=(
        lambda g, weight, shapes, stride: conv2d_image(
            g, weight, shape=shapes[0], stride=stride
        ),
        lambda g, x, shapes, stride: conv2d_weight(
            g, x, shape=shapes[1], stride=stride
        ),
        lambda g: channel_sums(g),
    ),
    flops=lambda result, x, weight, *bias, stride: (
        multiply_adds(result, weight) + len(bias) * prod(result)
    ),
    composed=composed_conv2d,
)
conv2d_image = Op(
    "conv2d_image",
    image_gradient,
    shape=rules.given,
    vjp=(
        lambda g, weight, stride: conv2d(g, weight, stride=stride),
        lambda g, y, shapes, stride: conv2d_weight(
            y, g, shape=shapes[1], stride=stride
        ),
    ),
    flops=lambda result, y, weight, **attrs: multiply_adds(y, weight),
)
conv2d_weight = Op(
    "conv2d_weight",
    weight_gradient,
    shape=rules.given,
    vjp=(
        lambda g, x, stride: conv2d(x, g, stride=stride),
        lambda g, y, shapes, stride: conv2d_image(y, g, shape=shapes[1], stride=stride),
    ),
    flops=lambda result, y, x, **attrs: multiply_adds(y, result),
)


# ---- pooling: `best` is the largest of each window of `x`


def pooled_shape(x, *others, size, stride):
    if len(x) != 4:
        raise ValueError("an image is (N, C, H, W)")
    return rules.windowed(x, size=size, stride=stride)[:4]


def pooled(xp, x, *, size, stride):
    places = pooled_shape(x.shape, size=size, stride=stride)[2:]
    parts = [part for _, part in corners(images_last(x), size, places, stride)]
    best = parts[0].copy(order="K")
    for part in parts[1:]:
        xp.maximum(best, part, out=best)
    return images_first(best)


def winners(xp, x, best, size, stride):
    """For each (i, j): ((i, j), where that element is the first to reach the best)."""
    best = images_last(best)
    *parts, (last, _) = corners(images_last(x), size, best.shape[1:3], stride)
    open_ = xp.ones_like(best, dtype=bool)
    for place, part in parts:
        hit = part == best
        hit &= open_
        open_ ^= hit
        yield place, hit
    yield last, open_  # each window has one


def put_back(xp, y, x, best, *, size, stride):
    """Zeros like `x`, with each `y` added where its window's best stands."""
    tiled = tuple(stride) == tuple(size) and all(
        n % k == 0 for n, k in zip(x.shape[2:], size)
    )
    out, y = xp.empty_like(x) if tiled else xp.zeros_like(x), images_last(y)
    parts = dict(corners(images_last(out), size, best.shape[2:], stride))
    overlap = any(s < k for s, k in zip(stride, size))
    for place, hit in winners(xp, x, best, size, stride):
        if overlap:
            parts[place] += y * hit
        else:
            xp.multiply(y, hit, out=parts[place])
    return out


def picked(xp, y, x, best, *, size, stride):
    """The element of each window of `y` that stands where that of `x` is the best."""
    out = xp.zeros_like(best)
    parts = dict(corners(images_last(y), size, best.shape[2:], stride))
    for place, hit in winners(xp, x, best, size, stride):
        images_last(out)[...] += parts[place] * hit
    return out


max_pool2d = Op(
    "max_pool2d",
    pooled,
    shape=pooled_shape,
    vjp=lambda g, x, out, size, stride: max_pool2d_back(
        g, x, out.detach(), size=size, stride=stride
    ),
    flops=lambda result, x, size, stride: prod(result) * prod(size),
    composed=lambda x, *, size, stride: x.windows(size, stride).amax((-2, -1)),
)
max_pool2d_back = Op(
    "max_pool2d_back",
    put_back,
    shape=lambda y, x, best, **attrs: x,
    vjp=(
        lambda g, x, best, size, stride: max_pool2d_pick(
            g, x, best, size=size, stride=stride
        ),
        None,
        None,
    ),
    flops=lambda result, y, *others, size, stride: prod(y) * prod(size),
)
max_pool2d_pick = Op(
    "max_pool2d_pick",
    picked,
    shape=lambda y, x, best, **attrs: best,
    vjp=(
        lambda g, x, best, size, stride: max_pool2d_back(
            g, x, best, size=size, stride=stride
        ),
        None,
        None,
    ),
    flops=lambda result, *inputs, size, stride: prod(result) * prod(size),
)
