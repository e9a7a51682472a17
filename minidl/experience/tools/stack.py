"""The picture of the stack, drawn from the manifest: layers, and where we stand."""

from .colours import ACCENT, ACCENT_PALE, EDGE, INK, PALE, PAPER, QUIET, TINTS
from .manifest import manifest, ready_chapters
from .svg import Picture, box, document, label, text_width

WIDTH, MARGIN, BAND, GAP = 740, 16, 62, 8
SIDE = 150  # where the chips begin
CHIP = 36


def stack(here=None, parts=None):
    """The stack, to display in a notebook, with the parts of chapter `here` marked.

    `parts`, a sequence of names, marks those instead.
    """
    return Picture(stack_svg(here, parts), stack_text(here, parts))


def stack_svg(here=None, parts=None):
    """The stack as SVG: solid parts are there, pale ones are to come."""
    layers, marks = manifest()["layer"], marked(here, parts)
    bands = [
        piece
        for i, layer in enumerate(layers)
        for piece in band(layer, MARGIN + i * (BAND + GAP), TINTS[i], marks)
    ]
    height = 2 * MARGIN + len(layers) * (BAND + GAP) - GAP + 30
    legend = legend_at(height - 20, here, parts)
    return document(
        WIDTH, height, [*bands, *legend], "The minidl stack", stack_text(here)
    )


def marked(here, parts):
    """The names of the parts to mark."""
    if parts is not None:
        return set(parts)
    rows = [part for layer in manifest()["layer"] for part in layer["parts"]]
    return {part["name"] for part in rows if here in part["chapters"]}


def band(layer, y, tint, marks):
    """One layer: its name, what it does, and a chip for each part."""
    yield box(MARGIN, y, WIDTH - 2 * MARGIN, BAND, radius=10, fill=tint)
    yield label(MARGIN + 16, y + 28, layer["name"], size=17, weight="600")
    yield label(MARGIN + 16, y + 47, layer["does"], size=12)
    x = SIDE + MARGIN
    for part in layer["parts"]:
        width = 1.07 * text_width(part["name"], 15) + 20
        yield from chip(part, x, y + (BAND - CHIP) / 2, width, part["name"] in marks)
        x += width + 6


def chip(part, x, y, width, marked):
    ready = ready_chapters() & set(part["chapters"])
    fill = ACCENT_PALE if marked else PAPER if ready else "none"
    style = {"stroke": ACCENT if marked else INK if ready else QUIET}
    if not ready:
        style["stroke_dasharray"] = "3 3"
    yield box(x, y, width, CHIP, fill=fill, stroke_width=2 if marked else 1, **style)
    yield label(
        x + width / 2,
        y + 23,
        part["name"],
        size=15,
        fill=INK if ready else QUIET,
        anchor="middle",
        weight="600" if marked else "normal",
    )


def legend_at(y, here, parts):
    marks = [("there", PAPER, INK, ""), ("to come", PALE, QUIET, "3 3")]
    if parts is not None:
        marks.insert(0, ("at work now", ACCENT_PALE, ACCENT, ""))
    elif here is not None:
        title = manifest()["chapter"][here]["title"]
        marks.insert(0, (f"you are here: {here:02d} {title}", ACCENT_PALE, ACCENT, ""))
    x = MARGIN + 16
    for words, fill, stroke, dashes in marks:
        yield box(x, y - 12, 22, 14, radius=3, fill=fill, stroke=stroke or EDGE,
                  stroke_dasharray=dashes or "none")  # fmt: skip
        yield label(x + 30, y, words, size=13)
        x += text_width(words, 13) + 54


def stack_text(here=None, parts=None):
    """The same in words."""
    lines, marks = [], marked(here, parts)
    for layer in manifest()["layer"]:
        names = [part["name"] for part in layer["parts"]]
        shown = ", ".join(f"[{name}]" if name in marks else name for name in names)
        lines.append(f"{layer['name']:<12}{layer['does']:<28}{shown}")
    if parts is None and here is not None:
        title = manifest()["chapter"][here]["title"]
        lines.append(f"You are here, in brackets: {title}")
    return "\n".join(lines)
