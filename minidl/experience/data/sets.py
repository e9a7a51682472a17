"""The data sets by name: small real ones ship with the library, full ones are opt-in.

What was loaded is printed, and nothing stands in for what was asked: a set that is not
on this machine is an error that says how to get it.
"""

import gzip
from importlib.resources import files

import numpy as np

from ...framework.create import from_numpy
from ...framework.dtypes import float32, int64
from . import sources
from .dataset import TensorDataset

SHIPPED = {
    "mnist": "mnist_4k_1k.npz",
    "fashion": "fashion_5k_1k.npz",
    "text": "kjv_1m.txt.gz",
}
TEXTS = ("text", "shakespeare")
TRAINING_SHARE = 0.9  # of a text; the rest is held out


def load(name, full=False, download=False):
    """(training, test) of the set called `name`.

    "mnist" and "fashion": TensorDatasets of images (n, 1, 28, 28), float32 in [0, 1],
    and labels (n,); 4,000 + 1,000 and 5,000 + 1,000 ship, `full=True` gives 60,000 +
    10,000. "text" (the King James Bible's best-known books) and "shakespeare": strings,
    90 % and 10 %. Sets that do not ship are found in the folder MINIDL_DATA or the
    download cache; `download=True` fetches them and checks their sum. Raises
    FileNotFoundError with that advice where they are absent.
    """
    if name in TEXTS:
        return load_text(name, full, download)
    if name not in SHIPPED:
        names = ", ".join([*SHIPPED, "shakespeare"])
        raise ValueError(f"no data set {name!r}; there are: {names}")
    return load_images(name, full, download)


def load_images(name, full, download):
    where = "full set"
    if full:
        arrays = [
            sources.read_idx(path) for path in sources.found(f"{name}-full", download)
        ]
    else:
        where = "shipped selection"
        with np.load(shipped(name), allow_pickle=False) as file:
            arrays = [file[key] for key in ("x_train", "y_train", "x_test", "y_test")]
    train, test = as_dataset(*arrays[:2]), as_dataset(*arrays[2:])
    print(f"{name}: {where}, {len(train):,} training and {len(test):,} test images")
    return train, test


def as_dataset(images, labels):
    pixels = images.astype(float32)[:, None] / np.float32(255)
    return TensorDataset(from_numpy(pixels), from_numpy(labels.astype(int64)))


def load_text(name, full, download):
    if full:
        raise ValueError(f"{name!r} has no fuller set: it always comes whole")
    path = shipped(name) if name in SHIPPED else sources.found(name, download)[0]
    with gzip.open(path, "rt", encoding="utf-8") as file:
        text = file.read()
    split = int(len(text) * TRAINING_SHARE)
    print(f"{name}: {len(text):,} characters, {len(set(text))} distinct")
    return text[:split], text[split:]


def shipped(name):
    return files(__package__) / "shipped" / SHIPPED[name]
