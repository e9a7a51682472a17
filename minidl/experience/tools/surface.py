"""Paths of optimisers on a map of the loss, to compare and to play. (Chapter 4.)

Nothing is computed while it plays: each path is the real optimiser's, recorded before
(`descend`, or snapshots of a model laid into a `plane`), so it needs no kernel.
"""

from functools import cache

import numpy as np

from .colours import LINES
from .scene import SIZE, background, lines, loss_scale
from .svg import document, text_width
from .terrain import checked, heights_of, losses_at
from .trails import Panel, spread, trail, words
from .widget import make_widget_class

WIDTH, HEIGHT, LEFT, WIDE = 400, 466, 56, 278  # pixels


@cache
def surface_class():
    from traitlets import Dict, Int, List, Unicode

    return make_widget_class(
        "Surface",
        "surface.js",
        background=Unicode().tag(sync=True),
        chart=List().tag(sync=True),  # left, top, width, height, and the last step
        looks=Dict().tag(sync=True),  # of each optimiser, (colour, dashes)
        rates=List().tag(sync=True),
        tracks=List().tag(sync=True),  # of each rate, {optimiser: what to draw}
        shown=List(Unicode()).tag(sync=True),
        rate_index=Int(0).tag(sync=True),
        index=Int(0).tag(sync=True),  # the step
        interval=Int(200).tag(sync=True),
    )


def surface(
    loss,
    paths,
    bounds,
    start=None,
    rate=None,
    levels=None,
    axes=("x", "y"),
    milliseconds=200,
):
    """A widget that plays `paths` over the map of `loss` within `bounds`.

    `loss` is a function of two tensors, x and y, or heights (rows, columns), the row of
    the least y first; `bounds` are ((xmin, xmax), (ymin, ymax)). `paths` is {optimiser:
    {learning rate: places}}, of 1 to 5 optimisers; places are (steps + 1, 2), or
    (steps + 1, 3) with the loss of each where heights can't tell it. It stands at step
    `start` (default: the last) of the learning rate `rate` (the middle one), and the
    picture of that stays where no widget runs. `levels` are heights of the level lines,
    rising. ValueError for what can't be drawn.
    """
    bounds = checked(bounds)
    heights = heights_of(loss, bounds)
    runs = recorded(paths, loss if callable(loss) else heights, bounds)
    rates = sorted({rate for _, rate in runs})
    end = len(next(iter(runs.values()))) - 1
    start, rate = chosen(start, rate, end, rates)
    ground = Panel(LEFT, 10, WIDE, 250, *bounds)
    chart, scale, ticks = loss_chart(runs, end)
    tracks = [tracks_at(r, runs, ground, chart, scale) for r in rates]
    parts = list(background(heights, levels, ground, chart, ticks, axes))
    widget = surface_class()(
        background=picture(parts, paths),
        looks=dict(zip(paths, LINES)),
        rates=rates,
        tracks=tracks,
        shown=list(paths),
        chart=[chart.left, chart.top, chart.width, chart.height, end],
        rate_index=rate,
        index=start,
        interval=milliseconds,
    )
    above = lines(tracks[rate], widget.looks, start, chart)
    widget.still = picture([*parts, *above], paths, in_words(widget))
    return widget


def picture(parts, names, words=""):
    title = f"The paths of {', '.join(names)} on a map of the loss"
    return document(WIDTH, HEIGHT, parts, title, words)


def in_words(widget):
    """What the picture shows at first, to be read out."""
    tracks, rate = widget.tracks[widget.rate_index], widget.rates[widget.rate_index]
    said = [f"{name}: {track['words'][widget.index]}" for name, track in tracks.items()]
    return f"Learning rate {rate:.3g}, step {widget.index}. {'; '.join(said)}"


def recorded(paths, loss, bounds):
    """{(optimiser, rate): x, y and loss, (steps + 1, 3)}; ValueError for bad paths."""
    by_name = paths.values() if isinstance(paths, dict) else ()
    full = all(isinstance(by_rate, dict) and by_rate for by_rate in by_name)
    if not full or not 1 <= len(by_name) <= len(LINES):
        raise ValueError(
            f"surface shows the paths of 1 to {len(LINES)} optimisers, {{name: "
            f"{{learning rate: places}}}}; got {paths!r:.60}"
        )
    runs = {}
    for name, by_rate in paths.items():
        for rate, places in by_rate.items():
            runs[name, float(rate)] = with_loss(
                places, loss, bounds, f"{name} at {rate}"
            )
    lengths = sorted({len(run) for run in runs.values()})
    if len(lengths) != 1:
        raise ValueError(f"all paths take as many steps; these have {lengths} places")
    return runs


def with_loss(places, loss, bounds, name):
    """`places` as (steps + 1, 3): x, y and loss. They begin on the map."""
    run = np.array(places, dtype=float)
    if run.ndim != 2 or run.shape[1] not in (2, 3) or not len(run):
        raise ValueError(f"places are (steps + 1, 2), or 3 with the loss; {name}: "
                         f"got {run.shape}")  # fmt: skip
    if run.shape[1] == 2:
        run = np.column_stack([run, losses_at(loss, bounds, run)])
    (x, y, first), ((x0, x1), (y0, y1)) = run[0], bounds
    if not (x0 <= x <= x1 and y0 <= y <= y1 and np.isfinite(first)):
        raise ValueError(
            f"{name} starts at ({x:g}, {y:g}) with a loss of {first:g}: a path begins "
            f"within the bounds {bounds}, where the loss is finite"
        )
    return run


def chosen(start, rate, end, rates):
    """(step, number of the rate) to stand at first."""
    start = end if start is None else start
    if not 0 <= start <= end:
        raise ValueError(f"start is a step, 0 to {end}, got {start}")
    rate = rates[len(rates) // 2] if rate is None else rate
    if rate not in rates:
        raise ValueError(f"no path has the learning rate {rate}: there are {rates}")
    return start, rates.index(rate)


def loss_chart(runs, end):
    """(panel, scale, ticks) of loss against step: the same at all the rates."""
    losses = np.concatenate([run[:, 2] for run in runs.values()])
    scale, ends, ticks = loss_scale(losses, max(run[0, 2] for run in runs.values()))
    room = max(text_width(name, SIZE) for name, _ in runs) + 12
    width = max(120, min(WIDE, WIDTH - LEFT - room))
    return Panel(LEFT, 318, width, 110, (0, max(end, 1)), ends), scale, ticks


def tracks_at(rate, runs, ground, chart, scale):
    """{optimiser: what to draw of it at each step} for those that ran at `rate`."""
    tracks = {
        name: track(run, ground, chart, scale)
        for (name, r), run in runs.items()
        if r == rate
    }
    names = spread([t["marks"][-1] for t in tracks.values()], chart, turn=1)
    by_step = zip(*(t["dots"] for t in tracks.values()))
    labels = zip(*(spread(dots, ground) for dots in by_step))
    for one, name, places in zip(tracks.values(), names, labels):
        one.update(name=name, labels=list(places))
    return tracks


def track(run, ground, chart, scale):
    places, losses = run[:, :2], run[:, 2]
    pieces, dots = trail(places, ground)
    line = np.stack([np.arange(len(run)), scale(losses)], axis=1)
    curve, marks = trail(line, chart)
    said = words(places, losses, ground)
    return {
        "pieces": pieces,
        "dots": dots,
        "curve": "".join(curve),
        "marks": marks,
        "words": said,
    }
