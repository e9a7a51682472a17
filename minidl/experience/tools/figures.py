"""Figures in the house style: one palette, few lines, readable small and in grey."""

from functools import cache

from .colours import ACCENT, EDGE, INK, QUIET

STYLE = {
    "figure.figsize": (6.4, 3.4),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": EDGE,
    "lines.linewidth": 2,
    "image.cmap": "gray_r",
    "svg.hashsalt": "minidl",
}


@cache
def pyplot():
    """matplotlib's pyplot, set to the house style."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    colours = [INK, ACCENT, "#7d97ac", "#8a6d3b", "#b8c4ce"]
    styles = ["-", "-", "--", "-.", ":"]
    cycle = cycler(color=colours) + cycler(linestyle=styles)
    plt.rcParams.update({**STYLE, "axes.prop_cycle": cycle})
    return plt


def images(pictures, captions=None, columns=10, title=None, size=0.8, **options):
    """Draws the rows of `pictures`, (n, H, W) or (n, 1, H, W), in a grid.

    `captions` go above each; `options` (cmap, vmin, vmax) to matplotlib's imshow. All
    share one range of values: that of the data, if none is given.
    """
    plt = pyplot()
    data = pictures.detach().numpy() if hasattr(pictures, "detach") else pictures
    data = data.reshape(len(data), *data.shape[-2:])
    options = {"vmin": data.min(), "vmax": data.max()} | options
    columns = min(columns, len(data))
    rows = -(-len(data) // columns)
    above = 0.25 if captions is not None else 0
    shape = (size * columns, (size + above) * rows + (0.35 if title else 0))
    figure, axes = plt.subplots(rows, columns, figsize=shape, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for i, (ax, picture) in enumerate(zip(axes.flat, data)):
        ax.imshow(picture, **options)
        if captions is not None:
            ax.set_title(
                str(captions[i]), fontsize=10, loc="center", fontweight="normal"
            )
    if title:
        figure.suptitle(title, x=0, ha="left", fontsize=12, fontweight="bold")


def label_ends(ax, gap=15):
    """Writes the label of each line of `ax` where the line ends.

    Labels stand at least `gap` points apart, which moves some of them up. Call it last:
    it goes by the limits that the axes have.
    """
    ax.autoscale_view()
    height = ax.bbox.height * 72 / ax.figure.dpi  # in points
    place = ax.transData + ax.transAxes.inverted()
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    ends = {line: line.get_xydata()[-1] for line in lines}
    least = 0.0
    for line in sorted(lines, key=lambda line: place.transform(ends[line])[1]):
        up = max(least, place.transform(ends[line])[1])
        ax.annotate(
            line.get_label(),
            (ends[line][0], up),
            (6, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="center",
        )
        least = up + gap / height
