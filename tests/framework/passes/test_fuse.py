"""Fusion: the same values, fewer operations, and kernels that compute them."""

import numpy as np
import pytest
from graphs import close, graphs
from hypothesis import given, settings

import minidl as dl
from minidl import nn
from minidl.framework import ops
from minidl.framework.graph import FUSED, Graph, check, input_node, make, run
from minidl.framework.passes import decompose, optimise
from minidl.framework.passes.dense import dense
from minidl.framework.passes.fuse import fuse
from minidl.framework.passes.joins import join_parts
from minidl.framework.trace.recorder import record


def groups(graph):
    return [n.attrs["body"] for n in graph.nodes if n.op is FUSED]


def fused(function, *shapes):
    """The fused graph of a function of float32 tensors."""
    inputs = tuple(input_node(f"x{i}", s, "float32") for i, s in enumerate(shapes))
    graph = Graph(inputs, record(function, inputs))
    return fuse(dense(optimise(decompose(graph))))


@settings(max_examples=150)
@given(graphs())
def test_fusion_keeps_the_values_of_random_graphs(case):
    graph = fuse(dense(case.graph))
    close(case, check(graph, like=case.graph), rtol=1e-9)


@settings(max_examples=100)
@given(graphs())
def test_fusion_after_all_passes_keeps_them(case):
    graph = fuse(dense(optimise(join_parts(optimise(decompose(case.graph))))))
    close(case, check(graph, like=case.graph), rtol=1e-9)


@pytest.mark.parametrize(
    "function, shapes, kernels",
    [
        (lambda x: (x * 2 + 1).relu().exp(), [(4, 5)], 1),
        (lambda x: nn.functional.softmax(x), [(4, 5)], 1),
        (lambda x: nn.functional.log_softmax(x), [(2, 3, 5)], 1),
        (lambda x, w, b: nn.functional.layer_norm(x, w, b), [(4, 6), (6,), (6,)], 1),
        (lambda x: x.sum(0), [(4, 5)], 1),
        (lambda x: (x - x.sum(0)) * 2, [(4, 5)], 2),  # no row waits for a column
        (lambda x, y: (x @ y).relu() * 2, [(4, 5), (5, 3)], 1),
        (lambda x: x.exp() + x.exp().T, [(4, 4)], 2),  # read where it isn't written
        (lambda x: nn.functional.gelu(x).sum(), [(4, 5)], 1),
    ],
)
def test_what_can_share_a_loop_does(function, shapes, kernels):
    assert len(groups(fused(function, *shapes))) == kernels


def test_a_group_is_not_made_across_what_stands_between():
    """y needs a product of x's own group: one kernel would wait for itself."""
    graph = fused(lambda x: x.exp() + x.exp() @ x.exp(), (4, 4))
    assert [n.op.name for n in graph.nodes if n.op.name != "input"] == [
        "fused", "matmul", "fused",
    ]  # fmt: skip


def test_three_slices_gradients_become_parts_of_one_array():
    x = input_node("x", (4, 6), "float32")

    def gradient(x):
        x = x.detach().requires_grad_()
        with dl.enable_grad():
            y = [(x[:, i : i + 2] * (i + 1)).exp().sum() for i in (0, 2, 4)]
            return dl.grad(y[0] + y[1] + y[2], x)[0]

    graph = optimise(Graph((x,), record(gradient, (x,))))
    assert sum(n.op is ops.pad for n in graph.nodes) == 3
    joined = optimise(join_parts(graph))
    names = [n.op.name for n in joined.nodes]
    assert names.count("cat") == 1 and "pad" not in names
    value = np.random.default_rng(0).random((4, 6), np.float32)
    np.testing.assert_array_equal(run(joined, value)[0], run(graph, value)[0])


def test_a_pick_from_each_row_is_a_comparison_and_keeps_its_error():
    x, t = input_node("x", (3, 4), "float32"), input_node("t", (3,), "int64")
    pick = make(ops.index, (x, constant_rows(3), t))
    joined = join_parts(Graph((x, t), (pick,)))
    assert "index" not in [n.op.name for n in joined.nodes]
    value = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(
        run(joined, value, np.array([0, -1, 2]))[0], [0, 7, 10]
    )
    with pytest.raises(IndexError, match="4 places"):
        run(joined, value, np.array([0, 4, 2]))


def constant_rows(n):
    from minidl.framework.graph import constant

    return constant(np.arange(n))


def test_bytes_fall_by_what_no_longer_passes_through_memory():
    """A softmax alone reads and writes its matrix once."""
    graph = fused(lambda x: nn.functional.softmax(x), (64, 64))
    assert graph.nbytes == 2 * 64 * 64 * 4
