"""The pictures: they show what they say, and nothing is cut, covered or too pale."""

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

import minidl as dl
from minidl.experience.tools import layered
from minidl.experience.tools.manifest import manifest
from minidl.experience.tools.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
STACKS = {
    **{f"chapter {c['number']}": {"here": c["number"]} for c in manifest()["chapter"]},
    "no chapter": {},
    "every part": {
        "parts": [p["name"] for r in manifest()["layer"] for p in r["parts"]]
    },
}


def texts(svg):
    return [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def rectangles(svg):
    """(left, top, right, bottom, fill) of each rectangle, what is drawn first first."""
    for rect in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        x, y, w, h = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        yield x, y, x + w, y + h, rect.get("fill")


def drawn(text):
    """(left, baseline, right) of an SVG text, measured in a rather wide font."""
    weight = "bold" if text.get("font-weight") == "600" else "normal"
    size = float(text.get("font-size"))
    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    width, _, _ = TextToPath().get_text_width_height_descent(text.text, font, False)
    x, y = float(text.get("x")), float(text.get("y"))
    left = x - width / 2 if text.get("text-anchor") == "middle" else x
    return left, y, left + width


def words_that_leave_their_box(svg):
    boxes = list(rectangles(svg))
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        left, y, right = drawn(text)
        middle = (left + right) / 2
        around = [b for b in boxes if b[0] <= middle <= b[2] and b[1] <= y <= b[3]]
        if not around or left < around[-1][0] or right > around[-1][2]:
            yield text.text


def contrast(one, other):
    """The contrast of two colours as the web's accessibility guidelines define it."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_stack_names_every_part_and_marks_where_we_are():
    svg = dl.tools.stack(2).svg
    for layer in manifest()["layer"]:
        assert layer["name"] in texts(svg)
        assert all(part["name"] in texts(svg) for part in layer["parts"])
    assert "you are here: 02 Automatic differentiation" in texts(svg)
    assert "[autodiff]" in repr(dl.tools.stack(2))
    assert repr(dl.tools.stack(parts=["nn"])).count("[") == 1


@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
def test_no_words_of_the_stack_leave_their_box(options):
    assert not list(words_that_leave_their_box(dl.tools.stack(**options).svg))


def test_no_chip_of_the_stack_leaves_the_picture_or_touches_another():
    svg = dl.tools.stack(0).svg
    (_, _, width, height, _), *boxes = rectangles(svg)
    assert all(0 < x0 and x1 < width and 0 < y0 and y1 < height
               for x0, y0, x1, y1, _ in boxes)  # fmt: skip
    for a, b in itertools.combinations(boxes, 2):
        apart = a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
        inside = a[0] < b[0] and b[2] < a[2] and a[1] < b[1] and b[3] < a[3]
        assert apart or inside


@pytest.mark.parametrize("options", [{}, {"here": 0}, {"here": 2}], ids=str)
def test_all_words_of_the_stack_stand_out_from_what_is_behind_them(options):
    svg = dl.tools.stack(**options).svg
    boxes = [box for box in rectangles(svg) if box[4] != "none"]
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        left, y, right = drawn(text)
        middle = (left + right) / 2
        behind = [b for b in boxes if b[0] <= middle <= b[2] and b[1] <= y <= b[3]]
        assert contrast(text.get("fill"), behind[-1][4]) >= 4.5, text.text


def test_the_stack_is_read_out_by_screen_readers_and_without_pictures():
    root = ElementTree.fromstring(dl.tools.stack(1).svg)
    assert root.get("role") == "img" and root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text == repr(dl.tools.stack(1))
    bundle = dl.tools.stack(1)._repr_mimebundle_()
    assert bundle["text/plain"].endswith("You are here, in brackets: Tensors")
    assert bundle["image/svg+xml"].startswith("<svg")


def test_the_stack_refuses_chapters_and_parts_that_it_has_not():
    with pytest.raises(ValueError, match="chapters are 0 to 26, got 27"):
        dl.tools.stack(27)
    with pytest.raises(ValueError, match="no part of the stack is called gpu"):
        dl.tools.stack(parts=["cpu", "gpu"])


def test_no_latin_or_greek_character_is_wider_than_estimated():
    font = FontProperties(family="DejaVu Sans", size=14)
    codes = *range(0x20, 0x7F), *range(0xA1, 0x180), *range(0x391, 0x3CF)
    for words in (10 * chr(code) for code in codes if code not in (0xAD, 0x3A2)):
        width, _, _ = TextToPath().get_text_width_height_descent(words, font, False)
        assert width <= text_width(words, 14) + 1e-6, words


@st.composite
def acyclic_graphs(draw):
    n = draw(st.integers(1, 12))
    pairs = [(a, b) for a, b in itertools.combinations(range(n), 2)]
    return n, draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []


def curves(svg):
    """The points of each arrow, close to each other, from its tail to its head."""
    for path in ElementTree.fromstring(svg).findall(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d"))]
        points = list(zip(numbers[::2], numbers[1::2]))
        yield [
            tuple(
                (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c
                + t**3 * d
                for a, b, c, d in zip(*points[i : i + 4])
            )
            for i in range(0, len(points) - 1, 3)
            for t in (k / 20 for k in range(21))
        ]  # fmt: skip


@given(acyclic_graphs())
def test_every_arrow_points_down_and_crosses_no_box(graph):
    n, edges = graph
    svg = layered.layered_svg({i: f"vertex {i}" for i in range(n)}, edges)
    boxes = list(rectangles(svg))[1:]
    arrows = list(curves(svg))
    assert len(boxes) == n and len(arrows) == len(edges)
    for (tail, head), arrow in zip(edges, arrows):
        assert all(above[1] <= below[1] for above, below in zip(arrow, arrow[1:]))
        assert arrow[0][1] == boxes[tail][3] and boxes[head][1] - 3 < arrow[-1][1]
        assert boxes[head][0] <= arrow[-1][0] <= boxes[head][2]
        for x, y in arrow:
            assert not any(b[0] < x < b[2] and b[1] < y < b[3] for b in boxes)


@given(acyclic_graphs())
def test_no_two_boxes_overlap_and_all_labels_are_there(graph):
    n, edges = graph
    nodes = {i: (f"vertex {i}\n{i}x{i}", "leaf") for i in range(n)}
    svg = layered.layered_svg(nodes, [(a, b, f"{a} to {b}") for a, b in edges])
    boxes = list(rectangles(svg))[1:]
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
    expected = [line for text, _ in nodes.values() for line in text.split("\n")]
    assert sorted(texts(svg)) == sorted(expected + [f"{a} to {b}" for a, b in edges])
    assert not [w for w in words_that_leave_their_box(svg) if " to " not in w]


def test_edges_that_need_not_cross_do_not_cross():
    svg = layered.layered_svg(dict(enumerate("abcd")), [(0, 3), (1, 2)])
    (first, second) = curves(svg)
    assert (first[0][0] - second[0][0]) * (first[-1][0] - second[-1][0]) > 0


def test_a_marked_vertex_and_what_leads_to_it_have_the_accent_colour():
    accent = "#d9622b"
    svg = layered.layered_svg({1: "a", 2: "b", 3: "c"}, [(1, 2, "x"), (2, 3)], {2})
    root = ElementTree.fromstring(svg)
    marked = [r.get("stroke") == accent for r in root.iter(f"{SVG}rect")]
    assert marked == [False, False, True, False]
    paths = [p.get("stroke") == accent for p in root.findall(f"{SVG}path")]
    assert paths == [True, True, False]


def test_what_is_no_acyclic_graph_is_refused():
    with pytest.raises(ValueError, match="circle"):
        layered.layered_svg({1: "a", 2: "b"}, [(1, 2), (2, 1)])
    with pytest.raises(ValueError, match="1 -> 3 has an end that is no vertex"):
        layered.layered_svg({1: "a"}, [(1, 3)])
    with pytest.raises(ValueError, match="at least one vertex"):
        layered.layered_svg({}, [])


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
