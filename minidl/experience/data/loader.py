"""Datasets and batches: what a training step is fed."""

from ...framework.create import default_generator, from_numpy


class TensorDataset:
    """Rows of tensors of one length: `dataset[i]` is (x[i], y[i])."""

    def __init__(self, *tensors):
        lengths = [len(tensor) for tensor in tensors]
        if len(set(lengths)) != 1:
            raise ValueError(
                f"TensorDataset of tensors that differ in length: {lengths}"
            )
        self.tensors = tensors

    def __len__(self):
        return len(self.tensors[0])

    def __getitem__(self, i):
        return tuple(tensor[i] for tensor in self.tensors)


class DataLoader:
    """Batches of a dataset, in its order or, with `shuffle`, in a new one each pass.

    The last batch may be smaller; `drop_last` leaves it out. The order comes from
    `generator`, so a seed repeats it.
    """

    def __init__(
        self, dataset, batch_size=1, shuffle=False, drop_last=False, generator=None
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.drop_last = shuffle, drop_last
        self.generator = generator or default_generator

    def __len__(self):
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self):
        n = len(self.dataset)
        order = self.generator.numpy().permutation(n) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield self.dataset[rows if order is None else from_numpy(order[rows])]
