"""The words of CUDA C: types, numbers, places in memory, statements. (Chapter 9.)

A buffer is a pointer here: its index becomes one number, by the rows it steps over.
"""

import math
import re

from . import loops as ir
from .functions import ATOM, FUNCTIONS, PRODUCT, family, infix
from .writing import Language, expression

C_TYPES = {
    "float32": "float", "float64": "double", "bool": "bool", "int64": "long long",
    "int32": "int", "int16": "short", "int8": "signed char", "uint8": "unsigned char",
}  # fmt: skip
INFINITY = {"float32": "(1.0f / 0.0f)", "float64": "(1.0 / 0.0)"}
NAN = {"float32": "(0.0f / 0.0f)", "float64": "(0.0 / 0.0)"}
STEP = "    "


def type_text(dtype):
    if dtype.name not in C_TYPES:
        raise ValueError(f"no {dtype} in generated CUDA C: cast it to float32")
    return C_TYPES[dtype.name]


def constant(value, dtype):
    if dtype.kind == "b":
        return "true" if value else "false"
    if dtype.kind in "iu":
        return str(int(value))
    digits = repr(float(value))
    if digits == "nan":
        return NAN[dtype.name]
    if digits.endswith("inf"):
        return digits.replace("inf", INFINITY[dtype.name])
    return f"{digits}f" if dtype.name == "float32" else digits


def flat(index, shape):
    """The number of an element, counted in row order."""
    number = ir.Const(0, ir.INT)
    for i, n in zip(index, shape):
        number = number * n + i
    return number


def load(node):
    return f"{node.buffer.name}[{value(flat(node.index, node.buffer.shape))}]"


def wrapped(text, level, dtype):
    """C computes with integers below int as int; NumPy's wrap around."""
    small = dtype.kind in "iu" and dtype.itemsize < 4
    return (f"({type_text(dtype)})({text})", ATOM) if small else (text, level)


def form(node, chosen):
    """Of numbers that can't be negative, C's / and % are NumPy's // and %."""
    signs = {"floordiv": "/", "mod": "%"}
    if node.fn in signs and all(map(natural, node.args)):
        return infix(signs[node.fn], PRODUCT)
    return FUNCTIONS[node.fn].form("cuda", chosen)


def natural(node):
    """Whether an integer expression is certainly not negative."""
    if isinstance(node, ir.Const):
        return node.value >= 0
    kept = isinstance(node, ir.Call) and node.fn in ("add", "mul", "floordiv", "mod")
    return isinstance(node, ir.Var) or (kept and all(map(natural, node.args)))


CUDA = Language(form, constant, type_text, load, wrapped)


def value(node):
    return str(node) if isinstance(node, int) else expression(node, CUDA)[0]


# ---- statements, as one thread runs them


def thread(body, margin):
    """The lines of a body that a thread runs by itself."""
    return [line for s in body for line in LINES[type(s)](s, margin)]


def let(node, margin):
    kind = type_text(node.local.dtype)
    return [f"{margin}{kind} {node.local.name} = {value(node.value)};"]


def update(node, margin):
    new, dtype = expression(node.value, CUDA), node.local.dtype
    return [margin + assigned(node.local.name, node.fn, new, dtype)]


def store(node, margin):
    where = value(ir.Load(node.buffer, node.index))
    new, dtype = expression(node.value, CUDA), node.buffer.dtype
    return [margin + assigned(where, node.fn, new, dtype)]


def assigned(where, fn, new, dtype):
    """`where = new`, or its update by `fn`; `new` is (text, level)."""
    if fn is None:
        return f"{where} = {new[0]};"
    if fn == "add" and dtype.kind != "b":
        return f"{where} += {new[0]};"
    text, level = FUNCTIONS[fn].form("cuda", family(dtype)).fill([(where, ATOM), new])
    return f"{where} = {wrapped(text, level, dtype)[0]};"


def loop(node, margin):
    pragma = [f"{margin}#pragma unroll"] if node.kind == "unroll" else []
    head = f"for (int {node.var} = 0; {node.var} < {value(node.extent)}; ++{node.var})"
    return [
        *pragma,
        f"{margin}{head} {{",
        *thread(node.body, margin + STEP),
        margin + "}",
    ]


LINES = {ir.Let: let, ir.Update: update, ir.Store: store, ir.Loop: loop}


# ---- many loops as one


def strided(loops, first, step, margin, body):
    """A loop over all elements of `loops`, from `first` in steps of `step`.

    `body(margin)` gives its lines. With several loops, `t` counts and they are digits.
    """
    name = loops[0].var if len(loops) == 1 else "t"
    n, inside = total(loops), margin + STEP
    head = f"for (int {name} = {first}; {name} < {n}; {name} += {step}) {{"
    lines = body(inside)
    return [margin + head, *digits(loops, lines, inside), *lines, margin + "}"]


def digits(loops, lines, margin):
    """The loops' variables from `t`, those which the lines use."""
    if len(loops) == 1:
        return []
    text, rows, size = "\n".join(lines), [], 1
    for loop in loops[::-1]:
        part = f"t / {size}" if size > 1 else "t"
        part += f" % {loop.extent}" if loop is not loops[0] else ""
        if uses(text, loop.var):
            rows.append(f"{margin}int {loop.var} = {part};")
        size *= loop.extent
    return rows[::-1]


def uses(text, name):
    return bool(re.search(rf"\b{name}\b", text))


def total(loops):
    return math.prod(loop.extent for loop in loops)
