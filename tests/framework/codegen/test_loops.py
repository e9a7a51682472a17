"""Loops as values: how they are built, read, rewritten and checked."""

import numpy as np
import pytest
from loop_kernels import (
    Buffer,
    Call,
    Const,
    F,
    Let,
    Load,
    Local,
    Loop,
    Store,
    Update,
    Var,
    gelu,
    i,
    ir,
    j,
    k,
    matmul,
    nest,
    softmax,
)

X, OUT = Buffer("x", (4, 8), F), Buffer("out", (4, 8), F)
ONE = Const(1.0, F)


def kernel(*body, **memory):
    return ir.Kernel("k", **{"outputs": (OUT,), "inputs": (X,), **memory}, body=body)


def test_index_arithmetic_reads_as_numbers_and_folds():
    assert i * 4 + j == Call(
        "add", (Call("mul", (i, Const(4, "int64")), "int64"), j), "i8"
    )
    assert (i * 1 + 0) * 0 + 0 == i * 0
    assert Const(6, "int64") * 7 - 2 == Const(40, "int64")
    assert 1 * i == i and 0 + j == j
    assert i * 8 + (j + k) == i * 8 + j + k


def test_floats_do_not_fold():
    x = Load(X, (i, j))
    assert (x * 1.0).fn == "mul" and (x + 0.0).fn == "add"


def test_a_kernel_can_be_a_key_and_keeps_no_lists_or_numpy_numbers():
    a, b = softmax(3, 5), softmax(3, 5)
    assert a == b and len({a, b}) == 1
    listed = ir.Kernel("k", [Buffer("out", [np.int64(2)], "f4")], [], body=[])
    assert listed.outputs[0].shape == (2,) and hash(listed) == hash(listed)


def test_the_text_of_a_kernel_reads_as_its_loops():
    assert ir.text(matmul(2, 3, 4)).splitlines() == [
        "kernel matmul",
        "  out c: float32[2, 3]",
        "  in a: float32[2, 4]",
        "  in b: float32[4, 3]",
        "  serial i < 2",
        "    serial j < 3",
        "      serial k < 4",
        "        c[i, j] add= a[i, k] * b[k, j]",
    ]
    assert "e: float32 = exp(x[i, j] - most)" in ir.text(softmax(2, 3))


def test_substitution_folds_what_becomes_constant():
    (loop,) = nest((4,), Store(OUT, (i * 2 + 1, j), ONE))
    new = ir.substitute(loop.body[0], {i: Const(1, "int64")})
    assert new.index == (Const(3, "int64"), j)


def test_check_passes_what_keeps_the_rules():
    for good in (matmul(2, 3, 4), gelu(2, 3), softmax(2, 3)):
        assert ir.check(good) is good


V = Local("v", F)
STORE = Store(OUT, (i, j), ONE)
WRONG = {
    "'v' is used where it isn't defined": kernel(*nest((4, 8), Store(OUT, (i, j), V))),
    "'j' is used where it isn't": kernel(*nest((4,), STORE)),
    "'w' is used": kernel(Let(V, ONE), Update(Local("w", F), "add", ONE)),
    "'y' is used": kernel(Let(V, Load(Buffer("y", (), F), ()))),
    "is indexed by 1 numbers": kernel(*nest((4, 8), Store(OUT, (i,), ONE))),
    "'i' is already defined": kernel(*nest((4, 8), STORE, names="ii")),
    "'v' is already defined": kernel(Let(V, ONE), Let(V, ONE)),
    "'x' is already defined": kernel(Let(Local("x", F), ONE)),
    "x is written": kernel(*nest((4, 8), Store(X, (i, j), ONE))),
    "gets int64: cast": kernel(*nest((4, 8), Store(OUT, (i, j), i))),
    "has no index 9": kernel(*nest((4,), Store(OUT, (i, Const(9, "i8")), ONE))),
    "is indexed by a float32": kernel(*nest((4,), Store(OUT, (i, ONE), ONE))),
    "no function 'cosh'": kernel(Let(V, Call("cosh", (ONE,), F))),
    "add takes 2 arguments, found 1": kernel(Let(V, Call("add", (ONE,), F))),
    "add of float32, int64: cast": kernel(
        *nest((4,), Let(V, Call("add", (ONE, i), F)))
    ),
    "no update 'mul'": kernel(Let(V, ONE), Update(V, "mul", ONE)),
    "no kind 'fast'": kernel(Loop("i", 4, (), "fast")),
    "can't be a name": kernel(Let(Local("float", F), ONE)),
    "all loops at the top must be parallel": kernel(
        Loop("i", 4, (Loop("j", 8, (STORE,)),), "parallel"), Loop("j", 8, ())
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_check_says_what_breaks_a_rule(words):
    with pytest.raises(ValueError) as found:
        ir.check(WRONG[words])
    assert words in str(found.value)


def test_a_local_ends_with_the_body_that_defines_it():
    body = nest((4, 8), Let(V, ONE), Store(OUT, (i, j), V))
    ir.check(kernel(*body, *body))
    after = (*body, Update(V, "add", ONE))
    with pytest.raises(ValueError, match="'v' is used"):
        ir.check(kernel(*after))


def test_walk_meets_outer_nodes_first():
    kinds = [type(x).__name__ for x in ir.walk(matmul(2, 2, 2).body[0])]
    assert kinds[:4] == ["Loop", "Loop", "Loop", "Store"] and Var("k").dtype == "int64"
