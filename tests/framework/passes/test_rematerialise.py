"""Witness: liveness by brute force, from who can still reach whom."""

import numpy as np
import pytest
from graphs import graphs, same_bits
from hypothesis import given, settings

from minidl.framework import ops
from minidl.framework.graph import CONSTANT, INPUT, Graph, check, input_node, make, run
from minidl.framework.passes import cse, differentiate, rematerialise, within
from minidl.framework.passes.liveness import live, peak


def memory(node):
    """The node in whose memory `node` lies."""
    return memory(node.inputs[0]) if node.op.view else node


def brute_force(graph):
    """Bytes held at each node: what was made, or is being made, and is still read."""
    given = {x for x in graph.nodes if x.op in (INPUT, CONSTANT)}
    held = []
    for i, node in enumerate(graph.nodes):
        users = [user for user in graph.nodes[i:] if not user.op.view]
        ahead = {memory(x) for user in users for x in user.inputs}
        wanted = ahead | {memory(x) for x in graph.outputs}
        made = {memory(x) for x in graph.nodes[:i]}
        new = set() if node.op.view else {node}
        held.append(sum(x.nbytes for x in (made & wanted) | new | given))
    return held


@settings(max_examples=100)
@given(graphs(special=True))
def test_live_bytes_are_those_counted_by_brute_force(case):
    assert live(case.graph) == brute_force(case.graph)


def test_a_chain_by_hand():
    """x of 8 bytes stays; of the chain two values are held at a time."""
    x = input_node("x", (), "float64")
    a = make(ops.exp, [x])
    b = make(ops.neg, [a])
    c = make(ops.sin, [b])
    assert live(Graph((x,), (c,))) == [8, 16, 24, 24]


def test_a_view_keeps_the_memory_it_reads_alive():
    x = input_node("x", (4,), "float64")
    a = make(ops.exp, [x])
    row = make(ops.slice_, [a], {"index": ((0, 1, 1),)})
    wait = make(ops.sin, [x])
    last = make(ops.add, [wait, row])
    graph = Graph((x,), (last,), (a, row, wait, last))
    assert live(graph) == [32, 64, 64, 96, 128]


def deep(layers=8, n=64):
    """A loss of many layers and its gradient: all layers wait for their turn."""
    x = y = input_node("x", (n, n), "float64")
    for _ in range(layers):
        y = make(ops.tanh, [make(ops.mul, [make(ops.sin, [y]), y])])
    return cse(differentiate(Graph((x,), (total(y),)), value=True))


def total(node):
    return make(ops.sum, [node], {"dims": (0, 1), "keepdim": False})


VALUE = 64 * 64 * 8


@pytest.mark.parametrize("share", [0.9, 0.7, 0.5])
def test_the_peak_falls_under_the_budget_and_no_bit_changes(share, rng):
    graph = deep()
    budget = int(share * peak(graph))
    found = rematerialise(graph, budget)
    check(found.graph, like=graph)
    assert found.reached and found.peak <= budget < found.before == peak(graph)
    assert max(brute_force(found.graph)) == found.peak
    x = rng.standard_normal((64, 64))
    for a, b in zip(run(graph, x), run(found.graph, x)):
        np.testing.assert_array_equal(a, b)


def test_the_flops_it_reports_are_those_the_graph_gained():
    graph = deep()
    found = rematerialise(graph, peak(graph) // 2)
    assert found.flops == found.graph.flops - graph.flops > 0
    assert found.values > 0 and f"{found.flops:,} FLOPs" in repr(found)


def test_a_tighter_budget_costs_more_flops():
    graph = deep()
    costs = [rematerialise(graph, int(s * peak(graph))).flops for s in (0.9, 0.7, 0.5)]
    assert costs == sorted(costs) and costs[0] < costs[-1]


def test_nothing_is_computed_again_where_memory_is_enough():
    graph = deep()
    found = rematerialise(graph, peak(graph))
    assert found.graph is graph and found.flops == 0


def test_what_cannot_be_reached_is_said():
    graph = deep()
    found = rematerialise(graph, VALUE)
    assert not found.reached and "over the budget" in repr(found)
    assert found.peak < peak(graph)
    with pytest.warns(UserWarning, match="over the budget"):
        within(VALUE)(graph)


def test_the_cheaper_of_two_values_is_computed_again():
    """Both wait for the end; exp costs n^2, the product 2 n^3."""
    x = input_node("x", (32, 32), "float64")
    cheap, dear = make(ops.exp, [x]), make(ops.matmul, [x, x])
    top = x
    for _ in range(3):
        top = make(ops.sin, [top])
    sums = [total(v) for v in (top, cheap, dear)]
    graph = Graph((x,), tuple(sums), (cheap, dear, top, *sums))
    found = rematerialise(graph, peak(graph) - 1)
    assert found.reached and found.flops == 32 * 32
    assert sum(node.op is ops.exp for node in found.graph.nodes) == 2


def test_the_second_copy_stands_right_before_its_reader():
    graph = deep(layers=3)
    found = rematerialise(graph, peak(graph) - 1)
    place = {node: i for i, node in enumerate(found.graph.nodes)}
    new = [node for node in found.graph.nodes if node not in set(graph.nodes)]
    copies = [
        x
        for x in new
        if x.op in (ops.sin, ops.mul, ops.tanh)
        and any(x.op is y.op and x.inputs == y.inputs for y in graph.nodes)
    ]
    first = copies[-1]
    assert min(place[user] for user in found.graph.users[first]) == place[first] + 1


@settings(max_examples=100)
@given(graphs(special=True))
def test_half_the_memory_leaves_random_graphs_as_they_were(case):
    found = rematerialise(case.graph, peak(case.graph) // 2)
    same_bits(case, check(found.graph, like=case.graph))
    assert found.peak <= found.before
