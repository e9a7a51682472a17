"""New tensors and random numbers."""

import numpy as np
import pytest

import minidl as dl
from minidl.framework import ops


def test_dtypes_of_new_tensors_are_pytorchs():
    torch = pytest.importorskip("torch")
    for data in (1, 1.5, True, [1, 2], [1.5], [[True]], [1, 2.5]):
        ours, theirs = dl.tensor(data), torch.tensor(data)
        assert str(theirs.dtype) == f"torch.{ours.dtype}"
        assert ours.shape == tuple(theirs.shape)
    for array in (np.ones(2), np.ones(2, np.float16), np.arange(2, dtype=np.uint8)):
        assert dl.tensor(array).dtype == array.dtype


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(2, np.float32)
    copied, shared = dl.tensor(array), dl.from_numpy(array)
    array[0] = 5
    assert copied.tolist() == [0.0, 0.0] and shared.tolist() == [5.0, 0.0]


def test_constructors_equal_numpys():
    assert dl.zeros(2, 3).tolist() == np.zeros((2, 3)).tolist()
    assert dl.zeros((2, 3)).shape == (2, 3) and dl.ones(()).shape == ()
    assert dl.full((2,), 7, dtype="int64").tolist() == [7, 7]
    assert dl.arange(2, 8, 3).tolist() == [2, 5] and dl.arange(3).dtype == np.int64
    assert dl.arange(0, 1, 0.5).dtype == np.float32
    assert dl.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert dl.linspace(0, 1, 3).tolist() == [0.0, 0.5, 1.0]
    assert dl.ones_like(dl.zeros(2, dtype="float16")).dtype == np.float16
    assert dl.stack([dl.zeros(2), dl.ones(2)], 1).tolist() == [[0.0, 1.0]] * 2
    assert dl.cat([dl.zeros(1), dl.arange(2)]).dtype == np.float32
    assert dl.where(dl.tensor([True, False]), 1.0, dl.zeros(2)).tolist() == [1.0, 0.0]
    assert dl.maximum(dl.zeros(1), dl.ones(1)).item() == 1
    assert dl.minimum(dl.zeros(1), dl.ones(1)).item() == 0


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: dl.tensor([[1], [1, 2]]), "don't match"),
        (lambda: dl.tensor("text"), "takes numbers"),
        (lambda: dl.tensor([300], dtype="uint8"), r"tensor\(...\): .*300"),
        (lambda: dl.ones(2, -1), r"can't have the shape \(2, -1\)"),
        (lambda: dl.cat([]), "no tensors"),
        (lambda: dl.cat([1, 2]), r"cat takes tensors, got \[1, 2\]"),
        (lambda: dl.tensor(None), "takes numbers"),
        (lambda: dl.tensor([1, 2], dtype="complex64"), "takes numbers"),
        (lambda: dl.zeros(2, dtype=str), "a tensor holds numbers"),
        (lambda: dl.zeros(-1), r"can't have the shape \(-1,\)"),
        (lambda: dl.zeros(2.5), "integers, got"),
        (lambda: dl.from_numpy([1, 2]), "takes an array of numbers"),
        (lambda: dl.from_numpy(np.array(["a"])), "takes an array of numbers"),
        (lambda: dl.where(True, 1, 2), "a tensor of truth values"),
        (lambda: dl.manual_seed("a"), "a seed is an integer of 64 bits, got 'a'"),
        (lambda: dl.manual_seed(2**63), "a seed is an integer"),
        (lambda: dl.cat([dl.ones(2, 3), dl.ones(2, 4)]), "all sizes but that of"),
        (lambda: dl.cat([dl.ones(2), dl.ones(2, 4)]), "all sizes but that of"),
        (lambda: dl.ones(2, device="tpu"), "no device 'tpu'"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, TypeError), match=words):
        wrong()


def test_a_seed_repeats_every_bit_and_draws_differ():
    def draws():
        dl.manual_seed(5)
        x = [
            dl.rand(3),
            dl.rand(3),
            dl.randn(3),
            dl.randint(0, 9, (3,)),
            dl.randperm(5),
        ]
        return [t.tolist() for t in x]

    first = draws()
    assert first == draws() and first[0] != first[1]


def test_a_key_gives_the_numbers_of_numpys_philox():
    key = dl.tensor([7, 3])
    ours = ops.uniform(key, shape=(4,), dtype=np.dtype("float64"))
    theirs = np.random.Generator(np.random.Philox(key=(7, 3))).random(4)
    assert ours.tolist() == theirs.tolist()
    ours = ops.normal(key, shape=(4,), dtype=np.dtype("float32"))
    philox = np.random.Generator(np.random.Philox(key=(7, 3)))
    assert ours.tolist() == philox.standard_normal(4, np.float32).tolist()


def test_keys_of_other_seeds_and_other_draws_are_independent():
    draws = []
    for seed in (0, 1, -1, 2**63 - 1):
        dl.manual_seed(seed)
        draws += [dl.randn(4000, dtype="float64").numpy() for _ in range(2)]
    correlations = np.corrcoef(draws)[np.triu_indices(len(draws), 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)  # five standard errors


def test_a_generator_gives_numpy_a_key_of_its_own():
    a, b = dl.Generator(3), dl.Generator(3)
    a.numpy()
    assert dl.rand(2, generator=a).tolist() != dl.rand(2, generator=b).tolist()


def test_moments_are_those_of_the_distributions():
    n = 100_000  # standard errors: 0.001, 0.003
    u, z = dl.rand(n), dl.randn(n)
    assert abs(u.mean().item() - 0.5) < 0.005 and abs(z.mean().item()) < 0.015
    assert abs(z.var().item() - 1) < 0.02 and 0 <= u.min().item() and u.max().item() < 1


def test_generators_are_independent():
    a, b = dl.Generator(1), dl.Generator(1)
    assert dl.rand(2, generator=a).tolist() == dl.rand(2, generator=b).tolist()
    dl.manual_seed(0)
    before = dl.rand(2).tolist()
    dl.manual_seed(0)
    dl.rand(2, generator=a)
    assert dl.rand(2).tolist() == before


def test_a_tensor_prints_what_is_not_the_default():
    x = dl.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], grad_fn=<mul>)"
    assert repr(dl.tensor([1], dtype="int8")) == "tensor([1], dtype=int8)"
