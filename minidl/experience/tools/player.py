"""Frames to step through: pictures made beforehand, so no kernel is needed."""

import io
from functools import cache

from .widget import make_widget_class


@cache
def player_class():
    from traitlets import Int, List, Unicode

    return make_widget_class(
        "Player",
        "player.js",
        frames=List(Unicode()).tag(sync=True),
        captions=List(Unicode()).tag(sync=True),
        index=Int(0).tag(sync=True),
        interval=Int(900).tag(sync=True),
    )


def player(frames, captions=None, start=0, milliseconds=900):
    """A widget with a slider, step and play buttons over `frames`.

    A frame is an SVG string, a Picture of these tools, or a matplotlib figure;
    `captions` are the words under each. Where no widget can run, frame `start` stands
    still. Raises ValueError where captions or start don't fit the frames.
    """
    pictures = [as_svg(frame) for frame in frames]
    captions = list(captions) if captions is not None else [""] * len(pictures)
    if not pictures or len(captions) != len(pictures):
        raise ValueError(f"{len(pictures)} frames and {len(captions)} captions")
    if not 0 <= start < len(pictures):
        raise ValueError(f"start is 0 to {len(pictures) - 1}, got {start}")
    widget = player_class()(
        frames=pictures, captions=captions, index=start, interval=milliseconds
    )
    widget.still = pictures[start]
    return widget


def as_svg(frame):
    """A frame as an SVG string."""
    if isinstance(frame, str) and "<svg" in frame:
        return frame[frame.index("<svg") :]
    if hasattr(frame, "svg"):
        return frame.svg
    if hasattr(frame, "savefig"):
        buffer = io.StringIO()
        frame.savefig(buffer, format="svg", metadata={"Date": None})
        text = buffer.getvalue()
        return text[text.index("<svg") :]
    raise TypeError(f"a frame is SVG or a figure, got {type(frame).__name__}")
