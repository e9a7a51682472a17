from collections import Counter

import numpy as np
import pytest

from minidl.framework import ops
from minidl.framework.graph import Graph, check, constant, input_node, make
from minidl.framework.passes import RULES, Rule, rewrite
from minidl.framework.passes.pattern import anything, match, of, scalar
from minidl.framework.passes.rewrite import EXACT, ROUNDS

x, y, c = anything("x"), anything("y"), scalar("c")
a = input_node("a", (3,), "float64")
b = input_node("b", (3,), "float64")


def found(pattern, node):
    return match(pattern, node, {})


def test_a_pattern_captures_what_its_names_stand_for():
    node = make(ops.sub, [make(ops.neg, [a]), b])
    assert found(of(ops.neg, x) - y, node) == {"x": a, "y": b}
    assert found(of(ops.exp, x) - y, node) is None


def test_a_name_that_stands_twice_is_one_node():
    assert found(x - x, make(ops.sub, [a, a])) == {"x": a}
    assert found(x - x, make(ops.sub, [a, b])) is None


def test_sums_match_in_either_order_differences_in_theirs():
    two = constant(2.0)
    for op, both in ((ops.add, True), (ops.mul, True), (ops.sub, False)):
        pattern = of(op, x, c)
        assert found(pattern, make(op, [a, two])) == {"x": a, "c": two}
        assert (found(pattern, make(op, [two, a])) is not None) == both


def test_a_number_matches_a_constant_full_of_it():
    for value in (constant(1.0), constant(np.ones(3))):
        assert found(x * 1, make(ops.mul, [a, value])) == {"x": a}
    assert found(x * 1, make(ops.mul, [a, constant(np.array([1.0, 1, 2]))])) is None
    assert found(x + 0, make(ops.add, [a, constant(-0.0)])) is None


def test_once_declines_a_node_with_two_readers():
    inner = make(ops.exp, [a])
    pattern = of(ops.neg, of(ops.exp, x, once=True))
    assert match(pattern, make(ops.neg, [inner]), Counter({inner: 1})) == {"x": a}
    assert match(pattern, make(ops.neg, [inner]), Counter({inner: 2})) is None


SQUARE = Rule(
    "exp(x) * exp(y) = exp(x + y)",
    of(ops.exp, x) * of(ops.exp, y),
    of(ops.exp, x + y),
    ROUNDS,
    "one power rather than two",
)


def test_a_students_row_is_one_line():
    node = make(ops.mul, [make(ops.exp, [a]), make(ops.exp, [b])])
    graph = rewrite(Graph((a, b), (node,)), [SQUARE])
    assert [n.op.name for n in graph.nodes] == ["input", "input", "add", "exp"]


def test_what_a_rule_made_is_rewritten_in_its_turn():
    node = a
    for _ in range(40):
        node = make(ops.neg, [node])
    tally = Counter()
    graph = rewrite(Graph((a,), (node,)), RULES, tally)
    assert graph.outputs == (a,) and tally["-(-x) = x"] == 20


def test_new_nodes_name_the_line_of_the_program():
    powers = [make(ops.exp, [v]) for v in (a, b)]
    graph = rewrite(
        Graph((a, b), (make(ops.mul, powers, where="train.py:3"),)), [SQUARE]
    )
    assert {n.where for n in graph.nodes if n.inputs} == {"train.py:3"}


def test_rules_that_undo_each_other_are_told_so():
    there = Rule("there", x + y, x - of(ops.neg, y), EXACT, "")
    back = Rule("back", x - of(ops.neg, y), x + y, EXACT, "")
    with pytest.raises(RuntimeError, match="circle"):
        rewrite(Graph((a, b), (make(ops.add, [a, b]),)), [there, back])


def test_a_rule_must_keep_the_dtype():
    rule = Rule("a < b = a", of(ops.lt, x, y), x, EXACT, "")
    with pytest.raises(ValueError, match="rule 'a < b = a' makes .* float64 of lt"):
        rewrite(Graph((a, b), (make(ops.lt, [a, b]),)), [rule])


def test_a_smaller_result_is_stretched_to_the_shape_it_stands_for():
    zeros = constant(np.zeros((2, 3)))
    graph = Graph((a,), (make(ops.add, [a, zeros]),))
    simple = check(rewrite(graph, RULES), like=graph)
    assert simple.outputs[0].op is ops.expand and simple.outputs[0].inputs == (a,)


def test_a_pattern_must_begin_with_an_operation():
    with pytest.raises(ValueError, match="must begin with an op"):
        rewrite(Graph((a,), (a,)), [Rule("x = x", x, x, EXACT, "")])
