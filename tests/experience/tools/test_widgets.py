"""The widgets: what they move through is what NumPy says, and a still picture stays."""

import itertools
import json
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import minidl as dl
from minidl.experience.tools import strides

pytest.importorskip("anywidget", reason="anywidget is not installed")
SVG = "{http://www.w3.org/2000/svg}"
VIEWS = {
    "whole": lambda x: x,
    "transposed": lambda x: x.T,
    "every second": lambda x: x[1:, ::2],
    "row": lambda x: x[2],
    "broadcast": lambda x: x.expand(2, 4, 6),
    "windows": lambda x: x[0].windows((3,)),
}
views = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@views
def test_the_explorer_knows_the_place_of_each_element(view):
    x = view(dl.arange(24).reshape(4, 6))
    widget = dl.tools.explore(x)
    where = strides.places(widget.shape, widget.strides, widget.offset)
    for index in np.ndindex(x.shape):  # arange: each value is its own place
        assert where[index] == x.data[index]
    assert widget.buffer == list(range(24))


@views
def test_the_still_picture_frames_what_numpy_reads_and_shows_the_view(view):
    x = view(dl.arange(24).reshape(4, 6))
    root = ElementTree.fromstring(dl.tools.explore(x).still)
    framed = [rect.get("stroke") != "none" for rect in root.iter(f"{SVG}rect")][1:]
    cells = [int(t.text) for t in root.iter(f"{SVG}text") if t.text.isdigit()]
    read = np.lib.stride_tricks.as_strided(x.data, x.shape, x.data.strides)
    assert [i for i in range(24) if framed[i]] == sorted(set(read.ravel()))
    assert cells == [*range(24), *read.ravel()]


@views
def test_the_still_picture_has_its_rows_below_each_other(view):
    x = view(dl.arange(24).reshape(4, 6))
    corners = list(strides.view_corners(x.shape, 0, 0))
    assert len(set(corners)) == len(corners) == x.numel()
    for index, (left, top) in zip(np.ndindex(x.shape), corners):
        if len(x.shape) > 1:
            assert left % (x.shape[-1] * 36 + 18) == 36 * index[-1]
            assert top % (x.shape[-2] * 36 + 18) == 36 * index[-2]


def test_the_explorer_takes_numpy_arrays_however_they_lie():
    widget = dl.tools.explore(np.asfortranarray(np.arange(6).reshape(2, 3)))
    assert (widget.strides, widget.buffer) == ([1, 2], [0, 3, 1, 4, 2, 5])
    backwards = dl.tools.explore(np.arange(6)[::-1])
    assert (backwards.strides, backwards.offset) == ([-1], 5)


@pytest.mark.parametrize(
    "x, message",
    [
        (np.zeros(100), "a buffer of 1 to 48 elements"),
        (np.zeros((0, 3)), "a buffer of 1 to 48 elements"),
        (np.zeros((1, 2, 2, 2)), "1 to 3 dimensions"),
        (np.broadcast_to(np.zeros(48), (1000, 48)), "draws 1 to 200 elements"),
        (np.array([1.0, np.nan]), "holds nan or infinity"),
        (np.arange(4, dtype="int64").view("int32"), "int32 on int64"),
    ],
)
def test_the_explorer_refuses_what_it_cannot_show(x, message):
    with pytest.raises(ValueError, match=message):
        dl.tools.explore(x)


def windows(a):
    return np.lib.stride_tricks.sliding_window_view(a, 3, axis=-1)


# Each button in NumPy, or None where it makes no sense.
BUTTONS = {
    "transpose": lambda a: a.swapaxes(-1, -2) if a.ndim > 1 else None,
    "every second": lambda a: a[..., ::2] if a.shape[-1] > 1 else None,
    "drop the first": lambda a: a[1:] if len(a) > 1 else None,
    "broadcast": lambda a: np.broadcast_to(a, (3, *a.shape)) if a.ndim < 3 else None,
    "windows": lambda a: windows(a) if a.ndim < 3 and a.shape[-1] > 2 else None,
}


def pressed(buttons):
    a = np.arange(24).reshape(4, 6)
    for name in buttons:
        a = None if a is None else BUTTONS[name](a)
    return None if a is None else [list(a.shape), a.ravel().tolist()]


def test_any_three_buttons_read_what_numpy_reads(node):
    orders = list(itertools.product(BUTTONS, repeat=3))
    code = f"""
    const start = {{ shape: [4, 6], strides: [6, 1], offset: 0 }};
    const moved = (view, name) => view && m.MOVES[name](view);
    tell({json.dumps(orders)}.map((names) => {{
      const view = names.reduce(moved, start);
      return view && [view.shape, m.places(view).map(([, place]) => place)];
    }}));"""
    assert node("strides.js", code) == [pressed(order) for order in orders]


def test_the_explorer_says_why_a_reading_set_from_python_is_none(node):
    readings = [([12], [4, 1], 0), ([12], [2], 0), ([2, 3], [3, 1], -1), ([4], [1], 8)]
    views = [dict(zip(("shape", "strides", "offset"), r)) for r in readings]
    code = f"tell({json.dumps(views)}.map((v) => m.trouble(v, 12)))"
    assert node("strides.js", code) == [
        "The shape has 1 numbers and the strides 2: give as many of both.",
        "Element [6] would read place 12: the buffer has 0 to 11.",
        "Element [0, 0] would read place -1: the buffer has 0 to 11.",
        None,
    ]


def test_a_player_keeps_its_frames_and_stands_still_elsewhere():
    frames = [dl.tools.stack(i) for i in range(3)]
    widget = dl.tools.player(frames, ["a", "b", "c"], start=1)
    bundle, _ = widget._repr_mimebundle_()
    assert bundle["image/svg+xml"] == frames[1].svg and len(widget.frames) == 3


def test_a_player_steps_by_keys_and_buttons_plays_to_the_end_and_leaves_no_listener(
    node,
):
    told = node(
        "player.js",
        """
        const captions = ["1", "2", "3", "4"];
        const frames = captions.map((name) => `<svg viewBox="0 0 4 3">${name}</svg>`);
        const state = { frames, captions, index: 1, interval: 1 };
        const { root, close, heard } = view(state);
        const click = (name) => root.find("aria-label", name).heard.click();
        const slider = root.find("aria-label", "frame"), at = [];
        const note = (action) => { action(); at.push(state.index); };
        note(() => press("ArrowRight", slider, root));
        note(() => press("ArrowRight", slider)); // a key pressed elsewhere
        note(() => press("ArrowUp", slider, root));
        note(() => click("one back"));
        note(() => press("ArrowLeft", root));
        note(() => press("ArrowLeft", root));
        note(() => { slider.value = "2"; slider.heard.input(); });
        const seen = root.textContent;
        click("play or pause");
        await new Promise((done) => setTimeout(done, 200));
        at.push(state.index, root.find("aria-label", "play or pause").textContent);
        close();
        const left = [...Object.keys(window.heard), ...heard.keys()];
        tell([at, seen.includes("3 / 4"), left]);
        """,
    )
    assert told == [[2, 2, 2, 1, 0, 0, 2, 3, "Play"], True, []]


def test_a_player_refuses_what_it_cannot_play():
    frames = [dl.tools.stack(i) for i in range(3)]
    with pytest.raises(ValueError, match="3 frames and 1 captions"):
        dl.tools.player(frames, ["a"])
    with pytest.raises(ValueError, match="0 frames"):
        dl.tools.player([])
    for start in (-1, 3):
        with pytest.raises(ValueError, match=f"start is 0 to 2, got {start}"):
            dl.tools.player(frames, start=start)
    for frame in (7, "no picture"):
        with pytest.raises(TypeError, match="a frame is SVG or a figure"):
            dl.tools.player([frame])


def test_a_figure_can_be_a_frame_and_keeps_its_size(node):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))  # inches of 96 pixels
    figure.subplots().plot([1, 2])
    (frame,) = dl.tools.player([figure]).frames
    assert frame.startswith("<svg")
    code = f"tell(m.size({json.dumps(frame)}))"
    assert node("player.js", code) == pytest.approx([384, 288])


def test_without_anywidget_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    strides.strides_class.cache_clear()
    with pytest.raises(ImportError, match="pip install anywidget"):
        dl.tools.explore(dl.arange(3))


CHOICES = {"order": ("ij", "ji"), "rows": (1, 2, 4)}
MEASURED = {
    (order, rows): (f"loops {order}\n  by {rows}", {"ms": 8.0 / rows, "loads": 4.0})
    for order in CHOICES["order"]
    for rows in CHOICES["rows"]
}


def test_dials_have_a_picture_for_each_setting_and_stand_still_at_the_start():
    widget = dl.tools.dials(CHOICES, MEASURED, "A claim", start=("ji", 2))
    assert len(widget.frames) == 6 and widget.chosen == [1, 1]
    words = [t.text for t in ElementTree.fromstring(widget.still).iter(f"{SVG}text")]
    assert {"A claim", "loops ji", "by 2", "ms", "4", "8", "2"} <= set(words)
    assert widget.captions[4] == "order: ji, rows: 2. ms 4, loads 4."


def test_dials_mark_the_least_at_the_left_and_the_most_at_the_right():
    widget = dl.tools.dials(CHOICES, MEASURED, "A claim")
    marked = []
    for frame in widget.frames[:3]:
        boxes = ElementTree.fromstring(frame).iter(f"{SVG}rect")
        marked.append(next(float(b.get("x")) for b in boxes if b.get("width") == "5"))
    assert marked == sorted(marked, reverse=True)  # 8, 4 and 2 ms
    assert marked[0] - marked[1] == pytest.approx(marked[1] - marked[2], abs=0.2)


def test_a_long_line_is_broken_where_the_strips_begin():
    text = "serial i < 4\n  c[i] add= " + " * ".join(["a[i_outer * 4 + i_inner]"] * 6)
    rows = dl.tools.dials({"n": (1,)}, {(1,): (text, {"ms": 1.0})}, "A claim").still
    lines = [t.text for t in ElementTree.fromstring(rows).iter(f"{SVG}text")]
    assert max(map(len, lines)) <= 48 and " ".join(lines[1:]).count("a[i_outer") == 6


def test_dials_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"no result for \('ij', 4\)"):
        some = {k: v for k, v in MEASURED.items() if k != ("ij", 4)}
        dl.tools.dials(CHOICES, some, "A claim")
    with pytest.raises(ValueError, match="no setting"):
        dl.tools.dials(CHOICES, MEASURED, "A claim", start=("ij", 3))


def test_a_dial_turns_by_its_slider_and_by_keys_and_leaves_no_listener(node):
    told = node(
        "dials.js",
        """
        const labels = [["ij", "ji"], ["1", "2", "4"]], frames = [..."012345"];
        const state = { names: ["order", "rows"], labels, chosen: [0, 1], frames,
                        captions: frames };
        const { root, close, heard } = view(state);
        const [order, rows] = ["order", "rows"].map((n) => root.find("aria-label", n));
        const shown = () => root.children[1].innerHTML, at = [shown()];
        const note = (action) => { action(); at.push(shown()); };
        note(() => { order.value = "1"; order.dispatchEvent({ type: "input" }); });
        note(() => press("ArrowRight", rows, root));
        note(() => press("ArrowRight", rows, root)); // it is at its end
        note(() => press("ArrowLeft", order, root));
        note(() => press("ArrowLeft", root)); // no dial has the focus
        close();
        const left = [...heard.keys(), ...Object.keys(window.heard)];
        tell([at, left, m.place([1, 2], labels), rows.words["aria-valuetext"]]);""",
    )
    assert told == [["1", "4", "5", "5", "2", "2"], [], 5, "4"]
