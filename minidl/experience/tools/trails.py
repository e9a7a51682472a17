"""From where an optimiser went to the lines, dots and words that show it, by step.

All is worked out beforehand, in pixels: the first k + 1 pieces of a trail make the line
up to step k, so a view only puts them together. A line ends at the edge of its panel,
and begins there again where a point is back inside.
"""

from dataclasses import dataclass

import numpy as np

ENDLESS = 1e100  # a number beyond is no place
GAP, NEAR, REACH = (
    15,
    95,
    8,
)  # pixels: between labels, to their neighbours, to their dot


@dataclass(frozen=True)
class Panel:
    """A rectangle of the picture, in pixels, and the ranges of x and y it shows."""

    left: float
    top: float
    width: float
    height: float
    x: tuple
    y: tuple

    def pixels(self, points):
        """The (n, 2) `points` in pixels, y upwards; nan for what is no place."""
        (x0, x1), (y0, y1) = self.x, self.y
        points = np.where(np.abs(points) < ENDLESS, points, np.nan)
        right = self.left + (points[:, 0] - x0) / (x1 - x0) * self.width
        down = self.top + (y1 - points[:, 1]) / (y1 - y0) * self.height
        return np.stack([right, down], axis=1)

    def holds(self, points):
        """Whether each of the (n, 2) `points` is in the ranges shown."""
        (x0, x1), (y0, y1) = self.x, self.y
        x, y = points.T
        return (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)

    def cut(self, a, b):
        """(start, end) of the part of the segment a to b, in pixels, in here; or None.

        Each side of the panel bounds the share of the way that lies inside (Liang &
        Barsky, 1984).
        """
        if not np.isfinite([a, b]).all():
            return None
        enter, leave = 0.0, 1.0
        low = self.left, self.top
        high = self.left + self.width, self.top + self.height
        for at, by, least, most in zip(a, b - a, low, high):
            if by == 0 and not least <= at <= most:
                return None
            if by != 0:
                near, far = sorted([(least - at) / by, (most - at) / by])
                enter, leave = max(enter, near), min(leave, far)
        return (a + enter * (b - a), a + leave * (b - a)) if enter <= leave else None


def trail(points, panel):
    """(pieces, dots): of each step, the piece of SVG path it adds, and its last place.

    `points` is (n, 2); the first must be in the panel.
    """
    pixels, inside = panel.pixels(points), panel.holds(points)
    pen = pixels[0]
    pieces, dots = [f"M{written(pen)}"], [pen]
    for i, (a, b) in enumerate(zip(pixels, pixels[1:])):
        part, piece = panel.cut(a, b), ""
        if part is not None and inside[i : i + 2].any():
            start, end = map(written, part)
            jump = "" if start == written(pen) else f"M{start}"
            pen, piece = part[1], f"{jump}L{end}"
        pieces.append(piece)
        dots.append(pen)
    return pieces, np.round(dots, 1).tolist()


def written(point):
    return f"{point[0]:.1f},{point[1]:.1f}"


def words(points, losses, panel):
    """What to say at each step: the loss, and since when the path is off the map."""
    said, since = [], None
    for step, inside in enumerate(panel.holds(points)):
        since = None if inside else step if since is None else since
        parts = [f"loss {losses[step]:.3g}"] if np.isfinite(losses[step]) else []
        if since is not None:
            parts.append(f"left the map at step {since}")
        if not (np.abs(points[step]) < ENDLESS).all():
            parts.append("now no finite place")
        said.append(", ".join(parts) or "no finite loss")
    return said


def spread(dots, panel, turn=0.7):
    """(x, y, anchor) of a label for each of `dots` (x, y), apart from near ones.

    It stands at the right of its dot, or at the left where that is beyond the share
    `turn` of the panel's width.
    """
    order = sorted(range(len(dots)), key=lambda i: dots[i][1])
    found = {}
    for below, i in zip(range(len(dots) - 1, -1, -1), order):
        x, y = dots[i]
        y = min(max(y + 4, panel.top + 11), panel.top + panel.height - 4 - GAP * below)
        near = [found[j][1] for j in found if abs(dots[j][0] - x) < NEAR]
        y = max([y, *(other + GAP for other in near)])
        left = x > panel.left + turn * panel.width
        x, anchor = (x - REACH, "end") if left else (x + REACH, "start")
        found[i] = [round(x, 1), round(y, 1), anchor]
    return [found[i] for i in range(len(dots))]
