"""Networks with images last in memory: the same numbers, by the rows that are meant.

The witness is the graph as it was traced, run row by row.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl import nn
from minidl.framework import convolution as conv
from minidl.framework import ops
from minidl.framework.graph import Graph, check, constant, input_node, make, run
from minidl.framework.passes import decompose, differentiate, optimise
from minidl.framework.passes.dense import dense
from minidl.framework.passes.layout import layout
from minidl.framework.trace.recorder import record

F = nn.functional
N = 8


def gradients(function, *shapes):
    """The graph of `function`'s sum of squares and its gradients; arrays for it."""
    draw = np.random.default_rng(0)
    arrays = [draw.standard_normal(shape) for shape in shapes]
    inputs = tuple(input_node(f"x{i}", a.shape, a.dtype) for i, a in enumerate(arrays))
    (loss,) = record(lambda *t: (function(*t) ** 2).sum(), inputs)
    graph = differentiate(Graph(inputs, (loss,)), value=True)
    return optimise(decompose(graph)), arrays


def same(function, *shapes):
    """The graph with images last, after it has been found to compute the same."""
    graph, arrays = gradients(function, *shapes)
    changed = optimise(check(layout(graph), like=graph))
    for answer in (changed, check(dense(changed))):
        for a, b in zip(run(answer, *arrays), run(graph, *arrays), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(b).max())
    return changed


def count(graph, *names):
    return [sum(node.op.name == name for node in graph.nodes) for name in names]


def network(x, w1, b1, w2, b2, w3):
    x = F.max_pool2d(F.conv2d(x, w1, b1, padding=1).relu(), 2)
    x = F.max_pool2d(F.conv2d(x, w2, b2, padding=1).relu(), 2)
    return x.flatten(1) @ w3


SHAPES = (N, 1, 8, 8), (4, 1, 3, 3), (4,), (6, 4, 3, 3), (6,), (24, 5)


def test_between_a_networks_input_and_its_linear_layer_nothing_moves():
    graph = same(network, *SHAPES)
    moves = [n for n in graph.nodes if n.op is ops.permute and len(n.shape) == 4]
    large = [n for n in moves if 1 not in n.shape]
    assert not large
    assert count(graph, "conv2d", "conv2d_weight", "max_pool2d") == [0, 0, 0]


def test_only_the_network_input_is_copied_into_another_order():
    graph = dense(same(network, *SHAPES))
    (copy,) = [n for n in graph.nodes if n.op is ops.contiguous]
    assert copy.inputs[0].inputs[0] is graph.inputs[0]


def test_relu_and_bias_are_computed_after_pooling_and_gates_before_its_gradient():
    graph = same(network, *SHAPES)
    places = {n.shape[1:3] for n in graph.nodes if n.op in (ops.relu, ops.gate)}
    assert places == {(4, 4), (2, 2)}


def test_an_images_gradient_gets_no_more_of_a_border_than_is_read():
    graph = same(network, *SHAPES)
    turned = [n for n in graph.nodes if n.attrs.get("turned")]
    images = {n.shape: n.inputs[0].shape for n in turned}
    assert images == {(4, 4, 4, N): (6, 6, 6, N), (1, 8, 8, N): (4, 10, 10, N)}


@st.composite
def convolutions(draw):
    h, w, p, q = (draw(st.integers(a, 3)) for a in (1, 1, 0, 0))
    H, W = h + draw(st.integers(0, 4)), w + draw(st.integers(0, 4))
    C, K, stride = (draw(st.integers(1, 3)) for _ in range(3))
    images = draw(st.sampled_from([2, N, N + 1]))
    return (images, C, H, W), (K, C, h, w), (K,), (p, q), stride


@settings(deadline=None, max_examples=60)
@given(convolutions())
def test_convolutions_of_any_window_border_and_stride(case):
    image, weight, bias, padding, stride = case
    graph = same(
        lambda x, w, b: F.conv2d(x, w, b, stride, padding), image, weight, bias
    )
    kept = count(graph, "conv2d") == [1]
    assert kept == (image[0] < N or stride > 1)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.booleans())
def test_poolings_of_any_window_and_stride_with_a_relu_and_without(k, s, more, relu):
    def function(x, b):
        x = x + b.reshape(2, 1, 1)
        return F.max_pool2d(x.relu() if relu else x, k, s)

    graph = same(function, (N, 2, k + more, k + 2), (2,))
    assert count(graph, "max_pool2d", "pool_last") == [0, 1]


def test_a_relu_that_others_read_stays():
    def function(x):
        y = x.relu()
        return F.max_pool2d(y, 2).sum() + (y * y).sum()

    same(function, (N, 2, 4, 4))


def test_what_differs_within_a_channel_stays_before_the_pooling():
    graph = same(lambda x, b: F.max_pool2d(x + b, 2), (N, 2, 4, 4), (4,))
    (total,) = [n for n in graph.nodes if n.op is ops.add and len(n.shape) == 4]
    assert total.size == N * 2 * 4 * 4


def test_batch_norm_and_a_residual_between_convolutions():
    def function(x, w, v):
        y = F.conv2d(x, w, padding=1)
        mean = y.mean((0, 2, 3), keepdim=True)
        y = (y - mean) / ((y - mean) ** 2).mean((0, 2, 3), keepdim=True).sqrt()
        y = F.conv2d(y.relu() + x, v, padding=1)
        return y.mean((2, 3)).exp()

    graph = same(function, (N, 3, 5, 5), (3, 3, 3, 3), (4, 3, 3, 3))
    assert count(graph, "conv_last", "conv_last_weight", "conv2d") == [4, 2, 0]


def test_a_window_of_one_element_is_a_product():
    graph = same(lambda x, w: F.conv2d(x, w), (N, 3, 4, 4), (5, 3, 1, 1))
    assert count(graph, "conv_last", "conv2d", "matmul") == [0, 0, 3]


def test_a_window_as_large_as_the_image_keeps_its_own_gradient():
    graph = same(lambda x, w: F.conv2d(x, w), (N, 2, 6, 6), (3, 2, 6, 6))
    assert count(graph, "conv_last", "conv2d_image") == [1, 1]


@pytest.mark.parametrize("start, stop", [(0, 4), (1, 5), (2, 4)])
def test_a_slice_of_a_border_is_less_of_a_border(start, stop):
    x = input_node("x", (2, 3, N), np.float64)
    wide = {"index": ((0, 2, 1), (1, 4, 1), (0, N, 1)), "shape": (2, 5, N)}
    cut = {"index": ((0, 2, 1), (start, stop, 1), (0, N, 1))}
    out = make(ops.slice_, [make(ops.pad, [x], wide)], cut)
    pool = make(conv.max_pool2d, [input_node("i", (N, 1, 2, 2), np.float64)],
                {"size": (2, 2), "stride": (2, 2)})  # fmt: skip
    graph = Graph((x, pool.inputs[0]), (out, pool))
    arrays = [np.random.default_rng(0).standard_normal(i.shape) for i in graph.inputs]
    for a, b in zip(run(layout(graph), *arrays), run(graph, *arrays)):
        np.testing.assert_array_equal(a, b)


def test_a_graph_without_images_is_left_alone():
    graph = Graph((), (constant(1.0),))
    assert layout(graph) is graph


@pytest.fixture(scope="module")
def steps():
    """Losses of three training steps, eager and compiled, and the weights after."""

    def trained(compiled):
        dl.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(24, 3),
        )  # fmt: skip
        optimizer = dl.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        draw = np.random.default_rng(0)
        x = dl.from_numpy(draw.standard_normal((16, 1, 8, 8)).astype(np.float32))
        y = dl.from_numpy(draw.integers(0, 3, 16))

        def step(x, y):
            return dl.train.train_step(model, optimizer, F.cross_entropy, x, y)

        step = dl.compile(step) if compiled else step
        losses = [float(step(x, y)) for _ in range(3)]
        return losses, [p.numpy() for p in model.state_dict().values()]

    return trained(False), trained(True)


def test_a_compiled_training_step_equals_the_eager_one(steps):
    (losses, state), (compiled_losses, compiled_state) = steps
    np.testing.assert_allclose(compiled_losses, losses, rtol=1e-5)
    for a, b in zip(compiled_state, state):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
