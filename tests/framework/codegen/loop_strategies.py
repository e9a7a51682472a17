"""Random kernels with the result that NumPy gives.

Values are small whole numbers, on which sums and products of floats are exact: however
a compiler reorders them, the result is the same, bit by bit. Only functions like exp,
which stand at the root alone, are compared to a tolerance.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from loop_kernels import (
    Buffer,
    Const,
    Let,
    Load,
    Local,
    Loop,
    Store,
    Update,
    call,
    i,
    ir,
    j,
    nest,
)

from minidl.framework import ops

ONE = ("neg", "abs", "relu", "sign")
TWO = ("add", "sub", "mul", "maximum", "minimum", "gate")
COMPARED = ("eq", "lt", "le")
ROOTS = ("exp", "tanh", "sigmoid", "sqrt", "cos")
REDUCED = {"add": np.add, "maximum": np.maximum, "minimum": np.minimum}
TOLERANCE = {"float32": 4e-7, "float64": 1e-14, "int64": 0}


def evaluated(fn, *values):
    """What the row of the table gives."""
    with np.errstate(all="ignore"):
        own = {"minimum": np.minimum}.get(fn)
        return own(*values) if own else ops.TABLE[fn].eval(np, *values)


@dataclass(frozen=True)
class Case:
    kernel: ir.Kernel
    inputs: tuple
    expected: tuple

    def check(self, run):
        """Runs the kernel by `run`; AssertionError where a result is another."""
        outputs = [np.zeros(b.shape, b.dtype) for b in self.kernel.outputs]
        run(*outputs, *self.inputs)
        for out, wanted in zip(outputs, self.expected):
            rtol = TOLERANCE[out.dtype.name]
            np.testing.assert_allclose(out, wanted, rtol, rtol)

    def __repr__(self):
        return f"{ir.text(self.kernel)}\n{self.inputs}"


@st.composite
def trees(draw, leaves, depth=3):
    """(expression, its value) of exact operations on `leaves`, pairs of the same."""
    kind = draw(st.sampled_from("leaf one two two two choice".split()))
    if depth == 0 or kind == "leaf":
        return draw(st.sampled_from(leaves))
    below = trees(leaves, depth - 1)
    if kind == "one":
        return joined(draw(st.sampled_from(ONE)), draw(below))
    if kind == "two":
        return joined(draw(st.sampled_from(TWO)), draw(below), draw(below))
    compared = draw(st.sampled_from(COMPARED)), draw(below), draw(below)
    return joined("where", joined(*compared), draw(below), draw(below))


def joined(fn, *pairs):
    expressions, values = zip(*pairs)
    dtype = bool if fn in COMPARED else expressions[-1].dtype
    return call(fn, *expressions, dtype=dtype), evaluated(fn, *values)


def arrays(draw, shape, dtype, count):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return [rng.integers(-3, 4, shape).astype(dtype) for _ in range(count)]


def sizes(draw, most):
    return tuple(draw(st.integers(1, n)) for n in most)


@st.composite
def expression_kernels(draw):
    """A Case of several expressions of x and y, and of a number, over a nest."""
    dtype = np.dtype(draw(st.sampled_from(sorted(TOLERANCE))))
    shape = sizes(draw, (5, 40))
    x, y = arrays(draw, shape, dtype, 2)
    inputs = Buffer("x", shape, dtype), Buffer("y", shape, dtype)
    leaves = [(Load(b, (i, j)), a) for b, a in zip(inputs, (x, y))]
    leaves.append((Const(2, dtype), np.full(shape, 2, dtype)))
    outputs, body, expected = [], [], []
    for number in range(draw(st.integers(1, 4))):
        pair = draw(trees(leaves))
        if dtype.kind == "f" and draw(st.booleans()):
            pair = joined(draw(st.sampled_from(ROOTS)), joined("abs", pair))
        outputs.append(Buffer(f"out{number}", shape, dtype))
        body.append(Store(outputs[-1], (i, j), pair[0]))
        expected.append(pair[1])
    kernel = ir.Kernel("tree", tuple(outputs), inputs, body=nest(shape, *body))
    return Case(kernel, (x, y), tuple(expected))


@st.composite
def reduction_kernels(draw):
    """A Case that reduces rows of an expression, and uses what came out along the row.

    Between the two, the expression may be kept in scratch.
    """
    dtype = np.dtype(draw(st.sampled_from(sorted(TOLERANCE))))
    shape = rows, cols = sizes(draw, (5, 80))
    (x,) = arrays(draw, shape, dtype, 1)
    source = Buffer("x", shape, dtype)
    value, array = draw(trees([(Load(source, (i, j)), x)], depth=2))
    fn, kept = draw(st.sampled_from(sorted(REDUCED))), draw(st.booleans())
    row, out = Buffer("row", (cols,), dtype), Buffer("out", shape, dtype)
    ends, a, v = Buffer("ends", (rows,), dtype), Local("a", dtype), Local("v", dtype)
    start = Load(source, (i, Const(0, ir.INT)))
    again = Load(row, (j,)) if kept else value
    body = (
        Let(a, start),
        Loop(
            "j", cols, (Let(v, value), Update(a, fn, v), *[Store(row, (j,), v)] * kept)
        ),
        Store(ends, (i,), a),
        Loop("j", cols, (Store(out, (i, j), again - a),)),
    )
    kernel = ir.Kernel(
        "rows", (out, ends), (source,), scratch=(row,) * kept,
        body=(Loop("i", rows, body),),
    )  # fmt: skip
    reduced = REDUCED[fn](x[:, 0], REDUCED[fn].reduce(array, axis=1))
    return Case(kernel, (x,), (array - reduced[:, None], reduced))
