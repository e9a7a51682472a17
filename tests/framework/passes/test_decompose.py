import numpy as np
import pytest
from graphs import COMPOSED_STEPS, SMOOTH_STEPS, Case, close, graphs, run
from hypothesis import given, settings

import minidl as dl
from minidl.framework import convolution, ops
from minidl.framework.attention import attention
from minidl.framework.composites import cross_entropy, linear, softmax
from minidl.framework.graph import Graph, check, constant, input_node, make
from minidl.framework.op import Op, composed
from minidl.framework.passes import decompose


def names(graph):
    return {node.op.name for node in graph.nodes}


@settings(max_examples=100)
@given(graphs(steps=SMOOTH_STEPS | COMPOSED_STEPS))
def test_compositions_compute_what_their_rows_do_to_1e_9(case):
    graph = check(decompose(case.graph), like=case.graph)
    close(case, graph, rtol=1e-9)
    assert all(node.op.composed is None for node in graph.nodes)


def given_inputs(*shapes):
    rng = np.random.default_rng(0)
    nodes = [input_node(f"x{i}", s, "float64") for i, s in enumerate(shapes)]
    return nodes, tuple(rng.standard_normal(s) for s in shapes)


PROGRAMS = {
    "linear": (linear, [(5, 3), (2, 3), (2,)], {}),
    "attention": (attention, [(2, 4, 3)] * 3, {}),
    "softmax": (softmax, [(4, 5)], {"dim": 1}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_recorded_is_what_a_composed_block_runs(name):
    op, shapes, attrs = PROGRAMS[name]
    nodes, arrays = given_inputs(*shapes)
    graph = decompose(Graph(tuple(nodes), (make(op, nodes, attrs),)))
    with composed():
        expected = op(*map(dl.tensor, arrays), **attrs)
    np.testing.assert_array_equal(run(graph, *arrays)[0], expected.numpy())


def test_a_composition_of_compositions_is_written_out_to_the_end():
    (logits,), (array,) = given_inputs((4, 3))
    targets = constant(np.array([0, 2, 1, 1]))
    case = Case(Graph((logits,), (make(cross_entropy, [logits, targets]),)), (array,))
    graph = decompose(case.graph)
    assert "log_softmax" not in names(graph) and "index" in names(graph)
    close(case, graph, rtol=1e-12)


def test_new_nodes_name_the_line_of_the_old_one():
    (x,), _ = given_inputs((4, 3))
    graph = decompose(Graph((x,), (make(softmax, [x], {"dim": 1}, "model.py:7"),)))
    assert all(n.where == "model.py:7" for n in graph.nodes if n.inputs)


def test_a_convolution_stays_whole_unless_asked_for():
    nodes, arrays = given_inputs((2, 1, 5, 5), (3, 1, 2, 2))
    row = make(convolution.conv2d, nodes, {"stride": (1, 1)})
    case = Case(Graph(tuple(nodes), (row,)), arrays)
    assert decompose(case.graph).outputs == (row,)
    written = decompose(case.graph, whole=())
    assert "matmul" in names(written)
    close(case, written, rtol=1e-12)


def test_a_row_of_the_users_own_is_written_out_too():
    double = Op("double", lambda xp, x: 2 * x, composed=lambda x: x + x)
    (x,), _ = given_inputs((3,))
    graph = decompose(Graph((x,), (make(double, [x]),)))
    assert graph.outputs[0].op is ops.add
