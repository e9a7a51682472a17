"""Samplers: in which order a pass reads the rows. (Chapter 5.)

`order(key)` is an array of row numbers and a pure function of `key`, the pair (seed,
draw) that a Generator gives at the start of a pass. So a pass is known by two numbers:
who has them knows every batch of it, and can go on anywhere in it.
"""

import numpy as np


def stream(key, number):
    """A NumPy generator for one use of a pass: 0 its order, b + 1 its batch b.

    `number` is the highest word of the counter of a counter-based generator (Philox;
    Salmon et al., 2011), so no two streams of a pass meet before 2^192 draws.
    """
    return np.random.Generator(np.random.Philox(key=key, counter=(0, 0, 0, number)))


class SequentialSampler:
    """0, 1, 2, ... in every pass."""

    draws = False  # its order needs no key

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def order(self, key):
        return np.arange(len(self))


class RandomSampler:
    """Every row once, in a new order each pass."""

    draws = True

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def order(self, key):
        return stream(key, 0).permutation(len(self))


class WeightedRandomSampler:
    """`num_samples` rows a pass, row i drawn in proportion to `weights[i]`.

    Weights 1 / (size of the row's class) show rare classes as often as common ones.
    Without `replacement` a row comes once at most.
    """

    draws = True

    def __init__(self, weights, num_samples, replacement=True):
        weights = np.asarray(weights, np.float64)
        if weights.ndim != 1 or not (weights >= 0).all() or not weights.any():
            raise ValueError(
                "WeightedRandomSampler: wants a row of weights, none negative and not "
                f"all zero, got {weights!r:.60}"
            )
        if not replacement and num_samples > np.count_nonzero(weights):
            raise ValueError(
                f"WeightedRandomSampler: {num_samples} samples without replacement "
                f"from {np.count_nonzero(weights)} rows of positive weight"
            )
        self.shares, self.num_samples = weights / weights.sum(), num_samples
        self.replacement = replacement

    def __len__(self):
        return self.num_samples

    def order(self, key):
        rng, n = stream(key, 0), len(self.shares)
        return rng.choice(n, self.num_samples, self.replacement, self.shares)
