"""How a tensor prints: its elements, and what about it is not the default."""

import numpy as np

DEFAULTS = ("float32", "int64", "bool")


def text(x):
    """`tensor([[1., 2.]], requires_grad=True)`: elements, dtype, device, history."""
    elements = np.array2string(
        x.device.to_numpy(x.data),
        separator=", ",
        prefix="tensor(",
        precision=4,
        floatmode="maxprec",
    )
    notes = [elements]
    if str(x.dtype) not in DEFAULTS:
        notes.append(f"dtype={x.dtype}")
    if x.device.name != "cpu":
        notes.append(f"device={x.device.name!r}")
    if x.node is not None:
        notes.append(f"grad_fn=<{x.node.op.name}>")
    elif x.requires_grad:
        notes.append("requires_grad=True")
    return f"tensor({', '.join(notes)})"
