"""Planes through parameter space: heights of a known bowl, and NumPy's own algebra."""

import numpy as np
import pytest

import minidl as dl
from minidl import nn


def model():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2))


def half_square(module):
    """|parameters|² / 2: a bowl whose height everywhere is known."""
    return sum((p * p).sum().item() for p in module.parameters()) / 2


def test_heights_on_a_bowl_are_what_pythagoras_says(rng):
    net = model()
    here = dl.tools.snapshot(net)
    d, e = rng.standard_normal((2, here.size))
    heights = dl.tools.plane(net, half_square, (d, e), ((-1, 2), (-2, 0)), n=4)
    x, y = np.linspace(-1, 2, 4), np.linspace(-2, 0, 4)
    for i, j in np.ndindex(4, 4):
        there = here + x[j] * d + y[i] * e
        assert heights[i, j] == pytest.approx(there @ there / 2, rel=1e-5)


def bits(net):
    return [(name, tensor.detach().numpy().tobytes()) for name, tensor in net.state()]


def test_afterwards_all_parameters_and_buffers_have_their_old_bits(rng):
    net, x = model(), dl.tensor(rng.standard_normal((8, 3)))
    before = bits(net)
    directions = dl.tools.random_directions(net, rng)
    bounds = (-1, 1), (-1, 1)
    dl.tools.plane(net, lambda m: m(x.float()).sum().item(), directions, bounds, n=3)
    assert bits(net) == before

    def fails(module):
        raise RuntimeError("out of data")

    with pytest.raises(RuntimeError, match="out of data"):
        dl.tools.plane(net, fails, directions, bounds, n=3)
    assert bits(net) == before


def test_a_plane_is_refused_directions_of_another_length():
    with pytest.raises(ValueError, match="have 34 numbers, one a parameter; got"):
        dl.tools.plane(model(), half_square, np.ones((2, 5)), ((0, 1), (0, 1)))


def test_principal_directions_are_orthonormal_and_lose_as_little_as_svd_allows(rng):
    points = rng.standard_normal((12, 7)) * [9, 1, 1, 5, 1, 1, 1]
    directions, path = dl.tools.principal_directions(points)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    steps = points - points[-1]
    lost = ((steps - path @ directions) ** 2).sum()
    values = np.linalg.svd(steps, compute_uv=False)  # Eckart & Young, 1936
    assert lost == pytest.approx((values[2:] ** 2).sum())
    assert (path[0] >= 0).all() and not path[-1].any()


def test_a_path_that_lies_in_a_plane_keeps_its_lengths(rng):
    flat = rng.standard_normal((6, 2))
    points = flat @ rng.standard_normal((2, 20)) + 3
    _, path = dl.tools.principal_directions(points)
    for i, j in np.ndindex(6, 6):
        far = np.linalg.norm(points[i] - points[j])
        assert np.linalg.norm(path[i] - path[j]) == pytest.approx(far)


@pytest.mark.parametrize(
    "points, message",
    [
        (np.ones((2, 5)), "three snapshots or more"),
        (np.ones((5, 1)), "three snapshots or more"),
        (np.ones(5), "three snapshots or more"),
        (np.full((4, 4), np.nan), "nan or infinity"),
    ],
)
def test_no_plane_goes_through_too_few_points(points, message):
    with pytest.raises(ValueError, match=message):
        dl.tools.principal_directions(points)


def test_each_filter_of_a_random_direction_is_as_long_as_the_models(rng):
    net = nn.Sequential(nn.Conv2d(3, 5, 2), nn.Linear(4, 6))
    d, e = dl.tools.random_directions(net, rng)
    assert abs(d @ e) < 0.9 * np.linalg.norm(d) * np.linalg.norm(e)
    start = 0
    for p in net.parameters():
        part = d[start : start + p.numel()].reshape(p.shape)
        start += p.numel()
        for mine, theirs in zip(part, p.detach().numpy()):
            length = np.linalg.norm(theirs) if p.ndim > 1 else 0
            assert np.linalg.norm(mine) == pytest.approx(length, rel=1e-5)
