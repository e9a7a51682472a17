"""The loss surface: paths, level lines and losses stand where arithmetic puts them."""

import json
import re
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl.experience.tools.contours import bands
from minidl.experience.tools.scene import loss_scale
from minidl.experience.tools.terrain import losses_at
from minidl.experience.tools.trails import GAP, NEAR, Panel, spread, trail, words

BOUNDS = (-4, 4), (-3, 3)
PANEL = Panel(100, 50, 80, 60, *BOUNDS)  # 10 pixels are 1
ROUGH = {"SGD": dl.optim.SGD, "momentum": partial(dl.optim.SGD, momentum=0.9)}
RATES = 0.01, 0.1, 0.3  # the last diverges: it is above 2 / 10


def bowl(x, y):
    return (x * x + 10 * y * y) / 2


def paths(steps=30):
    return {
        name: {lr: dl.tools.descend(bowl, (-3, 2), make, steps, lr=lr) for lr in RATES}
        for name, make in ROUGH.items()
    }


def numbers(path):
    return np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2)


def in_plane(pixels):
    return (pixels - [140, 80]) / [10, -10]


def test_descent_on_a_bowl_shrinks_each_coordinate_by_one_minus_lr_times_curvature():
    found = dl.tools.descend(bowl, (-3, 2), dl.optim.SGD, 20, lr=0.15)
    shrink = np.array([1 - 0.15, 1 - 1.5]) ** np.arange(21)[:, None]
    np.testing.assert_allclose(found, [-3, 2] * shrink, rtol=1e-5)


def test_the_first_step_of_adam_is_the_learning_rate_in_each_coordinate():
    found = dl.tools.descend(bowl, (-3, 2), dl.optim.Adam, 1, lr=0.25)
    np.testing.assert_allclose(found[1] - found[0], [0.25, -0.25], rtol=1e-5)


def test_descent_starts_at_two_numbers():
    with pytest.raises(ValueError, match="two numbers, x and y"):
        dl.tools.descend(bowl, (1, 2, 3), dl.optim.SGD, 1, lr=0.1)


@pytest.mark.parametrize("height", [0.5, 4, 20])
def test_level_lines_have_the_height_of_their_level(height):
    x, y = np.meshgrid(np.linspace(-4, 4, 161), np.linspace(-3, 3, 121))
    low, _ = bands(bowl(x - 1, y - 1), [0, height, 200], PANEL)
    path = ElementTree.fromstring(low).get("d")
    x, y = in_plane(numbers(path)).T
    on_line = (abs(x) < 3.999) & (abs(y) < 2.999)
    assert on_line.sum() > 20  # a pixel's rounding, 0.005, up a slope of at most 40
    np.testing.assert_allclose(bowl(x - 1, y - 1)[on_line], height, atol=0.25)


def test_the_bands_fill_the_map_but_for_what_is_not_finite():
    heights = np.add.outer(np.arange(7.0), np.arange(9.0))
    heights[5:, 7:] = np.nan  # the corner above and right
    shapes = [
        ElementTree.fromstring(b).get("d") for b in bands(heights, [0, 5, 9], PANEL)
    ]
    area = 0
    for ring in (numbers(r) for shape in shapes for r in shape.split("Z") if r):
        x, y = ring.T
        area += abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    lost = 4 * 100 - 50  # four cells, but for the half of one away from the corner
    assert area == pytest.approx(80 * 60 - lost, rel=1e-6)


points = st.tuples(st.integers(0, 300), st.integers(0, 200)).map(np.array)


@given(points, points)
def test_a_segment_is_cut_to_what_a_walk_along_it_finds_inside(a, b):
    walk = a + np.linspace(0, 1, 2001)[:, None] * (b - a)
    inside = ((walk >= [100, 50]) & (walk <= [180, 110])).all(axis=1)
    part = PANEL.cut(a.astype(float), b.astype(float))
    if inside.any():
        start, end = part
        assert np.abs(start - walk[inside][0]).max() < 0.2
        assert np.abs(end - walk[inside][-1]).max() < 0.2
    else:  # at most a corner, between two steps of the walk
        assert part is None or np.abs(part[0] - part[1]).max() < 0.2


def test_a_trail_goes_to_the_edge_and_begins_there_again_when_it_is_back():
    places = np.array([[0, 0], [1, 0], [7, 0], [1, 6], [np.nan, 0], [1, 0], [1, 2]])
    pieces, dots = trail(places, PANEL)
    assert pieces == [
        "M140.0,80.0",
        "L150.0,80.0",
        "L180.0,80.0",  # the edge at x = 4
        "",
        "",
        "",  # from nowhere no line leads
        "M150.0,80.0L150.0,60.0",
    ]
    assert dots[-2:] == [[180, 80], [150, 60]]


def test_words_say_since_when_a_path_is_off_the_map():
    places = [[0, 0], [5, 0], [9, 9], [0, 1], [0, 4], [np.inf, 4]]
    losses = [0.5, 12.5, np.nan, 0.12345, 1e9, np.nan]
    assert words(np.array(places), losses, PANEL) == [
        "loss 0.5",
        "loss 12.5, left the map at step 1",
        "left the map at step 1",
        "loss 0.123",
        "loss 1e+09, left the map at step 4",
        "left the map at step 4, now no finite place",
    ]


@given(st.lists(points, min_size=1, max_size=5))
def test_labels_keep_apart_and_on_the_panel(dots):
    panel = Panel(0, 0, 300, 200, (0, 1), (0, 1))
    heights = [y for _, y, _ in spread(dots, panel)]
    assert all(11 <= y <= 196 for y in heights)
    for i, (a, b) in enumerate(zip(dots, heights)):
        for c, d in zip(dots[:i], heights[:i]):
            assert abs(a[0] - c[0]) >= NEAR or abs(b - d) >= GAP - 1e-6


def test_a_grid_gives_between_its_points_the_losses_of_a_bilinear_function(rng):
    def tilted(x, y):
        return 2 + 3 * x - y + 0.5 * x * y

    grid = tilted(*np.meshgrid(np.linspace(-4, 4, 5), np.linspace(-3, 3, 4)))
    places = rng.uniform([-4, -3], [4, 3], (50, 2))
    by_hand = tilted(*places.T)
    np.testing.assert_allclose(losses_at(grid, BOUNDS, places), by_hand)
    np.testing.assert_allclose(losses_at(tilted, BOUNDS, places), by_hand)
    assert np.isnan(losses_at(grid, BOUNDS, np.array([[4.1, 0], [np.nan, 0]]))).all()


def test_equal_factors_of_the_loss_are_equal_steps_of_the_chart():
    scale, (low, high), ticks = loss_scale(np.array([1, 10, 0.1, np.inf]), 10)
    assert np.diff(scale(np.array([0.1, 1, 10]))) == pytest.approx([1, 1])
    assert low == pytest.approx(-1) and 1 < high < 1.5
    assert ticks == [(-1, "0.1"), (0, "1"), (1, "10")]
    scale, (low, _), _ = loss_scale(np.array([0, 10]), 10)  # 0 has no logarithm
    assert scale(0.0) == low == pytest.approx(-7)
    below_zero, _, _ = loss_scale(np.array([-5.0, 10]), 10)
    assert below_zero(3.0) == 3


def test_the_widget_holds_each_step_as_json_and_stands_still_elsewhere():
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    widget = dl.tools.surface(bowl, paths(), BOUNDS, start=3, rate=0.1)
    assert (widget.rates, widget.rate_index, widget.index) == ([0.01, 0.1, 0.3], 1, 3)
    json.dumps([widget.tracks, widget.chart, widget.looks], allow_nan=False)
    said = [rate["SGD"]["words"] for rate in widget.tracks]
    assert said[1][:2] == ["loss 24.5", "loss 3.65"]  # (9 + 40) / 2, then 2.7² / 2
    assert said[2][2].endswith("left the map at step 1")  # y: 2 → -4
    picture = ElementTree.fromstring(widget._repr_mimebundle_()[0]["image/svg+xml"])
    shown = [t.text for t in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert shown.count("SGD") == shown.count("momentum") == 2
    assert "SGD: loss" in picture[1].text


def test_the_losses_of_a_third_column_are_the_ones_that_are_shown():
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    run = [[0, 0, 9.0], [1, 1, 4.0]]
    widget = dl.tools.surface(np.ones((3, 3)), {"Adam": {0.1: run}}, BOUNDS)
    assert widget.tracks[0]["Adam"]["words"] == ["loss 9", "loss 4"]


GOOD = {"SGD": {0.1: [[0, 0], [1, 1]]}}
FLAT = np.zeros((3, 3))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((FLAT, GOOD, (-1, 1)), r"bounds are \(\(xmin, xmax\)"),
        ((FLAT, GOOD, ((1, -1), (0, 1))), "the least first"),
        ((np.zeros(9), GOOD, BOUNDS), "got shape"),
        ((FLAT * np.nan, GOOD, BOUNDS), "no height within the bounds is finite"),
        ((lambda x, y: 1.0, GOOD, BOUNDS), "gives a loss for each place"),
        ((FLAT, {}, BOUNDS), "paths of 1 to 5 optimisers"),
        ((FLAT, {"SGD": [[0, 0]]}, BOUNDS), "paths of 1 to 5 optimisers"),
        ((FLAT, {"SGD": {0.1: [0, 0]}}, BOUNDS), r"SGD at 0.1: got \(2,\)"),
        ((FLAT, {"SGD": {0.1: [[5, 0]]}}, BOUNDS), r"starts at \(5, 0\)"),
        ((FLAT, {"SGD": {0.1: [[0, 0]], 1: [[0, 0]] * 2}}, BOUNDS), "as many steps"),
        ((FLAT, GOOD, BOUNDS, 2), "start is a step, 0 to 1, got 2"),
        ((FLAT, GOOD, BOUNDS, 0, 0.5), "no path has the learning rate 0.5"),
        ((FLAT, GOOD, BOUNDS, 0, 0.1, [3, 1]), "levels are two heights or more"),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_a_sentence(arguments, message):
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    with pytest.raises(ValueError, match=message):
        dl.tools.surface(*arguments)


def test_the_view_draws_the_chosen_paths_to_the_step_at_the_rate(node):
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    widget = dl.tools.surface(bowl, paths(), BOUNDS, start=3, rate=0.1)
    names = "background chart index interval looks rate_index rates shown tracks"
    state = {name: getattr(widget, name) for name in names.split()}
    del state["tracks"][0]["momentum"]
    told = node(
        "surface.js",
        f"""
        const {{ root, state }} = view({json.dumps(state)});
        const layer = root.all().find((e) => e.found).found.children[0];
        const picture = () => layer.children.filter((e) => e.name === "text").map(
          (e) => e.textContent);
        const caption = () => root.children.at(-1).textContent;
        const seen = [[picture(), caption()]];
        const step = () => layer.children.filter((e) => e.name === "path").map(
          (e) => e.words.d.split("L").length - 1).at(-1);
        const steps = [step()];
        press("ArrowRight", root);
        steps.push(step());
        root.find("aria-label", "SGD").heard.click();
        seen.push([picture(), caption()]);
        const rate = root.find("aria-label", "learning rate");
        press("ArrowLeft", rate, root);
        seen.push([picture(), caption()]);
        tell([seen, steps, state.shown, rate.words["aria-valuetext"]]);
        """,
    )
    said = {name: widget.tracks[1][name]["words"] for name in ROUGH}
    assert told == [
        [
            [["SGD", "SGD", "momentum", "momentum"],
             f"SGD: {said['SGD'][3]} momentum: {said['momentum'][3]}"],
            [["momentum", "momentum"], f"momentum: {said['momentum'][4]}"],
            [[], "momentum: did not run at this rate"],
        ],
        [3, 4],
        ["momentum"],
        0.01,
    ]  # fmt: skip
