import numpy as np
import pytest
from graphs import close, graphs
from hypothesis import given, settings

import minidl as dl
from minidl import nn, optim
from minidl.framework import ops
from minidl.framework.control.api import cond, scan
from minidl.framework.graph import (
    FUSED,
    Graph,
    Node,
    check,
    constant,
    input_node,
    make,
    run,
)
from minidl.framework.passes import PASSES, decompose, optimise, report
from minidl.framework.passes.fuse import fuse
from minidl.framework.trace.capture import trace

x = input_node("x", (2, 3), "float64")


@settings(max_examples=150)
@given(graphs())
def test_all_passes_keep_the_values_of_random_graphs_to_1e_9(case):
    graph = optimise(case.graph, {"decompose": decompose, **PASSES})
    close(case, check(graph, like=case.graph), rtol=1e-9)


@given(graphs())
def test_passes_add_no_operation_and_no_flop(case):
    graph = optimise(case.graph)
    assert len(graph) <= len(case.graph)


def example():
    """exp(x) + exp(x) * (2 / 2), with something that nobody reads."""
    a, b = make(ops.exp, [x]), make(ops.exp, [x])
    one = make(ops.div, [constant(2.0), constant(2.0)])
    last = make(ops.add, [a, make(ops.mul, [b, one])])
    return Graph((x,), (last,), (a, b, make(ops.sin, [x]), last))


def test_what_each_pass_does_by_hand():
    """6 operations: fold 2 / 2; simplify drops * 1 and the unread sin; cse one exp."""
    found = report(example())
    assert [row.nodes for row in found.rows] == [(6, 5), (5, 3), (3, 2), (2, 2)]
    assert [row.name for row in found.rows] == list(PASSES)
    assert len(found.graph) == 2 and found.graph.flops == 12
    assert found.rows[-1].nbytes[1] == (2 + 3) * x.nbytes


def test_the_report_reads_as_a_table():
    lines = repr(report(example())).splitlines()
    assert lines[0].split() == ["pass", "operations", "MB", "moved", "MFLOP"]
    assert lines[1].startswith("fold") and "6 -> 5" in lines[1]


def test_a_loop_is_made_only_of_what_somebody_reads():
    graph = fuse(example())
    bodies = [node.attrs["body"] for node in graph.nodes if node.op is FUSED]
    assert bodies and all(x.op is not ops.sin for body in bodies for x in body.nodes)


# ---- graphs inside nodes


def growing(x, rows):
    """A cond inside a scan, each with something to simplify."""

    def step(carry, row):
        grown = cond(row.sum() > 0, lambda: carry + row, lambda: ops.neg(-carry))
        return grown, grown.exp() + grown.exp()

    return scan(step, x, rows)


def inner_operations(graph):
    """Operations in the graphs inside nodes, however deep."""
    found = 0
    for node in graph.nodes:
        for body in (v for v in node.attrs.values() if isinstance(v, Graph)):
            found += len(body) + inner_operations(body)
    return found


def test_passes_go_into_loops_and_branches(rng):
    arrays = rng.standard_normal(3), rng.standard_normal((5, 3))
    graph = trace(growing, *map(dl.tensor, arrays))
    better = check(optimise(graph, {"decompose": decompose, **PASSES}), like=graph)
    # Gone: both negations, and one exp of two.
    assert inner_operations(better) == inner_operations(graph) - 3
    for a, b in zip(run(graph, *arrays), run(better, *arrays), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_pass_adds_an_operation_to_a_training_step():
    model = nn.GPT(11, context=8, dim=16, layers=1, heads=2)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    x = dl.tensor(np.arange(16).reshape(2, 8) % 11)

    def step(x):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x).reshape(-1, 11), x.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    graph = trace(step, x)
    found = report(graph)
    counts = [row.nodes[1] for row in found.rows]
    assert counts == sorted(counts, reverse=True) and counts[-1] < len(graph)


# ---- the rules of the table, which each pass is held to


def wrong(shape=(2, 3), dtype="float64"):
    return Node(ops.exp, (x,), {}, shape, np.dtype(dtype))


BROKEN = {
    "a shape": lambda graph: Graph(graph.inputs, (wrong(shape=(3, 2)),)),
    "a dtype": lambda graph: Graph(graph.inputs, (wrong(dtype="float32"),)),
    "an input of another graph": lambda graph: Graph(
        graph.inputs, (make(ops.exp, [input_node("stranger", (2, 3), "float64")]),)
    ),
    "an output too many": lambda graph: Graph(graph.inputs, graph.outputs * 2),
    "an input too few": lambda graph: Graph((), (constant(np.ones((2, 3))),)),
    "an output of another shape": lambda graph: Graph(
        graph.inputs, (make(ops.reshape, [x], {"shape": (6,)}),)
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_pass_that_breaks_the_rules_is_named(what):
    graph = Graph((x,), (make(ops.exp, [x]),))
    with pytest.raises(ValueError, match="after pass 'broken'"):
        optimise(graph, {"broken": BROKEN[what]})
