"""`kernel`: an operation written in CUDA C, as a row of the table. (Chapter 11.)

    square = dl.kernel('''
    extern "C" __global__ void square(const real* x, real* out, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) out[i] = x[i] * x[i];
    }''', "square",
        launch=lambda out, x: ((prod(out) // 256 + 1,), (256,), prod(out)),
        vjp=lambda g, x: 2 * g * x)

Tensors on the CPU run it on the simulated GPU, with all its checks; those on a GPU run
the same source there.
"""

import inspect
from functools import cache

import numpy as np

from . import shapes as rules
from .op import Op

REAL = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
DEFAULT = np.dtype(np.float32)


def kernel(source, name, launch, shape=rules.same, vjp=(), flops=rules.one_per_result):
    """The Op that runs the kernel `name` of `source`.

    Its parameters are const pointers, the op's inputs under their own names, then one
    pointer, the result, then numbers: those that `launch(shape of the result, *shapes
    of the inputs)` gives after (grid, block). Where the source says `real`, it is
    compiled for the inputs' dtype, float32 or float64. `shape`, `vjp` and `flops` are
    as in any Op. Raises ValueError for other parameters, CompileError as RawKernel.
    """

    def eval(xp, *arrays):
        run = compiled(source, name, real(x.dtype for x in arrays))
        shapes = [x.shape for x in arrays]
        out = xp.empty(shape(*shapes), run.dtype(x.dtype for x in arrays))
        if out.size:
            grid, block, *numbers = launch(out.shape, *shapes)
            run(xp, grid, block, arrays, out, numbers)
        return out

    def dtype(*dtypes):
        return compiled(source, name, real(dtypes)).dtype(dtypes)

    names = ["xp", *(given for given, _ in compiled(source, name, DEFAULT).inputs)]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    eval.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])
    return Op(name, eval, shape=shape, dtype=dtype, vjp=vjp, flops=flops)


def real(dtypes):
    """What `real` stands for: the first float dtype."""
    return next((dtype for dtype in dtypes if dtype in REAL), DEFAULT)


@cache
def compiled(source, name, real):
    return Compiled(source, name, real)


class Compiled:
    """A kernel for one meaning of `real`, on every device."""

    def __init__(self, source, name, real):
        from ..hardware.simt import RawKernel  # reads C: imported when first needed

        # Lines keep their numbers where the source starts on its second line.
        start = f"typedef {REAL[real]} real;" + "\n" * (not source.startswith("\n"))
        self.text, self.name = start + source, name
        self.simulated = RawKernel(self.text, name, counters=False)
        self.on_gpu = None
        self.read(self.simulated.parameters)

    def read(self, parameters):
        """Takes in which parameters are inputs, the result and numbers."""
        roles = [getattr(kind, "constant", None) for _, kind in parameters]
        n = roles.count(True)
        plain = all(hasattr(getattr(k, "to", k), "dtype") for _, k in parameters)
        if (
            n == 0
            or not plain
            or roles != [True] * n + [False] + [None] * len(roles[n + 1 :])
        ):
            raise ValueError(
                f"{self.name}({', '.join(f'{k} {p}' for p, k in parameters)}): an op's "
                "kernel takes const pointers to numbers, then one pointer for the "
                "result, then numbers"
            )
        self.inputs = [(own, kind.to) for own, kind in parameters[:n]]
        self.result = parameters[n][1].to.dtype
        self.numbers = [kind for _, kind in parameters[n + 1 :]]

    def dtype(self, dtypes):
        """The dtype of the result; TypeError unless the inputs have the kernel's."""
        for (name, kind), found in zip(self.inputs, dtypes):
            if kind.dtype != found:
                raise TypeError(f"the kernel's `{name}` is {kind}, found {found}")
        return self.result

    def __call__(self, xp, grid, block, arrays, out, numbers):
        if len(numbers) != len(self.numbers):
            raise ValueError(
                f"launch gave {len(numbers)} numbers after grid and block; the kernel "
                f"takes {len(self.numbers)}"
            )
        numbers = [kind.dtype.type(n) for kind, n in zip(self.numbers, numbers)]
        arrays = [xp.ascontiguousarray(x) for x in arrays]
        self.on(xp)(grid, block, (*arrays, out, *numbers))

    def on(self, xp):
        """The RawKernel of the device whose array module is `xp`."""
        if xp is np:
            return self.simulated
        self.on_gpu = self.on_gpu or xp.RawKernel(self.text, self.name)
        return self.on_gpu
