"""Kernels as loops, and ways to run one: compiled, as plain Python, simulated."""

import numpy as np

from minidl.framework.codegen import cuda, python
from minidl.framework.codegen import loops as ir
from minidl.framework.codegen.loops import (
    Buffer,
    Call,
    Const,
    Let,
    Load,
    Local,
    Loop,
    Store,
    Update,
    Var,
)
from minidl.hardware.simt import RawKernel
from minidl.runtime.build import build

F = np.dtype(np.float32)
i, j, k = Var("i"), Var("j"), Var("k")


def call(fn, *args, dtype=None):
    return Call(fn, args, dtype or args[-1].dtype)


def nest(sizes, *body, names="ijk"):
    """Loops of these sizes around statements."""
    for var, n in reversed(list(zip(names, sizes))):
        body = (Loop(var, n, tuple(body)),)
    return tuple(body)


def matmul(m, n, p):
    a, b, c = Buffer("a", (m, p), F), Buffer("b", (p, n), F), Buffer("c", (m, n), F)
    step = Store(c, (i, j), Load(a, (i, k)) * Load(b, (k, j)), "add")
    return ir.Kernel("matmul", (c,), (a, b), body=nest((m, n, p), step))


def gelu(rows, cols):
    x, out, v = (
        Buffer("x", (rows, cols), F),
        Buffer("out", (rows, cols), F),
        Local("v", F),
    )
    inner = v * (v * v * 0.035677408 + 0.7978846)
    value = v * 0.5 * (call("tanh", inner) + 1.0)
    body = nest((rows, cols), Let(v, Load(x, (i, j))), Store(out, (i, j), value))
    return ir.Kernel("gelu", (out,), (x,), body=body)


def softmax(rows, cols, kind="parallel"):
    x, out = Buffer("x", (rows, cols), F), Buffer("out", (rows, cols), F)
    row, e = Buffer("row", (cols,), F), Local("e", F)
    most, whole = Local("most", F), Local("whole", F)
    body = (
        Let(most, Const(-np.inf, F)),
        Loop("j", cols, (Update(most, "maximum", Load(x, (i, j))),)),
        Let(whole, Const(0.0, F)),
        Loop("j", cols, (Let(e, call("exp", Load(x, (i, j)) - most)),
                         Update(whole, "add", e), Store(row, (j,), e))),
        Loop("j", cols, (Store(out, (i, j), call("div", Load(row, (j,)), whole)),)),
    )  # fmt: skip
    loop = Loop("i", rows, body, kind)
    return ir.Kernel("softmax", (out,), (x,), scratch=(row,), body=(loop,))


def columns(rows, cols):
    """The sums of the columns, into an output that is cleared first."""
    x, out = Buffer("x", (rows, cols), F), Buffer("out", (cols,), F)
    clear = nest((cols,), Store(out, (j,), Const(0.0, F)), names="j")
    step = nest((rows, cols), Store(out, (j,), Load(x, (i, j)), "add"))
    return ir.Kernel("columns", (out,), (x,), body=clear + step)


def total(rows, cols):
    """The sum of all elements, as an output of no dimensions."""
    x, out, a = Buffer("x", (rows, cols), F), Buffer("out", (), F), Local("a", F)
    step = nest((rows, cols), Update(a, "add", Load(x, (i, j))))
    body = (Let(a, Const(0.0, F)), *step, Store(out, (), a))
    return ir.Kernel("total", (out,), (x,), body=body)


def exact_softmax(x):
    e = np.exp(x.astype("f8") - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# ---- running


def compiled(kernel):
    """By Numba; over all of a parallel loop."""
    function = build(python.source(kernel), kernel.name, python.signature(kernel))
    extents = [s.extent for s in kernel.body if getattr(s, "kind", "") == "parallel"]
    bounds = (0, extents[0]) if extents else ()
    return lambda *arrays: function(*arrays, *bounds)


def interpreted(kernel):
    """As plain Python, statement by statement: slow, and certainly what it says."""
    run = function(kernel)
    extents = [s.extent for s in kernel.body if getattr(s, "kind", "") == "parallel"]
    bounds = (0, extents[0]) if extents else ()
    return lambda *arrays: run(*arrays, *bounds)


def function(kernel):
    """The function that the text defines."""
    names = {}
    exec(python.source(kernel), names)
    # Of these, the library has only compiled forms.
    names |= {"maximum": np.maximum, "minimum": np.minimum}
    return names[kernel.name]


def simulated(kernel):
    """On the simulated GPU, with its checks for races."""
    run = RawKernel(cuda.source(kernel), kernel.name)
    return lambda *arrays: run(*cuda.launch(kernel), arrays)


def ptx(source):
    """What NVRTC makes of CUDA C."""
    from cupy.cuda import nvrtc

    program = nvrtc.createProgram(source, "kernel.cu", [], [])
    try:
        nvrtc.compileProgram(program, ["--gpu-architecture=compute_80"])
    except nvrtc.NVRTCError as error:
        raise AssertionError(nvrtc.getProgramLog(program) + source) from error
    return nvrtc.getPTX(program)
