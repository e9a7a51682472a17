"""Every row of FUNCTIONS, printed in both languages, does what NumPy does."""

import numpy as np
import pytest
from loop_kernels import (
    Buffer,
    Call,
    Load,
    Store,
    call,
    compiled,
    i,
    ir,
    nest,
    ptx,
    simulated,
)

from minidl.framework import ops
from minidl.framework.codegen import cuda
from minidl.framework.codegen.functions import FUNCTIONS

TRUTH = {"logical_not", "eq", "lt", "le", "logical_and"}
FLOATS = {"exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "div", "pow"}
WHOLE = {"floordiv", "mod"}
OTHERS = {
    "larger": lambda x, y: np.where(y > x, y, x),
    "minimum": np.minimum,
    "floordiv": np.floor_divide,
    "mod": np.mod,
}
VALUES = {
    "f": [np.inf, -np.inf, np.nan, 0.0, -0.0, 1, -1, 0.5, 2, -3, 1e-40, 88.9, -88.9,
          -104, 1e-3, 3e38, 1e4, 0.3, -0.7, 1.7, -2.2],
    "i": [1, 2, 3, 7, 100, -1, -5, -100],
    "u": [1, 2, 3, 7, 100, 255],
    "b": [True, False],
}  # fmt: skip


def names(kind):
    """The rows that take a kind of dtype."""
    refused = FLOATS if kind in "iu" else FLOATS | {"neg", "sub", "sign", "larger"}
    refused = WHOLE if kind == "f" else refused | (WHOLE if kind == "b" else set())
    return [n for n in FUNCTIONS if n not in refused | {"cast"}]


def rows(dtype):
    """A kernel with an output for each row, of inputs x and y."""
    n = len(VALUES[dtype.kind]) ** 2
    x, y = (Buffer(name, (n,), dtype) for name in "xy")
    loads = Load(x, (i,)), Load(y, (i,))
    outputs, body = [], []
    for name in names(dtype.kind):
        out = Buffer(f"out_{name}", (n,), bool if name in TRUTH else dtype)
        arguments = loads[: FUNCTIONS[name].arity]
        if name == "where":
            arguments = call("lt", *loads, dtype=bool), *loads
        outputs.append(out)
        body.append(Store(out, (i,), Call(name, arguments, out.dtype)))
    return ir.Kernel("rows", tuple(outputs), (x, y), body=nest((n,), *body))


def expected(name, x, y):
    with np.errstate(all="ignore"):
        if name == "where":
            return np.where(x < y, x, y)
        if name in OTHERS:
            return OTHERS[name](x, y)
        return ops.TABLE[name].eval(np, *(x, y)[: FUNCTIONS[name].arity])


def test_every_elementwise_row_of_the_table_is_there():
    elementwise = {
        name for name, op in ops.TABLE.items()
        if op.shape in (ops.rules.same, ops.rules.broadcast) and not op.writes
        and not op.view and name not in ("cast", "copy", "flip")
    }  # fmt: skip
    assert elementwise <= set(FUNCTIONS)


@pytest.mark.parametrize("run", [compiled, simulated])
@pytest.mark.parametrize("dtype", "float32 float64 int64 int32 uint8 bool".split())
def test_a_row_gives_what_numpy_gives_at_every_pair_of_special_values(dtype, run):
    dtype = np.dtype(dtype)
    values = np.array(VALUES[dtype.kind], dtype)
    x, y = (a.ravel().copy() for a in np.meshgrid(values, values))
    kernel = rows(dtype)
    outputs = [np.zeros(len(x), b.dtype) for b in kernel.outputs]
    run(kernel)(*outputs, x, y)
    rtol = {"float32": 4e-7, "float64": 1e-15}.get(dtype.name, 0)
    for name, out in zip(names(dtype.kind), outputs):
        wanted = expected(name, x, y).astype(out.dtype)
        np.testing.assert_allclose(out, wanted, rtol, 0, err_msg=name)


@pytest.mark.parametrize("dtype", "float32 float64 int64 int32 uint8 bool".split())
def test_nvrtc_compiles_every_row(dtype):
    assert ptx(cuda.source(rows(np.dtype(dtype))))


@pytest.mark.parametrize("run", [compiled, simulated])
def test_casts_between_all_dtypes_agree_with_numpy(run):
    dtypes = [np.dtype(d) for d in ("float32", "float64", "int64", "uint8", "bool")]
    x = np.array([0, 1, 2, 100], np.float32)
    inputs = [Buffer(f"x_{d}", (4,), d) for d in dtypes]
    outputs = [Buffer(f"{a.name}_{d}", (4,), d) for a in inputs for d in dtypes]
    body = [
        Store(o, (i,), Call("cast", (Load(a, (i,)),), o.dtype))
        for o, a in zip(outputs, [a for a in inputs for _ in dtypes])
    ]
    kernel = ir.Kernel("casts", tuple(outputs), tuple(inputs), body=nest((4,), *body))
    made = [np.zeros(4, o.dtype) for o in outputs]
    run(kernel)(*made, *(x.astype(d) for d in dtypes))
    for out, source in zip(made, [d for d in dtypes for _ in dtypes]):
        assert (out == x.astype(source).astype(out.dtype)).all()
