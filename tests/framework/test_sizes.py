"""Symbolic sizes, against integers put in their place."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.framework.sizes import Size, SizeError, count, slice_bounds

B, T = Size("B"), Size("T")
expressions = st.recursive(
    st.one_of(
        st.integers(-4, 4).map(lambda n: (n, lambda b, t: n)),
        st.just((B, lambda b, t: b)),
        st.just((T, lambda b, t: t)),
    ),
    lambda inner: st.tuples(
        st.sampled_from([operator.add, operator.sub, operator.mul]), inner, inner
    ).map(
        lambda p: (
            p[0](p[1][0], p[2][0]),
            lambda b, t: p[0](p[1][1](b, t), p[2][1](b, t)),
        )
    ),
    max_leaves=6,
)
PLACES = [(2, 2), (2, 3), (3, 2), (5, 7), (11, 4), (100, 3)]


def value(size, b, t):
    """What a size is for these integers, from its terms alone."""
    if not isinstance(size, Size):
        return size
    of = {"B": b, "T": t}
    total = 0
    for symbols, n in size.terms.items():
        for s in symbols:
            n *= of[s]
        total += n
    return total


@given(expressions)
def test_arithmetic_is_that_of_the_integers_in_place(expression):
    size, function = expression
    assert all(value(size, b, t) == function(b, t) for b, t in PLACES)


@given(expressions, expressions)
def test_what_is_decided_holds_for_all_integers_of_at_least_two(x, y):
    try:
        smaller = x[0] < y[0]
    except SizeError:
        return
    assert all((x[1](b, t) < y[1](b, t)) == smaller for b, t in PLACES)


@given(expressions, expressions)
def test_a_quotient_that_is_given_is_exact(x, y):
    if y[0] == 0:
        return
    try:
        found = x[0] // y[0]
    except SizeError:
        return
    if isinstance(x[0], Size) or isinstance(y[0], Size):
        assert all(value(found, b, t) * y[1](b, t) == x[1](b, t) for b, t in PLACES)


def test_two_symbols_are_two_sizes_and_none_is_one():
    assert B == Size("B") and B != T and B != 1 and 1 < B
    assert hash(B * 2 - B) == hash(B)


@pytest.mark.parametrize("question", [lambda: B < T, lambda: B > 5, lambda: B // 2])
def test_what_depends_on_the_number_is_no_answer(question):
    with pytest.raises(SizeError, match="depends on"):
        question()


def test_a_size_is_no_integer_and_says_so():
    with pytest.raises(TypeError, match="B is not known before"):
        range(B)


def test_slices_count_their_elements():
    assert count(*slice_bounds(slice(1, None), B)) == B - 1
    assert count(*slice_bounds(slice(None, -1), B)) == B - 1
    assert count(*slice_bounds(slice(None, 2), B)) == 2
    assert count(*slice_bounds(slice(None, 3), 10)) == 3
    with pytest.raises(SizeError):
        slice_bounds(slice(None, 3), B)


def test_sizes_print_as_they_are_written_by_hand():
    assert str(2 * B * T + B - 3) == "2 B T + B - 3"
