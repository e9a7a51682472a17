"""A strided view to play with: how shape, strides and an offset read a flat buffer."""

from functools import cache
from itertools import product

import numpy as np

from .colours import ACCENT, shade
from .svg import box, document, label
from .widget import make_widget_class

LARGEST_BUFFER, LARGEST_VIEW = 48, 200  # elements
CELL, COLUMNS, MARGIN = 36, 12, 14
WIDEST = CELL * (COLUMNS - 1)  # from the first cell of a full row to its last


@cache
def strides_class():
    from traitlets import Int, List

    return make_widget_class(
        "StridedView",
        "strides.js",
        shape=List(Int()).tag(sync=True),
        strides=List(Int()).tag(sync=True),
        offset=Int(0).tag(sync=True),
        buffer=List().tag(sync=True),
    )


def explore(x):
    """A widget that shows which place of its buffer each element of `x` reads.

    `x` is a tensor or a NumPy array of 1 to 3 dimensions on a buffer of at most 48
    elements; shape, strides (in elements) and offset can be set from Python too.
    ValueError for what is larger, or can't be seen as places of one buffer.
    """
    array = x.detach().numpy() if hasattr(x, "detach") else np.asarray(x)
    buffer, offset = whole_buffer(array)
    refuse_what_cannot_be_drawn(array, buffer)
    strides = [step // array.itemsize for step in array.strides]
    shape, values = list(array.shape), [round(float(v), 3) for v in buffer]
    widget = strides_class()(shape=shape, strides=strides, offset=offset, buffer=values)
    widget.still = still_picture(shape, strides, offset, values)
    return widget


def refuse_what_cannot_be_drawn(array, buffer):
    if not (1 <= array.ndim <= 3 and 1 <= buffer.size <= LARGEST_BUFFER):
        raise ValueError(
            f"explore shows 1 to 3 dimensions of a buffer of 1 to {LARGEST_BUFFER} "
            f"elements; this one has {array.ndim} dimensions on {buffer.size} elements"
        )
    if not 1 <= array.size <= LARGEST_VIEW:
        raise ValueError(
            f"explore draws 1 to {LARGEST_VIEW} elements, got shape {array.shape}"
        )
    if not np.isfinite(buffer).all():
        raise ValueError("explore colours by value: the buffer holds nan or infinity")


def whole_buffer(array):
    """(the flat buffer that `array` reads, the place of its first element there)."""
    owner = below = array
    while (below := getattr(below, "base", None)) is not None:
        owner = below if isinstance(below, np.ndarray) else owner
    if owner.dtype != array.dtype or not owner.flags.forc:
        raise ValueError(
            f"explore can't see the buffer below this view: {array.dtype} on "
            f"{owner.dtype} of shape {owner.shape}. Explore a copy of it."
        )
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
    """The buffer, with the places that the view reads framed, and the view, as SVG."""
    where = places(shape, strides, offset)
    read, tints = set(where.values()), shades(values)
    numbers = f"shape {tuple(shape)}, strides {tuple(strides)}, offset {offset}"
    rows = -(-len(values) // COLUMNS)
    top = MARGIN + 44 + rows * CELL + 28  # of the view
    corners = list(view_corners(shape, MARGIN, top))
    parts = [
        label(MARGIN, MARGIN + 8, numbers),
        label(
            MARGIN,
            MARGIN + 34,
            "the buffer, not copied: the view reads what is framed",
            13,
        ),
        label(MARGIN, top - 10, "the view: each element shows the place it reads", 13),
    ]
    for i, tint in enumerate(tints):
        row, column = divmod(i, COLUMNS)
        x, y = MARGIN + column * CELL, MARGIN + 44 + row * CELL
        parts += cell(x, y, i, tint, ACCENT if i in read else "none")
    for (x, y), place in zip(corners, where.values()):
        parts += cell(x, y, place, tints[place], "none")
    width = MARGIN + CELL + max(x for x, _ in [(WIDEST, 0), *corners])
    height = MARGIN + CELL + max(y for _, y in corners)
    words = f"{numbers}: reads the places {', '.join(map(str, where.values()))}"
    return document(width, height, parts, "A strided view of a flat buffer", words)


def view_corners(shape, left, top):
    """(x, y) of each element: rows below rows, planes side by side, as far as fit."""
    planes, rows, columns = (1, 1, *shape)[-3:]
    broad, tall = columns * CELL + CELL // 2, rows * CELL + CELL // 2
    fit = max(1, (WIDEST + CELL) // broad)  # planes beside each other
    for plane, i, j in product(range(planes), range(rows), range(columns)):
        if len(shape) == 1:
            i, j = divmod(j, COLUMNS)
        x = left + plane % fit * broad + j * CELL
        yield x, top + plane // fit * tall + i * CELL


def cell(x, y, place, fill, stroke):
    style = {"fill": fill, "stroke": stroke, "stroke_width": 2}
    yield box(x + 1, y + 1, CELL - 4, CELL - 4, **style)
    yield label(x + CELL / 2 - 1, y + 22, place, size=13, anchor="middle")


def shades(values):
    """A tint for each value: pale for the least, deep for the greatest."""
    low, high = min(values), max(values)
    return [shade((v - low) / (high - low) if high > low else 0.3) for v in values]
