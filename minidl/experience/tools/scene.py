"""The picture of a loss surface: the map, its key, the chart below, lines on both."""

import numpy as np

from .colours import PAPER, QUIET, shade
from .contours import bands, levels_of
from .svg import box, element, label

SIZE = 13  # of the words, in pixels; of numbers one less
FLOOR = 1e-8  # of the highest loss: what is lower stands at the foot of the chart


def background(heights, levels, ground, chart, ticks, axes):
    """What stays the same at each step, as elements of SVG."""
    levels = levels_of(heights) if levels is None else np.asarray(levels, dtype=float)
    if levels.ndim != 1 or len(levels) < 2 or not (np.diff(levels) > 0).all():
        raise ValueError(f"levels are two heights or more, rising; got {levels}")
    yield from bands(heights, levels, ground)
    yield from key(levels, ground)
    for panel, names, y_ticks in (
        (ground, axes, round_ticks(*ground.y)),
        (chart, ("step", "loss"), ticks),
    ):
        yield from frame(panel, round_ticks(*panel.x), y_ticks, *names)


def frame(panel, x_ticks, y_ticks, x_name, y_name):
    """The left and lower side of a panel, with numbers and names."""
    left, top, end = panel.left, panel.top, panel.top + panel.height
    path = f"M{left},{top}V{end}H{left + panel.width}"
    yield element("path", d=path, fill="none", stroke=QUIET)
    for value, words in x_ticks:
        x = panel.pixels(np.array([[value, panel.y[0]]]))[0, 0]
        yield element("path", d=f"M{x:.1f},{end}v4", stroke=QUIET)
        yield label(f"{x:.1f}", end + 16, words, SIZE - 1, anchor="middle")
    for value, words in y_ticks:
        y = panel.pixels(np.array([[panel.x[0], value]]))[0, 1]
        yield element("path", d=f"M{left - 4},{y:.1f}h4", stroke=QUIET)
        yield label(left - 7, f"{y + 4:.1f}", words, SIZE - 1, anchor="end")
    middle = left + panel.width / 2, top + panel.height / 2
    yield label(middle[0], end + 32, x_name, SIZE, anchor="middle")
    turn = f"rotate(-90 11 {middle[1]})"
    yield label(11, middle[1], y_name, SIZE, anchor="middle", transform=turn)


def key(levels, panel):
    """A strip beside the map that tells which band is how high."""
    x, tall = panel.left + panel.width + 9, panel.height / (len(levels) - 1)
    for i, level in enumerate(levels):
        y = panel.top + panel.height - i * tall
        if i + 1 < len(levels):
            fill = shade(i / max(1, len(levels) - 2))
            yield box(x, y - tall, 11, tall, radius=0, fill=fill, stroke=PAPER)
        if i % 2 == 0:
            yield label(x + 15, round(y + 4, 1), number(level), SIZE - 1)


def number(value):
    """Two digits, written short: 0.25, 510, 3e-5."""
    return f"{float(f'{value:.2g}'):g}".replace("e+0", "e").replace("e-0", "e-")


def round_ticks(low, high):
    """About four round numbers from low to high, each (number, its words)."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [(x, f"{x + 0.0:g}") for x in found if low <= x <= high]  # no -0


def loss_scale(losses, first):
    """(scale, (low, high), ticks) of an axis from the lowest loss to `first` and more.

    Logarithmic where that is above ten times the lowest, and none is below zero.
    """
    low = losses[np.isfinite(losses)].min()
    if low < 0 or first <= 10 * low:
        high = first + 0.1 * (first - low or 1)
        return (lambda x: x), (low, high), round_ticks(low, high)
    low = max(low, FLOOR * first)
    ends = np.log10(low), np.log10(first) + 0.1 * np.log10(first / low)
    powers = np.arange(np.ceil(ends[0]), ends[1])
    ticks = [(p, number(10**p)) for p in powers[:: -(-len(powers) // 4)]]
    return (lambda x: np.log10(np.maximum(x, low))), ends, ticks


def lines(tracks, looks, step, chart):
    """The paths up to `step`, and the curves of the loss with a marker there."""
    x = chart.left + chart.width * step / chart.x[1]
    now = {"stroke": QUIET, "stroke_dasharray": "2 3"}
    yield element("path", d=f"M{x:.1f},{chart.top}v{chart.height}", **now)
    shown = [
        drawn(name, *looks[name], *line)
        for name, t in tracks.items()
        for line in (
            (t["curve"], t["marks"][step], t["name"]),
            ("".join(t["pieces"][: step + 1]), t["dots"][step], t["labels"][step]),
        )
    ]
    for above in zip(*shown):  # all white edges first, so that they cover no line
        yield from above


def drawn(name, colour, dashes, path, dot, place):
    """[white edge, line, dot at its end, label] of one line."""
    style = {"d": path, "fill": "none", "stroke_linejoin": "round"}
    halo = {"stroke": PAPER, "stroke_width": 3, "paint_order": "stroke"}
    line = {"stroke": colour, "stroke_width": 2, "stroke_dasharray": dashes}
    (cx, cy), (x, y, anchor) = dot, place
    return [
        element("path", **style, stroke=PAPER, stroke_width=4.5),
        element("path", **style, **line),
        element("circle", cx=cx, cy=cy, r=4.5, fill=colour, stroke=PAPER),
        label(x, y, name, SIZE, anchor=anchor, **halo),
    ]
