"""The picture of the stack, drawn from the manifest: layers, and where we stand."""

from .colours import ACCENT, ACCENT_PALE, INK, PAPER, QUIET, TINTS
from .manifest import manifest, ready_chapters
from .svg import BOLD, Picture, box, document, label, text_width

WIDTH, MARGIN, GAP = 440, 12, 6  # on a phone the words are hardly smaller
INSIDE = 12  # from the edge of a band to what stands in it
DOES = 108  # from the name of a layer to what it does
HEAD, CHIP = 32, 26  # heights: of the line with the name, and of a chip
LINE = 22  # a line of the legend
HERE = {"fill": ACCENT_PALE, "stroke": ACCENT, "stroke_width": 2}
THERE = {"fill": PAPER, "stroke": INK}
TO_COME = {"fill": "none", "stroke": QUIET, "stroke_dasharray": "3 3"}


def stack(here=None, parts=None):
    """The stack, to display in a notebook, with the parts of chapter `here` marked.

    `parts`, a sequence of names, marks those instead.
    """
    return Picture(stack_svg(here, parts), stack_text(here, parts))


def stack_svg(here=None, parts=None):
    """The stack as SVG: solid parts are there, pale ones are to come."""
    drawn, y, marks = [], MARGIN, marked(here, parts)
    for layer, tint in zip(manifest()["layer"], TINTS):
        chips = list(placed(layer["parts"], y + HEAD))
        height = chips[-1][2] + CHIP + 8 - y
        drawn += band(layer, y, height, tint)
        drawn += [p for c in chips for p in chip(*c, c[0]["name"] in marks)]
        y += height + GAP
    for line in legend(here, parts):
        drawn += keyed(line, y)
        y += LINE
    words = stack_text(here, parts)
    return document(WIDTH, y + MARGIN // 2, drawn, "The minidl stack", words)


def marked(here, parts):
    """The names of the parts to mark; ValueError for one that is not in the stack."""
    rows = [part for layer in manifest()["layer"] for part in layer["parts"]]
    if parts is None:
        return {part["name"] for part in rows if here in part["chapters"]}
    unknown = sorted(set(parts) - {part["name"] for part in rows})
    if unknown:
        raise ValueError(f"no part of the stack is called {', '.join(unknown)}")
    return set(parts)


def placed(parts, y):
    """(part, x, y, width) of a chip for each part: side by side, as far as they fit."""
    x = MARGIN + INSIDE
    for part in parts:
        width = BOLD * text_width(part["name"], 14) + 12
        if x + width > WIDTH - MARGIN - INSIDE:
            x, y = MARGIN + INSIDE, y + CHIP + GAP
        yield part, x, y, width
        x += width + GAP


def band(layer, y, height, tint):
    """What is behind the chips of a layer: its name and what it does."""
    x = MARGIN + INSIDE
    yield box(MARGIN, y, WIDTH - 2 * MARGIN, height, radius=10, fill=tint)
    yield label(x, y + 22, layer["name"], size=16, weight="600")
    yield label(x + DOES, y + 22, layer["does"], size=13, fill=QUIET)


def chip(part, x, y, width, marked):
    ready = ready_chapters() & set(part["chapters"])
    look = HERE if marked else THERE if ready else TO_COME
    yield box(x, y, width, CHIP, **look)
    yield label(
        x + width / 2,
        y + 18,
        part["name"],
        size=14,
        fill=INK if ready else QUIET,
        anchor="middle",
        weight="600" if marked else "normal",
    )


def legend(here, parts):
    """Lines of (look, words): where we are, if anywhere, and what the looks mean."""
    if parts is not None:
        yield [(HERE, "at work now")]
    elif here is not None:
        yield [(HERE, f"you are here: {here:02d} {chapter_title(here)}")]
    yield [(THERE, "there"), (TO_COME, "to come")]


def keyed(line, y):
    """A line of the legend, below y: a small chip of each look, and its words."""
    x = MARGIN + INSIDE
    for look, words in line:
        yield box(x, y + 4, 22, 14, radius=4, **look)
        yield label(x + 30, y + 16, words, size=13)
        x += text_width(words, 13) + 50


def chapter_title(number):
    """The title of a chapter; ValueError where the manifest has none."""
    titles = {c["number"]: c["title"] for c in manifest()["chapter"]}
    if number not in titles:
        raise ValueError(f"chapters are 0 to {max(titles)}, got {number!r}")
    return titles[number]


def stack_text(here=None, parts=None):
    """The same in words."""
    lines, marks = [], marked(here, parts)
    for layer in manifest()["layer"]:
        names = [part["name"] for part in layer["parts"]]
        shown = ", ".join(f"[{name}]" if name in marks else name for name in names)
        lines.append(f"{layer['name']:<12}{layer['does']:<28}{shown}")
    if parts is None and here is not None:
        lines.append(f"You are here, in brackets: {chapter_title(here)}")
    return "\n".join(lines)
