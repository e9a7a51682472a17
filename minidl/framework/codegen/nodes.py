"""What a kernel is made of: buffers, expressions, statements. (Chapter 9.)

All are values: frozen, comparable, built and rebuilt by pure functions. `loops` has
those that read and rewrite them.
"""

from dataclasses import dataclass

import numpy as np

INT = np.dtype(np.int64)
KINDS = ("serial", "parallel", "vector", "unroll")
UPDATES = ("add", "maximum", "minimum", "larger")


class Node:
    """An expression or a statement: its fields hold its parts."""

    def __post_init__(self):
        for name, value in self.__dict__.items():
            object.__setattr__(self, name, plain(name, value))


def plain(name, value):
    """A field as it is kept: tuples, np.dtypes, Python's own numbers."""
    if name == "dtype":
        return np.dtype(value)
    if isinstance(value, list | tuple):
        return tuple(plain("", part) for part in value)
    return value.item() if isinstance(value, np.generic) else value


class Expr(Node):
    """Expressions add and multiply as numbers do; integers fold as they are built."""

    def __add__(self, other):
        return call("add", self, other)

    def __radd__(self, other):
        return call("add", other, self)

    def __sub__(self, other):
        return call("sub", self, other)

    def __rsub__(self, other):
        return call("sub", other, self)

    def __mul__(self, other):
        return call("mul", self, other)

    def __rmul__(self, other):
        return call("mul", other, self)

    def __floordiv__(self, other):
        return call("floordiv", self, other)

    def __mod__(self, other):
        return call("mod", self, other)


@dataclass(frozen=True)
class Buffer(Node):
    """Memory of dense numbers in row order."""

    name: str
    shape: tuple
    dtype: np.dtype


# ---- expressions


@dataclass(frozen=True)
class Var(Expr):
    """The index of a loop."""

    name: str
    dtype = INT


@dataclass(frozen=True)
class Const(Expr):
    value: object
    dtype: np.dtype


@dataclass(frozen=True)
class Param(Expr):
    """A scalar that the caller passes."""

    name: str
    dtype: np.dtype


@dataclass(frozen=True)
class Local(Expr):
    """A scalar that a Let defines."""

    name: str
    dtype: np.dtype


@dataclass(frozen=True)
class Load(Expr):
    buffer: Buffer
    index: tuple  # an integer expression for each dimension

    @property
    def dtype(self):
        return self.buffer.dtype


@dataclass(frozen=True)
class Call(Expr):
    """A row of FUNCTIONS on arguments of the dtype in which it computes."""

    fn: str
    args: tuple
    dtype: np.dtype


# ---- statements


@dataclass(frozen=True)
class Let(Node):
    """Defines a local, to the end of the body that it stands in."""

    local: Local
    value: Expr


@dataclass(frozen=True)
class Update(Node):
    """local = fn(local, value), fn being one of UPDATES: a step of a reduction."""

    local: Local
    fn: str
    value: Expr


@dataclass(frozen=True)
class Store(Node):
    """buffer[index] = value, or fn(buffer[index], value)."""

    buffer: Buffer
    index: tuple
    value: Expr
    fn: str | None = None


@dataclass(frozen=True)
class Loop(Node):
    """`body` for var = 0 to extent - 1; `kind` says how, and never what comes out."""

    var: str
    extent: object  # an int or an integer expression
    body: tuple
    kind: str = "serial"


@dataclass(frozen=True)
class Kernel(Node):
    """An output may be read as well; `scratch` is memory of one run of the kernel."""

    name: str
    outputs: tuple
    inputs: tuple = ()
    params: tuple = ()
    scratch: tuple = ()
    body: tuple = ()


# ---- building


def call(fn, *args):
    """`fn` of expressions or numbers, in the dtype of the first that is no number."""
    dtype = next(a.dtype for a in args if isinstance(a, Expr))
    args = tuple(a if isinstance(a, Expr) else Const(a, dtype) for a in args)
    folded = fold(fn, *args) if fn in FOLDS and dtype == INT else None
    return Call(fn, args, dtype) if folded is None else folded


FOLDS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "minimum": min,
    "maximum": max,
}
UNITS = {("add", 0), ("sub", 0), ("mul", 1), ("floordiv", 1)}  # x fn unit is x


def fold(fn, a, b):
    """The simpler expression that integers `a fn b` are, or None."""
    if isinstance(a, Const) and isinstance(b, Const) and fn in FOLDS:
        return Const(FOLDS[fn](a.value, b.value), INT)
    if isinstance(b, Const) and (fn, b.value) in UNITS:
        return a
    if isinstance(a, Const) and fn in ("add", "mul") and (fn, a.value) in UNITS:
        return b
    if fn == "add" and isinstance(b, Call) and b.fn == "add":
        return call("add", call("add", a, b.args[0]), b.args[1])
    return None
