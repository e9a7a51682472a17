"""The machine's C compiler beside the simulated GPU: one text, the same numbers.

`Pair` holds C functions of the variables of `INPUTS`; it runs them all on both.
"""

import ctypes
import shutil
import subprocess

import numpy as np

from minidl.hardware import simt

COMPILER = shutil.which("gcc") or shutil.which("cc")
FLAGS = ["-O0", "-w", "-fwrapv", "-ffp-contract=off", "-fno-strict-aliasing"]
INPUTS = {  # name: (C type, dtype)
    "c": ("signed char", "i1"), "d": ("signed char", "i1"),
    "uc": ("unsigned char", "u1"), "s": ("short", "i2"), "us": ("unsigned short", "u2"),
    "a": ("int", "i4"), "b": ("int", "i4"), "k": ("int", "i4"),
    "u": ("unsigned", "u4"), "v": ("unsigned", "u4"),
    "l": ("long long", "i8"), "m": ("long long", "i8"),
    "ul": ("unsigned long long", "u8"),
    "f": ("float", "f4"), "g": ("float", "f4"),
    "x": ("double", "f8"), "y": ("double", "f8"),
}  # fmt: skip
OUTPUTS = {"long long": "i8", "float": "f4", "double": "f8"}
PARAMETERS = ", ".join(f"{kind} {name}" for name, (kind, _) in INPUTS.items())
HEADS = {
    "C": "#include <math.h>\n#include <stdlib.h>\n#define FUNCTION static\n",
    "CUDA": "#define FUNCTION __device__\n",
}


def varied(n, seed=0):
    """{name: n values}: small ones, the ends of the type, any bits."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, (_, dtype) in INPUTS.items():
        dtype = np.dtype(dtype)
        if name == "k":
            out[name] = rng.integers(0, 8, n).astype(dtype)
        elif dtype.kind == "f":
            some = [0, -0.0, 1, -1, 0.1, -2.5, 1e-30, 999.75, -1000, 0.5, 1.5, 2.5]
            numbers = rng.uniform(-1000, 1000, n)
            out[name] = mixed(rng, numbers, some).astype(dtype)
        else:
            ends = np.iinfo(dtype)
            near = [0, 1, 2, 7, ends.max, ends.max - 1, ends.min, ends.min + 1]
            small = rng.integers(max(-50, ends.min), 50, n).astype(dtype)
            bits = rng.integers(ends.min, ends.max, n, dtype, endpoint=True)
            out[name] = mixed(rng, np.where(rng.random(n) < 0.5, small, bits), near)
    return out


def mixed(rng, numbers, special):
    chosen = np.array(special, numbers.dtype)[
        rng.integers(0, len(special), len(numbers))
    ]
    return np.where(rng.random(len(numbers)) < 0.3, chosen, numbers)


class Both:
    """Functions [(result type, body)] of the inputs, for both compilers."""

    def __init__(self, functions, helpers=""):
        self.functions, self.helpers = functions, helpers
        self.places, count = [], dict.fromkeys(OUTPUTS, 0)
        for kind, _ in functions:
            out = kind if kind in OUTPUTS else "long long"
            self.places.append((out, count[out]))
            count[out] += 1
        self.count = count

    def text(self, head):
        """The functions, for either compiler."""
        parts = [HEADS[head], self.helpers]
        for number, (kind, body) in enumerate(self.functions):
            parts.append(f"FUNCTION {kind} f{number}({PARAMETERS}) {body}\n")
        return "".join(parts)

    def stores(self):
        """Each function's value into its output at place i of n."""
        given = ", ".join(INPUTS)
        for number, (out, row) in enumerate(self.places):
            name = out.replace(" ", "_")
            yield f"    out_{name}[{row} * n + i] = f{number}({given});\n"

    def outputs(self, n):
        return [np.zeros((max(1, self.count[o]), n), d) for o, d in OUTPUTS.items()]

    def signature(self, star):
        outs = "".join(f", {o}* out_{o.replace(' ', '_')}" for o in OUTPUTS)
        ins = "".join(
            f", {k}{star} {star and 'in_'}{i}" for i, (k, _) in INPUTS.items()
        )
        return f"(int n{ins}{outs})"

    def c_source(self):
        loads = "".join(f"{k} {i} = in_{i}[i]; " for i, (k, _) in INPUTS.items())
        return (
            f"{self.text('C')}void all{self.signature('*')} {{\n"
            f"  for (int i = 0; i < n; ++i) {{ {loads}\n"
            f"{''.join(self.stores())}  }}\n}}\n"
        )

    def cuda_source(self):
        loads = "".join(f"{k} {i} = in_{i}[i]; " for i, (k, _) in INPUTS.items())
        return (
            f"{self.text('CUDA')}"
            f'extern "C" __global__ void all{self.signature("*")} {{\n'
            f"    int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
            f"    if (i >= n) return;\n    {loads}\n{''.join(self.stores())}}}\n"
            f'extern "C" __global__ void one{self.signature("")} {{\n'
            f"    int i = 0;\n{''.join(self.stores())}}}\n"
        )

    def by_c(self, inputs, folder):
        """The values by the machine's compiler, a row for each function."""
        source, library = folder / "all.c", folder / "all.so"
        source.write_text(self.c_source())
        command = [COMPILER, *FLAGS, "-shared", "-fPIC", "-o", library, source, "-lm"]
        subprocess.run(command, check=True, capture_output=True, text=True)
        n = len(inputs["a"])
        outs = self.outputs(n)
        arrays = [*inputs.values(), *outs]
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in arrays]
        ctypes.CDLL(str(library)).all(ctypes.c_int(n), *pointers)
        return self.rows(outs)

    def by_lanes(self, inputs):
        """The values on the simulated GPU, each lane with inputs of its own."""
        n = len(inputs["a"])
        outs = self.outputs(n)
        kernel = simt.RawKernel(self.cuda_source(), "all")
        kernel((-(-n // 96),), (96,), (np.int32(n), *inputs.values(), *outs))
        return self.rows(outs)

    def by_scalars(self, inputs):
        """The values on the simulated GPU, one launch for each set of inputs."""
        kernel = simt.RawKernel(self.cuda_source(), "one")
        columns = []
        for i in range(len(inputs["a"])):
            outs = self.outputs(1)
            given = [values[i] for values in inputs.values()]
            kernel((1,), (1,), (np.int32(1), *given, *outs))
            columns.append(self.rows(outs))
        return [np.concatenate(parts) for parts in zip(*columns)]

    def rows(self, outs):
        by_type = dict(zip(OUTPUTS, outs))
        return [by_type[out][row] for out, row in self.places]


def same_bits(a, b):
    """Whether two arrays are equal bit for bit; one nan is as good as another."""
    whole = f"i{a.itemsize}"
    return bool(((a.view(whole) == b.view(whole)) | ((a != a) & (b != b))).all())
