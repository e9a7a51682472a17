"""A strided view to play with: how shape, strides and an offset read a flat buffer."""

from functools import cache
from importlib.resources import files
from itertools import product

import numpy as np

from .colours import ACCENT, EDGE, INK, PAPER
from .svg import box, document, label
from .widget import make_widget_class

LARGEST = 48  # elements of the buffer
CELL, COLUMNS, MARGIN = 36, 16, 20


@cache
def strides_class():
    from traitlets import Int, List

    return make_widget_class(
        "StridedView",
        files(__package__) / "strides.js",
        shape=List(Int()).tag(sync=True),
        strides=List(Int()).tag(sync=True),
        offset=Int(0).tag(sync=True),
        buffer=List().tag(sync=True),
    )


def explore(x):
    """A widget that shows which place of its buffer each element of `x` reads.

    `x` is a tensor or a NumPy array of 1 to 3 dimensions on a buffer of at most 48
    elements; shape, strides (in elements) and offset can be set from Python too.
    """
    array = x.detach().numpy() if hasattr(x, "detach") else np.asarray(x)
    buffer, offset = whole_buffer(array)
    if not 1 <= array.ndim <= 3 or buffer.size > LARGEST:
        raise ValueError(
            f"explore shows 1 to 3 dimensions of a buffer of at most {LARGEST} "
            f"elements; this one has {array.ndim} dimensions on {buffer.size} elements"
        )
    strides = [step // array.itemsize for step in array.strides]
    shape, values = list(array.shape), [round(float(v), 3) for v in buffer]
    widget = strides_class()(shape=shape, strides=strides, offset=offset, buffer=values)
    widget.still = still_picture(shape, strides, offset, values)
    return widget


def whole_buffer(array):
    """(the flat buffer that `array` reads, the place of its first element there)."""
    owner = below = array
    while (below := getattr(below, "base", None)) is not None:
        owner = below if isinstance(below, np.ndarray) else owner
    start = owner.__array_interface__["data"][0]
    here = array.__array_interface__["data"][0]
    return owner.reshape(-1, order="A"), (here - start) // array.itemsize


def places(shape, strides, offset):
    """The buffer place of each element, by its index."""
    return {
        index: offset + sum(i * step for i, step in zip(index, strides))
        for index in product(*map(range, shape))
    }


def still_picture(shape, strides, offset, values):
    """The buffer with the places that the view reads marked, as SVG."""
    read = set(places(shape, strides, offset).values())
    parts = [
        label(
            MARGIN,
            MARGIN + 6,
            f"shape {tuple(shape)}, strides {tuple(strides)}, offset {offset}",
        )
    ]
    for i in range(len(values)):
        row, column = divmod(i, COLUMNS)
        x, y = MARGIN + column * CELL, MARGIN + 20 + row * CELL
        stroke = ACCENT if i in read else EDGE
        parts.append(
            box(
                x + 1,
                y + 1,
                CELL - 3,
                CELL - 3,
                fill=PAPER,
                stroke=stroke,
                stroke_width=2,
            )
        )
        parts.append(label(x + CELL / 2, y + 23, i, size=13, fill=INK, anchor="middle"))
    rows = -(-len(values) // COLUMNS)
    width, height = 2 * MARGIN + COLUMNS * CELL, 2 * MARGIN + 20 + rows * CELL
    return document(width, height, parts, "A strided view of a flat buffer")
