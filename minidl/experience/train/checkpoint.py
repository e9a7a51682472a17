"""Checkpoints: a run saved as it goes, and taken up where it was.

One safetensors file holds everything the next step depends on: weights, what the
optimiser and the loss scale remember, where the loader and the random numbers stand.
Tensors go in by name; the rest is JSON in the file's metadata. So a run that is killed
and started again ends with the same bits as one that was left alone.
"""

import json
from pathlib import Path

from ...framework.tensor import Tensor
from ..safetensors import read, save
from .callbacks import Callback

TENSOR = "$tensor"  # marks, in the JSON, where a tensor stood


class Checkpoint(Callback):
    """Saves the run to `path` every `every` steps, and after each epoch.

    Where `path` is there when fit begins, the run goes on from it.
    """

    saves = True

    def __init__(self, path, every=None):
        if every is not None and every < 1:
            raise ValueError(f"Checkpoint: every counts steps, got {every}")
        self.path, self.every = Path(path), every

    def on_start(self, run):
        if not hasattr(run.loader, "state_dict"):
            raise TypeError(
                f"Checkpoint: a {type(run.loader).__name__} can't say where it stands; "
                "use a DataLoader"
            )
        if self.path.exists():
            tensors, metadata = read(self.path)
            if "run" not in metadata:
                raise ValueError(f"{self.path} holds tensors, but no saved run")
            run.load_state_dict(unpacked(json.loads(metadata["run"]), tensors))
            print(f"{self.path}: going on after step {run.steps:,}")

    def on_step(self, run):
        if self.every and run.steps % self.every == 0:
            self.save(run)

    def on_epoch(self, run):
        self.save(run)

    def save(self, run):
        tensors = {}
        plain = packed(run.state_dict(), tensors)
        save(tensors, self.path, {"run": json.dumps(plain)})


def packed(value, tensors, name="run"):
    """`value` with its tensors moved to `tensors`, by name."""
    if isinstance(value, Tensor):
        tensors[name] = value
        return {TENSOR: name}
    if isinstance(value, dict):
        return {str(k): packed(v, tensors, f"{name}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [packed(v, tensors, f"{name}.{i}") for i, v in enumerate(value)]
    return value


def unpacked(value, tensors):
    """What `packed` was given; keys are strings, and tuples lists."""
    if isinstance(value, dict):
        if set(value) == {TENSOR}:
            return tensors[value[TENSOR]]
        return {k: unpacked(v, tensors) for k, v in value.items()}
    if isinstance(value, list):
        return [unpacked(v, tensors) for v in value]
    return value
