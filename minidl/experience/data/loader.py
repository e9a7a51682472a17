"""DataLoader: passes over a dataset in batches, repeatable and resumable. (Chapter 5.)

A pass is two things: its key, from which the order and all random transforms follow,
and how many batches the caller has received. That is all there is to save.
"""

from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import partial
from itertools import starmap

from ...framework.create import default_generator
from .samplers import RandomSampler, SequentialSampler
from .transforms import Compose
from .workers import POOLS, Recipe, prefetched


@dataclass
class Pass:
    key: tuple | None  # (seed, draw); None where nothing is drawn
    received: int = 0  # batches that the caller has


class DataLoader:
    """Batches of a dataset, in its order or, with `shuffle`, in a new one each pass.

    The last batch may be smaller; `drop_last` leaves it out. A `sampler` replaces the
    order. `transform` is a function (images, rng) or (images) of NumPy arrays, applied
    to the first part of each batch.

    A pass that draws anything takes one key from `generator` (default: the library's,
    which `manual_seed` seeds), and all it draws follows from that key: batches are the
    same to the bit for any `num_workers` and either kind of `worker`, "thread" or
    "process". Each worker makes up to `prefetch_factor` batches ahead. Workers live
    until close() or the loader goes; processes keep the dataset as it was at the first
    pass. An exception in a worker arrives in its batch's turn, with a note that says
    which batch and rows it was.
    """

    def __init__(
        self,
        dataset,
        batch_size=1,
        shuffle=False,
        drop_last=False,
        generator=None,
        sampler=None,
        transform=None,
        num_workers=0,
        worker="thread",
        prefetch_factor=2,
    ):
        at_least("batch_size", batch_size, 1)
        at_least("num_workers", num_workers, 0)
        at_least("prefetch_factor", prefetch_factor, 1)
        if worker not in POOLS:
            raise ValueError(f"no worker {worker!r}; there are: {', '.join(POOLS)}")
        if sampler is not None and shuffle:
            raise ValueError("a sampler decides the order: leave shuffle out")
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        kind = RandomSampler if shuffle else SequentialSampler
        self.sampler = kind(dataset) if sampler is None else sampler
        if not hasattr(self.sampler, "order"):
            raise TypeError(
                f"a sampler has order(key), len() and draws; {sampler!r:.40} has no "
                "order. For a list of rows, load Subset(dataset, rows)"
            )
        transform = None if transform is None else Compose([transform])
        self.recipe = Recipe(dataset, transform)
        self.draws = self.sampler.draws or transform is not None
        self.generator = default_generator if generator is None else generator
        self.num_workers, self.worker = num_workers, worker
        self.ahead = num_workers * prefetch_factor
        self.latest = self.resumed = None  # the latest Pass, and one to go on with
        self.pool = None  # (executor, function to submit), once there are workers

    def __len__(self):
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self):
        self.latest, self.resumed = self.resumed or Pass(self.new_key()), None
        return self.batches(self.latest)

    def new_key(self):
        return tuple(self.generator.key().tolist()) if self.draws else None

    def batches(self, run):
        for batch in self.made(self.tasks(run)):
            run.received += 1
            yield batch
        if self.latest is run:
            self.latest = None

    def tasks(self, run):
        """(key, number, rows) for each batch left in a pass: all a worker needs."""
        order, size = self.sampler.order(run.key), self.batch_size
        for number in range(run.received, len(self)):
            yield run.key, number, order[number * size : (number + 1) * size]

    # ---- workers

    def made(self, tasks):
        """The batches of `tasks`, made here or by the workers."""
        if not self.num_workers:
            yield from starmap(self.recipe, tasks)
            return
        try:
            yield from prefetched(self.submit(), tasks, self.ahead)
        except BrokenExecutor as error:
            self.close()
            raise RuntimeError(
                f"a {self.worker} worker of the DataLoader died: it was killed, for "
                "want of memory perhaps, or it could not start. A script that uses "
                "worker='process' must keep what it runs under `if __name__ == "
                "'__main__':`. num_workers=0 shows what a dataset does"
            ) from error

    def submit(self):
        """The function that gives a task to the workers, started if need be."""
        if self.pool is None:
            self.pool = POOLS[self.worker](self.recipe, self.num_workers)
        executor, function = self.pool
        return partial(executor.submit, function)

    def close(self):
        """Ends the workers; the next pass starts new ones."""
        if self.pool is not None:
            self.pool[0].shutdown(cancel_futures=True)
            self.pool = None

    # ---- to stop and go on

    def settings(self):
        return {
            "rows": len(self.dataset),
            "samples": len(self.sampler),  # a pass
            "batch_size": self.batch_size,
            "sampler": type(self.sampler).__name__,
            "draws": self.draws,
        }

    def state_dict(self):
        """Where the loader stands, as plain numbers and words.

        "received" counts the batches that the caller has of the pass under way, None
        between passes; what workers made ahead doesn't count. A `generator` given to
        the loader is the loader's: its position is in the state. The default generator
        is the program's, and who saves the training saves it too.
        """
        run = self.resumed or self.latest
        g = self.generator
        return self.settings() | {
            "key": run and run.key,
            "received": run and run.received,
            "generator": None if g is default_generator else (int(g.seed), g.draw),
        }

    def load_state_dict(self, state):
        """Stands where `state` was taken: the next pass is what was left of that one.

        So it may be empty, where the caller had the last batch and not asked for more.
        Raises ValueError where the state is of a loader with other settings.
        """
        for name, mine in self.settings().items():
            if state[name] != mine:
                raise ValueError(
                    f"load_state_dict: the state is of a loader with {name} "
                    f"{state[name]}, this one has {mine}; its batches would be others"
                )
        key, received = state["key"], state["received"]
        self.latest = None
        self.resumed = None if received is None else Pass(key and tuple(key), received)
        if state["generator"] and self.generator is not default_generator:
            self.generator.seed, self.generator.draw = state["generator"]


def at_least(name, value, bound):
    if value < bound:
        raise ValueError(f"{name} must be at least {bound}, got {value}")
