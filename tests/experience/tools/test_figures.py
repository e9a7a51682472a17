"""Figures: labels that don't collide, pictures of one range."""

import numpy as np
import pytest

import minidl as dl


@pytest.fixture
def axes():
    plt = dl.tools.pyplot()
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_of_lines_stand_in_order_and_apart(axes, scale):
    ends = {"a": 3.0, "b": 1.0, "c": 1.001, "d": 1.002}
    for name, end in ends.items():
        axes.plot([0, 1], [2, end], label=name)
    axes.set_yscale(scale)
    dl.tools.label_ends(axes, gap=15)
    axes.figure.canvas.draw()
    heights = {t.get_text(): t.get_window_extent().y0 for t in axes.texts}
    assert sorted(heights, key=heights.get) == ["b", "c", "d", "a"]
    gaps = np.diff(sorted(heights.values())) * 72 / axes.figure.dpi
    assert (gaps > 14.5).all()


def test_a_line_without_a_label_gets_none(axes):
    axes.plot([0, 1], [0, 1])
    dl.tools.label_ends(axes)
    assert not axes.texts


def test_pictures_share_the_range_of_the_data():
    plt = dl.tools.pyplot()
    dl.tools.images(dl.stack([dl.zeros(2, 2), dl.ones(2, 2) * 4]))
    ranges = [ax.images[0].get_clim() for ax in plt.gcf().axes]
    assert ranges == [(0, 4), (0, 4)]
    plt.close("all")
