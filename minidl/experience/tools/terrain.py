"""Heights of a loss over the plane: from a function of x and y, or from a grid."""

import numpy as np

from ...framework.create import from_numpy
from ...framework.tape import no_grad

POINTS = 81  # along each side, where a function is evaluated


def checked(bounds):
    """`bounds` as floats; ValueError where they are no ((xmin, xmax), (ymin, ymax))."""
    try:
        (x0, x1), (y0, y1) = found = [[float(end) for end in side] for side in bounds]
    except (TypeError, ValueError):
        found, (x0, x1), (y0, y1) = bounds, (0, 0), (0, 0)
    if not (-np.inf < x0 < x1 < np.inf and -np.inf < y0 < y1 < np.inf):
        raise ValueError(
            "bounds are ((xmin, xmax), (ymin, ymax)), the least first and finite; "
            f"got {found}"
        )
    return (x0, x1), (y0, y1)


def heights_of(loss, bounds):
    """The heights as an array (rows, columns), the row of the least y first."""
    if callable(loss):
        x, y = np.meshgrid(*(np.linspace(*side, POINTS) for side in bounds))
        heights = evaluated(loss, x, y)
    else:
        heights = np.asarray(loss, dtype=float)
    if heights.ndim != 2 or min(heights.shape) < 2:
        raise ValueError(f"heights are rows of columns, at least 2 of each; "
                         f"got shape {heights.shape}")  # fmt: skip
    if not np.isfinite(heights).any():
        raise ValueError("no height within the bounds is finite: move the bounds")
    return heights


def evaluated(loss, x, y):
    """`loss` at each of the places x, y, as floats."""
    with no_grad():
        heights = loss(from_numpy(x), from_numpy(y))
    if getattr(heights, "shape", None) != x.shape:
        raise ValueError(
            f"loss(x, y) takes tensors of one shape and gives a loss for each place: "
            f"for {x.shape} it gave {getattr(heights, 'shape', type(heights).__name__)}"
        )
    return heights.numpy().astype(float)


def losses_at(loss, bounds, points):
    """The loss at each of the (n, 2) `points`; from a grid, nan off the map."""
    x, y = np.ascontiguousarray(points.T)
    return evaluated(loss, x, y) if callable(loss) else between(loss, bounds, x, y)


def between(heights, bounds, x, y):
    """Heights at x, y on the straight lines between those of the grid."""
    heights = np.asarray(heights, dtype=float)
    (j, right), (i, up) = (
        cell(at, *side, count)
        for at, side, count in zip((x, y), bounds, heights.shape[::-1])
    )
    low = heights[i, j] * (1 - right) + heights[i, j + 1] * right
    high = heights[i + 1, j] * (1 - right) + heights[i + 1, j + 1] * right
    return low * (1 - up) + high * up


def cell(at, low, high, count):
    """(number of the cell, share of the way through it); the share is nan outside."""
    place = (at - low) / (high - low) * (count - 1)
    place = np.where((place >= 0) & (place <= count - 1), place, np.nan)
    number = np.minimum(np.nan_to_num(place), count - 2).astype(int)
    return number, place - number
