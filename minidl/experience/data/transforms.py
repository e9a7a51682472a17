"""Transforms: new views of an image that keep its meaning. (Chapter 5.)

A transform takes the images of a whole batch, (..., C, H, W) in a NumPy array, and a
NumPy generator; every image draws its own parameters, and no loop runs over images.
It returns a new array. The loader gives each batch its own generator, so a batch looks
the same whoever computes it. Transforms are plain data, which prints and can be sent.
"""

import inspect
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


@dataclass(frozen=True)
class Plain:
    """A function of images alone, as a transform."""

    function: object

    def __call__(self, images, rng):
        return self.function(images)

    def __repr__(self):
        return getattr(self.function, "__name__", repr(self.function))


def as_transform(function):
    """`function` if it has a parameter called `rng`, else one that ignores it."""
    if not callable(function):
        raise TypeError(f"a transform is a function of images, got {function!r:.60}")
    try:
        names = inspect.signature(function).parameters
    except ValueError:  # some built-in functions don't tell
        names = ()
    return function if "rng" in names else Plain(function)


class Compose:
    """The transforms `steps`, one after the other."""

    def __init__(self, steps):
        self.steps = [as_transform(step) for step in steps]

    def __call__(self, images, rng):
        for step in self.steps:
            images = step(images, rng=rng)
        return images

    def __repr__(self):
        return f"Compose({self.steps})"


@dataclass(frozen=True)
class Normalize:
    """(x - mean) / std; each is one number, or one for each channel."""

    mean: float | tuple
    std: float | tuple

    def __post_init__(self):
        if not np.all(np.asarray(self.std) > 0):
            raise ValueError(f"Normalize: std must be positive, got {self.std}")

    def __call__(self, images, rng=None):
        mean, std = (np.float32(x).reshape(-1, 1, 1) for x in (self.mean, self.std))
        return (checked(images) - mean) / std


@dataclass(frozen=True)
class RandomCrop:
    """A window of `size` at a random place, after `padding` by zeros on all sides.

    With `size` that of the image, a shift by up to `padding` pixels.
    """

    size: int | tuple
    padding: int = 0

    def __call__(self, images, rng):
        h, w = (self.size,) * 2 if isinstance(self.size, int) else self.size
        sides = [(0, 0)] * (checked(images).ndim - 2) + [(self.padding,) * 2] * 2
        padded = np.pad(images, sides)
        H, W = padded.shape[-2:]
        if h > H or w > W:
            raise ValueError(f"{self} of images {H} x {W}, padding included")
        flat = padded.reshape(-1, *padded.shape[-3:])
        top, left = (rng.integers(0, n + 1, len(flat)) for n in (H - h, W - w))
        windows = sliding_window_view(flat, (h, w), axis=(2, 3))
        cut = windows[np.arange(len(flat)), :, top, left]
        return cut.reshape(*images.shape[:-2], h, w)


@dataclass(frozen=True)
class RandomHorizontalFlip:
    """Left and right swapped, with probability `p`."""

    p: float = 0.5

    def __post_init__(self):
        check_probability(self)

    def __call__(self, images, rng):
        return np.where(chosen(images, self.p, rng), images[..., ::-1], images)


@dataclass(frozen=True)
class RandomRotation:
    """Turned about its centre by up to `degrees` either way, to the nearest pixel.

    What comes in from outside the image is zero.
    """

    degrees: float

    def __call__(self, images, rng):
        C, H, W = checked(images).shape[-3:]
        flat = images.reshape(-1, C, H, W)
        n = len(flat)
        angle = np.radians(rng.uniform(-self.degrees, self.degrees, (n, 1, 1)))
        y, x = np.arange(H)[:, None] - (H - 1) / 2, np.arange(W) - (W - 1) / 2
        # Where each pixel comes from: the grid turned back.
        row = np.rint(np.cos(angle) * y + np.sin(angle) * x + (H - 1) / 2).astype(int)
        col = np.rint(np.cos(angle) * x - np.sin(angle) * y + (W - 1) / 2).astype(int)
        inside = (0 <= row) & (row < H) & (0 <= col) & (col < W)
        which = np.arange(n)[:, None, None]
        found = flat[which, :, row.clip(0, H - 1), col.clip(0, W - 1)]  # (n, H, W, C)
        turned = np.moveaxis(found * inside[..., None], -1, 1)
        return turned.reshape(images.shape)


@dataclass(frozen=True)
class RandomErasing:
    """A rectangle of `value`, with probability `p` (Zhong et al., 2017).

    `scale` bounds its share of the image's area, `ratio` its height over its width. It
    lies within the image, whose size also bounds its sides.
    """

    p: float = 0.5
    scale: tuple = (0.02, 0.33)
    ratio: tuple = (0.3, 3.3)
    value: float = 0.0

    def __post_init__(self):
        check_probability(self)

    def __call__(self, images, rng):
        *lead, _, H, W = checked(images).shape
        area = rng.uniform(*self.scale, lead) * H * W
        ratio = np.exp(rng.uniform(*np.log(self.ratio), lead))
        rows = stretch(np.sqrt(area * ratio), H, rng)  # (..., H)
        columns = stretch(np.sqrt(area / ratio), W, rng)  # (..., W)
        erased = rows[..., None, :, None] & columns[..., None, None, :]
        erased = erased & chosen(images, self.p, rng)
        return np.where(erased, images.dtype.type(self.value), images)


def stretch(length, size, rng):
    """Which of `size` pixels lie in a stretch of `length` at a random place."""
    length = np.rint(length).astype(int).clip(1, size)
    start = rng.integers(0, size - length, endpoint=True)
    place = np.arange(size) - start[..., None]
    return (0 <= place) & (place < length[..., None])


def chosen(images, p, rng):
    """True with probability `p` for each image, (..., 1, 1, 1)."""
    return rng.random((*checked(images).shape[:-3], 1, 1, 1)) < p


def check_probability(transform):
    if not 0 <= transform.p <= 1:
        raise ValueError(f"{transform}: a probability is between 0 and 1")


def checked(images):
    if images.ndim < 3:
        raise ValueError(
            f"images of shape {images.shape}: a transform wants (..., C, H, W)"
        )
    return images
