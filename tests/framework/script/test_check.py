"""check: types of whole programs with a symbolic batch, against shapes of real runs."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn
from minidl.experience.nn import functional as F
from minidl.framework.script.check import CheckError, check
from minidl.framework.script.types import Bool, Double, Float, Int
from minidl.framework.sizes import Size, SizeError

B, N = Size("B"), Size("N")
MODELS = {
    "linear": (lambda: nn.Linear(6, 3), Float["B", 6]),
    "over time": (lambda: nn.Linear(6, 3), Float["B", "T", 6]),
    "mlp": (
        lambda: nn.Sequential(
            nn.Linear(6, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2)
        ),
        Float["B", 6],
    ),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(20, 3),
        ),
        Float["B", 1, 12, 12],
    ),
    "norms": (lambda: nn.Sequential(nn.LayerNorm(8), nn.RMSNorm(8)), Float["B", 5, 8]),
    "groups": (lambda: nn.GroupNorm(2, 8), Float["B", 8, 3, 3]),
    "attention": (lambda: nn.MultiheadAttention(8, 2), Float["B", 5, 8]),
    "gpt": (lambda: nn.GPT(11, 6, dim=8, layers=2, heads=2, dropout=0.1), Int["B", 6]),
}  # fmt: skip


def real(kind, **numbers):
    shape = [numbers.get(str(n), n) for n in kind.shape]
    return dl.tensor(np.ones(shape, kind.dtype))


@pytest.mark.parametrize("name", MODELS)
def test_a_models_symbolic_type_is_that_of_every_real_run(name):
    make, kind = MODELS[name]
    model = make()
    found = check(model, kind)
    for b, t in ((2, 3), (5, 4)):
        out = model(real(kind, B=b, T=t))
        wanted = tuple({"B": b, "T": t}.get(str(n), n) for n in found.shape)
        assert out.shape == wanted and out.dtype == found.dtype
    assert B in found.shape


def test_a_checked_model_stays_as_it_was():
    model = nn.BatchNorm2d(2)
    before = model.running_mean.data.copy()
    check(model, Float["B", 2, 4, 4])
    np.testing.assert_array_equal(model.running_mean.data, before)
    assert isinstance(model.weight.data, np.ndarray)


def test_a_mismatch_is_reported_at_its_line_with_both_shapes():
    def f(x: Float[B, 784], w: Float[10, 256]):
        h = x.relu()
        return h @ w

    with pytest.raises(CheckError) as caught:
        check(f)
    words = str(caught.value)
    assert words.startswith("test_check.py:") and "`return h @ w`" in words
    assert "(B, 784)" in words and "(10, 256)" in words
    assert "inner sizes 784 and 10 differ" in words


def test_two_batches_do_not_add():
    def f(x: Float[B, 3], y: Float[N, 3]):
        return x + y

    with pytest.raises(CheckError, match="sizes B and N in dimension -2 differ"):
        check(f)


def test_a_result_that_is_not_the_declared_one_is_reported():
    def f(x: Float[B, 3]) -> Float[B]:
        return x.sum(0)

    with pytest.raises(CheckError, match=r"returns Float\[3\], declared is Float\[B\]"):
        check(f)


def test_an_argument_without_a_type_is_asked_for():
    with pytest.raises(CheckError, match="argument `x` has no type"):
        check(lambda x: x)


def test_both_branches_are_checked_whatever_the_values():
    def f(x: Float[B, 3], w: Float[4, 4]):
        if x.sum() > 1e9:
            x = x @ w
        return x

    with pytest.raises(CheckError, match="inner sizes 3 and 4 differ"):
        check(f)


def test_sizes_go_through_reshape_slices_joins_and_losses():
    def f(x: Float[B, 2, 6], y: Int[B], mask: Bool[B]):
        flat = x.flatten(1)
        rows = x.reshape(-1, 3)
        both = dl.cat([flat, flat[1:]])
        loss = F.cross_entropy(flat, y) + (flat.mean(0) / x.shape[0]).sum()
        return rows, both, loss, flat.sum(1).where(mask, 0.0)

    rows, both, loss, masked = check(f)
    assert rows.shape == (4 * B, 3) and both.shape == (2 * B - 1, 12)
    assert loss.shape == () and masked.shape == (B,)


def test_a_size_that_would_have_to_be_known_is_named():
    def f(x: Float[B, 3]):
        return x.reshape(2, -1)

    with pytest.raises((CheckError, SizeError), match="B"):
        check(f)


def test_a_length_that_python_needs_is_refused_by_name():
    def f(x: Float[B, 3]):
        return [x[i] for i in range(len(x))]

    with pytest.raises(CheckError, match="B is not known before the program runs"):
        check(f)


def test_dtypes_are_checked_too():
    def f(x: Double[B], i: Float[B]):
        return x[i]

    with pytest.raises(CheckError, match="index"):
        check(f)
