"""Optimisers against PyTorch: ten steps on one loss."""

import numpy as np
import pytest

import minidl as dl

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")

CASES = [
    (lambda p: dl.optim.SGD(p, lr=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    (
        lambda p: dl.optim.SGD(p, lr=0.01, momentum=0.9),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    ),
    (lambda p: dl.optim.Adam(p), lambda p: torch.optim.Adam(p)),
    (
        lambda p: dl.optim.Adam(p, lr=0.05, betas=(0.7, 0.8), eps=1e-3),
        lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.7, 0.8), eps=1e-3),
    ),
]


@pytest.mark.parametrize("make, make_theirs", CASES)
def test_ten_steps_equal_pytorchs(make, make_theirs, rng):
    start = rng.standard_normal((3, 4))
    target = rng.standard_normal((3, 4))
    ours = dl.tensor(start, requires_grad=True)
    theirs = torch.tensor(start, requires_grad=True)
    mine, other = make([ours]), make_theirs([theirs])
    for _ in range(10):
        for p, optimizer, t in (
            (ours, mine, dl.tensor(target)),
            (theirs, other, torch.tensor(target)),
        ):
            optimizer.zero_grad()
            ((p - t) ** 4).sum().backward()
            optimizer.step()
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), 1e-10
        )


def test_a_parameter_without_a_gradient_stays():
    used, unused = (dl.ones(1, requires_grad=True) for _ in range(2))
    optimizer = dl.optim.SGD([used, unused], lr=0.5)
    used.sum().backward()
    optimizer.step()
    assert used.tolist() == [0.5] and unused.tolist() == [1.0]


def test_an_update_is_seen_by_the_tape_as_a_write():
    w, x = dl.ones(2, requires_grad=True), dl.ones(2, requires_grad=True)
    loss = (w * x).sum()
    loss.backward(retain_graph=True)
    dl.optim.SGD([w], lr=0.1, momentum=0.9).step()
    with pytest.raises(RuntimeError, match="as it was"):
        loss.backward()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda p: dl.optim.SGD([], lr=0.1), "no parameters"),
        (lambda p: dl.optim.SGD([p], lr=-1), "must be positive"),
        (lambda p: dl.optim.Adam([p]).step(), r"call loss.backward\(\) first"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, RuntimeError), match=words):
        wrong(dl.ones(1, requires_grad=True))
