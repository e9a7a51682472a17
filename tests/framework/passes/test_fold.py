import numpy as np
from graphs import Case, graphs, same_bits
from hypothesis import given, settings

from minidl.framework import ops
from minidl.framework.graph import CONSTANT, Graph, check, constant, input_node, make
from minidl.framework.passes import dce, fold


def outputs(*nodes):
    return Graph((), tuple(nodes))


@settings(max_examples=150)
@given(graphs(special=True))
def test_folding_changes_no_bit(case):
    same_bits(case, check(fold(case.graph), like=case.graph))


def test_what_depends_on_constants_alone_becomes_one():
    total = make(ops.add, [constant(2.0), make(ops.exp, [constant(0.0)])])
    (folded,) = fold(outputs(total)).outputs
    assert folded.op is CONSTANT and folded.attrs["value"] == 3.0


def test_what_depends_on_an_input_stays():
    x = input_node("x", (2,), "float64")
    y = make(ops.mul, [x, make(ops.neg, [constant(3.0)])])
    folded = dce(fold(Graph((x,), (y,))))
    assert [node.op.name for node in folded.nodes] == ["input", "constant", "mul"]


def test_a_number_stretched_to_megabytes_stays_a_number():
    shape = (1000, 1000)
    big = make(ops.expand, [constant(1.0)], {"shape": shape})
    assert fold(outputs(make(ops.neg, [big]))).outputs[0].op is ops.neg


def test_a_large_constant_may_become_one_of_its_size():
    big = constant(np.ones((100, 100)))
    (folded,) = fold(outputs(make(ops.neg, [big]))).outputs
    assert folded.op is CONSTANT and (folded.attrs["value"] == -1).all()


def test_random_numbers_are_not_folded():
    attrs = {"shape": (3,), "dtype": np.dtype(float)}
    draw = make(ops.uniform, [constant(np.array([1, 2]))], attrs)
    assert fold(outputs(draw)).outputs[0] is draw


def test_the_layout_of_a_folded_transpose_is_kept():
    """So that a product with it rounds as it did."""
    turned = make(ops.permute, [constant(np.ones((3, 2)))], {"dims": (1, 0)})
    (folded,) = fold(outputs(turned)).outputs
    assert folded.attrs["value"].strides == (8, 16)


def test_folding_a_whole_program_leaves_its_value():
    half = make(ops.div, [constant(1.0), constant(2.0)])
    same_bits(Case(outputs(half), ()), fold(outputs(half)))
