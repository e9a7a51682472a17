"""Witnesses: the tape, finite differences, and derivatives by hand."""

import numpy as np
import pytest
from graphs import COMPOSED_STEPS, SMOOTH_STEPS, graphs
from hypothesis import given, settings

import minidl as dl
from minidl.framework import autodiff, ops
from minidl.framework.attention import attention
from minidl.framework.composites import cross_entropy, gelu, linear
from minidl.framework.graph import Graph, check, input_node, make, run
from minidl.framework.passes import decompose, differentiate, optimise


def scalar(node):
    """The sum of a node's elements."""
    dims = tuple(range(len(node.shape)))
    return make(ops.sum, [node], {"dims": dims, "keepdim": False})


def by_tape(graph, arrays):
    """The gradients of the first output, as the tape finds them."""
    tensors = [dl.tensor(a).requires_grad_() for a in arrays]
    values = dict(zip(graph.inputs, tensors))
    for node in graph.nodes:
        if node.inputs:
            values[node] = node.op(*[values[x] for x in node.inputs], **node.attrs)
        elif node not in values:
            values[node] = dl.tensor(node.attrs["value"])
    top = values[graph.outputs[0]]
    found = autodiff.grad(top, tensors, allow_unused=True)
    return [np.zeros_like(a) if g is None else g.numpy() for g, a in zip(found, arrays)]


def agree(found, expected):
    for a, b in zip(found, expected, strict=True):
        scale = max(np.abs(b).max(initial=0), 1)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * scale)


def with_sum(graph):
    """`graph` with a number as its only output, which every input has a part in."""
    total = scalar(graph.outputs[-1])
    for x in graph.inputs:
        total = make(ops.add, [total, scalar(make(ops.sin, [x]))])
    return Graph(graph.inputs, (total,))


@settings(max_examples=100)
@given(graphs(steps=SMOOTH_STEPS | COMPOSED_STEPS))
def test_gradients_are_those_of_the_tape(case):
    graph = with_sum(case.graph)
    slopes = check(differentiate(graph))
    agree(run(slopes, *case.arrays), by_tape(graph, case.arrays))


@settings(max_examples=100)
@given(graphs(steps=SMOOTH_STEPS | COMPOSED_STEPS))
def test_differentiated_after_decomposing_they_are_the_same(case):
    graph = with_sum(case.graph)
    slopes = optimise(differentiate(decompose(graph)))
    agree(run(slopes, *case.arrays), by_tape(graph, case.arrays))


def difference(graph, arrays, i, step=1e-6):
    """The gradient by input i, by central differences."""
    slope = np.zeros_like(arrays[i])
    for place in np.ndindex(slope.shape):
        moved = [[a.copy() for a in arrays] for _ in range(2)]
        for way, copy in zip((1, -1), moved):
            copy[i][place] += way * step
        high, low = (run(graph, *copy)[0] for copy in moved)
        slope[place] = (high - low) / (2 * step)
    return slope


ROWS = {
    "linear": (linear, [(4, 3), (2, 3), (2,)]),
    "gelu": (gelu, [(5,)]),
    "attention": (attention, [(4, 3)] * 3),
    "matmul": (ops.matmul, [(2, 4, 3), (3, 2)]),
    "div": (ops.div, [(4, 3), (3,)]),
}


@pytest.mark.parametrize("name", ROWS)
def test_gradients_are_the_slopes_of_finite_differences(name, rng):
    op, shapes = ROWS[name]
    nodes = [input_node(f"x{i}", s, "float64") for i, s in enumerate(shapes)]
    arrays = [rng.standard_normal(s) + 2 for s in shapes]
    graph = Graph(tuple(nodes), (scalar(make(ops.sin, [make(op, nodes)])),))
    for i, found in enumerate(run(differentiate(graph), *arrays)):
        np.testing.assert_allclose(found, difference(graph, arrays, i), atol=1e-7)


x = input_node("x", (), "float64")


def test_twice_differentiated_x_cubed_is_6_x_and_thrice_6():
    cube = make(ops.mul, [make(ops.mul, [x, x]), x])
    first = differentiate(Graph((x,), (cube,)))
    second = differentiate(first)
    third = differentiate(second)
    at = np.float64(5.0)
    assert [run(g, at)[0] for g in (first, second, third)] == [75, 30, 6]


def test_the_value_comes_first_where_it_is_asked_for():
    graph = differentiate(Graph((x,), (make(ops.exp, [x]),)), value=True)
    assert [float(v) for v in run(graph, np.float64(0.0))] == [1, 1]


def test_an_input_without_a_part_has_gradient_zero():
    y = input_node("y", (2,), "float64")
    graph = check(differentiate(Graph((x, y), (make(ops.exp, [x]),))))
    np.testing.assert_array_equal(run(graph, np.float64(0), np.ones(2))[1], [0, 0])


def test_integers_have_no_gradient_and_are_left_out(rng):
    logits = input_node("logits", (4, 3), "float64")
    targets = input_node("targets", (4,), "int64")
    loss = make(cross_entropy, [logits, targets])
    graph = Graph((logits, targets), (loss,))
    arrays = rng.standard_normal((4, 3)), np.array([0, 2, 1, 1])
    (slope,) = run(differentiate(graph), *arrays)
    powers = np.exp(arrays[0])
    shares = powers / powers.sum(1, keepdims=True) - np.eye(3)[arrays[1]]
    np.testing.assert_allclose(slope, shares / 4, rtol=1e-12)
    with pytest.raises(ValueError, match="only floating inputs"):
        differentiate(graph, wrt=[1])


def test_a_gradient_is_of_one_number():
    wide = input_node("w", (2,), "float64")
    with pytest.raises(ValueError, match="one real number"):
        differentiate(Graph((wide,), (make(ops.exp, [wide]),)))
