"""Workers: batches made ahead of the step that wants them. (Chapter 5.)

A batch is a pure function of the pass's key, its number and its rows, so it doesn't
matter who makes it or when: threads and processes give what the caller would have made
itself. Threads share all, and suit datasets that read files or compute in NumPy.
Processes suit those that run much Python, of which a process runs one line at a time.
Left out: workers on other machines.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from .dataset import as_tensor, rows_of
from .processes import processes
from .samplers import stream


@dataclass(frozen=True)
class Recipe:
    """How a batch is made: `recipe(key, number, rows)`, the same by whoever runs it."""

    dataset: object
    transform: object = None  # (images, rng) -> images, of a batch's first part

    def __call__(self, key, number, rows):
        try:
            return self.finished(rows_of(self.dataset, rows), key, number)
        except Exception as error:
            few = ", ".join(map(str, rows[:5]))
            more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
            error.add_note(f"in batch {number} of the pass: rows {few}{more}")
            raise

    def finished(self, batch, key, number):
        """`batch`, its first part transformed."""
        parts = batch if isinstance(batch, tuple | list) else (batch,)
        first, *others = map(as_tensor, parts)
        if self.transform is not None:
            rng = stream(key, number + 1)
            first = as_tensor(self.transform(first.numpy(), rng))
        return (first, *others) if parts is batch else first


def prefetched(submit, tasks, limit):
    """The results of `tasks` in their order, at most `limit` begun and not yet given.

    `submit(*task)` begins one and returns its Future.
    """
    tasks = iter(tasks)
    pending = deque(submit(*task) for task in islice(tasks, limit))
    try:
        while pending:
            result = pending.popleft().result()
            pending.extend(submit(*task) for task in islice(tasks, 1))
            yield result
    finally:  # reached too when the caller leaves early, or a task failed
        for future in pending:
            future.cancel()


def threads(recipe, n):
    return ThreadPoolExecutor(n, "batches"), recipe


# (recipe, how many) -> (executor, the function to submit to it)
POOLS = {"thread": threads, "process": processes}
