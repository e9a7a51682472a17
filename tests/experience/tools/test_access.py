"""The view of a warp's accesses: it draws the sectors and passes worked by hand."""

from xml.etree import ElementTree

import numpy as np
import pytest

import minidl as dl
from minidl.experience.tools.access import CELL, MARGIN, picture
from minidl.experience.tools.colours import ACCENT
from minidl.hardware import simt
from minidl.hardware.simt.watch import Step

pytest.importorskip("anywidget", reason="anywidget is not installed")
SVG = "{http://www.w3.org/2000/svg}"
SOURCE = """
extern "C" __global__ void strided(const float* x, float* out, int stride) {
    __shared__ float tile[1024];
    for (int i = threadIdx.x; i < 1024; i += 32) tile[i] = x[i];
    __syncthreads();
    if (threadIdx.x < 24)
        out[threadIdx.x] = x[threadIdx.x * stride] + tile[threadIdx.x * stride];
}
"""


def steps(stride):
    """[load of x, load of tile, store to out] of 24 lanes, `stride` floats apart."""
    x, out = np.zeros(1024, "float32"), np.zeros(32, "float32")
    kernel = simt.RawKernel(SOURCE, "strided")
    return simt.watch(kernel, 1, 32, (x, out, np.int32(stride)), line=7)


def step(space, nbytes, parts, size=4):
    return Step(1, "load", space, "x", size, tuple(nbytes), parts)


def boxes(svg, **wanted):
    """(x, y, width) of the rectangles with these attributes."""
    root = ElementTree.fromstring(svg)
    return [
        tuple(float(rect.get(name)) for name in ("x", "y", "width"))
        for rect in root.iter(f"{SVG}rect")
        if all(
            rect.get(key.replace("_", "-")) == value for key, value in wanted.items()
        )
    ]


def words_drawn(svg):
    return boxes(svg, fill=ACCENT)


# 24 floats in a row are 96 bytes, 3 sectors; 8 floats apart each has its own; 32 apart
# all lie in bank 0, and 2 apart two share each bank but 8.
@pytest.mark.parametrize(
    "stride, sectors, passes",
    [(1, 3, 1), (2, 6, 2), (8, 24, 6), (32, 24, 24), (0, 1, 1)],
)
def test_it_draws_each_sector_once_and_a_row_for_each_pass(stride, sectors, passes):
    load, shared, _ = map(picture, steps(stride))
    assert len(boxes(load, fill="none")) == sectors
    assert len({y for _, y, _ in words_drawn(shared)}) == passes
    assert f"line 7: {sectors} sector" in load and f"line 7: {passes} pass" in shared


def test_lanes_without_a_part_are_hollow():
    for svg in map(picture, steps(1)):
        assert len(boxes(svg, stroke_dasharray="2 2")) == 8


def test_a_word_stands_in_its_sector_where_it_lies():
    # Bytes 64 and 92: sector 2 alone, drawn 160 pixels wide: 0 and 28 of its 32 bytes.
    svg = picture(step("global", [64, 92, *[None] * 30], 1))
    ((left, _, wide),) = boxes(svg, fill="none")
    assert wide == 160
    assert [x - left for x, _, _ in words_drawn(svg)] == [0, 140]


def test_a_word_of_shared_memory_stands_in_its_bank():
    # Words 5 and 37 are of bank 5; word 6 is of bank 6, which serves it at once.
    svg = picture(step("shared", [20, 148, 24, *[None] * 29], 2))
    places = words_drawn(svg)
    assert [(x - MARGIN) // CELL for x, _, _ in places] == [5, 5, 6]
    first, second, third = (y for _, y, _ in places)
    assert first == third < second


@pytest.mark.parametrize("size, groups", [(8, 2), (16, 4)])
def test_wide_loads_of_shared_memory_take_a_row_for_each_part_of_the_warp(size, groups):
    svg = picture(step("shared", range(0, 32 * size, size), groups, size))
    assert len({y for _, y, _ in words_drawn(svg)}) == groups


def test_an_access_over_two_sectors_shows_both():
    svg = picture(step("global", [0, 24, *[None] * 30], 2, size=16))
    assert len(boxes(svg, fill="none")) == 2


def test_the_widget_has_a_frame_and_a_caption_for_each_step_and_a_still_picture():
    widget = dl.tools.access({"apart": steps(32), "near": steps(1)}, start=3)
    assert len(widget.frames) == len(widget.captions) == 6
    assert widget.still == widget.frames[3]
    assert "apart: load from x" in widget.frames[0]
    assert "near: load from x, line 7: 3 sectors" in widget.still
    assert widget.captions[0] == (
        "thread 0 at byte 0, thread 1 at byte 128, ..., thread 23 at byte 2,944. "
        "96 bytes asked for, 768 moved."
    )
    root = ElementTree.fromstring(widget.still)  # for screen readers
    assert root.find(f"{SVG}title").text in root.get("aria-label")
    assert root.find(f"{SVG}desc").text == widget.captions[3]


def test_nothing_to_show_is_refused():
    with pytest.raises(ValueError, match="got none"):
        dl.tools.access([])
