"""Steps in 16 bits, in pieces and clipped; the loss scale against PyTorch's."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn

F = nn.functional


def model_and_batch(n=12):
    dl.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))
    return model, dl.randn(n, 5), dl.randint(0, 3, (n,))


def after(step, n=12, lr=0.5):
    """(loss, parameters) after one step of plain SGD."""
    model, x, y = model_and_batch(n)
    optimizer = dl.optim.SGD(model.parameters(), lr=lr)
    loss = step(model, optimizer, F.cross_entropy, x, y)
    return loss, np.concatenate(
        [p.detach().numpy().ravel() for p in model.parameters()]
    )


@pytest.mark.parametrize("accumulate", [1, 2, 3, 5, 12, 40])
@pytest.mark.parametrize("n", [12, 7])
def test_pieces_of_a_batch_make_the_step_of_the_whole(accumulate, n):
    loss, whole = after(dl.train.train_step, n)
    in_pieces, parameters = after(dl.train.Step(accumulate=accumulate), n)
    assert in_pieces == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(parameters, whole, rtol=1e-5, atol=1e-7)


def test_there_are_no_more_pieces_than_asked_for():
    x = dl.arange(7)
    for count, sizes in {1: [7], 2: [4, 3], 3: [3, 3, 1], 7: [1] * 7}.items():
        found = list(dl.train.step.pieces(x, x, count))
        assert [len(part) for part, _, _ in found] == sizes
        assert sum(share for _, _, share in found) == pytest.approx(1)


def test_pieces_keep_less_for_the_way_back():
    kept = []

    class Watched(nn.Module):
        def forward(self, x):
            kept.append(x.nbytes)
            return x

    model, x, y = model_and_batch()
    model = nn.Sequential(Watched(), model)
    optimizer = dl.optim.SGD(model.parameters())
    dl.train.Step(accumulate=4)(model, optimizer, F.cross_entropy, x, y)
    assert kept == [x.nbytes // 4] * 4


@pytest.mark.parametrize("dtype", [None, "float16", "bfloat16"])
def test_a_clipped_step_moves_by_the_norm_at_most(dtype):
    model, x, y = model_and_batch()
    before = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    _, parameters = after(dl.train.Step(dtype, clip_norm=0.01), lr=1.0)
    assert np.linalg.norm(parameters - before) == pytest.approx(0.01, rel=1e-3)
    step = dl.train.Step(dtype, clip_norm=1e9)
    _, parameters = after(step, lr=1.0)
    assert np.linalg.norm(parameters - before) == pytest.approx(step.norm, rel=1e-3)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_a_step_in_16_bits_is_near_the_one_in_32(dtype, tolerance):
    loss, exact = after(dl.train.train_step)
    rounded, parameters = after(dl.train.Step(dtype))
    assert rounded == pytest.approx(loss, rel=tolerance)
    np.testing.assert_allclose(parameters, exact, atol=tolerance)
    assert (parameters != exact).any()


def test_float16_gets_a_loss_scale_of_its_own_and_bfloat16_needs_none():
    assert dl.train.Step("float16").scaler.get_scale() == 65536
    assert dl.train.Step("bfloat16").scaler is None


def test_small_gradients_survive_float16_only_when_scaled():
    def gradient(step):
        layer, x = nn.Linear(4, 4, bias=False), dl.ones(2, 4)
        optimizer = dl.optim.SGD(layer.parameters(), lr=1e-9)
        step(
            layer, optimizer, lambda out, y: (out.float() * 1e-8).sum(), x, dl.zeros(2)
        )
        return layer.weight.grad.numpy()

    wanted = np.full((4, 4), 2e-8)
    assert not gradient(dl.train.Step("float16", scaler=NoScale())).any()
    np.testing.assert_allclose(gradient(dl.train.Step("float16")), wanted, rtol=1e-3)
    np.testing.assert_allclose(gradient(dl.train.Step("bfloat16")), wanted, rtol=1e-2)


class NoScale(dl.optim.GradScaler):
    def __init__(self):
        super().__init__(init_scale=1.0)


def scalers(**settings):
    torch = pytest.importorskip("torch")
    ours = dl.optim.GradScaler(**settings)
    theirs = torch.amp.GradScaler("cpu", **settings)
    return (dl, ours), (torch, theirs)


def test_the_scale_backs_off_and_grows_as_pytorchs():
    settings = {"init_scale": 4.0, "growth_interval": 2, "growth_factor": 3.0}
    gradients = [1, 1, float("inf"), 1, 1, 1, float("nan"), float("-inf"), 1, 1]
    paths = []
    for lib, scaler in scalers(**settings):
        p = lib.ones(1, requires_grad=True)
        optimizer, path = lib.optim.SGD([p], lr=0.1), []
        for g in gradients:
            p.grad = lib.tensor([float(g)])
            scaler.scale(lib.ones(1))
            scaler.step(optimizer)
            scaler.update()
            path.append((scaler.get_scale(), p.item()))
        paths.append(path)
    np.testing.assert_allclose(*paths, rtol=1e-6)


def test_unscaling_twice_or_updating_before_a_step_is_named():
    p = dl.ones(1, requires_grad=True)
    optimizer, scaler = dl.optim.SGD([p]), dl.optim.GradScaler()
    with pytest.raises(RuntimeError, match="no step was taken"):
        scaler.update()
    scaler.scale(p.sum()).backward()
    scaler.unscale_(optimizer)
    assert p.grad.item() == 1
    with pytest.raises(RuntimeError, match="are unscaled"):
        scaler.unscale_(optimizer)


def test_a_count_of_pieces_below_one_is_refused():
    with pytest.raises(ValueError, match="counts pieces of a batch, got 0"):
        dl.train.Step(accumulate=0)


def test_each_optimiser_of_a_scaler_is_unscaled_for_itself():
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    optimizers = [dl.optim.SGD(m.parameters(), lr=0.1) for m in (first, second)]
    scaler, x = dl.optim.GradScaler(), dl.ones(1, 2)
    scaler.scale((first(x) + second(x)).sum()).backward()
    for optimizer in optimizers:
        scaler.step(optimizer)
    scaler.update()
    assert first.bias.grad.item() == second.bias.grad.item() == 1


def test_a_run_with_a_loss_scale_goes_on_with_one():
    saved = dl.train.Step("float16").state_dict()
    with pytest.raises(ValueError, match="a run with a loss scale"):
        dl.train.Step("bfloat16").load_state_dict(saved)
    with pytest.raises(ValueError, match="a run with a loss scale"):
        dl.train.Step("float16").load_state_dict({})
