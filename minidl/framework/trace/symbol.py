"""Symbol: what is in place of a tensor's array while a program is traced.

It knows shape and dtype, holds no element, and remembers the node that will compute
them; whatever asks it for elements is told at which line of the program. (Chapter 7.)
"""

from types import SimpleNamespace

from ...hardware.cpu import cpu
from .number import Number
from .place import INSTEAD, NO_VALUE, refuse

WHOLE = SimpleNamespace(c_contiguous=True, writeable=True)


class Symbol:
    """In place of an array: the shape and dtype of what `node` will compute.

    Tensors of one memory share their Symbol. A `base` is that of which this one is a
    view; a view can't be written, nor read once its base has been written.
    """

    flags = WHOLE

    def __init__(self, node, base=None, on=cpu):
        self.current, self.base, self.on, self.writes = node, base, on, 0
        self.shape, self.dtype = node.shape, node.dtype
        self.seen = self.root.writes

    @property
    def root(self):
        return self if self.base is None else self.base.root

    @property
    def node(self):
        """The node of the elements as they are now."""
        if self.base is not None and self.root.writes != self.seen:
            refuse(
                "reads a view of a tensor that was written after the view was taken",
                "take the view again after the write",
            )
        return self.current

    def write(self, node):
        """From now on, the elements are what `node` computes."""
        if self.base is not None:
            refuse("writes into a view of a tensor", "write into the whole tensor")
        self.current = node
        self.writes += 1

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return self.current.size

    @property
    def strides(self):
        steps, step = [], self.dtype.itemsize
        for n in self.shape[::-1]:
            steps.append(step)
            step *= n
        return tuple(steps[::-1])

    def item(self):
        """The element as a number that will be known after the run."""
        return Number(None, late=self)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(NO_VALUE, INSTEAD)

    def __array__(self, *args, **kwargs):
        refuse(NO_VALUE, INSTEAD)

    __array_ufunc__ = None

    def __getitem__(self, *key):
        refuse(NO_VALUE, INSTEAD)

    __len__ = __iter__ = __setitem__ = __getitem__
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __getitem__
    __truediv__ = __rtruediv__ = __pow__ = __matmul__ = __rmatmul__ = __getitem__
    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __float__ = __int__ = __getitem__
