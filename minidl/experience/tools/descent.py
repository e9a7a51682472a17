"""The path of a real optimiser in the plane, recorded step by step. (Chapter 4.)"""

import numpy as np

from ...framework.create import tensor
from ..nn.module import Parameter


def descend(loss, start, make_optimizer, steps, **settings):
    """The places of an optimiser on its way down `loss`, (steps + 1, 2), from `start`.

    `loss` is a function of two tensors, x and y; `make_optimizer` takes the parameters
    and `settings`: `descend(bowl, (1, 2), dl.optim.Adam, 50, lr=0.1)`. Raises
    ValueError where `start` isn't two numbers.
    """
    place = Parameter(tensor([float(x) for x in start]))
    if place.shape != (2,):
        raise ValueError(f"descend starts at two numbers, x and y, got {start}")
    optimizer = make_optimizer([place], **settings)
    places = [place.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        loss(place[0], place[1]).backward()
        optimizer.step()
        places.append(place.detach().numpy().copy())
    return np.array(places)
