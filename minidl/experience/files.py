"""Files written whole: a crash in the middle leaves what was there before."""

import os
from pathlib import Path


def write_whole(path, parts):
    """Writes `parts`, bytes or arrays, to `path`; it holds all of them or none."""
    partial = Path(f"{path}.partial")
    try:
        with open(partial, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
