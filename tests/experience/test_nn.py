"""Modules and layers against PyTorch, with weights copied over."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")


def copied(ours, theirs):
    """Gives our module the weights of PyTorch's."""
    for p, (name, t) in zip(ours.parameters(), theirs.named_parameters(), strict=True):
        assert p.shape == tuple(t.shape), name
        p.data[...] = t.detach().numpy()


LAYERS = [
    (nn.Linear(5, 3), torch.nn.Linear(5, 3), (4, 5)),
    (nn.Linear(5, 3), torch.nn.Linear(5, 3), (2, 4, 5)),
    (nn.Linear(5, 3, bias=False), torch.nn.Linear(5, 3, bias=False), (4, 5)),
    (nn.Conv2d(2, 3, 3), torch.nn.Conv2d(2, 3, 3), (2, 2, 6, 7)),
    (
        nn.Conv2d(2, 4, (3, 2), stride=2, padding=1),
        torch.nn.Conv2d(2, 4, (3, 2), stride=2, padding=1),
        (2, 2, 7, 6),
    ),
    (
        nn.Conv2d(1, 2, 3, stride=(1, 2), padding=(0, 1), bias=False),
        torch.nn.Conv2d(1, 2, 3, stride=(1, 2), padding=(0, 1), bias=False),
        (1, 1, 5, 5),
    ),
    (nn.MaxPool2d(2), torch.nn.MaxPool2d(2), (2, 3, 6, 7)),
    (nn.MaxPool2d(3, stride=2), torch.nn.MaxPool2d(3, stride=2), (2, 3, 7, 7)),
    (nn.ReLU(), torch.nn.ReLU(), (3, 4)),
    (nn.Flatten(), torch.nn.Flatten(), (2, 3, 4)),
]


@pytest.mark.parametrize("ours, theirs, shape", LAYERS, ids=lambda v: type(v).__name__)
def test_layers_and_their_gradients_equal_pytorchs(ours, theirs, shape, rng):
    copied(ours, theirs)
    x = rng.standard_normal(shape).astype(np.float32)
    a, b = dl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, expected = ours(a), theirs(b)
    np.testing.assert_allclose(
        out.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    g = rng.standard_normal(out.shape).astype(np.float32)
    out.backward(dl.tensor(g))
    expected.backward(torch.tensor(g))
    grads = [(a.grad, b.grad)] + [
        (p.grad, t.grad) for p, t in zip(ours.parameters(), theirs.parameters())
    ]
    for mine, other in grads:
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-4, atol=1e-4)


def test_layers_start_as_pytorchs_do():
    layer = nn.Linear(400, 300)
    bound = 1 / 20
    for p in layer.parameters():
        assert -bound <= p.min().item() < p.max().item() < bound
        assert abs(p.std().item() - bound / np.sqrt(3)) < bound * 0.1
    conv = nn.Conv2d(4, 8, 5)
    assert abs(conv.weight.max().item() - 0.1) < 0.01  # 1 / sqrt(4 * 5 * 5)


def test_softmax_of_large_scores_does_not_overflow():
    x = dl.tensor([[1000.0, 0.0], [-1000.0, 0.0]])
    assert dl.functional.softmax(x).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_module_finds_its_parameters_by_their_dotted_names():
    class Twice(nn.Module):
        def __init__(self):
            self.inner = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
            self.again = self.inner[0]  # shared
            self.scale = nn.Parameter(dl.ones(1))

    names = [name for name, _ in Twice().named_parameters()]
    assert names == ["scale", "inner.0.weight", "inner.0.bias"]


def test_train_and_eval_reach_all_modules():
    model = nn.Sequential(nn.Sequential(nn.ReLU()))
    assert not any(m.training for m in model.eval().modules())
    assert all(m.training for m in model.train().modules())


def test_zero_grad_forgets():
    layer = nn.Linear(2, 1)
    layer(dl.ones(1, 2)).sum().backward()
    layer.zero_grad()
    assert all(p.grad is None for p in layer.parameters())


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: nn.Linear(4, 2)(dl.ones(3, 5)), r"linear \(3, 5\).* sizes 5 and 4"),
        (lambda: nn.Conv2d(3, 4, 3)(dl.ones(2, 1, 8, 8)), r"with the same C"),
        (lambda: nn.Conv2d(1, 4, 3)(dl.ones(2, 1, 2, 2)), "doesn't fit"),
        (lambda: nn.CrossEntropyLoss()(dl.ones(2, 3), dl.tensor([0])), "wants logits"),
        (
            lambda: nn.CrossEntropyLoss()(dl.ones(2, 3), dl.tensor([0.0, 1.0])),
            "integer dtype",
        ),
        (
            lambda: nn.CrossEntropyLoss()(dl.ones(2, 3), dl.tensor([0, 3])),
            "cross_entropy",
        ),
        (lambda: nn.Module()(1), "no forward"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, NotImplementedError, IndexError), match=words):
        wrong()


def test_a_dtype_moves_what_floats_and_leaves_counts():
    model = nn.Linear(2, 2)
    model.steps = dl.tensor([3])
    model.to("float16")
    assert model.weight.dtype == "float16" and model.steps.dtype == "int64"


def test_what_forward_computed_and_kept_is_no_buffer():
    class Keeps(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            self.last = self.layer(x)
            return self.last

    model = Keeps()
    model(dl.ones(1, 2))
    assert list(model.state_dict()) == ["layer.weight", "layer.bias"]


def test_nothing_can_be_written_into_nothing():
    assert (dl.zeros(0, 3).zero_() + 1).shape == (0, 3)
