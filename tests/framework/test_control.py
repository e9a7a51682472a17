"""Control flow as nodes, against the same in Python, and values worked by hand."""

import numpy as np
import pytest

import minidl as dl
from minidl.framework import graph as graphs
from minidl.framework.control.absorb import absorbed
from minidl.framework.control.api import cond, scan, while_loop
from minidl.framework.control.cond import cond as cond_row
from minidl.framework.control.pull import pulled
from minidl.framework.control.scan import scan as scan_row
from minidl.framework.gradcheck import gradcheck
from minidl.framework.graph import CONSTANT, Graph, input_node
from minidl.framework.trace.capture import capture, trace
from minidl.framework.trace.place import TraceError


def normal(*shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return dl.tensor(x, requires_grad=True)


def run_captured(function, args):
    """What the captured program computes, by the graph run node by node."""
    captured = capture(function, args)
    graphs.check(captured.graph)
    values = [
        args[s.of].data if s.kind == "argument" else s.of.data for s in captured.sources
    ]
    outs = graphs.run(captured.graph, *values)
    return [outs[o.index] for o in captured.result], captured.graph


def with_gradients(function, order=2):
    """`function` with first gradients, and gradients of their squares, as a list."""

    def step(*xs):
        wanted = [x for x in xs if x.requires_grad]
        y = function(*xs)
        firsts = dl.grad((y * y).sum(), wanted, create_graph=True)
        if order == 1:
            return [y, *firsts]
        squares = sum((g * g).sum() for g in firsts)
        return [y, *firsts, *dl.grad(squares, wanted)]

    return step


def assert_as_in_python(function, *xs, order=2, rtol=1e-9):
    step = with_gradients(function, order)
    found, graph = run_captured(step, xs)
    for ours, python in zip(found, step(*xs), strict=True):
        np.testing.assert_allclose(ours, python.data, rtol=rtol, atol=1e-12)
    return graph


def names(graph):
    return [node.op.name for node in graph.nodes]


# ---- values by hand


def double_or_negate(x):
    return cond(x.sum() > 0, lambda x: x * 2, lambda x: -x, x)


def test_a_graph_takes_the_branch_of_each_input():
    graph = trace(double_or_negate, dl.tensor([1.0, 2.0]))
    assert names(graph).count("cond") == 1
    up, down = np.array([3.0, -1.0], "f4"), np.array([-3.0, 1.0], "f4")
    np.testing.assert_array_equal(graph(up)[0], [6, -2])
    np.testing.assert_array_equal(graph(down)[0], [3, -1])


def test_a_scan_of_sums_gives_all_partial_sums():
    def sums(x):
        return scan(lambda total, row: (total + row, total + row), 0.0, x)

    last, partial = sums(dl.tensor([1.0, 2.0, 3.0]))
    assert last.item() == 6 and partial.tolist() == [1, 3, 6]
    graph = trace(sums, dl.tensor([1.0, 2.0, 3.0]))
    last, partial = graph(np.array([4.0, 5.0, 6.0], "f4"))
    assert last == 15 and partial.tolist() == [4, 9, 15]


def halve(x):
    return while_loop(lambda x, n: x > 1, lambda x, n: (x * 0.5, n + 1), x, 0)


@pytest.mark.parametrize("start, steps", [(0.5, 0), (8.0, 3), (9.0, 4)])
def test_a_while_loop_runs_as_often_as_its_test_says(start, steps):
    graph = trace(halve, dl.tensor(1.0))
    assert graph(np.float32(start))[1] == steps == halve(dl.tensor(start))[1]


def test_max_steps_stops_a_loop_in_python_and_in_a_graph():
    def count(n):
        return while_loop(lambda n: n < 100, lambda n: n + 1, n, max_steps=7)

    assert count(dl.tensor(0)).item() == 7
    assert trace(count, dl.tensor(0))(np.int64(0))[0] == 7


def test_a_scan_of_no_rows_gives_the_carry_and_no_results():
    body = Graph(
        (n := input_node("n", (), "f4"), r := input_node("r", (2,), "f4")), (n, r)
    )
    carry, ys = scan_row.composed(
        dl.tensor(5.0), dl.zeros(0, 2), body=body, length=0, carries=1, rows=1
    )
    assert carry.item() == 5 and ys.shape == (0, 2)


def test_nests_come_back_as_they_went_in():
    def swap(state, x):
        return scan(lambda s, r: ({"a": s["b"], "b": (s["a"],)[0]}, (r, [r])), state, x)

    state, (ys, (zs,)) = swap({"a": dl.tensor(1.0), "b": dl.tensor(2.0)}, dl.ones(3))
    assert state["a"].item() == 2 and ys.shape == zs.shape == (3,)


# ---- gradients, against the tape over Python's own loop


def test_gradients_of_a_cond_are_those_of_the_branch_taken():
    w = normal(3, 3, seed=1)

    def both(x, w):
        h = x @ w
        return cond(h.sum() > 0, lambda h: h * w.sum(), lambda h: h.tanh() * x, h)

    for sign in (1, -1):
        x = dl.tensor(sign * normal(3, 3).data, requires_grad=True)
        graph = assert_as_in_python(both, x, w)
        assert names(graph).count("cond") >= 2  # the gradient is a cond


def test_gradients_of_a_scan_are_those_of_the_unrolled_loop():
    def recurrent(x, w):
        carry, ys = scan(lambda h, row: ((h @ w + row).tanh(), h.sum()), x[0] * 0, x)
        return carry * ys.sum()

    graph = assert_as_in_python(recurrent, normal(5, 3), normal(3, 3, seed=1))
    assert "tanh" not in names(graph) and names(graph).count("scan") >= 2


def test_a_carry_of_integers_goes_through_a_gradient():
    def weighted(x):
        (total, _), _ = scan(
            lambda s, r: ((s[0] + r * s[1], s[1] + 1), None), (x[0], 1), x
        )
        return total

    assert_as_in_python(weighted, normal(4))


def test_a_bounded_loop_has_the_gradients_of_the_rounds_it_runs():
    def shrink(x, w):
        return while_loop(
            lambda x: (x * x).sum() > 0.1, lambda x: x * w.sigmoid(), x, max_steps=12
        )

    assert_as_in_python(shrink, normal(4), normal(4, seed=1))


def test_a_loop_without_a_bound_says_what_its_gradient_needs():
    def step(x):
        y = while_loop(lambda x: x.sum() > 1, lambda x: x * 0.5, x)
        return dl.grad(y.sum(), [x])

    with pytest.raises(RuntimeError, match="max_steps"):
        trace(step, normal(3))


def test_control_flow_within_control_flow_has_second_derivatives():
    def nested(x, w):
        def step(total, row):
            up = cond(row.sum() > 0, lambda: total * row, lambda: total + w * w)
            return up, up.sum()

        total, ys = scan(step, w, x)
        return cond(total.sum() > 1, lambda: total.sin(), lambda: total) * ys.sum()

    assert_as_in_python(nested, normal(4, 2), normal(2, seed=1))


def test_rules_agree_with_differences():
    def mixed(x, w):
        carry, ys = scan(lambda h, row: ((h * w + row).tanh(), h), x[0], x)
        return carry + ys.sum(0)

    args = normal(3, 2), normal(2, seed=3)
    graph = trace(mixed, *args)
    assert len(graph.inputs) == 2
    gradcheck(lambda *xs: graphs.replay(graph, xs)[0], args, order=2)


def test_a_planted_wrong_gradient_is_caught(monkeypatch):
    from minidl.framework.control.several import GRADIENTS

    right = GRADIENTS[scan_row]

    def in_the_wrong_order(gs, outs, operands, **attrs):
        forward = [*outs[:-1], outs[-1].flip(0)]  # carries are read backwards twice
        return right(gs, forward, operands, **attrs)

    monkeypatch.setitem(GRADIENTS, scan_row, in_the_wrong_order)

    def recurrent(x):
        return scan(lambda h, r: ((h * r).tanh(), None), x[0], x)[0]

    with pytest.raises(AssertionError):
        assert_as_in_python(recurrent, normal(4, 2), order=1)


# ---- what a trace makes of them


def test_a_branch_reads_parameters_and_constants_from_outside():
    w = normal(2, 2)

    def read(x):
        return cond(x.sum() > 0, lambda: x @ w + 1.5, lambda: x)

    graph = absorbed(trace(read, dl.tensor(np.ones((2, 2)))))
    (node,) = [n for n in graph.nodes if n.op is cond_row]
    assert [x.op is CONSTANT for x in node.inputs].count(True) == 0
    assert "1.5" in str(node.attrs["then"])
    np.testing.assert_allclose(
        graph(np.ones((2, 2)), w.data)[0], np.ones((2, 2)) @ w.data + 1.5
    )


def test_absorbing_constants_changes_no_value():
    def program(x):
        x = while_loop(lambda x: x.sum() < 9, lambda x: x * 1.5 + 0.25, x)
        return scan(
            lambda c, r: (cond(r > 2, lambda: c + r * 3, lambda: c - 1), None), 0.0, x
        )

    x = np.array([1.0, 0.5, 0.25], "f4")
    graph = trace(lambda x: program(x)[0], dl.tensor(x))
    smaller = graphs.check(absorbed(graph), like=graph)
    assert len(smaller.nodes) < len(graph.nodes)
    np.testing.assert_array_equal(graph(x)[0], smaller(x)[0])
    np.testing.assert_allclose(graph(x)[0], program(dl.tensor(x))[0].data)


def test_a_graph_prints_the_graphs_in_it():
    text = str(trace(double_or_negate, dl.tensor([1.0, 2.0])))
    assert "  then:\n" in text and "  otherwise:\n" in text and "= neg(x)" in text


def test_flops_of_a_scan_are_those_of_its_steps():
    body = trace(lambda h, r: h * r + h, dl.ones(4), dl.ones(4))
    graph = trace(
        lambda h, x: scan(lambda h, r: (h * r + h, None), h, x)[0],
        dl.ones(4),
        dl.ones(5, 4),
    )
    assert body.flops == 8 and graph.flops == 5 * 8


def test_the_gradient_of_a_graph_is_a_graph():
    graph = trace(lambda x, y: x * y, normal(2), normal(2))
    slopes = pulled(graph)
    x, y, g = (np.random.default_rng(0).normal(size=2) for _ in range(3))
    for found, wanted in zip(slopes(x, y, g), (g * y, g * x)):
        np.testing.assert_allclose(found, wanted)


# ---- refusals


def test_branches_of_two_types_are_refused_with_both():
    def uneven(x):
        return cond(x.sum() > 0, lambda: x, lambda: x.sum())

    with pytest.raises(ValueError, match=r"float32\[2\].*float32\[\]"):
        trace(uneven, dl.ones(2))


def test_a_state_that_changes_its_type_is_refused_with_both():
    def grows(x):
        return while_loop(lambda x: x.sum() < 9, lambda x: dl.cat([x, x]), x)

    with pytest.raises(ValueError, match=r"float32\[2\] before .* float32\[4\] after"):
        trace(grows, dl.ones(2))


def test_a_condition_of_many_elements_is_refused():
    with pytest.raises(ValueError, match="one truth value"):
        trace(lambda x: cond(x > 0, lambda: x, lambda: -x), dl.ones(2))


def test_writing_from_a_branch_into_a_tensor_outside_is_refused():
    def writes(x):
        y = x * 1

        def then():
            return y.add_(1)

        return cond(x.sum() > 0, then, lambda: y)

    with pytest.raises(TraceError, match="from outside"):
        trace(writes, dl.ones(2))


def test_drawing_random_numbers_in_a_body_is_refused():
    def draws(x):
        return scan(lambda c, r: (c + dl.rand(2), None), x[0], x)[0]

    with pytest.raises(TraceError, match="random"):
        trace(draws, dl.ones(3, 2))


def test_scan_of_what_has_no_rows_is_refused():
    with pytest.raises(TypeError, match="leading dimension"):
        scan(lambda c, r: (c, r), 0.0, dl.tensor(1.0))
