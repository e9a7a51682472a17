"""Words for pictures, worked out by hand for small notebooks."""

import pytest

pytest.importorskip("nbformat", reason="nbformat is not installed")
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kit.site import alt

TITLED = """
plt.plot(x, y, label="not this")
plt.title("Error falls")
plt.xlabel("step")
plt.ylabel("error (no unit)")
"""
SET = """
ax.set(xlabel="pixel")
ax.set_title("a panel")
title = f"A sum of {n} parts"
figure.suptitle(title, x=0)
"""
IMAGES = 'dl.tools.images(x, ["mean", "edges"])\ndl.tools.images(y, title="Ink is out")'
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg">'
    "<title>A graph</title><desc>b, a</desc></svg>"
)
ABOVE = (
    "Ten `digits`.\n\nThey are *real*. **Predict** which is a 4.\n\n**Predict** more."
)


def words(source, *kinds):
    outputs = [new_output("display_data", data=dict([kind])) for kind in kinds]
    cells = new_markdown_cell(ABOVE), new_code_cell(source, outputs=outputs)
    return alt.pictures(new_notebook(cells=list(cells)))[1]


PNG = ("image/png", "")


@pytest.mark.parametrize(
    "source, kinds, expected",
    [
        (TITLED, [PNG], ["Error falls: error (no unit) against step."]),
        (SET, [PNG], ["A sum of … parts: pixel."]),
        (IMAGES, [PNG, PNG], ["Pictures, from the left: mean, edges.", "Ink is out."]),
        ("show()", [("image/svg+xml", SVG)], ["A graph. b, a."]),
        ("draw(x)", [PNG], ["They are real."]),
    ],
)  # fmt: skip
def test_a_picture_gets_the_words_that_its_cell_has(source, kinds, expected):
    assert words(source, *kinds) == expected


def test_a_frame_without_a_title_is_named_by_its_caption():
    model = {"state": {"frames": ["<svg/>", SVG], "captions": ["at <0>", "then"]}}
    widgets = {alt.STATE: {"state": {"view": model}}}
    notebook = new_notebook(metadata={"widgets": widgets})
    alt.name_frames(notebook)
    shown = notebook.metadata["widgets"][alt.STATE]["state"]["view"]
    plain, titled = shown["state"]["frames"]
    assert plain == '<svg role="img" aria-label="at &lt;0&gt;"/>'
    assert titled == SVG
