"""A kernel as loops: what stands between a graph and the text of a program.

    i, j = Var("i"), Var("j")
    x, out = Buffer("x", (4, 8), "float32"), Buffer("out", (4, 8), "float32")
    row = Store(out, (i, j), Load(x, (i, j)) * 2)
    Kernel("twice", (out,), (x,), body=(Loop("i", 4, (Loop("j", 8, (row,)),)),))

Loops, loads, stores, scalars: little enough that a schedule can rewrite it and a
printer can write it in any language. Indices are in range, 0 to n - 1; no two buffers
of a kernel share memory. `nodes` has the parts, `walking` and `checking` what is done
with them; all are found here. (Chapter 9.)
"""

from .checking import check  # noqa: F401
from .functions import FUNCTIONS, Form
from .nodes import *  # noqa: F403
from .nodes import Kernel, Let, Load, Loop, Store, Update  # noqa: F401
from .walking import mapped, parts, substitute, walk  # noqa: F401
from .writing import Language, expression


def form(node, family):
    """In the text of a kernel, operators stand as they are; all else has its name."""
    row = FUNCTIONS[node.fn].python.get("any")
    operator = row and row.text.startswith("{0} ") and "type" not in row.text
    places = ", ".join(f"{{{i}}}" for i in range(len(node.args)))
    return row if operator else Form(f"{node.fn}({places})")


PLAIN = Language(
    form=form,
    constant=lambda value, dtype: f"{value}",
    type=lambda dtype: dtype.name,
    load=lambda node: f"{node.buffer.name}[{', '.join(map(word, node.index))}]",
)


def text(kernel):
    """The kernel as its reader wants it: a line a statement, loops by indentation."""
    kinds = {"out": kernel.outputs, "in": kernel.inputs, "scratch": kernel.scratch}
    lines = [f"kernel {kernel.name}"]
    for kind, buffers in kinds.items():
        lines += [f"  {kind} {b.name}: {b.dtype}{list(b.shape)}" for b in buffers]
    lines += [f"  scalar {p.name}: {p.dtype}" for p in kernel.params]
    return "\n".join(lines + list(written(kernel.body, "  ")))


def written(body, margin):
    for statement in body:
        yield margin + LINES[type(statement)](statement)
        if isinstance(statement, Loop):
            yield from written(statement.body, margin + "  ")


def word(node):
    return f"{node}" if isinstance(node, int) else expression(node, PLAIN)[0]


def store_line(node):
    return f"{word(Load(node.buffer, node.index))} {node.fn or ''}= {word(node.value)}"


LINES = {
    Loop: lambda s: f"{s.kind} {s.var} < {word(s.extent)}",
    Let: lambda s: f"{s.local.name}: {s.local.dtype} = {word(s.value)}",
    Update: lambda s: f"{s.local.name} {s.fn}= {word(s.value)}",
    Store: store_line,
}
