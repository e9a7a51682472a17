"""Gradients checked against differences: the witness that needs no other library.

(f(x + e) - f(x - e)) / 2e is the slope along one input; its error falls with e squared
until rounding takes over, so the check runs in float64. (Chapter 2.)
"""

import numpy as np

from . import autodiff, tape
from .create import cat, zeros_like
from .tensor import Tensor


def gradcheck(function, inputs, order=1, eps=1e-5, atol=1e-5, rtol=1e-3):
    """True where the gradients of `function` agree with differences.

    Checks each element of those `inputs` that require a gradient, on a fixed random
    weighting of the result. With `order=2` the gradients are then checked as a function
    in their own right. Raises AssertionError that names the element and both values;
    TypeError for inputs that are not float64.
    """
    inputs = autodiff.as_tuple(inputs)
    wanted = [i for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]
    if not wanted:
        raise ValueError("gradcheck: no input has requires_grad=True, nothing to check")
    for i in wanted:
        if inputs[i].dtype != np.float64:
            raise TypeError(f"gradcheck: input {i} is {inputs[i].dtype}, needs float64")
    scalar = weighted(function)
    with tape.enable_grad():
        compare(scalar, inputs, wanted, eps, atol, rtol)
        if order > 1:
            gradcheck(slope_of(scalar, wanted), inputs, order - 1, eps, atol, rtol)
    return True


def weighted(function):
    """`function` made scalar: its result times fixed random weights, summed."""

    def scalar(*args):
        out = function(*args)
        if not isinstance(out, Tensor):
            raise TypeError(
                f"gradcheck: the function must return one tensor, not {out!r:.40}"
            )
        weights = np.random.default_rng(0).uniform(0.5, 1.5, out.shape)
        return (out * Tensor(weights)).sum()

    return scalar


def slope_of(scalar, wanted):
    """The function whose result is all first gradients of `scalar`, in one row."""

    def slope(*args):
        parts = gradients(scalar(*args), [args[i] for i in wanted], create_graph=True)
        return cat([part.reshape(-1) for part in parts])

    return slope


def gradients(output, inputs, create_graph=False):
    """As `grad`, but zeros for what the output does not depend on: a constant slope."""
    found = [None] * len(inputs)
    if output.requires_grad:
        found = autodiff.grad(
            output, inputs, create_graph=create_graph, allow_unused=True
        )
    return [zeros_like(x) if g is None else g for x, g in zip(inputs, found)]


def compare(scalar, inputs, wanted, eps, atol, rtol):
    """AssertionError at the first element whose gradient and slope differ."""
    by_rules = gradients(scalar(*inputs), [inputs[i] for i in wanted])
    for i, gradient in zip(wanted, by_rules):
        for place in np.ndindex(inputs[i].shape):
            slope = difference(scalar, inputs, inputs[i], place, eps)
            found = gradient.data[place]
            if not abs(found - slope) <= atol + rtol * abs(slope):
                raise AssertionError(
                    f"gradient of input {i} at {place}: the rules give {found:.6g}, "
                    f"differences give {slope:.6g}"
                )


def difference(scalar, inputs, x, place, eps):
    """The slope of `scalar` along one element of `x`, by a central difference."""
    here = x.data[place]
    values = []
    for step in (eps, -eps):
        x.data[place] = here + step
        try:
            values.append(scalar(*inputs).item())
        finally:
            x.data[place] = here
    return (values[0] - values[1]) / (2 * eps)
