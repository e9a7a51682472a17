"""The picture of the stack, drawn from the manifest: layers, and where we stand."""

from .colours import ACCENT, ACCENT_PALE, EDGE, INK, PALE, PAPER, QUIET, TINTS
from .manifest import manifest, ready_chapters
from .svg import Picture, box, document, label, text_width

WIDTH, MARGIN, BAND, GAP = 740, 16, 62, 8
SIDE = 182  # where the chips begin
CHIP = 36


def stack(here=None):
    """The stack, with the parts of chapter `here` marked; it displays in a notebook."""
    return Picture(stack_svg(here), stack_text(here))


def stack_svg(here=None):
    """The stack as SVG: solid parts are there, pale ones are to come."""
    layers = manifest()["layer"]
    bands = [
        piece
        for i, layer in enumerate(layers)
        for piece in band(layer, MARGIN + i * (BAND + GAP), TINTS[i], here)
    ]
    height = 2 * MARGIN + len(layers) * (BAND + GAP) - GAP + 30
    legend = legend_at(height - 20, here)
    return document(
        WIDTH, height, [*bands, *legend], "The minidl stack", stack_text(here)
    )


def band(layer, y, tint, here):
    """One layer: its name, what it does, and a chip for each part."""
    yield box(MARGIN, y, WIDTH - 2 * MARGIN, BAND, radius=10, fill=tint)
    yield label(MARGIN + 16, y + 28, layer["name"], size=17, weight="600")
    yield label(MARGIN + 16, y + 47, layer["does"], size=12)
    x = SIDE + MARGIN
    for part in layer["parts"]:
        width = text_width(part["name"], 15) + 20
        yield from chip(part, x, y + (BAND - CHIP) / 2, width, here)
        x += width + 6


def chip(part, x, y, width, here):
    ready = ready_chapters() & set(part["chapters"])
    marked = here in part["chapters"]
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


def legend_at(y, here):
    marks = [("there", PAPER, INK, ""), ("to come", PALE, QUIET, "3 3")]
    if here is not None:
        title = manifest()["chapter"][here]["title"]
        marks.insert(0, (f"you are here: {here:02d} {title}", ACCENT_PALE, ACCENT, ""))
    x = MARGIN + 16
    for words, fill, stroke, dashes in marks:
        yield box(x, y - 12, 22, 14, radius=3, fill=fill, stroke=stroke or EDGE,
                  stroke_dasharray=dashes or "none")  # fmt: skip
        yield label(x + 30, y, words, size=13)
        x += text_width(words, 13) + 54


def stack_text(here=None):
    """The same in words."""
    lines = []
    for layer in manifest()["layer"]:
        names = [
            f"[{p['name']}]" if here in p["chapters"] else p["name"]
            for p in layer["parts"]
        ]
        lines.append(f"{layer['name']:<12}{layer['does']:<28}{', '.join(names)}")
    if here is not None:
        lines.append(
            f"You are here, in brackets: {manifest()['chapter'][here]['title']}"
        )
    return "\n".join(lines)
