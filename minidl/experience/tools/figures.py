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

    `captions` go above each; `options` (cmap, vmin, vmax) to matplotlib's imshow.
    """
    plt = pyplot()
    data = pictures.detach().numpy() if hasattr(pictures, "detach") else pictures
    data = data.reshape(len(data), *data.shape[-2:])
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
