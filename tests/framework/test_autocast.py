"""Autocast and 16-bit arithmetic: what is stored how, against PyTorch and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl import nn

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")
HALVES = ["float16", "bfloat16"]


# ---- 16 bits as a dtype


@given(st.floats(width=32, allow_nan=False))
def test_casting_rounds_as_pytorch_does(value):
    for name in HALVES:
        ours = dl.tensor(np.float32(value)).to(name)
        theirs = torch.tensor(value, dtype=torch.float32).to(getattr(torch, name))
        assert ours.item() == theirs.item() and ours.nbytes == 2


def test_the_limits_are_those_of_the_formats():
    one = {name: dl.tensor(1.0).to(name) for name in HALVES}
    assert (one["float16"] + 2**-11).item() == 1 != (one["float16"] + 2**-10).item()
    assert (one["bfloat16"] + 2**-8).item() == 1 != (one["bfloat16"] + 2**-7).item()
    assert (one["float16"] * 65504 * 2).item() == float("inf")
    assert (one["bfloat16"] * 2.0**127).item() == 2.0**127
    assert (one["float16"] * 2.0**-25).item() == 0 != (one["float16"] * 2.0**-24).item()


@pytest.mark.parametrize("name", HALVES)
def test_a_row_computes_in_float32_and_rounds_once(name, rng):
    x, y = (dl.tensor(rng.standard_normal((5, 300))).to(name) for _ in range(2))
    exact = x.to("float64").numpy() @ y.to("float64").numpy().T
    rounded = dl.tensor(exact.astype(np.float32)).to(name)
    ours = (x @ y.T).float().numpy()
    assert (ours == rounded.float().numpy()).mean() > 0.95  # float32 may round off
    step = 2.0 ** (-10 if name == "float16" else -7)
    np.testing.assert_allclose(ours, exact, rtol=step, atol=1e-5)


@pytest.mark.parametrize("name", HALVES)
def test_an_optimiser_writes_into_16_bit_parameters(name):
    p = dl.ones(3).to(name).requires_grad_()
    p.sum().backward()
    dl.optim.SGD([p], lr=0.25, momentum=0.5).step()
    assert p.tolist() == [0.75] * 3 and p.dtype == name


def test_kinds_of_dtypes_meet_as_in_pytorch():
    dtypes = ["bool", "int64", "float16", "bfloat16", "float32", "float64"]
    for a in dtypes:
        for b in dtypes:
            ours = dl.ones(2, dtype=a) * dl.ones(2, dtype=b)
            theirs = torch.ones(2, dtype=getattr(torch, a)) * torch.ones(
                2, dtype=getattr(torch, b)
            )
            assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch."), (a, b)


def test_a_structured_array_is_no_tensor():
    with pytest.raises(TypeError, match="takes numbers"):
        dl.tensor(np.zeros(2, "V4"))
    with pytest.raises(TypeError, match="from_numpy takes an array of numbers"):
        dl.from_numpy(np.zeros(2, [("a", "f4")]))


# ---- autocast


def shown(dtype, function, *inputs):
    """{operation: (dtypes of its inputs, dtype of its result)} as they ran."""
    seen = {}

    def look(op, inputs, attrs):
        out = dl.apply(op, *inputs, **attrs)
        seen[op.name] = ([str(x.dtype) for x in inputs], str(out.dtype))
        return out

    with dl.handling(look), dl.autocast(dtype):
        function(*inputs)
    return seen


@pytest.mark.parametrize("name", HALVES)
def test_products_run_in_16_bits_and_losses_in_32(name):
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, 3)
    )
    x, y = dl.rand(4, 1, 4, 4), dl.tensor([0, 1, 2, 0])
    seen = shown(name, lambda: nn.functional.cross_entropy(model(x), y))
    assert seen["conv2d"] == ([name] * 3, name)
    assert seen["relu"] == ([name], name)
    assert seen["normalise"] == (["float32"], "float32")
    assert seen["linear"] == ([name] * 3, name)
    assert seen["cross_entropy"] == (["float32", "int64"], "float32")


def test_attention_is_cast_part_by_part():
    q = dl.randn(2, 3, 4)
    seen = shown("float16", dl.functional.attention, q, q, q)
    assert "attention" not in seen
    assert seen["matmul"] == (["float16"] * 2, "float16")
    assert seen["softmax"] == (["float32"], "float32")


@pytest.mark.parametrize("name", HALVES)
def test_a_step_under_autocast_equals_pytorchs(name, rng):
    ours = nn.Sequential(
        nn.Linear(6, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 4)
    )
    theirs = torch.nn.Sequential(
        torch.nn.Linear(6, 16), torch.nn.GELU(approximate="tanh"),
        torch.nn.LayerNorm(16), torch.nn.Linear(16, 4),
    )  # fmt: skip
    for p, t in zip(ours.parameters(), theirs.parameters(), strict=True):
        t.data = torch.tensor(p.data.copy())
    x, y = rng.standard_normal((32, 6)).astype(np.float32), rng.integers(0, 4, 32)
    with dl.autocast(name):
        loss = nn.functional.cross_entropy(ours(dl.tensor(x)), dl.tensor(y))
    with torch.autocast("cpu", dtype=getattr(torch, name)):
        expected = torch.nn.functional.cross_entropy(
            theirs(torch.tensor(x)), torch.tensor(y)
        )
    loss.backward()
    expected.backward()
    step = 2.0 ** (-10 if name == "float16" else -7)
    assert loss.item() == pytest.approx(expected.item(), rel=4 * step)
    for p, t in zip(ours.parameters(), theirs.parameters()):
        assert p.grad.dtype == np.float32
        scale = t.grad.abs().max().item()
        np.testing.assert_allclose(
            p.grad.numpy(), t.grad, rtol=0, atol=8 * step * scale
        )


def test_a_parameter_is_cast_once_a_block_and_again_when_it_has_moved():
    layer, x = nn.Linear(3, 2), dl.ones(1, 3)
    casts = []

    def count(op, inputs, attrs):
        casts.append(op.name == "cast" and inputs[0].data is layer.weight.data)
        return dl.apply(op, *inputs, **attrs)

    with dl.handling(count), dl.autocast():
        first = layer(x)
        layer(x)
        assert sum(casts) == 1
        with dl.no_grad():
            layer.weight.mul_(2)
        assert layer(x).tolist() != first.tolist() and sum(casts) == 2


def test_gradients_add_up_in_one_block():
    layer, x = nn.Linear(3, 2), dl.ones(1, 3)
    with dl.autocast():
        for _ in range(2):
            layer(x).sum().backward()  # the second after the first has freed the cast
    assert layer.weight.grad.tolist() == [[2.0] * 3] * 2


def test_a_recorded_cast_is_not_taken_from_a_block_that_records_nothing():
    layer, x = nn.Linear(3, 2), dl.ones(1, 3)
    with dl.autocast():
        with dl.no_grad():
            layer(x)
        layer(x).sum().backward()
    assert layer.weight.grad is not None


def test_float64_and_integers_stay():
    seen = shown("float16", lambda x: x @ x, dl.ones(2, 2, dtype="float64"))
    assert seen["matmul"][1] == "float64"


@pytest.mark.parametrize("wrong", ["float32", "int8", None])
def test_a_dtype_of_other_than_16_bits_is_refused(wrong):
    with pytest.raises(ValueError, match="'float16' or 'bfloat16' is meant"):
        dl.autocast(wrong)


def test_two_losses_of_one_block_go_back_one_after_the_other():
    layer, x = nn.Linear(3, 2), dl.ones(1, 3)
    with dl.autocast():
        first, second = layer(x).sum(), layer(x).sum()
    first.backward()
    second.backward()
    assert layer.weight.grad.tolist() == [[2.0] * 3] * 2


def test_the_innermost_block_decides():
    x, one = dl.tensor([[70000.0]]), dl.ones(1, 1)
    with dl.autocast("float16"):
        with dl.autocast("bfloat16"):
            inner = x @ one
        outer = x @ one
    assert inner.dtype == dl.bfloat16 and inner.item() == 70144  # PyTorch's
    assert outer.dtype == "float16" and outer.item() == float("inf")


@pytest.mark.parametrize("name", HALVES)
def test_16_bit_numbers_are_drawn(name):
    for x in (dl.rand(500, dtype=name), dl.randn(500, dtype=name)):
        assert x.dtype == name and len(set(x.tolist())) > 50
