from xml.etree import ElementTree

import numpy as np
import pytest

import minidl as dl
from minidl.experience.tools.graphs import LARGEST, missing
from minidl.framework import ops
from minidl.framework.graph import Graph, constant, input_node, make
from minidl.framework.passes import cse, dce, simplify

SVG = "{http://www.w3.org/2000/svg}"
ACCENT = "#d9622b"
x = input_node("x", (2, 3), "float64")


def texts(svg):
    return [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def accents(svg):
    """How many vertices are marked in each picture, from the left."""
    groups = ElementTree.fromstring(svg).findall(f"{SVG}g")
    return [
        sum(box.get("stroke") == ACCENT for box in g.iter(f"{SVG}rect")) for g in groups
    ]


def twice():
    """exp(x) * 1 + exp(x)"""
    a, b = make(ops.exp, [x]), make(ops.exp, [x])
    return Graph((x,), (make(ops.add, [make(ops.mul, [a, constant(1.0)]), b]),))


def test_a_graph_shows_inputs_operations_with_their_numbers_and_the_result():
    picture = dl.tools.draw_graph(twice())
    found = texts(picture.svg)
    assert found[0] == "The graph: 4 operations"
    words = ["x", "exp", "exp", "mul 1", "add", "result"]
    assert sorted(found[1:]) == sorted([*words, *["2x3"] * 5])
    assert repr(picture) == "The graph: 4 operations, 0 of them marked"


def test_a_number_stands_on_the_side_where_it_is_read():
    graph = Graph((x,), (make(ops.div, [constant(2.0), x]),))
    assert "2 div" in texts(dl.tools.draw_graph(graph).svg)


def test_marked_nodes_have_the_accent_colour():
    graph = twice()
    assert accents(dl.tools.draw_graph(graph, marked=graph.outputs).svg) == [1]


def test_what_went_is_marked_at_the_left_and_what_is_new_at_the_right():
    graph = twice()
    assert accents(dl.tools.draw_rewrite(graph, simplify(graph)).svg) == [1, 0]
    simple = simplify(graph)
    assert accents(dl.tools.draw_rewrite(simple, dce(cse(simple))).svg) == [1, 0]
    power = Graph((x,), (make(ops.pow, [x, constant(2.0)]),))
    assert accents(dl.tools.draw_rewrite(power, simplify(power)).svg) == [1, 1]


def test_an_operation_on_other_inputs_is_no_new_one():
    graph = twice()
    assert missing(simplify(graph), graph) == []
    assert [n.op.name for n in missing(graph, simplify(graph))] == ["constant", "mul"]


def test_a_graph_too_large_to_read_says_so_in_a_sentence():
    node = x
    for _ in range(LARGEST):
        node = make(ops.sin, [node])
    found = texts(dl.tools.draw_graph(Graph((x,), (node,))).svg)
    assert found[1] == "52 vertices are too many to read. Print the graph,"


def test_a_picture_of_forty_vertices_is_drawn_without_overlaps():
    nodes = [x]
    for i in range(38):
        op = (ops.sin, ops.exp, ops.neg)[i % 3]
        nodes.append(make(op, [nodes[i // 2]]))
    used = {n for node in nodes for n in node.inputs}
    ends = [n for n in nodes if n not in used][:1]
    svg = dl.tools.draw_graph(Graph((x,), tuple(ends), tuple(nodes))).svg
    (group,) = ElementTree.fromstring(svg).findall(f"{SVG}g")
    boxes = [
        [float(box.get(k)) for k in ("x", "y", "width")]
        for box in group.iter(f"{SVG}rect")
    ]
    assert len(boxes) == 40
    for i, (left, top, width) in enumerate(boxes):
        for other, level, wide in boxes[:i]:
            assert top != level or other >= left + width or left >= other + wide


def test_the_tape_is_drawn_by_the_same_function():
    loss = (dl.ones(2, requires_grad=True) * 2).sum()
    assert "mul" in texts(dl.tools.draw_graph(loss).svg)
    with pytest.raises(ValueError, match="nothing to draw"):
        dl.tools.draw_graph(dl.tensor(np.ones(2)))
