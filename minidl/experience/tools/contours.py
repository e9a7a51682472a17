"""A surface as a map: the bands between level lines, as SVG paths."""

import numpy as np

from .colours import shade
from .svg import element

BANDS = 10


def levels_of(heights, count=BANDS):
    """`count` + 1 levels from the lowest height to the highest, dense at the bottom.

    They grow as a cube does, since what we look for lies low.
    """
    low, high = np.nanmin(heights), np.nanmax(heights)
    return low + (high - low or 1) * np.linspace(0, 1, count + 1) ** 3


def bands(heights, levels, panel):
    """An SVG path for each band of `heights` between two levels, pale below.

    `heights` is (rows, columns), the row of the least y first. What is above the last
    level belongs to the last band; what is nan or infinite stays white.
    """
    from contourpy import FillType, contour_generator

    rows, columns = heights.shape
    lines = contour_generator(
        panel.left + np.linspace(0, panel.width, columns),
        panel.top + np.linspace(panel.height, 0, rows),
        np.ma.masked_invalid(np.clip(heights, None, levels[-1])),
        fill_type=FillType.OuterOffset,
    )
    floor = levels[0] - (levels[-1] - levels[0])  # the lowest point is within
    count = len(levels) - 1
    for i, (low, high) in enumerate(zip([floor, *levels[1:]], levels[1:])):
        shapes = zip(*lines.filled(low, high))
        path = "".join(ring for points, ends in shapes for ring in rings(points, ends))
        look = {"fill": shade(i / max(1, count - 1)), "fill_rule": "evenodd"}
        yield element("path", d=path, stroke="white", stroke_width=0.6, **look)


def rings(points, offsets):
    """The outline of a shape and of its holes, each a closed SVG path."""
    for start, end in zip(offsets, offsets[1:]):
        yield "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points[start:end]) + "Z"
