"""Writes in place while the tape is on: refused, or recorded as PyTorch does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl

# Each step takes two of the values so far, both (2, 3), and gives a new one or None.
STEPS = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "tanh": lambda a, b: a.tanh(),
    "exp": lambda a, b: (a * 0.1).exp(),
    "view": lambda a, b: a.reshape(3, 2).reshape(2, 3),
    "clone": lambda a, b: a.clone(),
    "detach": lambda a, b: a.detach() + b,
}
WRITES = {
    "add_": lambda a, b: a.add_(b),
    "mul_": lambda a, b: a.mul_(0.5),
    "copy_": lambda a, b: a.copy_(b),
    "row": lambda a, b: a.__setitem__(0, b[1]),
    "columns": lambda a, b: a.__setitem__((slice(None), slice(0, 2)), 3.0),
    "row of a view": lambda a, b: a[1].mul_(2.0),
}
PROGRAMS = st.lists(
    st.tuples(st.sampled_from([*STEPS, *WRITES]), st.integers(0, 5), st.integers(0, 5)),
    min_size=2,
    max_size=8,
)


def run(program, x):
    """The gradient of x through `program`; writes go to values that are computed."""
    pool = [x * 1.5, x + 1.0]
    for name, i, j in program:
        a, b = pool[i % len(pool)], pool[j % len(pool)]
        if name in STEPS:
            pool.append(STEPS[name](a, b))
        else:
            WRITES[name](a, b)
    pool[-1].sum().backward()
    return x.grad


@settings(max_examples=200)
@given(PROGRAMS)
def test_a_program_with_writes_is_refused_or_has_pytorchs_gradient(program):
    torch = pytest.importorskip("torch")
    start = np.linspace(-1, 1, 6).reshape(2, 3)
    try:
        ours = run(program, dl.tensor(start, requires_grad=True))
    except RuntimeError as error:
        assert (
            "in-place write" in str(error)
            or "written in place" in str(error)
            or ("no gradient to give" in str(error))
        ), error
        return
    try:
        theirs = run(program, torch.tensor(start, requires_grad=True))
    except RuntimeError as error:
        # PyTorch walks on, with a gradient of 0, through a value that was copied over.
        assert "modified by an inplace operation" in str(error)
        return
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-15)


def leaf(*values):
    return dl.tensor(list(values), requires_grad=True)


ALLOWED = [
    lambda x: (x + 1).mul_(3),
    lambda x: (x * 2).add_(x),
    lambda x: (x - 1).copy_(x.exp()),
    lambda x: (x * 2).sum().add_(1),
    lambda x: x.reshape(2, 1).clone().zero_() + x[:, None],
    lambda x: (x * 2).add_(1).mul_(x.detach()).sub_(x),
]


@pytest.mark.parametrize("program", ALLOWED)
def test_a_write_to_what_no_rule_needs_has_pytorchs_gradient(program):
    torch = pytest.importorskip("torch")
    ours, theirs = leaf(1.0, 2.0), torch.tensor([1.0, 2.0], requires_grad=True)
    program(ours).sum().backward()
    program(theirs).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-6)


REFUSED = [
    (lambda x: (lambda h: (h * h, h.add_(1))[0])(x * 2), r"mul of \(2,\), \(2,\)"),
    (lambda x: x.exp().mul_(2), r"exp of \(2,\) needs its result, \(2,\)"),
    (lambda x: (lambda h: (h.tanh(), h.detach().zero_())[0])(x * 1), None),
    (lambda x: (lambda h: (h.sin(), h.detach().zero_())[0])(x * 1), "sin of"),
    (lambda x: (lambda h: (h.sin(), h.reshape(2, 1).zero_())[0])(x * 1), "sin of"),
    (lambda x: (lambda h: (h.exp(), h[0:1].zero_())[0])(x * 1), None),
]


@pytest.mark.parametrize("program, words", REFUSED)
def test_only_a_write_to_what_a_rule_needs_is_refused(program, words):
    x = leaf(1.0, 2.0)
    y = program(x).sum()
    if words is None:
        y.backward()
        return
    with pytest.raises(RuntimeError, match=words + ".*in-place write has changed it"):
        y.backward()


LEAF_WRITES = [
    lambda x: x.zero_(),
    lambda x: x[0].fill_(1),
    lambda x: x.reshape(2, 1)[1:].mul_(2),
    lambda x: x.__setitem__(0, 5.0),
    lambda x: x.__setitem__(dl.tensor([0]), 5.0),
    lambda x: x.__iadd__(1),
]


@pytest.mark.parametrize("write", LEAF_WRITES)
def test_a_leaf_or_a_view_of_it_is_written_to_under_no_grad_alone(write):
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="of a leaf.*requires a gradient.*no_grad"):
        write(x)
    assert x.tolist() == [1.0, 2.0] and x.version == [0]
    with dl.no_grad():
        write(x)
    assert x.version[0] > 0 and x.is_leaf and x.requires_grad


def test_a_leaf_changed_after_it_was_used_is_seen_by_the_rules_that_need_it():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with dl.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="mul .* needs its input 0"):
        y.backward()


def test_a_leaf_written_into_a_buffer_gets_the_buffers_gradient():
    x, buffer = leaf(1.0, 2.0), dl.zeros(2, 2)
    buffer[0] = x
    buffer[1] = buffer[1] + x * 3
    (buffer * dl.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert x.grad.tolist() == [1.0 + 9.0, 2.0 + 12.0]


def test_assignment_by_mask_and_by_positions_is_recorded():
    torch = pytest.importorskip("torch")
    grads = []
    for of in (dl.tensor, torch.tensor):
        x = of([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 2
        y[of([True, False, False])] = 0.0
        y[of([2])] = x[:1] * 10
        (y * y).sum().backward()
        grads.append(x.grad.tolist())
    assert grads[0] == grads[1]


def test_a_learned_value_written_through_a_view_of_a_constant_is_refused():
    buffer, v = dl.zeros(3, 4), dl.ones(4, requires_grad=True)
    row = buffer[0]
    with pytest.raises(RuntimeError, match="a view of would not learn of it"):
        row += v
    assert buffer.tolist() == [[0.0] * 4] * 3
    buffer[0] = v * 2
    buffer.sum().backward()
    assert v.grad.tolist() == [2.0] * 4
