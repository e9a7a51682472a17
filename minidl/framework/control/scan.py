"""scan: a body runs once for each row, and hands a carry on. (Chapter 7.)

    scan(*carry, *xs, *fixed; body, length, carries, rows)

`body` takes the carry, one row of each of `xs`, and what is `fixed`; it gives the next
carry, then a row for each further result. The results are the last carry and those
rows, stacked. The gradient is a scan over the rows in reverse. It needs the carry of
each step, which the forward scan keeps as further rows.
"""

from ..create import stack as stacked
from ..dtypes import is_float
from ..graph import Graph, replay
from ..tensor import Tensor
from .pull import graph_of, pull
from .several import recorded, several, zeros
from .types import dtypes_of, fit, floating, invariant, shapes_of


def split(operands, carries, rows):
    """(carry, xs, fixed)"""
    end = carries + rows
    return operands[:carries], operands[carries:end], operands[end:]


def scan_shape(*operands, body, length, carries, rows):
    carry, xs, fixed = split(operands, carries, rows)
    if any(not x or x[0] != length for x in xs):
        raise ValueError(f"each of {list(xs)} must have {length} rows")
    fit(body, [*carry, *[x[1:] for x in xs], *fixed], "the body")
    invariant(body, carries)
    ys = [(length, *shape) for shape in shapes_of(body.outputs[carries:])]
    return (*carry, *ys)


def scan_dtype(*operands, body, **attrs):
    return dtypes_of(body.outputs)


def run(*operands, body, length, carries, rows):
    carry, xs, fixed = split(operands, carries, rows)
    steps = []
    for i in range(length):
        out = replay(body, (*carry, *[x[i] for x in xs], *fixed))
        carry, ys = out[:carries], out[carries:]
        steps.append(ys)
    if not steps:
        return (*carry, *[no_rows(y, operands) for y in body.outputs[carries:]])
    return (*carry, *[stacked(column) for column in zip(*steps)])


def no_rows(node, operands):
    xp = operands[0].device.xp
    return Tensor(xp.zeros((0, *node.shape), node.dtype))


def saving(*operands, body, carries, **attrs):
    """The results of a scan that keeps its carries, as further rows, the last ones."""
    kept = body
    if body.outputs[len(body.outputs) - carries :] != body.inputs[:carries]:
        outputs = (*body.outputs, *body.inputs[:carries])
        kept = Graph(body.inputs, outputs, body.order)
    outs = recorded(scan, operands, {"body": kept, "carries": carries, **attrs})
    return outs[: len(body.outputs)]


# ---- its gradient


def gradient(gs, outs, operands, body, length, carries, rows):
    """The reverse scan: its carry is the gradients of the carry and of `fixed`."""
    carry, xs, fixed = split(operands, carries, rows)
    kept = outs[len(outs) - carries :]
    g_carry = [g for g in gs[:carries] if g is not None]
    g_rows = [g for g in gs[carries:] if g is not None]
    sums = [zeros(fixed[i]) for i in floating(fixed)]
    reverse = [x.flip(0) for x in (*kept, *xs, *g_rows)]
    answers = scan.composed(
        *g_carry, *sums, *reverse, *fixed,
        body=reversed_body(body, carries, rows, len(g_carry)),
        length=length, carries=len(g_carry) + len(sums), rows=len(reverse),
    )  # fmt: skip
    count = len(g_carry) + len(sums)
    found = [*answers[: len(g_carry)], *[g.flip(0) for g in answers[count:]]]
    found += answers[len(g_carry) : count]
    by_place = dict(zip(floating(operands), found))
    return [by_place.get(i) for i in range(len(operands))]


def reversed_body(body, carries, rows, count):
    """One step back: `count` gradients of the carry, and sums for what is fixed."""
    carry, xs, fixed = split(body.inputs, carries, rows)
    after, ys = body.outputs[:carries], body.outputs[carries:]
    groups = [
        [x for x in after if is_float(x.dtype)],
        [x for x in fixed if is_float(x.dtype)],
        [*carry, *xs],
        [y for y in ys if is_float(y.dtype)],
        fixed,
    ]

    def step(*tensors):
        g_carry, sums, inputs, g_rows, constant = parts_of(tensors, groups)
        gs = pull(body, [*inputs, *constant], [*g_carry, *g_rows])
        split_at = len(gs) - len(sums)
        added = [total + g for total, g in zip(sums, gs[split_at:])]
        return (*gs[:count], *added, *gs[count:split_at])

    return graph_of(step, [x for group in groups for x in group])


def parts_of(row, groups):
    """`row` cut into parts as long as the `groups`."""
    row = list(row)
    return [[row.pop(0) for _ in group] for group in groups]


scan = several(
    "scan",
    run,
    gradient,
    saving,
    shape=scan_shape,
    dtype=scan_dtype,
    flops=lambda result, *shapes, body, length, **attrs: length * body.flops,
)
