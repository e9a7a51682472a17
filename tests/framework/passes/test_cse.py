import numpy as np
from graphs import graphs, same_bits
from hypothesis import given, settings

from minidl.framework import ops
from minidl.framework.graph import Graph, check, constant, input_node, make
from minidl.framework.passes import cse
from minidl.framework.passes.cse import token

x = input_node("x", (2, 3), "float64")
y = input_node("y", (2, 3), "float64")


def count(*nodes):
    """How many operations are left of what `nodes` need."""
    return len(cse(Graph((x, y), nodes)))


@settings(max_examples=150)
@given(graphs(special=True))
def test_sharing_changes_no_bit(case):
    shared = check(cse(case.graph), like=case.graph)
    same_bits(case, shared)
    assert len(shared) <= len(case.graph)


def test_a_value_computed_twice_is_computed_once():
    assert count(make(ops.exp, [x]), make(ops.exp, [x])) == 1


def test_sharing_reaches_what_is_computed_from_shared_values():
    a, b = (make(ops.exp, [make(ops.neg, [x])]) for _ in range(2))
    assert count(a, b) == 2


def test_operands_of_a_sum_may_change_places_those_of_a_difference_may_not():
    assert count(make(ops.add, [x, y]), make(ops.add, [y, x])) == 1
    assert count(make(ops.sub, [x, y]), make(ops.sub, [y, x])) == 2


def test_maximum_is_not_taken_to_commute():
    """maximum(0, -0) may be either."""
    assert count(make(ops.maximum, [x, y]), make(ops.maximum, [y, x])) == 2


def test_other_attributes_make_another_value():
    sums = [make(ops.sum, [x], {"dims": (d,), "keepdim": False}) for d in (0, 1)]
    assert count(*sums) == 2


def test_constants_are_compared_by_value():
    sums = [make(ops.add, [x, constant(np.ones(3))]) for _ in range(2)]
    assert count(*sums) == 1


def test_zero_is_not_minus_zero_and_one_is_not_true():
    assert count(*[make(ops.add, [x, constant(v)]) for v in (0.0, -0.0)]) == 2
    assert token(1) != token(True) != token(1.0) != token(1)
    assert token({"v": 0.0}) != token({"v": -0.0})


def test_the_same_key_draws_the_same_numbers():
    key = constant(np.array([1, 2]))
    attrs = {"shape": (2, 3), "dtype": np.dtype(float)}
    assert count(*[make(ops.uniform, [key], attrs) for _ in range(2)]) == 1


def sub_graph(op):
    inner = input_node("inner", (2,), "float64")
    return Graph((inner,), (make(op, [inner]),))


def test_attributes_that_are_graphs_or_arrays_are_compared_by_content():
    assert token(sub_graph(ops.exp)) == token(sub_graph(ops.exp))
    assert token(sub_graph(ops.exp)) != token(sub_graph(ops.log))
    assert token({"a": np.ones(2)}) == token({"a": np.ones(2)})
    assert token({"a": np.ones(2)}) != token({"a": np.zeros(2)})
