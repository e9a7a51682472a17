"""Ten steps of learning in each layer: PyTorch's parameters to float32 rounding."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")
theirs = torch.nn
TOLERANCE = {"float32": {"rtol": 2e-4, "atol": 2e-5}, "float64": {"rtol": 1e-6}}


def first(module, x):
    """What a recurrent layer says at each step, or the result of any other."""
    out = module(x)
    return out[0] if isinstance(out, tuple) else out


def attend(module, x):
    if isinstance(module, nn.MultiheadAttention):
        return module(x)
    return module(x, x, x, need_weights=False)[0]


def attention(lib):
    return lib.MultiheadAttention(8, 2, **({} if lib is nn else {"batch_first": True}))


def cnn(lib):
    return lib.Sequential(
        lib.Conv2d(1, 4, 3, padding=1), lib.ReLU(), lib.MaxPool2d(2),
        lib.Conv2d(4, 6, 3, stride=2), lib.BatchNorm2d(6), lib.ReLU(),
        lib.Flatten(), lib.Linear(6 * 9, 5),
    )  # fmt: skip


LAYERS = {  # name: (what makes it, shape of the input, how it is called)
    "Linear": ((lambda lib: lib.Linear(5, 3)), (4, 5), first),
    "Conv2d": ((lambda lib: lib.Conv2d(2, 3, 3, padding=1)), (2, 2, 6, 5), first),
    "BatchNorm2d": ((lambda lib: lib.BatchNorm2d(3)), (4, 3, 3, 3), first),
    "GroupNorm": ((lambda lib: lib.GroupNorm(2, 4)), (3, 4, 3, 3), first),
    "LayerNorm": ((lambda lib: lib.LayerNorm(6)), (4, 6), first),
    "RMSNorm": ((lambda lib: lib.RMSNorm(6, eps=1e-6)), (4, 6), first),
    "RNN": ((lambda lib: lib.RNN(4, 3)), (6, 2, 4), first),
    "GRU": ((lambda lib: lib.GRU(4, 3)), (6, 2, 4), first),
    "LSTM": ((lambda lib: lib.LSTM(4, 3)), (6, 2, 4), first),
    "MultiheadAttention": (attention, (3, 5, 8), attend),
    "CNN": (cnn, (4, 1, 14, 14), first),
}
# A step of Adam has the size of the rate whatever the gradient; where that is 0 but for
# rounding, as before a BatchNorm, the rounding shows. It is below eps in float64.
OPTIMISERS = {
    "SGD": ("float32", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "AdamW": ("float64", {"lr": 0.01}),
}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("name", LAYERS)
def test_ten_steps_of_a_layer_end_at_pytorchs_parameters(name, optimiser, rng):
    make, shape, call = LAYERS[name]
    mine, other = make(nn), make(theirs)
    dtype, settings = OPTIMISERS[optimiser]
    mine.to(dtype), other.to(getattr(torch, dtype))
    for p, t in zip(mine.parameters(), other.parameters(), strict=True):
        p.data[...] = rng.uniform(-0.5, 0.5, p.shape)
        t.data = torch.tensor(p.data.copy())
    ours = getattr(dl.optim, optimiser)(mine.parameters(), **settings)
    others = getattr(torch.optim, optimiser)(other.parameters(), **settings)
    for _ in range(10):
        x = rng.standard_normal(shape).astype(dtype)
        for lib, module, stepper in ((dl, mine, ours), (torch, other, others)):
            stepper.zero_grad()
            out = call(module, lib.tensor(x))
            ((out - 1) ** 2).mean().backward()
            stepper.step()
    for p, t in zip(mine.parameters(), other.parameters()):
        np.testing.assert_allclose(p.detach().numpy(), t.detach(), **TOLERANCE[dtype])


def test_ten_steps_of_a_gpt_end_at_pytorchs_parameters(rng):
    V, T, C, heads = 11, 6, 16, 2
    ours = nn.GPT(V, T, C, layers=2, heads=heads).to("float64")

    def gelu(x):
        return theirs.functional.gelu(x, approximate="tanh")

    def block():
        return theirs.TransformerEncoderLayer(
            C, heads, 4 * C, 0.0, gelu, batch_first=True, norm_first=True,
        )  # fmt: skip

    parts = theirs.ModuleDict({
        "tokens": theirs.Embedding(V, C), "places": theirs.Embedding(T, C),
        "block0": block(), "block1": block(), "norm": theirs.LayerNorm(C),
    })  # fmt: skip
    parts.double()
    causal = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)

    def predict(index):
        x = parts["tokens"](index) + parts["places"](torch.arange(T))
        for name in ("block0", "block1"):
            x = parts[name](x, causal)
        return parts["norm"](x) @ parts["tokens"].weight.T

    names = {
        "self_attn": "attention", "linear1": "up", "linear2": "down",
        "block0": "blocks.0", "block1": "blocks.1", "in_proj_": "in_proj.",
    }  # fmt: skip
    renamed = {}
    for name, t in parts.named_parameters():
        for old, new in names.items():
            name = name.replace(old, new)
        renamed[name] = t
    with torch.no_grad():
        for name, p in ours.named_parameters():
            renamed[name].copy_(torch.tensor(p.data))
    mine = dl.optim.AdamW(ours.parameters(), lr=1e-2)
    other = torch.optim.AdamW(renamed.values(), lr=1e-2)
    for _ in range(10):
        x, y = rng.integers(0, V, (2, 3, T))
        mine.zero_grad(), other.zero_grad()
        logits = ours(dl.tensor(x)).reshape(-1, V)
        nn.functional.cross_entropy(logits, dl.tensor(y).reshape(-1)).backward()
        logits = predict(torch.tensor(x)).reshape(-1, V)
        theirs.functional.cross_entropy(logits, torch.tensor(y).reshape(-1)).backward()
        mine.step(), other.step()
    for name, p in ours.named_parameters():
        wanted = renamed[name].detach()
        np.testing.assert_allclose(
            p.detach().numpy(), wanted, 1e-6, 1e-12, err_msg=name
        )
