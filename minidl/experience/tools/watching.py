"""Watching a trace: the line that runs at the left, the graph it leaves at the right.

A frame for each operation that was recorded. Vertices stand where they will stand in
the whole graph. (Chapter 7.)
"""

import inspect
import textwrap

from ...framework.trace.capture import trace
from .colours import ACCENT, ACCENT_PALE, QUIET
from .graphs import group, vertices
from .layered import heads, layered
from .player import player
from .svg import box, document, label

LINE, SIZE, EDGE, GAP = 24, 14, 20, 30
LETTER = 0.62 * SIZE  # the width of one, in a font where all are as wide
CODE = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def watch_trace(function, *args, start=None):
    """A player that steps through the trace of `function` with these arguments.

    The function must be written in a file or a notebook, as one `def`. Frame `start`
    stands still where no widget can run: the one in the middle, if none is given.
    """
    lines, first = inspect.getsourcelines(function)
    lines = textwrap.dedent("".join(lines)).splitlines()
    graph = trace(function, *args)
    places = [line_of(x) - max(first, 1) for x in recorded(graph)]
    own = [line if 0 <= line < len(lines) else -1 for line in places]
    steps = [(None, -1), *zip(recorded(graph), own)]
    frames = [frame(graph, lines, steps[: i + 1]) for i in range(len(steps))]
    words = captions(lines, steps)
    return player(frames, words, len(frames) // 2 if start is None else start)


def recorded(graph):
    """The nodes that a line of the program asked for, in order."""
    return [x for x in graph.nodes if x.where]


def line_of(node):
    return int(node.where.rpartition(":")[2])


def captions(lines, steps):
    """What each step is, in words."""
    yield "Before the first line: a symbol stands in the place of each tensor's array."
    times = {}
    for node, line in steps[1:]:
        times[line] = times.get(line, 0) + 1
        count = f", time {times[line]}" if times[line] > 1 else ""
        words = f"`{lines[line].strip()}`{count}" if line >= 0 else "another function"
        yield f"{words}: leaves {node.op.name}"


def frame(graph, lines, steps):
    """The program with the last step's line marked, and the graph so far, as SVG."""
    nodes, edges = vertices(graph)
    so_far = {id(node) for node, _ in steps}
    later = {id(x) for x in recorded(graph)} - so_far
    shown = {k for k in nodes if k not in later and (whole(k) or not later)}
    width, height, drawing, words = layered(nodes, edges, {id(steps[-1][0])}, shown)
    left = 2 * EDGE + round(LETTER * max(map(len, lines)))
    tall = max(height, LINE * len(lines) + 2 * EDGE)
    parts = [heads(), *program(lines, steps[-1][1], left)]
    parts.append(group(drawing, left + GAP, (tall - height) / 2))
    return document(left + GAP + width, tall, parts, "A trace under way", words)


def whole(key):
    """Whether a vertex is a node, and not one of the graph's results."""
    return isinstance(key, int)


def program(lines, marked, width):
    """The lines as they are written, the one that runs on a coloured ground."""
    if marked >= 0:
        y = EDGE + marked * LINE
        style = {"fill": ACCENT_PALE, "stroke": ACCENT}
        yield box(EDGE / 2, y, width - EDGE / 2, LINE, radius=4, **style)
    for i, line in enumerate(lines):
        more = {"font_family": CODE, "xml:space": "preserve"}
        fill = {} if i == marked else {"fill": QUIET}
        yield label(EDGE, EDGE + i * LINE + 17, line, SIZE, **fill, **more)
