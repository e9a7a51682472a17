"""Optimisers, schedules and clipping against PyTorch and the papers' formulas."""

import numpy as np
import pytest

import minidl as dl

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")
ours, theirs = dl.optim, torch.optim

CASES = [
    (ours.SGD, theirs.SGD, {"lr": 0.1}),
    (ours.SGD, theirs.SGD, {"lr": 0.1, "weight_decay": 0.3}),
    (ours.SGD, theirs.SGD, {"lr": 0.01, "momentum": 0.9}),
    (ours.SGD, theirs.SGD, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.3}),
    (ours.SGD, theirs.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    (ours.Adam, theirs.Adam, {}),
    (ours.Adam, theirs.Adam, {"lr": 0.05, "betas": (0.7, 0.8), "eps": 1e-3}),
    (ours.Adam, theirs.Adam, {"weight_decay": 0.2}),
    (ours.AdamW, theirs.AdamW, {"lr": 0.01}),
    (ours.AdamW, theirs.AdamW, {"lr": 0.01, "weight_decay": 0.5}),
    (ours.RMSprop, theirs.RMSprop, {}),
    (ours.RMSprop, theirs.RMSprop, {"lr": 0.05, "alpha": 0.8, "momentum": 0.7}),
    (ours.Adagrad, theirs.Adagrad, {"lr": 0.3}),
]


def loss(p):
    return ((p - 0.5) ** 4).sum()


def steps(p, optimizer, n=10):
    for _ in range(n):
        optimizer.zero_grad()
        loss(p).backward()
        optimizer.step()


@pytest.mark.parametrize("make, make_theirs, options", CASES)
def test_ten_steps_equal_pytorchs(make, make_theirs, options, rng):
    start = rng.standard_normal((3, 4))
    a, b = dl.tensor(start, requires_grad=True), torch.tensor(start, requires_grad=True)
    mine, other = make([a], **options), make_theirs([b], **options)
    for _ in range(10):
        steps(a, mine, 1)
        steps(b, other, 1)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10)


def test_lion_follows_its_papers_formula(rng):
    p = rng.standard_normal(5)
    ours_p, mean = dl.tensor(p, requires_grad=True), np.zeros(5)
    optimizer = ours.Lion([ours_p], lr=0.01, betas=(0.8, 0.9), weight_decay=0.1)
    for _ in range(10):
        g = 4 * (p - 0.5) ** 3
        p = p - 0.01 * (np.sign(0.8 * mean + 0.2 * g) + 0.1 * p)
        mean = 0.9 * mean + 0.1 * g
        steps(ours_p, optimizer, 1)
    np.testing.assert_allclose(ours_p.detach().numpy(), p, rtol=1e-12)


def test_groups_have_settings_of_their_own():
    a, b = (dl.ones(1, requires_grad=True) for _ in range(2))
    optimizer = ours.SGD([{"params": [a]}, {"params": [b], "lr": 1.0}], lr=0.1)
    (a + b).sum().backward()
    optimizer.step()
    assert a.tolist() == pytest.approx([0.9]) and b.tolist() == [0.0]


@pytest.mark.parametrize("make", [ours.SGD, ours.Adam, ours.Lion, ours.RMSprop])
def test_a_saved_state_goes_on_bit_for_bit(make, rng):
    start = rng.standard_normal(4)
    options = {"momentum": 0.9} if make is ours.SGD else {}

    def fresh(values):
        p = dl.tensor(values, requires_grad=True)
        return p, make([p], lr=0.01, **options)

    p, optimizer = fresh(start)
    steps(p, optimizer, 3)
    saved, values = optimizer.state_dict(), p.detach().numpy().copy()
    steps(p, optimizer, 3)
    q, resumed = fresh(values)
    resumed.load_state_dict(saved)
    steps(q, resumed, 3)
    assert q.tolist() == p.tolist()


def test_a_saved_state_brings_its_settings():
    p = dl.ones(1, requires_grad=True)
    saved = ours.AdamW([p], lr=0.5, betas=(0.1, 0.2)).state_dict()
    optimizer = ours.AdamW([p])
    optimizer.load_state_dict(saved)
    group = optimizer.param_groups[0]
    assert group["lr"] == 0.5 and group["betas"] == (0.1, 0.2)
    assert group["params"] == [p]


SCHEDULES = [
    (ours.step_decay(3, 0.5), lambda o: theirs.lr_scheduler.StepLR(o, 3, 0.5)),
    (ours.cosine(20), lambda o: theirs.lr_scheduler.CosineAnnealingLR(o, 20)),
    (
        ours.one_cycle(20),
        lambda o: theirs.lr_scheduler.OneCycleLR(o, 0.4, 20, cycle_momentum=False),
    ),
]


@pytest.mark.parametrize("factor, make", SCHEDULES)
def test_schedules_equal_pytorchs(factor, make):
    p = torch.ones(1, requires_grad=True)
    other = theirs.SGD([p], lr=0.4)
    scheduler = make(other)
    mine = ours.SGD([dl.ones(1, requires_grad=True)], lr=0.4)
    schedule = ours.LambdaLR(mine, factor)
    for _ in range(19):
        expected = other.param_groups[0]["lr"]
        assert mine.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-6)
        other.step()
        scheduler.step()
        schedule.step()


def test_a_warm_up_rises_in_a_line_and_ends_at_the_floor():
    factor = ours.cosine(total=10, warmup=4, floor=0.1)
    rise = [factor(step) for step in range(5)]
    assert rise == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factor(10) == factor(99) == pytest.approx(0.1)


@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping_equals_pytorchs(limit, rng):
    arrays = [rng.standard_normal(s) for s in ((3, 4), (5,))]
    for name in ("clip_grad_norm_", "clip_grad_value_"):
        mine = [dl.tensor(a, requires_grad=True) for a in arrays]
        other = [torch.tensor(a, requires_grad=True) for a in arrays]
        for p in (*mine, *other):
            (p * p).sum().backward()
        a = getattr(ours, name)(mine, limit)
        b = getattr(torch.nn.utils, name)(other, limit)
        if a is not None:
            assert a == pytest.approx(b.item())
        for p, t in zip(mine, other):
            np.testing.assert_allclose(p.grad.numpy(), t.grad.numpy(), rtol=1e-9)


def test_a_parameter_without_a_gradient_stays():
    used, unused = (dl.ones(1, requires_grad=True) for _ in range(2))
    optimizer = ours.SGD([used, unused], lr=0.5)
    used.sum().backward()
    optimizer.step()
    assert used.tolist() == [0.5] and unused.tolist() == [1.0]


def test_an_update_is_seen_by_the_tape_as_a_write():
    w, x = dl.ones(2, requires_grad=True), dl.ones(2, requires_grad=True)
    value = (w * x).sum()
    value.backward(retain_graph=True)
    ours.SGD([w], lr=0.1, momentum=0.9).step()
    with pytest.raises(RuntimeError, match="as it was"):
        value.backward()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda p: ours.SGD([], lr=0.1), "no parameters"),
        (lambda p: ours.SGD([p], lr=-1), "must be positive"),
        (lambda p: ours.SGD([p], nesterov=True), "needs a momentum"),
        (lambda p: ours.Adam([p]).step(), r"call loss.backward\(\) first"),
        (lambda p: ours.cosine(5, warmup=5), "warm-up of 5 steps in 5"),
        (
            lambda p: ours.SGD([p]).load_state_dict(
                ours.SGD([p, dl.ones(1)]).state_dict()
            ),
            r"groups of \[2\] parameters were saved, here are \[1\]",
        ),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, RuntimeError), match=words):
        wrong(dl.ones(1, requires_grad=True))


def test_16_bit_gradients_are_clipped_by_a_norm_that_they_could_not_hold():
    p = dl.zeros(2).to("float16").requires_grad_()
    p.grad = dl.tensor([300.0, 400.0]).to("float16")
    assert ours.clip_grad_norm_([p], 1.0) == pytest.approx(500)
    assert p.grad.tolist() == pytest.approx([0.6, 0.8], rel=1e-3)
