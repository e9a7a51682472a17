"""Counts of a model by hand, and where weights start."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn


def test_parameters_and_flops_are_those_worked_by_hand():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10)
    )
    found = nn.summary(model, dl.zeros(2, 1, 8, 8))
    rows = {row.name: row for row in found.rows}
    # A window of 9 pixels for each of 4 channels at 6 x 6 places, 2 images, and a bias.
    assert rows["0"].parameters == 4 * 9 + 4
    assert rows["0"].flops == 2 * 4 * 36 * (2 * 9 + 1)
    assert rows["0"].shape == (2, 4, 6, 6)
    assert rows["1"].flops == 2 * 4 * 36 and rows["1"].parameters == 0
    assert rows["3"].parameters == 144 * 10 + 10
    assert rows["3"].flops == 2 * 10 * (2 * 144 + 1)
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.flops == sum(rows[name].flops for name in "0123")


def test_a_gpts_parameters_are_the_formulas():
    V, T, C, L = 65, 64, 128, 4
    found = nn.summary(nn.GPT(V, T, C, L, 4), dl.zeros(1, T, dtype="int64"))
    block = 12 * C * C + 13 * C  # attention 4 C^2, perceptron 8 C^2, biases and norms
    assert found.parameters == V * C + T * C + L * block + 2 * C == 809_856


def test_a_summary_reads_as_a_table_and_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).train()
    model[0].eval()
    text = repr(nn.summary(model, dl.zeros(1, 3))).splitlines()
    assert text[0].split() == ["layer", "result", "parameters", "FLOPs"]
    assert text[2].split() == ["0", "Linear", "(1,", "2)", "8", "14"]
    assert model.training and not model[0].training and model[1].training
    assert not model.hooks and not model[0].hooks and not model[0].pre_hooks


def test_depth_leaves_out_what_is_deeper():
    model = nn.Sequential(nn.Sequential(nn.Linear(3, 2)))
    names = [row.kind for row in nn.summary(model, dl.zeros(1, 3), depth=1).rows]
    assert names == ["Sequential", "Sequential"]


def test_a_failing_model_keeps_no_hooks():
    model = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(ValueError):
        nn.summary(model, dl.zeros(1, 4))
    assert not model[0].hooks and not model[0].pre_hooks


# ---- hooks


def test_hooks_see_and_replace_results_until_they_are_taken_off():
    layer, seen = nn.Linear(2, 1), []
    before = layer.register_forward_pre_hook(lambda m, inputs: seen.append(inputs[0]))
    after = layer.register_forward_hook(lambda m, inputs, out: out * 0)
    x = dl.ones(1, 2)
    assert layer(x).item() == 0 and seen[0] is x
    before(), after()
    assert layer(x).item() != 0 and len(seen) == 1


# ---- initialisers


SHAPE = (300, 40, 3, 3)  # fan_in 360, fan_out 2700


@pytest.mark.parametrize(
    "name, options",
    [
        ("xavier_uniform_", {}),
        ("xavier_uniform_", {"gain": 2.0}),
        ("xavier_normal_", {}),
        ("kaiming_uniform_", {"nonlinearity": "relu"}),
        ("kaiming_normal_", {"nonlinearity": "relu"}),
        ("kaiming_normal_", {"nonlinearity": "tanh", "mode": "fan_out"}),
        ("uniform_", {}),
        ("normal_", {"mean": 1.0, "std": 0.5}),
    ],
)
def test_initialisers_spread_as_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    p, t = nn.Parameter(dl.zeros(SHAPE)), torch.zeros(SHAPE)
    assert getattr(nn.init, name)(p, **options) is p and p.requires_grad
    getattr(torch.nn.init, name)(t, **options)
    ours, theirs = (x.detach().numpy().astype(float) for x in (p, t))
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.01 * theirs.std() + 1e-3)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    if "uniform" in name:  # and no further than the bound
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (4, 2, 3)])
def test_orthogonal_rows_or_columns_are_at_right_angles(shape):
    p = nn.init.orthogonal_(nn.Parameter(dl.zeros(shape)), gain=2.0)
    flat = p.detach().numpy().reshape(shape[0], -1)
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_orthogonal_directions_favour_no_sign():
    corners = [nn.init.orthogonal_(nn.Parameter(dl.zeros(3, 3)))[0, 0].item()
               for _ in range(300)]  # fmt: skip
    assert 0.4 < np.mean(np.array(corners) > 0) < 0.6


def test_constants_fill():
    p = nn.Parameter(dl.ones(2))
    assert nn.init.zeros_(p).tolist() == [0, 0]
    assert nn.init.ones_(p).tolist() == [1, 1]
    assert nn.init.constant_(p, 3.0).tolist() == [3, 3]


def test_a_users_mistake_is_named():
    with pytest.raises(ValueError, match="has no fan"):
        nn.init.xavier_normal_(nn.Parameter(dl.zeros(3)))
    with pytest.raises(ValueError, match="one of linear, sigmoid"):
        nn.init.kaiming_normal_(nn.Parameter(dl.zeros(3, 3)), nonlinearity="gelu")
