"""The colours of all figures: tints of one blue-grey, and one accent."""

INK = "#1f2d3a"  # text and lines
QUIET = "#6b7c8c"  # secondary text
EDGE = "#b8c4ce"
PALE = "#eef2f5"
TINTS = ("#f0f4f7", "#e6edf2", "#dae4eb", "#cedae4", "#c1d0dc", "#b4c6d4")
ACCENT = "#d9622b"
ACCENT_PALE = "#fbe6dc"
PAPER = "#ffffff"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
