"""The instructor's seed: made once, kept in a file that no student gets.

All students get the same inputs, so that grades are fair; those of each part are drawn
from a sum of the seed and the part's name, from which the seed can't be found.
"""

import hashlib
import os
import re
import secrets
from pathlib import Path

from ..environment import ROOT, KitError


def default():
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "minidl" / "grading-seed"


def load(path, out):
    """The seed in a file, 256 bits as text; made where there is no file."""
    path = Path(path or default()).resolve()
    for place, what in ((Path(out).resolve(), "--out"), (ROOT, "the course")):
        if path.is_relative_to(place):
            raise KitError(
                f"The seed {path} is inside {what}, which others may get to see: keep "
                "it elsewhere, by --seed-file."
            )
    try:
        if not path.exists():
            write(path, secrets.token_hex(32))
        seed = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise KitError(f"The seed {path} can't be used: {error}") from None
    if not re.fullmatch(r"[0-9a-f]{32,}", seed):
        raise KitError(f"{path} has no seed: 32 or more of the digits 0-9 and a-f.")
    return seed


def write(path, seed):
    """Makes the file, which only its owner may read; not over one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        out.write(seed + "\n")


def part_seed(seed, lab, part):
    """A number for one part's random inputs."""
    return int.from_bytes(hashlib.sha256(f"{seed} {lab} {part}".encode()).digest())


def mark(seed):
    """By which two runs are told to have the same seed; it can't be turned back."""
    return hashlib.sha256(f"mark {seed}".encode()).hexdigest()[:16]
