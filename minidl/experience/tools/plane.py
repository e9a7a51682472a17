"""A model's loss on a plane through the space of its parameters. (Chapter 4.)

All parameters together are one point, a vector of P numbers; two directions make a
plane through it. Which plane decides what there is to see: the one along which training
moved, or one at random (Li et al., 2018, arXiv 1712.09913). Left out: what the other
P - 2 directions hide.
"""

import numpy as np

from ...framework.create import from_numpy
from ...framework.tape import no_grad


def snapshot(model):
    """A copy of all parameters of `model` as one vector, (P,) floats."""
    arrays = [p.detach().cpu().numpy().ravel() for p in model.parameters()]
    return np.concatenate(arrays).astype(float)


@no_grad()
def write(model, vector):
    """Sets the parameters of `model` to the numbers of `vector`, (P,)."""
    start = 0
    for p in model.parameters():
        part = vector[start : start + p.numel()].reshape(p.shape)
        p.copy_(from_numpy(part.astype(p.dtype)).to(p.device))
        start += p.numel()


def plane(model, loss_of_model, directions, bounds, n=25):
    """Heights (n, n): the loss at here + x d + y e, for x in columns and y in rows.

    Here are the parameters of `model`; `directions` are d and e, (P,) each. For the
    plane through three points a, b, c stand at a and take b - a and c - a.
    `loss_of_model(model)` is a number. Afterwards parameters and buffers have the bits
    they had. A model in training mode is judged so: call `model.eval()` where layers
    differ. Raises ValueError where a direction has other than P numbers.
    """
    here, (d, e) = snapshot(model), np.asarray(directions, dtype=float)
    if d.shape != here.shape:
        raise ValueError(
            f"directions have {here.size} numbers, one a parameter; got {d.shape}"
        )
    xs, ys = (np.linspace(*side, n) for side in bounds)
    saved = [(tensor, tensor.detach().clone()) for _, tensor in model.state()]
    try:
        return np.array(
            [
                [loss_at(model, loss_of_model, here + x * d + y * e) for x in xs]
                for y in ys
            ]
        )
    finally:
        with no_grad():
            for tensor, old in saved:
                tensor.copy_(old)


@no_grad()
def loss_at(model, loss_of_model, vector):
    write(model, vector)
    return float(loss_of_model(model))


def principal_directions(snapshots):
    """(directions, path): the plane through the last snapshot nearest to all others.

    `snapshots` is (steps + 1, P). The directions, (2, P), are orthonormal: the first
    two right singular vectors of the differences from the last snapshot, turned so
    that the first snapshot has no negative coordinate. `path` is (steps + 1, 2), each
    snapshot laid into the plane; the last is at 0. Raises ValueError for fewer than
    three snapshots, or numbers that aren't finite.
    """
    points = np.asarray(snapshots, dtype=float)
    if points.ndim != 2 or min(len(points) - 1, points.shape[-1]) < 2:
        raise ValueError(
            "a plane takes three snapshots or more, each a vector of two parameters or "
            f"more; got shape {points.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError(
            "snapshots hold nan or infinity: keep those before it diverged"
        )
    steps = points - points[-1]
    _, _, ways = np.linalg.svd(steps, full_matrices=False)
    directions = ways[:2] * np.where(ways[:2] @ steps[0] < 0, -1, 1)[:, None]
    return directions, steps @ directions.T


def random_directions(model, rng):
    """Two directions, (2, P), drawn from `rng`, each filter as long as the model's.

    A filter is what belongs to one output: a row of a weight. So scaled, a step is as
    long for large weights as for small ones. What has one dimension, as biases and
    norms have, stays.
    """
    weights = [p.detach().cpu().numpy() for p in model.parameters()]
    return np.stack(
        [
            np.concatenate([like_filters(w, rng).ravel() for w in weights])
            for _ in range(2)
        ]
    )


def like_filters(weight, rng):
    """Random numbers in the shape of `weight`, each row with the norm it has there."""
    if weight.ndim < 2:
        return np.zeros(weight.shape)
    drawn = rng.standard_normal(weight.shape)
    rest = tuple(range(1, weight.ndim))
    norm, mine = (np.sqrt((x**2).sum(rest, keepdims=True)) for x in (weight, drawn))
    return drawn * norm / mine
