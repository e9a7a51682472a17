"""Building kernels: Python source in, a compiled function out, kept for ever.

Compiling a loop takes Numba a second or more, loading the result some milliseconds. So
each source is written once to a folder under a name made of its own content, and Numba
keeps the machine code beside it. A second process finds both. Another source is another
name: nothing in the folder ever goes stale. (Chapter 9.)
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

# Floats may be reordered, fused, and multiplied by a reciprocal. There may be inf and
# nan: a masked score is -inf.
FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}
MATHEMATICS = Path(__file__).parent / "kernels" / "mathematics.py"

built = {}  # (source, name, signature): compiled function
lock = threading.Lock()


def build(source, name, signature):
    """The function `name` of `source`, compiled for Numba's `signature`.

    No array that it writes may share memory with another of its arguments.
    """
    key = source, name, signature
    with lock:
        if key not in built:
            built[key] = compiled(written(*key), name, signature)
    return built[key]


def compiled(path, name, signature):
    import numba  # takes a second, so it is imported when first needed

    function = getattr(module_at(path), name)
    options = dict(fastmath=FAST, error_model="numpy", nogil=True, cache=True)
    return numba.njit(signature, pipeline_class=compiler(), **options)(function)


@cache
def compiler():
    """Numba's compiler, told that arrays share no memory.

    Else it would have to load again whatever it has loaded before, after each store.
    """
    from numba.core.compiler import Compiler

    class Apart(Compiler):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.state.flags.noalias = True

    return Apart


def module_at(path):
    """The module in the file `path`, imported; Numba finds it again by its name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def written(source, name, signature):
    """The file of a kernel in the cache, written unless it is there."""
    parts = source, name, signature, mathematics()
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    path = folder() / f"{name}_{digest}.py"
    if not path.exists():
        write(path, source)
    return path


@cache
def mathematics():
    """What generated code imports, and so is part of what it is compiled from."""
    return MATHEMATICS.read_text(encoding="utf-8")


def write(path, text):
    """A file that is there whole or not at all, whoever else writes it now."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False
    ) as part:
        part.write(text)
    os.replace(part.name, path)


@cache
def folder():
    """Where built kernels are kept: $MINIDL_CACHE, or minidl/kernels in ~/.cache.

    $XDG_CACHE_HOME stands for ~/.cache if set. Where the folder can't be written it is
    a new temporary one.
    """
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    chosen = os.environ.get("MINIDL_CACHE") or Path(cache_home, "minidl", "kernels")
    try:
        Path(chosen).mkdir(parents=True, exist_ok=True)
        write(Path(chosen) / "written", "")
        return Path(chosen)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="minidl-kernels-"))
