"""SVG by hand: a few elements as strings, and a picture that a notebook shows."""

from html import escape

from .colours import FONT, INK, PAPER

# The widest that common sans-serif fonts draw a character, in parts of the font size.
WIDTHS = {
    **dict.fromkeys("fijlrtI.,:;'|!()[]/- ", 0.42),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ+=<>#~^&", 0.84),
    **dict.fromkeys("mwMW%@", 1.0),
}
BOLD = 1.12  # times as wide


def element(name, content="", **attributes):
    """<name ...>content</name>; an underscore in an attribute stands for a hyphen."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{pairs}>{content}</{name}>" if content else f"<{name}{pairs}/>"


def label(x, y, words, size=14, fill=INK, anchor="start", weight="normal", **more):
    """Words at (x, y), where y is the baseline."""
    return element(
        "text",
        escape(str(words)),
        x=x,
        y=y,
        font_size=size,
        fill=fill,
        text_anchor=anchor,
        font_weight=weight,
        **more,
    )


def box(x, y, width, height, radius=6, **style):
    return element("rect", x=x, y=y, width=width, height=height, rx=radius, **style)


def text_width(words, size=14):
    """How wide `words` are drawn at most, in pixels; letters beyond ASCII are wide."""
    return size * sum(WIDTHS.get(c, 0.66 if c.isascii() else 1.1) for c in str(words))


def document(width, height, parts, title, description=""):
    """A whole picture on white paper, with words for screen readers."""
    return element(
        "svg",
        element("title", escape(title))
        + (element("desc", escape(description)) if description else "")
        + box(0, 0, width, height, radius=10, fill=PAPER)
        + "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        role="img",
        aria_label=title,
        font_family=FONT,
        style="max-width:100%;height:auto",
    )


class Picture:
    """An SVG that a notebook shows, and words that stand for it elsewhere."""

    def __init__(self, svg, words):
        self.svg, self.words = svg, words

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/svg+xml": self.svg, "text/plain": self.words}

    def __repr__(self):
        return self.words
