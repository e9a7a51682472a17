"""Datasets: what can be asked for its rows, one by one or several at once. (Chapter 5.)

A dataset has a length and gives a sample for each row number: a tuple of numbers,
arrays or tensors, (image, label) say. A list does. A batch is many samples read at
once, each part stacked: `rows` says how, and a dataset whose rows lie in one array
reads them all in one go. What doesn't change while it is read can be read by many
workers at a time, so `dataset[i]` computes and never writes into the dataset.
"""

import numpy as np

from ...framework.create import default_generator, from_numpy
from ...framework.tensor import Tensor

NUMBERS = (bool, int, float)


class Dataset:
    """Base of datasets: define `__len__` and `__getitem__`, and `rows` to be fast."""

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__} has no __len__")

    def __getitem__(self, i):
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__")

    def rows(self, indices):
        """The batch of the rows `indices`; redefine it to read, pad or pack otherwise.

        An exception in `self[i]` gets a note that says which row it was.
        """
        return collate([sample(self, i) for i in indices])


def rows_of(dataset, indices):
    """The batch of the rows `indices` of anything that has `dataset[i]`."""
    read = getattr(dataset, "rows", None)
    return read(indices) if read else Dataset.rows(dataset, indices)


def sample(dataset, i):
    try:
        return dataset[int(i)]
    except Exception as error:
        error.add_note(f"in row {i} of the dataset")
        raise


def collate(samples):
    """The samples as one batch: a tensor for each part, stacked along a new dimension.

    Arrays and tensors keep their dtype, Python's numbers become those of `tensor`. The
    batch is a tuple where the samples are, else one tensor. Raises ValueError where the
    samples differ in shape, TypeError for what is no number.
    """
    if not len(samples):
        raise ValueError("collate of no samples at all")
    if not isinstance(samples[0], tuple | list):
        return stacked(samples, "")
    lengths = [len(sample) for sample in samples]
    if lengths != lengths[:1] * len(lengths):
        k, wanted, found = odd_one(lengths)
        raise ValueError(
            f"samples 0 and {k} of the batch have {wanted} and {found} parts"
        )
    return tuple(stacked(part, f"part {i} of ") for i, part in enumerate(zip(*samples)))


def stacked(values, name):
    values = [x.numpy() if isinstance(x, Tensor) else x for x in values]
    shapes = [np.shape(x) for x in values]
    if shapes != shapes[:1] * len(shapes):
        k, wanted, found = odd_one(shapes)
        raise ValueError(
            f"{name}samples 0 and {k} of the batch differ in shape, {wanted} and "
            f"{found}: crop or pad them to one, or define rows() in the dataset"
        )
    array = np.array(values)
    if array.dtype == np.float64 and all(type(x) in NUMBERS for x in values):
        array = array.astype(np.float32)
    try:
        return from_numpy(array)
    except TypeError:
        raise TypeError(
            f"{name}sample 0 of the batch holds no numbers: {values[0]!r:.40}"
        ) from None


def odd_one(found):
    """(k, found[0], found[k]) for the first k at which they differ."""
    k = next(k for k, one in enumerate(found) if one != found[0])
    return k, found[0], found[k]


class TensorDataset(Dataset):
    """Rows of tensors (or arrays) of one length: `dataset[i]` is (x[i], y[i])."""

    def __init__(self, *tensors):
        lengths = [len(tensor) for tensor in tensors]
        if len(set(lengths)) != 1:
            raise ValueError(
                f"TensorDataset of tensors that differ in length: {lengths}"
            )
        self.tensors = tuple(map(as_tensor, tensors))

    def __len__(self):
        return len(self.tensors[0])

    def __getitem__(self, i):
        return tuple(tensor[i] for tensor in self.tensors)

    def rows(self, indices):
        return tuple(x.wrap(x.data.take(indices, axis=0)) for x in self.tensors)


def as_tensor(x):
    return x if isinstance(x, Tensor) else from_numpy(x)


class Subset(Dataset):
    """The rows `indices` of another dataset, in their order."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, np.asarray(indices, np.int64)

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, i):
        return self.dataset[int(self.indices[i])]

    def rows(self, indices):
        return rows_of(self.dataset, self.indices[indices])


def random_split(dataset, lengths, generator=None):
    """Subsets of the given lengths (counts, or shares of 1) that share no row."""
    n = len(dataset)
    if abs(sum(lengths) - 1) < 1e-9:
        ends = [round(n * end) for end in np.cumsum(lengths)]
    else:
        ends = [int(end) for end in np.cumsum(lengths)]
    if ends[-1] != n or min(lengths) < 0:
        raise ValueError(
            f"random_split into {list(lengths)}: wants counts whose sum is {n}, or "
            "shares whose sum is 1"
        )
    order = (generator or default_generator).numpy().permutation(n)
    return [Subset(dataset, part) for part in np.split(order, ends[:-1])]
