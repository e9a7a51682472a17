"""BLAS, which computes NumPy's matrix products: where it is, and its threads.

NumPy gives a product to the BLAS that it was built with. Compiled programs call the
same library by the address of its function, without Python in between. (Chapter 10.)
"""

import ctypes
import threading
from dataclasses import dataclass
from functools import cache


@cache
def libraries():
    """What sets the threads of each BLAS in this process."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


@dataclass(frozen=True)
class Product:
    """`cblas_sgemm` or its like: its address, and the type of its whole numbers."""

    address: int
    integer: str


@cache
def product(dtype_char):
    """The Product of a dtype, "f" or "d"; None where no library has one.

    NumPy's own wheels give the names a prefix, and a suffix where sizes have 64 bits.
    """
    name = {"f": "cblas_sgemm", "d": "cblas_dgemm"}.get(dtype_char)
    for library in libraries() if name else ():
        held = ctypes.CDLL(library.filepath)
        for prefix in ("scipy_", ""):
            for suffix, integer in (("64_", "int64"), ("", "int32")):
                found = getattr(held, prefix + name + suffix, None)
                if found is not None:
                    address = ctypes.cast(found, ctypes.c_void_p).value
                    return Product(address, integer)
    return None


class SingleThread:
    """`with SingleThread():` products run on the thread that asks for them.

    A thread of BLAS that has done its part waits for the next by asking again and
    again, and so keeps its core from the threads of a program.
    """

    lock, inside, before = threading.Lock(), 0, ()

    def __enter__(self):
        with SingleThread.lock:
            if SingleThread.inside == 0:
                SingleThread.before = [x.get_num_threads() for x in libraries()]
                set_threads([1] * len(libraries()))
            SingleThread.inside += 1

    def __exit__(self, *error):
        with SingleThread.lock:
            SingleThread.inside -= 1
            if SingleThread.inside == 0:
                set_threads(SingleThread.before)


def set_threads(counts):
    for library, threads in zip(libraries(), counts):
        library.set_num_threads(threads)
