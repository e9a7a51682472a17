"""Types of tensors, to write beside arguments: Float["B", 784]. (Chapter 7.)

A name is a symbolic size: the same wherever it stands in one function.
"""

from dataclasses import dataclass

import numpy as np

from ..dtypes import bool_, float32, float64, int64
from ..sizes import Size


@dataclass(frozen=True)
class TensorType:
    """A dtype and a shape, whose sizes are integers or Sizes."""

    name: str
    dtype: np.dtype
    shape: tuple = ()

    def __getitem__(self, sizes):
        """`Float[()]` is a scalar's type, `Float["B", 3]` that of B rows of 3."""
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        shape = tuple(Size(n) if isinstance(n, str) else n for n in sizes)
        if not all(isinstance(n, int | Size) for n in shape):
            raise TypeError(f"{self.name}{list(sizes)}: a size is an integer or a name")
        return TensorType(self.name, self.dtype, shape)

    def __repr__(self):
        return f"{self.name}[{', '.join(map(str, self.shape)) or '()'}]"


Float = TensorType("Float", np.dtype(float32))
Double = TensorType("Double", np.dtype(float64))
Int = TensorType("Int", np.dtype(int64))
Bool = TensorType("Bool", np.dtype(bool_))
NAMES = {t.dtype: t.name for t in (Float, Double, Int, Bool)}


def type_of(x):
    """The TensorType of tensor `x`."""
    return TensorType(NAMES.get(x.dtype, str(x.dtype)), x.dtype, tuple(x.shape))
