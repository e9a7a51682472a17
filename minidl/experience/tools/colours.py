"""The colours of all figures: tints of one blue-grey, and one accent."""

INK = "#1f2d3a"  # text and lines
QUIET = "#50606e"  # secondary text
EDGE = "#b8c4ce"
PALE = "#eef2f5"
TINTS = ("#f3f6f9", "#ecf1f5", "#e5ecf1", "#dde6ed", "#d6e1e9", "#cedbe5")
ACCENT = "#d9622b"
ACCENT_PALE = "#fbe6dc"
PAPER = "#ffffff"
# Of several lines in one picture: each (colour, dashes), to tell apart in grey too.
LINES = (
    (INK, "none"),
    (ACCENT, "8 3"),
    ("#8a6d3b", "2 3"),
    (QUIET, "11 3 2 3"),
    (INK, "4 4"),
)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def shade(share):
    """A blue-grey between pale, for a share of 0, and deep, for 1."""
    ends = (238, 125), (242, 155), (245, 179)  # of red, green and blue
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in ends)
