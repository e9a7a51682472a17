"""Rules of shapes, dtypes and arithmetic: they say what evaluation then gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl.framework import composites, ops
from minidl.framework import shapes as rules

SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@given(SHAPES, SHAPES)
def test_what_the_broadcast_rule_refuses_evaluation_refuses_by_name(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ValueError, match="differ and none of them is 1"):
            rules.broadcast(a, b)
        with pytest.raises(ValueError) as refused:
            dl.ones(a) * dl.ones(b)
        assert str(refused.value).startswith(f"mul {a} float32, {b} float32: sizes ")
        return
    assert rules.broadcast(a, b) == expected == (dl.ones(a) * dl.ones(b)).shape


N, F = "int64", "float32"
MISFITS = [
    (ops.where, [((2,), "bool"), ((3,), F), ((4,), F)], {}, "sizes 2 and 3"),
    (ops.where, [((2,), F), ((2,), F), ((3,), F)], {}, "sizes 2 and 3"),
    (ops.matmul, [((2, 3), F), ((2, 3), F)], {}, "inner sizes 3 and 2 differ"),
    (ops.matmul, [((2, 2, 3), F), ((3, 3, 4), F)], {}, "sizes 2 and 3"),
    (ops.matmul, [((), F), ((3, 4), F)], {}, "at least two dimensions"),
    (ops.reshape, [((2, 3), F)], {"shape": (4,)}, "6 elements can't take"),
    (ops.permute, [((2, 3), F)], {"dims": (0, 0)}, "name each of 2 dimensions once"),
    (ops.expand, [((2, 3), F)], {"shape": (2, 4)}, "sizes 3 and 4"),
    (ops.expand, [((2, 3), F)], {"shape": (3,)}, "can't expand to"),
    (ops.pad, [((2,), F)], {"index": ((0, 3, 1),), "shape": (4,)}, "doesn't fill"),
    (ops.cat, [((2, 3), F), ((2, 4), F)], {"dim": 0}, "sizes but that of dimension 0"),
    (ops.cat, [((2,), F), ((2, 4), F)], {"dim": 0}, "sizes but that of dimension 0"),
    (ops.windows, [((2, 3), F)], {"size": (3, 1), "stride": (1, 1)}, "doesn't fit"),
    (ops.windows, [((2,), F)], {"size": (1, 1), "stride": (1, 1)}, "doesn't fit"),
    (ops.windows, [((2, 3), F)], {"size": (1, 1), "stride": (1, 0)}, "be positive"),
    (ops.windows, [((2, 3), F)], {"size": (0, 1), "stride": (1, 1)}, "be positive"),
    (ops.windows, [((2, 3), F)], {"size": (1, 1), "stride": (1,)}, "be positive"),
    (
        ops.fold,
        [((3, 2), F)],
        {"shape": (9,), "size": (2,), "stride": (1,)},
        r"don't tile \(9,\)",
    ),
    (ops.index, [((2,), F), ((1,), N), ((1,), N)], {}, "2 indices for 1 dimensions"),
    (ops.index, [((2, 2), F), ((2,), N), ((3,), N)], {}, "sizes 2 and 3"),
    (ops.index_add, [((3,), F), ((2,), N)], {"shape": (4,)}, "values must have"),
    (ops.index_put, [((4,), F), ((3,), F), ((2,), N)], {}, "values must have"),
    (composites.linear, [((2, 3), F), ((4, 2), F), ((4,), F)], {}, "inner sizes 3"),
    (composites.linear, [((2, 3), F), ((4, 3), F), ((5,), F)], {}, "the bias must"),
    (composites.cross_entropy, [((2, 3), F), ((3,), N)], {}, "wants logits"),
    (composites.cross_entropy, [((2,), F), ((2,), N)], {}, "wants logits"),
]


@pytest.mark.parametrize("op, operands, attrs, words", MISFITS)
def test_a_misfit_is_refused_by_rule_and_by_evaluation(op, operands, attrs, words):
    shapes = [shape for shape, _ in operands]
    with pytest.raises(ValueError, match=words):
        op.shape(*shapes, **attrs)
    with pytest.raises(ValueError, match=words) as refused:
        op(*[dl.zeros(shape, dtype=dtype) for shape, dtype in operands], **attrs)
    assert str(refused.value).startswith(f"{op.name} {shapes[0]} ")


WRONG_DTYPES = [
    (ops.neg, ["bool"], "truth values can't be subtracted"),
    (ops.sub, ["bool", "bool"], "truth values can't be subtracted"),
    (ops.index, [F, F], "index must be of an integer dtype, got float32"),
    (ops.sign, ["bool"], "sign .* bool"),
]


@pytest.mark.parametrize("op, dtypes, words", WRONG_DTYPES)
def test_a_wrong_dtype_is_named(op, dtypes, words):
    with pytest.raises((ValueError, TypeError), match=words):
        op(*[dl.zeros(2, dtype=dtype) for dtype in dtypes])


@pytest.mark.parametrize(
    "rule, dtypes, words",
    [
        (rules.float_dtype, [N], "needs a floating dtype, got int64"),
        (rules.first_dtype, [F, N], "dtypes differ"),
        (rules.chosen_dtype, [F, F, F], "condition must be bool, got float32"),
        (rules.chosen_dtype, ["bool", F, N], "dtypes differ"),
        (rules.by_index, [F, "bool"], "integer dtype, got bool"),
    ],
)
def test_a_dtype_rule_says_what_it_wants(rule, dtypes, words):
    with pytest.raises(ValueError, match=words):
        rule(*map(np.dtype, dtypes))


@pytest.mark.parametrize(
    "op, shapes, attrs, flops",
    [
        (ops.add, [(2, 1), (3,)], {}, 6),
        (ops.sigmoid, [(2, 3)], {}, 24),
        (ops.sum, [(2, 3)], {"dims": (0, 1), "keepdim": False}, 6),
        (ops.matmul, [(5, 2, 3), (3, 4)], {}, 2 * 5 * 2 * 3 * 4),
        (ops.reshape, [(2, 3)], {"shape": (6,)}, 0),
        (ops.fold, [(3, 2)], {"shape": (4,), "size": (2,), "stride": (1,)}, 6),
        (composites.linear, [(2, 3), (4, 3), (4,)], {}, 2 * 2 * 3 * 4 + 2 * 4),
    ],
)
def test_arithmetic_is_counted_as_by_hand(op, shapes, attrs, flops):
    assert op.flops(op.shape(*shapes, **attrs), *shapes, **attrs) == flops


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: ops.add(x, 3), "add of int: an operation is applied to tensors"),
        (lambda x: ops.add(), "add of nothing"),
        (lambda x: ops.sum(x, dim=0), r"sum \(2,\) float32: .*'dim'"),
    ],
)
def test_a_row_called_wrongly_is_named(wrong, words):
    with pytest.raises(TypeError, match=words):
        wrong(dl.ones(2))
