"""BLAS on one thread, while the threads of a program share its products. (Chapter 14.)

A thread of BLAS that has done its part waits for the next by asking again and again. It
then has a core, and a thread of the program's pool must share that core with it.
"""

from functools import cache


@cache
def libraries():
    """What sets the threads of each BLAS in this process."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


class SingleThread:
    """`with SingleThread():` products run on the thread that asks for them."""

    def __enter__(self):
        self.before = [library.get_num_threads() for library in libraries()]
        for library in libraries():
            library.set_num_threads(1)

    def __exit__(self, *error):
        for library, threads in zip(libraries(), self.before):
            library.set_num_threads(threads)
