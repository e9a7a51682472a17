"""Normalisation, recurrence, attention and losses against PyTorch."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")
F, TF = nn.functional, torch.nn.functional


def copied(ours, theirs):
    for p, t in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.shape == tuple(t.shape)
        p.data[...] = t.detach().numpy()
    return ours, theirs


def assert_close(ours, theirs, rtol=2e-4, atol=2e-5):
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def assert_same_learning(ours, theirs, run, *arrays):
    """The results of `run(module, *inputs)` and all gradients are equal."""
    mine = [dl.tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = run(ours, *mine), run(theirs, *other)
    assert_close(out, expected)
    g = np.random.default_rng(1).standard_normal(out.shape).astype(np.float32)
    out.backward(dl.tensor(g))
    expected.backward(torch.tensor(g))
    pairs = zip([*mine, *ours.parameters()], [*other, *theirs.parameters()])
    for x, t in pairs:
        assert_close(x.grad, t.grad, 1e-3, 1e-4)


def image(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


NORMS = [
    (lambda: nn.LayerNorm(6), lambda: torch.nn.LayerNorm(6), (4, 5, 6)),
    (lambda: nn.LayerNorm((5, 6)), lambda: torch.nn.LayerNorm((5, 6)), (4, 5, 6)),
    (lambda: nn.RMSNorm(6), lambda: torch.nn.RMSNorm(6, eps=1e-6), (4, 5, 6)),
    (lambda: nn.GroupNorm(2, 6), lambda: torch.nn.GroupNorm(2, 6), (3, 6, 4, 4)),
    (lambda: nn.BatchNorm2d(3), lambda: torch.nn.BatchNorm2d(3), (4, 3, 5, 5)),
    (lambda: nn.BatchNorm1d(3), lambda: torch.nn.BatchNorm1d(3), (8, 3)),
    (lambda: nn.AvgPool2d(2), lambda: torch.nn.AvgPool2d(2), (2, 3, 5, 4)),
    (lambda: nn.AvgPool2d(3, 1), lambda: torch.nn.AvgPool2d(3, 1), (2, 3, 5, 4)),
    (lambda: nn.GELU(), lambda: torch.nn.GELU(approximate="tanh"), (4, 5)),
]


@pytest.mark.parametrize("make, make_theirs, shape", NORMS)
def test_normalisation_equals_pytorchs(make, make_theirs, shape, rng):
    ours, theirs = make(), make_theirs()
    for p, t in zip(ours.parameters(), theirs.parameters(), strict=True):
        p.data[...] = rng.uniform(0.5, 1.5, p.shape)
        t.data = torch.tensor(p.data.copy())
    assert_same_learning(ours, theirs, lambda m, x: m(x), image(rng, *shape))
    ours.eval(), theirs.eval()  # running statistics, where there are any
    x = image(rng, *shape)
    assert_close(ours(dl.tensor(x)), theirs(torch.tensor(x)))


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_recurrent_layers_equal_pytorchs(name, batch_first, rng):
    options = {"num_layers": 2, "batch_first": batch_first}
    ours, theirs = copied(
        getattr(nn, name)(4, 3, **options), getattr(torch.nn, name)(4, 3, **options)
    )
    x = image(rng, 5, 2, 4)
    assert_same_learning(ours, theirs, lambda m, x: m(x)[0], x)
    h = image(rng, 2, 5 if batch_first else 2, 3)
    state = (h, h * 0.5) if name == "LSTM" else h

    def run(module, *parts):
        given = (parts[1], parts[2]) if name == "LSTM" else parts[1]
        out, last = module(parts[0], given)
        return last[1] if name == "LSTM" else last

    ours.zero_grad(), theirs.zero_grad()
    assert_same_learning(ours, theirs, run, x, *(state if name == "LSTM" else [state]))


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_sequences_of_different_lengths_equal_pytorchs_packed_ones(name, rng):
    ours, theirs = copied(
        getattr(nn, name)(4, 3, 2, batch_first=True),
        getattr(torch.nn, name)(4, 3, 2, batch_first=True),
    )
    lengths, pack = [5, 2, 1], torch.nn.utils.rnn

    def run(module, x):
        if module is ours:
            out, last = module(x, lengths=dl.tensor(lengths))
        else:
            packed = pack.pack_padded_sequence(x, lengths, batch_first=True)
            out, last = module(packed)
            out = pack.pad_packed_sequence(out, batch_first=True)[0]
        last = last[1] if name == "LSTM" else last
        return (out * out).sum() + (last**3).sum()

    assert_same_learning(ours, theirs, run, image(rng, 3, 5, 4))


@pytest.mark.parametrize("masked", [None, "causal", "padding", "both"])
def test_attention_equals_pytorchs(masked, rng):
    ours, theirs = copied(
        nn.MultiheadAttention(8, 2),
        torch.nn.MultiheadAttention(8, 2, batch_first=True),
    )
    masks = {}
    if masked in ("causal", "both"):
        masks["attn_mask"] = np.triu(np.ones((5, 5), bool), 1)
    if masked in ("padding", "both"):
        masks["key_padding_mask"] = np.arange(5) >= np.array([[5], [3], [4]])

    def run(module, x):
        if module is ours:
            return module(x, **{k: dl.tensor(m) for k, m in masks.items()})
        given = {k: torch.tensor(m) for k, m in masks.items()}
        return module(x, x, x, need_weights=False, **given)[0]

    assert_same_learning(ours, theirs, run, image(rng, 3, 5, 8))


def test_cross_attention_equals_pytorchs(rng):
    ours, theirs = copied(
        nn.MultiheadAttention(8, 2),
        torch.nn.MultiheadAttention(8, 2, batch_first=True),
    )

    def run(module, x, y):
        out = module(x, y) if module is ours else module(x, y, y, need_weights=False)[0]
        return out

    assert_same_learning(ours, theirs, run, image(rng, 2, 3, 8), image(rng, 2, 5, 8))


def test_a_block_equals_pytorchs_pre_norm_layer(rng):
    ours = nn.Block(8, 2)
    theirs = torch.nn.TransformerEncoderLayer(
        8, 2, 32, 0.0, lambda x: TF.gelu(x, approximate="tanh"),
        batch_first=True, norm_first=True,
    )  # fmt: skip
    order = [
        theirs.norm1, theirs.self_attn, theirs.norm2, theirs.linear1, theirs.linear2,
    ]  # fmt: skip
    weights = [t for part in order for t in part.parameters()]
    for p, t in zip(ours.parameters(), weights, strict=True):
        p.data[...] = t.detach().numpy()
    x = image(rng, 2, 5, 8)
    causal = np.triu(np.ones((5, 5), bool), 1)
    expected = theirs(torch.tensor(x), torch.tensor(causal))
    assert_close(ours(dl.tensor(x), dl.tensor(causal)), expected)


def test_a_gpt_looks_only_back_and_learns_a_sequence():
    model = nn.GPT(vocabulary=7, context=8, dim=16, layers=2, heads=2)
    index = dl.randint(0, 7, (1, 8))
    before = model(index)
    changed = index.clone()
    changed[0, 5] = (index[0, 5].item() + 1) % 7
    after = model(changed)
    same = (before == after).numpy().all(axis=(0, 2))
    assert same.tolist() == [True] * 5 + [False] * 3
    optimizer = dl.optim.Adam(model.parameters(), lr=1e-2)

    def loss(logits, y):
        return F.cross_entropy(logits.reshape(-1, 7), y.reshape(-1))

    x, y = index[:, :-1], index[:, 1:]
    losses = [dl.train.train_step(model, optimizer, loss, x, y) for _ in range(60)]
    assert abs(losses[0] - np.log(7)) < 0.2 and losses[-1] < 0.1


def test_embedding_gradients_add_up_where_a_token_repeats():
    ours, theirs = copied(nn.Embedding(5, 3), torch.nn.Embedding(5, 3))
    index = np.array([[1, 1, 4], [0, 1, 4]])
    out, expected = ours(dl.tensor(index)), theirs(torch.tensor(index))
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    assert_close(ours.weight.grad, theirs.weight.grad)


def test_dropout_keeps_the_mean_and_rests_in_eval():
    layer, x = nn.Dropout(0.25), dl.ones(40_000)
    out = layer(x)
    kept = (out != 0).float().mean().item()
    assert abs(kept - 0.75) < 0.01 and abs(out.mean().item() - 1) < 0.02
    assert layer.eval()(x) is x


LOSSES = [
    lambda f, x, t, c: f.cross_entropy(x, c),
    lambda f, x, t, c: f.cross_entropy(x, c, label_smoothing=0.1),
    lambda f, x, t, c: f.cross_entropy(x, c, ignore_index=2),
    lambda f, x, t, c: f.mse_loss(x, t),
    lambda f, x, t, c: f.huber_loss(x, t, delta=0.7),
    lambda f, x, t, c: f.binary_cross_entropy_with_logits(x * 30, t.sigmoid()),
    lambda f, x, t, c: (f.softmax(x, dim=1) * t).sum(),
    lambda f, x, t, c: (f.log_softmax(x, dim=0) * t).sum(),
    lambda f, x, t, c: f.silu(x).sum(),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_their_gradients_equal_pytorchs(loss, rng):
    x, t = rng.standard_normal((2, 6, 4))
    c = rng.integers(0, 4, 6)
    ours, theirs = dl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    a = loss(F, ours, dl.tensor(t), dl.tensor(c))
    b = loss(TF, theirs, torch.tensor(t), torch.tensor(c))
    assert a.item() == pytest.approx(b.item(), rel=1e-10)
    a.backward()
    b.backward()
    assert_close(ours.grad, theirs.grad, 1e-8, 1e-12)


def test_buffers_are_kept_beside_parameters():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    names = [name for name, _ in model.state()]
    assert names == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: nn.GroupNorm(4, 6)(dl.ones(2, 6, 3)), "equal groups"),
        (lambda: nn.MultiheadAttention(6, 4), "equal heads"),
        (
            lambda: nn.GPT(5, 4, 8, 1, 2)(dl.zeros(1, 5, dtype="int64")),
            "at most, got 5",
        ),
        (lambda: nn.BatchNorm1d(3)(dl.ones(1, 3)), "several values"),
        (lambda: F.dropout(dl.ones(2), 1.5), "a probability"),
        (lambda: F.mse_loss(dl.ones(2), dl.ones(3)), r"mse_loss of \(2,\)"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_ignoring_every_target_has_no_gradient_and_no_error():
    x = dl.randn(3, 4).requires_grad_()
    loss = F.cross_entropy(x, dl.tensor([2, 2, 2]), ignore_index=2)
    loss.backward()
    assert np.isnan(loss.item()) and not x.grad.numpy().any()


def test_lengths_of_another_batch_are_named():
    layer = nn.GRU(4, 3).to("float16")
    x = dl.ones(5, 2, 4, dtype="float16")
    assert layer(x, lengths=[5, 3])[0].dtype == "float16"
    with pytest.raises(ValueError, match=r"GRU: lengths \(3,\) of 2 sequences"):
        layer(x, lengths=[5, 3, 1])
