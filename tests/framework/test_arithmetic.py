"""Promotion and methods against PyTorch."""

import itertools

import numpy as np
import pytest

import minidl as dl

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64") + (
    "float16",
    "float32",
    "float64",
)


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


@pytest.mark.parametrize("shapes", [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())])
@pytest.mark.parametrize("a, b", list(itertools.product(DTYPES, DTYPES)))
def test_mixed_tensors_promote_as_in_pytorch(a, b, shapes):
    ours = dl.ones(*shapes[0], dtype=a) * dl.ones(*shapes[1], dtype=b)
    theirs = torch.ones(shapes[0], dtype=getattr(torch, a)) * torch.ones(
        shapes[1], dtype=getattr(torch, b)
    )
    assert name_of(ours.dtype) == name_of(theirs.dtype)


@pytest.mark.parametrize("number", [True, 2, 0.5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_promote_as_in_pytorch(dtype, number):
    ours = dl.ones(2, dtype=dtype)
    theirs = torch.ones(2, dtype=getattr(torch, dtype))
    assert name_of((ours * number).dtype) == name_of((theirs * number).dtype)
    assert name_of((number + ours).dtype) == name_of((number + theirs).dtype)
    assert name_of((ours / 2).dtype) == name_of((theirs / 2).dtype)


EXPRESSIONS = [
    lambda x, y: 2 - x,
    lambda x, y: 1 / (x * x + 1),
    lambda x, y: 2.0**x,
    lambda x, y: abs(x) ** 1.5,
    lambda x, y: -x + y,
    lambda x, y: x.sum(),
    lambda x, y: x.mean(0),
    lambda x, y: x.mean((0, 1), keepdim=True),
    lambda x, y: x.var(),
    lambda x, y: x.std(1, correction=0),
    lambda x, y: x.amax(1),
    lambda x, y: x.amin(0),
    lambda x, y: x.max(),
    lambda x, y: x.min(),
    lambda x, y: x.clamp(-0.5, 0.5),
    lambda x, y: x.clamp(min=0.1),
    lambda x, y: x.minimum(y),
    lambda x, y: x.masked_fill(x > 0, 7.0),
    lambda x, y: x.where(x > y, y),
    lambda x, y: x @ y.T,
    lambda x, y: x @ y[0],
    lambda x, y: y[0] @ x.T,
    lambda x, y: y[0] @ x[1],
    lambda x, y: (x * y).sigmoid().log(),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_methods_and_their_gradients_equal_pytorchs(expression, rng):
    arrays = [rng.standard_normal((3, 4)) for _ in range(2)]
    ours = [dl.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    a, b = expression(*ours), expression(*theirs)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    a.sum().backward()
    b.sum().backward()
    for x, t in zip(ours, theirs):
        if t.grad is not None:
            np.testing.assert_allclose(
                x.grad.numpy(), t.grad.numpy(), rtol=1e-10, atol=1e-13
            )


COMPARISONS = [
    lambda x, y: x < y,
    lambda x, y: x <= 0,
    lambda x, y: x > y,
    lambda x, y: 0 >= x,
    lambda x, y: x == y,
    lambda x, y: x != 0,
    lambda x, y: ~(x > 0),
    lambda x, y: (x > 0) & (y > 0),
    lambda x, y: x.argmax(),
    lambda x, y: x.argmax(1),
    lambda x, y: (x > 0).sum(0),
    lambda x, y: x.to("float16") if hasattr(x, "version") else x.to(torch.float16),
]


@pytest.mark.parametrize("expression", COMPARISONS)
def test_comparisons_and_casts_equal_pytorchs(expression, rng):
    arrays = [rng.integers(-2, 3, (3, 4)).astype(np.float32) for _ in range(2)]
    ours = expression(*map(dl.tensor, arrays))
    theirs = expression(*map(torch.tensor, arrays))
    assert name_of(ours.dtype) == name_of(theirs.dtype)
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes_of_every_dtype_are_found_among_its_limits(dtype):
    values = np.array([1, 0, 1])
    if dtype != "bool" and "float" not in dtype:
        values = np.array([np.iinfo(dtype).max, np.iinfo(dtype).min, 1])
    x = dl.tensor(values.astype(dtype))
    t = torch.tensor(values.astype(dtype))
    assert x.amin().item() == t.amin().item() and x.amax().item() == t.amax().item()
    other = values[::-1].astype(dtype)
    found = x.minimum(dl.tensor(other))
    assert found.tolist() == np.minimum(values.astype(dtype), other).tolist()
    assert str(found.dtype) == dtype


def test_bounds_that_are_fractions_do_not_become_integers():
    x = dl.tensor([1, 5])
    assert x.clamp(1.5, 2.5).tolist() == [1.5, 2.5]
    assert x.minimum(2.5).tolist() == [1.0, 2.5]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("shape", [(0,), (1,), (2,), (3, 2)])
@pytest.mark.parametrize("correction", [0, 1, 5])
def test_a_variance_of_too_few_is_pytorchs(shape, correction):
    x = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    ours, theirs = (
        dl.tensor(x).var(0, correction),
        torch.tensor(x).var(0, correction=correction),
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy())


def test_numpy_arrays_take_part_in_products_too():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal((dl.tensor(x) @ x.T).numpy(), x @ x.T)


def test_a_cast_returns_the_gradient_in_its_inputs_dtype():
    x = dl.ones(3, dtype="float32", requires_grad=True)
    (x.to("float64") * dl.ones(3, dtype="float64")).sum().backward()
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [1.0, 1.0, 1.0]


def test_numpy_leaves_mixed_arithmetic_to_the_tensor():
    out = np.ones(3, np.float32) * dl.ones(3)
    assert isinstance(out, dl.Tensor)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: x + dl.ones(3), r"add \(2, 4\) float32, \(3,\) float32"),
        (lambda x: x @ x, r"matmul .* inner sizes 4 and 2 differ"),
        (lambda x: x + "one", "unsupported operand"),
        (lambda x: x.maximum("one"), "needs a tensor or a number"),
        (lambda x: x + 2j, "unsupported operand|can't be combined"),
        (lambda x: x.sum(5), r"dimension 5 of \(2, 4\)"),
        (lambda x: x.sum((0, 0)), "twice"),
        (lambda x: x.long().mean(), "cast with .float"),
        (lambda x: dl.zeros(0).amax(), "nothing to choose from"),
        (lambda x: bool(x), "8 elements"),
        (lambda x: x @ dl.tensor(1.0), "0-D tensor has no product"),
        (lambda x: x & x, "unsupported operand"),
        (lambda x: (x > 0) & 1, "unsupported operand"),
        (lambda x: ~x.long(), "~ is for truth values, not for int64"),
        (lambda x: x.where(x, 0), "where takes a tensor of truth values"),
        (lambda x: x.where(x > 0, "one"), "where takes .*Tensor and str"),
        (lambda x: x.minimum("one"), "minimum needs a tensor or a number, got str"),
        (lambda x: x.minimum([1.0]), "needs a tensor or a number, got list"),
        (lambda x: x.argmax((0, 1)), "one dimension at a time"),
        (lambda x: x.sum("rows"), "integers, got"),
        (lambda x: x.sum(0.5), "integers, got"),
        (lambda x: -(x > 0), "truth values can't be subtracted"),
        (lambda x: x + np.array("one"), "support|unsupported"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, TypeError, IndexError), match=words):
        wrong(dl.ones(2, 4))
