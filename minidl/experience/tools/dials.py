"""Dials over results that were computed beforehand: one picture for each setting.

A result is a text and a few numbers. Beside the text stands, for each number, a strip
on which every result has a mark: so one sees what this setting gives, and what others
would. (Chapter 9.)
"""

from functools import cache
from itertools import product
from math import log10
from textwrap import dedent, wrap

from .colours import ACCENT, PALE, QUIET
from .svg import box, document, element, label
from .widget import make_widget_class

WIDTH, MARGIN, LINE = 720, 14, 19  # pixels; of a line of text
LEFT, STRIP, TALL, APART = 420, 286, 22, 74  # of a strip, and its pitch
LETTER, LONGEST = 7.6, 48  # pixels of a letter, letters of a line
CODE = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@cache
def dials_class():
    from traitlets import Int, List, Unicode

    return make_widget_class(
        "Dials",
        "dials.js",
        names=List(Unicode()).tag(sync=True),
        labels=List(List(Unicode())).tag(sync=True),
        chosen=List(Int()).tag(sync=True),
        frames=List(Unicode()).tag(sync=True),
        captions=List(Unicode()).tag(sync=True),
    )


def dials(choices, results, title, start=None):
    """A widget with a slider for each of `choices`, {name: values}.

    `results` has {setting, a tuple of values: (text, {measure: number above 0})} for
    all combinations. `title` is the claim above. Where no widget runs, the setting
    `start` stands still, the first one if none is given. Raises ValueError where a
    setting has no result.
    """
    settings = list(product(*choices.values()))
    missing = [s for s in settings if s not in results]
    if missing or not settings:
        raise ValueError(f"no result for {missing[0] if missing else 'any setting'}")
    start = settings[0] if start is None else tuple(start)
    if start not in settings:
        raise ValueError(f"no setting {start}; there are {settings[0]} and others")
    ranges = spans(results[s][1] for s in settings)
    texts = [lines_of(results[s][0]) for s in settings]
    height = 50 + max(max(map(len, texts)) * LINE + MARGIN, len(ranges) * APART)
    frames = [picture(lines, results[s][1], ranges, title, height)
              for lines, s in zip(texts, settings)]  # fmt: skip
    widget = dials_class()(
        names=list(choices),
        labels=[[str(value) for value in values] for values in choices.values()],
        chosen=[list(v).index(s) for v, s in zip(choices.values(), start)],
        frames=frames,
        captions=[words(choices, s, results[s][1]) for s in settings],
    )
    widget.still = frames[settings.index(start)]
    return widget


def spans(measured):
    """{measure: all its numbers}."""
    rows = list(measured)
    return {name: [row[name] for row in rows] for name in rows[0]}


def words(choices, setting, numbers):
    chosen = ", ".join(f"{name}: {value}" for name, value in zip(choices, setting))
    found = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items())
    return f"{chosen}. {found}."


def lines_of(text):
    """[(how far it is set in, words)]: the lines, none wider than there is room."""
    found = []
    for line in dedent(text).split("\n"):
        depth = len(line) - len(line.lstrip())
        parts = wrap(line.strip(), LONGEST - depth - 4, break_long_words=False)
        found += [(depth + 4 * (i > 0), part) for i, part in enumerate(parts)]
    return found


def picture(lines, numbers, ranges, title, height):
    """One result as SVG: its text, and a strip for each number."""
    shapes = [label(MARGIN, 26, title, 15, weight="600")]
    for i, (depth, part) in enumerate(lines):
        x, y = MARGIN + depth * LETTER, 60 + i * LINE
        shapes.append(label(x, y, part, 12.5, font_family=CODE))
    for i, (name, value) in enumerate(numbers.items()):
        shapes += strip(name, value, ranges[name], 56 + i * APART)
    found = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items())
    return document(WIDTH, height, shapes, title, found)


def strip(name, value, values, top):
    """The name, the value, and a mark for each of `values` on a logarithmic scale."""
    low, high = log10(min(values)), log10(max(values))

    def x(v):
        share = (log10(v) - low) / (high - low) if high > low else 0.5
        return round(LEFT + 3 + share * (STRIP - 6), 1)

    y = top + 8
    yield label(LEFT, top, name, 12.5)
    yield label(LEFT + STRIP, top, f"{value:.3g}", 13, ACCENT, "end", "600")
    yield box(LEFT, y, STRIP, TALL, 3, fill=PALE)
    for v in sorted(set(values)):
        yield element("path", d=f"M{x(v)},{y + 4}V{y + TALL - 4}", stroke=QUIET)
    yield box(x(value) - 2.5, y - 2, 5, TALL + 4, 1, fill=ACCENT)
    yield label(LEFT, y + TALL + 14, f"{min(values):.3g}", 11, QUIET)
    yield label(LEFT + STRIP, y + TALL + 14, f"{max(values):.3g}", 11, QUIET, "end")
