"""Building kernels: Python source in, a compiled function out, kept for ever.

Compiling a loop takes Numba a second or more, loading the result some milliseconds. So
each source is written once to a folder under a name made of its own content, and Numba
keeps the machine code beside it. A second process finds both. Another source is another
name: nothing in the folder ever goes stale. (Chapter 9.)
"""

import ctypes
import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType

from numpy import array, int64, ndarray

# Floats may be reordered, fused, and multiplied by a reciprocal. There may be inf and
# nan: a masked score is -inf.
FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}
KERNELS = Path(__file__).parent / "kernels"

built = {}  # (source, name, signature): compiled function
lock = threading.Lock()
ENTRY = "void(CPointer(int64))"


def build(source, name, signature):
    """The function `name` of `source`, compiled for Numba's `signature`.

    No array that it writes may share memory with another of its arguments.
    """
    return once(source, name, signature, compiled)


@dataclass(frozen=True)
class Entry:
    """Machine code that takes one block of numbers, by the block's address."""

    address: int
    function: object  # Numba's, which keeps the code

    def bound(self, arguments):
        """A function without arguments that calls it with arrays and whole numbers."""
        words = block(arguments)
        function = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self.address)

        def run(held=arguments):
            function(words.ctypes.data)

        return run


def block(arguments):
    """The numbers of a block: of an array its address."""
    words = [a.ctypes.data if isinstance(a, ndarray) else a for a in arguments]
    return array(words, int64)


def build_entry(source, name):
    """The function `name` of `source`, which takes one block of numbers, as an Entry.

    Functions that `source` has beside it are compiled as `build` compiles them.
    """
    return once(source, name, ENTRY, entered)


def once(source, name, signature, make):
    key = source, name, signature
    with lock:
        if key not in built:
            built[key] = make(written(*key), name, signature)
    return built[key]


def compiled(path, name, signature):
    import numba  # takes a second, so it is imported when first needed

    function = getattr(module_at(path), name)
    return numba.njit(signature, cache=True, **options())(function)


def entered(path, name, signature):
    import numba

    module = module_at(path)
    for other, value in list(vars(module).items()):
        own = isinstance(value, FunctionType) and value.__module__ == module.__name__
        if own and other != name:
            apart = numba.njit(no_cpython_wrapper=True, **options())(value)
            setattr(module, other, apart)
    function = numba.cfunc(signature, cache=True)(getattr(module, name))
    return Entry(function.address, function)


def options():
    return dict(
        fastmath=FAST, error_model="numpy", nogil=True, pipeline_class=compiler()
    )


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
    parts = source, name, signature, imported()
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    path = folder() / f"{name}_{digest}.py"
    if not path.exists():
        write(path, source)
    return path


@cache
def imported():
    """What generated code imports, and so is part of what it is compiled from."""
    paths = sorted(KERNELS.glob("*.py"))
    return "\0".join(path.read_text(encoding="utf-8") for path in paths)


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
