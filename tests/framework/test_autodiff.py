"""The tape and the walk back: PyTorch's semantics, and errors where it has them."""

import gc
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl.framework import autodiff


def leaf(*values):
    return dl.tensor(list(values), requires_grad=True)


# ---- random programs against PyTorch

STEPS = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - b * 0.5,
    lambda a, b: (a * 0.3).tanh() @ b.T,
    lambda a, b: a.T.sigmoid(),
    lambda a, b: (a * 0.1).exp(),
    lambda a, b: a.sum(0) + b,
    lambda a, b: a.reshape(-1).reshape(3, 3),
]


@given(st.lists(st.tuples(*[st.integers(0, 7)] * 3), min_size=1, max_size=8))
def test_random_programs_have_pytorchs_gradients(program):
    torch = pytest.importorskip("torch")
    arrays = [np.random.default_rng(i).standard_normal((3, 3)) for i in range(2)]

    def run(leaves):
        pool = list(leaves)
        for step, i, j in program:
            pool.append(STEPS[step](pool[i % len(pool)], pool[j % len(pool)]))
        return sum((x * x).sum() for x in pool)

    ours = [dl.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    run(ours).backward()
    run(theirs).backward()
    for x, t in zip(ours, theirs):
        np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-9)


def test_a_value_used_twice_gets_the_sum_of_both_parts():
    x = leaf(3.0)
    (x * x + x).backward()
    assert x.grad.tolist() == [7.0]


def test_backward_adds_to_what_grad_holds():
    x = leaf(2.0)
    (x * 3).backward()
    (x * 4).backward()
    assert x.grad.tolist() == [7.0]


def test_third_derivatives_of_a_power():
    x = dl.tensor(2.0, requires_grad=True)
    y, slopes = x**4, []
    for _ in range(3):
        (y,) = dl.grad(y, x, create_graph=True)
        slopes.append(y.item())
    assert slopes == [32.0, 48.0, 48.0]


# ---- a graph is used once


def test_a_second_backward_is_refused_and_changes_nothing():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="sum of .*retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [4.0]


def test_retain_graph_lets_a_second_backward_add():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]


def test_intermediate_values_die_with_the_walk_without_the_garbage_collector():
    gc.disable()
    try:
        x = leaf(2.0)
        h = x.exp()
        seen = weakref.ref(h)
        y = (h * h).sum()
        del h
        assert seen() is not None, "the tape keeps what a rule needs"
        y.backward()
        assert seen() is None
    finally:
        gc.enable()


def test_a_result_and_its_node_are_no_circle():
    gc.disable()
    try:
        y = leaf(2.0).exp()
        seen = weakref.ref(y)
        del y
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.slow
def test_a_very_long_chain_does_not_recurse():
    x = leaf(1.0)
    y = x
    for _ in range(50_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1.0]


@pytest.mark.slow
def test_a_very_long_chain_is_freed_to_its_first_node():
    gc.disable()
    try:
        first = y = leaf(1.0) * 2
        for _ in range(50_000):
            y = y * 1.0
        seen = weakref.ref(first.node)
        del first
        assert seen() is not None
        del y
        assert seen() is None
    finally:
        gc.enable()


# ---- writes in place


def test_a_write_to_a_value_that_a_rule_needs_is_refused():
    w, x = leaf(1.0, 2.0), dl.tensor([3.0, 4.0])
    y = (x * w).sum()
    x += 1
    with pytest.raises(RuntimeError, match=r"mul of \(2,\), \(2,\) needs its input 0"):
        y.backward()


def test_a_write_to_a_result_that_its_rule_needs_is_refused():
    y = leaf(1.0).exp()
    y += 1
    with pytest.raises(RuntimeError, match="exp .* needs its result"):
        y.sum().backward()


def test_a_write_to_what_no_rule_needs_is_recorded():
    x = leaf(1.0, 2.0)
    y = x + 1
    y *= 3
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_assignment_into_a_result_is_recorded():
    x = leaf(1.0, 2.0, 3.0)
    v = leaf(5.0)
    y = x * 2
    y[1] = v[0]
    (y * dl.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 200.0] and v.grad.tolist() == [10.0]


def test_a_constant_written_over_a_result_cuts_its_history():
    x = leaf(1.0)
    y = x * 2
    y.copy_(5.0)
    z = (y + x).sum()
    z.backward()
    assert x.grad.tolist() == [1.0]


@pytest.mark.parametrize("write", [lambda x: x.add_(1), lambda x: x[0].zero_()])
def test_a_write_to_a_leaf_is_refused_while_recording(write):
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="a leaf"):
        write(x)
    assert x.tolist() == [1.0, 2.0]
    with dl.no_grad():
        write(x)
    assert x.tolist() != [1.0, 2.0]


def test_a_view_taken_before_a_write_is_not_used_after_it():
    x = leaf(1.0, 2.0)
    y = x * 2
    view = y[0]
    y += 1
    with pytest.raises(RuntimeError, match="written in place after"):
        view * 3


def test_a_write_through_a_view_makes_the_whole_stale():
    x = leaf(1.0, 2.0)
    y = x * 2
    y[0].zero_()
    with pytest.raises(RuntimeError, match="written in place after"):
        y * 3


# ---- what is given and what comes back


def test_gradients_share_memory_with_nothing():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = dl.ones(2)
    (a + b).backward(seed)
    a.grad.zero_()
    assert b.grad.tolist() == [1.0, 1.0] and seed.tolist() == [1.0, 1.0]
    c = dl.ones(2, 3, requires_grad=True)
    c.sum().backward()
    c.grad += 1  # an expanded gradient could not be written to
    assert c.grad.tolist() == [[2.0] * 3] * 2


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("rest", [lambda y: y, lambda y: y * 2])
def test_a_gradient_is_never_the_seed_nor_another_leafs(rest, create_graph):
    a, b, seed = leaf(1.0), leaf(2.0), dl.ones(1)
    rest(a + b).backward(seed, create_graph=create_graph)
    arrays = [a.grad.data, b.grad.data, seed.data]
    for i, x in enumerate(arrays):
        assert not any(np.shares_memory(x, y) for y in arrays[i + 1 :])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sum(0) * 1,
        lambda x: x.expand(4, 1, 3).sum(),
        lambda x: dl.ops.sign(x).sum(),
        lambda x: x.T[1:].sum(),
        lambda x: x.reshape(3, 1).windows((1,)).sum(),
    ],
)
def test_every_gradient_can_be_written_to(function):
    x = dl.ones(1, 3, requires_grad=True)
    y = function(x)
    y.backward(dl.ones(*y.shape))
    before = x.grad.tolist()
    x.grad *= 2
    assert x.grad.tolist() == [[2 * g for g in before[0]]]


def test_what_a_gradient_begins_with_may_be_an_array_or_a_list():
    for seed in ([1.0, 10.0], np.array([1.0, 10.0]), dl.tensor([1.0, 10.0])):
        x = leaf(1.0, 2.0)
        (x * 2).backward(seed)
        assert x.grad.tolist() == [2.0, 20.0] and x.grad.dtype == np.float32


def test_grad_of_several_outputs_is_the_sum_of_their_parts():
    torch = pytest.importorskip("torch")
    answers = []
    for of, grad in ((dl.tensor, dl.grad), (torch.tensor, torch.autograd.grad)):
        x = of([1.0, 2.0], requires_grad=True)
        y, z = x * x, (x * 3).sum()
        g = grad([y, z, y], [x, y], [of([1.0, 2.0]), None, of([5.0, 5.0])])
        answers.append([part.tolist() for part in g])
    assert answers[0] == answers[1]


def test_grad_leaves_no_trace_and_takes_results_too():
    x = leaf(3.0)
    h = x * x
    y = (h * h).sum()
    gx, gh = dl.grad(y, [x, h])
    assert gx.tolist() == [108.0] and gh.tolist() == [18.0] and x.grad is None


def test_grad_of_what_takes_no_part_is_an_error_or_none():
    x, z = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match=r"input 1, \(1,\), takes no part"):
        dl.grad((x * 2).sum(), [x, z])
    assert dl.grad((x * 2).sum(), [x, z], allow_unused=True)[1] is None


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: dl.ones(1).backward(), "requires_grad=True"),
        (lambda x: (x * 2).backward(), r"of \(2,\) needs the gradient"),
        (lambda x: (x * 2).backward(dl.ones(3)), r"has \(3,\); the output \(2,\)"),
        (lambda x: x.numpy(), "detach"),
        (lambda x: dl.arange(3).requires_grad_(), "only floating"),
        (lambda x: (x * 2).requires_grad_(), "detach"),
        (lambda x: dl.ones(2).register_hook(print), "requires_grad=True"),
        (lambda x: dl.grad((x * 2).sum(), dl.ones(2)), "does not require"),
        (lambda x: dl.grad(3.0, x), "grad takes tensors, got float"),
        (lambda x: dl.grad(x.sum(), 3.0), "grad takes tensors, got float"),
        (lambda x: dl.grad(x.sum(), x, [1.0, 2.0]), "1 outputs, given 2 gradients"),
        (lambda x: x.sum().backward("one"), "str can't be made a tensor"),
        (lambda x: dl.ones(2).retain_grad(), "requires_grad=True"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((RuntimeError, TypeError, ValueError), match=words):
        wrong(leaf(1.0, 2.0))


def test_vjp_pulls_back_and_can_be_differentiated():
    x = dl.tensor([1.0, 2.0], dtype="float64")
    out, pull = dl.vjp(lambda x: x**3, x)
    v = dl.tensor([1.0, 10.0], dtype="float64", requires_grad=True)
    assert out.tolist() == [1.0, 8.0]
    assert pull(v)[0].tolist() == [3.0, 120.0] == pull(v)[0].tolist()
    # The pullback is linear in v: its gradient is the slope 3 x^2.
    pull(v)[0].sum().backward()
    assert v.grad.tolist() == [3.0, 12.0] and x.grad is None


# ---- hooks


def test_a_hook_sees_the_whole_gradient_and_may_replace_it():
    x, seen = leaf(2.0), []
    h = x * 3
    h.register_hook(lambda g: seen.append(g.tolist()))
    remove = h.register_hook(lambda g: g * 10)
    (h + h).backward()
    assert seen == [[2.0]] and x.grad.tolist() == [60.0]
    x.grad = None
    h = x * 3
    remove_leaf = x.register_hook(lambda g: g * 0)
    h.backward(retain_graph=True)
    assert x.grad.tolist() == [0.0]
    remove_leaf()
    h.backward()
    assert x.grad.tolist() == [3.0]
    remove()


@pytest.mark.parametrize("answer", [3, dl.ones(()), dl.ones(3), [1.0, 1.0]])
def test_a_hook_that_returns_something_else_is_named(answer):
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: answer)
    with pytest.raises(TypeError, match=r"hook must return None or a tensor of \(2,\)"):
        (x * 2).sum().backward()


def test_a_hook_may_take_itself_off():
    x, seen = leaf(2.0), []

    def once(g):
        seen.append(g.item())
        remove()

    remove = x.register_hook(once)
    for _ in range(2):
        (x * 3).backward()
    assert seen == [3.0] and x.grad.tolist() == [6.0]


def test_retain_grad_adds_up_as_pytorchs_does():
    torch = pytest.importorskip("torch")
    kept = []
    for of in (dl.tensor, torch.tensor):
        x = of([2.0, 1.0], requires_grad=True)
        h = x * 3
        h.retain_grad()
        x.retain_grad()
        y = (h * h + x).sum()
        y.backward(retain_graph=True)
        y.backward()
        kept.append((h.grad.tolist(), x.grad.tolist()))
    assert kept[0] == kept[1]


def test_a_retained_gradient_is_nobody_elses():
    x = leaf(1.0)
    h = x + 0
    h.retain_grad()
    (h * 2).sum().backward()
    h.grad.zero_()
    assert x.grad.tolist() == [2.0]


def test_retaining_a_gradient_makes_no_circle():
    gc.disable()
    try:
        h = leaf(2.0) * 3
        h.retain_grad()
        seen = weakref.ref(h)
        del h
        assert seen() is None
    finally:
        gc.enable()


# ---- when the tape is off


def test_no_grad_and_enable_grad_nest_and_decorate():
    x = leaf(1.0)
    with dl.no_grad():
        assert not (x * 2).requires_grad
        with dl.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    assert not dl.no_grad()(lambda: x * 2)().requires_grad


def test_a_decorated_function_may_be_called_again_and_may_fail():
    x = leaf(1.0)

    @dl.no_grad()
    def double(fail=False):
        if fail:
            raise KeyError("mine")
        return x * 2, dl.enable_grad()(lambda: x * 2)()

    for _ in range(2):
        off, on = double()
        assert not off.requires_grad and on.requires_grad
    with pytest.raises(KeyError):
        double(fail=True)
    assert (x * 2).requires_grad


def test_the_tape_is_on_or_off_for_each_thread_by_itself():
    x, seen = leaf(1.0), []
    with dl.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_shares_memory_without_history():
    x = leaf(1.0, 2.0)
    y = (x * 2).detach()
    assert not y.requires_grad
    (x.detach()[0:1] * 1).sum()
    assert x.detach().version is x.version


# ---- the rules of others


def test_a_rule_that_returns_the_wrong_thing_is_named():
    x = leaf(1.0, 2.0)
    with dl.replace(dl.ops.exp, vjp=lambda g: 3):
        y = x.exp().sum()
    with pytest.raises(TypeError, match="rule of exp for input 0 must return a tensor"):
        y.backward()
    with dl.replace(dl.ops.exp, vjp=lambda g: dl.ones(5)):
        y = x.exp().sum()
    with pytest.raises(
        ValueError, match=r"returned shape \(5,\); the input has \(2,\)"
    ):
        y.backward()


def test_a_walk_in_the_wrong_order_gives_wrong_gradients():
    def without_done(roots):
        order, pending = [], list(roots)
        while pending:
            vertex = pending.pop()
            if all(vertex is not other for other in order):
                order.append(vertex)
                pending.extend(e for e in vertex.edges if e is not None)
        return order

    def slope():
        x = leaf(2.0)
        h = x * 3
        (h.exp() * h).sum().backward()
        return x.grad.item()

    right = slope()
    with dl.replace(autodiff.topological_order, without_done):
        assert slope() != right
    assert slope() == right
