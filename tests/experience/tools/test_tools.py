"""The pictures: they show what they say, and nothing is cut or crossed."""

import itertools
import json
import shutil
import subprocess
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl.experience.tools import layered, strides

pytest.importorskip("anywidget", reason="anywidget is not installed")
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_stack_names_every_part_and_marks_where_we_are():
    from minidl.experience.tools.manifest import manifest

    svg = dl.tools.stack(2).svg
    for layer in manifest()["layer"]:
        assert layer["name"] in texts(svg)
        assert all(part["name"] in texts(svg) for part in layer["parts"])
    assert "you are here: 02 Automatic differentiation" in texts(svg)
    assert "[autodiff]" in repr(dl.tools.stack(2))
    assert repr(dl.tools.stack(parts=["nn"])).count("[") == 1


def test_no_chip_of_the_stack_leaves_its_band():
    root = ElementTree.fromstring(dl.tools.stack(0).svg)
    width = float(root.get("viewBox").split()[2])
    for rect in root.iter(f"{SVG}rect"):
        assert float(rect.get("x")) + float(rect.get("width")) <= width


@st.composite
def acyclic_graphs(draw):
    n = draw(st.integers(1, 12))
    pairs = [(a, b) for a, b in itertools.combinations(range(n), 2)]
    return n, draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []


@given(acyclic_graphs())
def test_every_edge_points_down_and_no_two_boxes_overlap(graph):
    n, edges = graph
    nodes = {i: f"vertex {i}" for i in range(n)}
    labels = {i: (text, "operation") for i, text in nodes.items()}
    layers, routes = layered.routed(layered.ranks(nodes, edges), edges)
    steps = [step for route in routes for step in zip(route, route[1:])]
    places = layered.placed(layered.ordered(layers, steps), labels)
    for a, b in steps:
        assert places[a][1] < places[b][1]
    for (x1, y1, w1), (x2, y2, _) in itertools.permutations(places.values(), 2):
        assert y1 != y2 or x2 <= x1 or x1 + w1 <= x2
    assert sorted(texts(layered.layered_svg(nodes, edges))) == sorted(nodes.values())


def test_a_circle_has_no_layers():
    with pytest.raises(ValueError, match="circle"):
        layered.layered_svg({1: "a", 2: "b"}, [(1, 2), (2, 1)])


def test_the_recorded_graph_shows_operations_and_named_leaves():
    w, b = dl.ones(3, 4, requires_grad=True), dl.ones(3, requires_grad=True)
    loss = (dl.ones(2, 4) @ w.T + b).sum()
    picture = dl.tools.draw_graph(loss, {"w": w}, marked=[loss.node])
    assert sorted(texts(picture.svg)) == sorted(
        ["w", "3x4", "leaf", "3", "permute", "matmul", "add", "sum"]
    )
    assert repr(picture).startswith("4 operations on 2 leaves")
    with pytest.raises(ValueError, match="nothing to draw"):
        dl.tools.draw_graph(dl.ones(2))


VIEWS = [
    lambda x: x,
    lambda x: x.T,
    lambda x: x[1:, ::2],
    lambda x: x[2],
    lambda x: x.expand(2, 4, 6),
    lambda x: x[0].windows((3,)),
]


@pytest.mark.parametrize("view", VIEWS)
def test_the_view_explorer_knows_the_place_of_each_element(view):
    x = view(dl.arange(24).reshape(4, 6))
    widget = dl.tools.explore(x)
    where = strides.places(widget.shape, widget.strides, widget.offset)
    for index in np.ndindex(x.shape):  # arange: each value is its own place
        assert where[index] == x.data[index]
    assert widget.buffer == list(range(24)) and widget.still.startswith("<svg")


def test_the_view_explorer_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match="at most 48 elements"):
        dl.tools.explore(dl.zeros(100))
    with pytest.raises(ValueError, match="1 to 3 dimensions"):
        dl.tools.explore(dl.zeros(1, 2, 2, 2))


def test_the_explorers_buttons_read_what_numpy_reads(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = tmp_path / "strides.mjs"
    script.write_text(
        (files("minidl.experience.tools") / "strides.js").read_text("utf-8")
    )
    start = {"shape": [4, 6], "strides": [6, 1], "offset": 0}
    code = (
        "const { MOVES, places } = await import(process.argv[1]);"
        f"const start = {json.dumps(start)};"
        "const out = {}; for (const [name, move] of Object.entries(MOVES))"
        " out[name] = places(move(start)).map(([, place]) => place);"
        "console.log(JSON.stringify(out));"
    )
    run = subprocess.run(
        [node, "--input-type=module", "-e", code, script.as_uri()],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    a = np.arange(24).reshape(4, 6)
    window = np.lib.stride_tricks.sliding_window_view
    assert json.loads(run.stdout) == {
        "transpose": a.T.ravel().tolist(),
        "every second": a[:, ::2].ravel().tolist(),
        "drop the first": a[1:].ravel().tolist(),
        "broadcast": np.broadcast_to(a, (3, 4, 6)).ravel().tolist(),
        "windows": window(a, 3, axis=1).ravel().tolist(),
    }


def test_a_player_keeps_its_frames_and_stands_still_elsewhere():
    frames = [dl.tools.stack(i) for i in range(3)]
    widget = dl.tools.player(frames, ["a", "b", "c"], start=1)
    bundle, _ = widget._repr_mimebundle_()
    assert bundle["image/svg+xml"] == frames[1].svg and len(widget.frames) == 3
    with pytest.raises(ValueError, match="3 frames and 1 captions"):
        dl.tools.player(frames, ["a"])
    with pytest.raises(TypeError, match="a frame is SVG or a figure"):
        dl.tools.player([7])


def test_a_figure_can_be_a_frame():
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    assert dl.tools.player([figure]).frames[0].startswith("<svg")
