"""A kernel as Python for Numba: loops that read as they run. (Chapter 9.)

What it needs to be fast: arrays of N dimensions indexed as such, so that the compiler
sees which accesses stand side by side; float32 constants, since one float64 makes the
whole loop float64; functions that vectorise. The compiler does the rest.
"""

import re

from . import loops as ir
from .functions import ATOM, FUNCTIONS, family
from .writing import Language, expression

MATHEMATICS = "minidl.runtime.kernels.mathematics"
NATIVE = "minidl.runtime.kernels.native"
SHORT = {"float32": "f32", "int32": "i32", "int16": "i16", "int8": "i8", "uint8": "u8"}
MOST_UNROLLED = 64
STEP = "    "


def type_text(dtype):
    return SHORT.get(dtype.name) or f"np.{dtype.name}"


def constant(value, dtype):
    """A number in the dtype in which NumPy would compute with it."""
    if dtype.kind == "b":
        return str(bool(value))
    digits = str(int(value)) if dtype.kind in "iu" else repr(float(value))
    digits = f"np.{digits}" if digits in ("inf", "nan") else digits
    digits = "-np.inf" if digits == "-inf" else digits
    return f"{SHORT[dtype.name]}({digits})" if dtype.name in SHORT else digits


def load(node):
    return f"{node.buffer.name}[{', '.join(map(value, node.index)) or '()'}]"


def wrapped(text, level, dtype):
    """Numba computes with small integers in 64 bits; NumPy's wrap around."""
    return (f"{SHORT[dtype.name]}({text})", ATOM) if wraps(dtype) else (text, level)


def wraps(dtype):
    return dtype.kind in "iu" and dtype.name in SHORT


PYTHON = Language(
    form=lambda node, family: FUNCTIONS[node.fn].form("python", family),
    constant=constant,
    type=type_text,
    load=load,
    wrapped=wrapped,
)


def value(node):
    return str(node) if isinstance(node, int) else expression(node, PYTHON)[0]


def source(kernel):
    """The text of a module with one function, `kernel.name`.

    Its arguments: outputs, inputs, params; then start and stop, if the loops at the
    top are parallel, which bound those loops.
    """
    ir.check(kernel)
    rows = [
        STEP + f"{b.name} = np.empty({b.shape}, np.{b.dtype.name})"
        for b in kernel.scratch
    ]
    rows += statements(kernel.body, STEP, splits(kernel)) or [STEP + "pass"]
    head = f"def {kernel.name}({', '.join(arguments(kernel))}):"
    return "\n".join([*preface(kernel, "\n".join(rows)), head, *rows]) + "\n"


def entry(kernel):
    """The text of `NAME_at(at)`, to stand below `source(kernel)`.

    It calls the kernel with the arrays and numbers that lie at the addresses `at`, in
    the order of the arguments; start and stop are numbers there.
    """
    arrays = [array_at(i, b) for i, b in enumerate((*kernel.outputs, *kernel.inputs))]
    scalars = [
        f"{array_at(i, p)}[()]" for i, p in enumerate(kernel.params, len(arrays))
    ]
    n = len(arrays) + len(scalars)
    bounds = [f"at[{n}]", f"at[{n + 1}]"] * splits(kernel)
    return "\n".join([
        "", "from numba import carray", f"from {NATIVE} import pointer", "", "",
        f"def {kernel.name}_at(at):", f"    {kernel.name}(",
        *[f"        {text}," for text in (*arrays, *scalars, *bounds)],
        "    )", "",
    ])  # fmt: skip


def array_at(i, named):
    shape = getattr(named, "shape", ())
    return f"carray(pointer(at[{i}]), {shape}, np.{named.dtype.name})"


def arguments(kernel):
    named = *kernel.outputs, *kernel.inputs, *kernel.params
    return [x.name for x in named] + ["start", "stop"] * splits(kernel)


def splits(kernel):
    """Whether the caller says which part of the outermost loop to run."""
    return any(getattr(s, "kind", None) == "parallel" for s in kernel.body)


def preface(kernel, text):
    """The imports and short names that the text uses."""
    words = set(re.findall(r"(?<![\w.])\w+(?=\()", text))
    own = sorted(words & {"exp", "log", "tanh", "sigmoid", "sign", "where",
                          "larger", "maximum", "minimum"})  # fmt: skip
    short = [f"{s} = np.{name}" for name, s in SHORT.items() if s in words]
    ours = [f"from {MATHEMATICS} import {', '.join(own)}"] if own else []
    title = f'"""{kernel.name}, generated from its loops."""'
    blocks = [[title], ["import numpy as np"], ours, short]
    return [line for block in blocks if block for line in (*block, "")] + [""]


def statements(body, margin, split=False):
    """The lines of a body; of a loop that is split, between start and stop."""
    return [line for s in body for line in LINES[type(s)](s, margin, split)]


def let(node, margin, split):
    return [f"{margin}{node.local.name} = {value(node.value)}"]


def update(node, margin, split):
    return [margin + assigned(node.local.name, node.fn, node.value, node.local.dtype)]


def store(node, margin, split):
    place = value(ir.Load(node.buffer, node.index))
    return [margin + assigned(place, node.fn, node.value, node.buffer.dtype)]


def assigned(place, fn, new, dtype):
    """`place = new`, or its update by `fn`."""
    if fn is None:
        return f"{place} = {value(new)}"
    if fn == "add" and dtype.kind != "b" and not wraps(dtype):
        return f"{place} += {value(new)}"
    form = FUNCTIONS[fn].form("python", family(dtype))
    text, level = form.fill([(place, ATOM), expression(new, PYTHON)])
    return f"{place} = {wrapped(text, level, dtype)[0]}"


def loop(node, margin, split):
    if node.kind == "unroll":
        return unrolled(node, margin)
    bounds = value(node.extent)
    note = "" if node.kind == "serial" else f"  # {node.kind}"
    if split and node.kind == "parallel":
        bounds, note = "start, stop", "  # of the whole, this part"
    head = f"{margin}for {node.var} in range({bounds}):{note}"
    return [head, *(statements(node.body, margin + STEP) or [margin + STEP + "pass"])]


def unrolled(node, margin):
    """The body again and again, with a number in place of the loop's variable."""
    if not isinstance(node.extent, int) or node.extent > MOST_UNROLLED:
        raise ValueError(
            f"loop {node.var} of {value(node.extent)} rounds can't be unrolled: that "
            f"takes a fixed number, {MOST_UNROLLED} at most; tile it by a divisor first"
        )
    values = [{ir.Var(node.var): ir.Const(i, ir.INT)} for i in range(node.extent)]
    bodies = [[ir.substitute(s, v) for s in node.body] for v in values]
    return [line for body in bodies for line in statements(body, margin)]


LINES = {
    ir.Let: let,
    ir.Update: update,
    ir.Store: store,
    ir.Loop: loop,
}


# ---- how Numba is told the types


def signature(kernel):
    """The types of the arguments, as Numba writes them."""
    arrays = [array_type(b) for b in (*kernel.outputs, *kernel.inputs)]
    scalars = [scalar_type(p.dtype) for p in kernel.params]
    bounds = ["int64", "int64"] * splits(kernel)
    return f"void({', '.join([*arrays, *scalars, *bounds])})"


def scalar_type(dtype):
    return "boolean" if dtype.kind == "b" else dtype.name


def array_type(buffer):
    """Dense memory: the last index goes one by one, `::1`."""
    kind, n = scalar_type(buffer.dtype), len(buffer.shape)
    if n == 0:
        return f"Array({kind}, 0, 'C')"
    return f"{kind}[{', '.join([':'] * (n - 1) + ['::1'])}]"
