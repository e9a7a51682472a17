"""cond, while_loop and scan as a program calls them, with functions for graphs.

On tensors with elements Python runs them, and the tape sees what it does. While a
program is traced each becomes one node, which holds what either branch, or the body,
would do. Operands, states and results may be nests of tensors. What follows `names` is
for front ends: names and unsettled dtypes of leaves, how results match. (Chapter 7.)
"""

from ..create import stack as stacked
from ..graph import input_node
from ..op import stack
from ..tensor import Tensor
from ..trace.symbol import Symbol
from ..tree import flatten, form
from .cond import cond as cond_row
from .inner import as_tensor, graphs, inside
from .loop import loop
from .scan import scan as scan_row


def cond(pred, then, otherwise, *operands, names=(), match=None):
    """then(*operands) if `pred`, one truth value, holds, else otherwise(*operands).

    Traced, both must return the same nest of the same types.
    """
    if stack.recorder is None or not isinstance(pred, Tensor):
        return then(*operands) if pred else otherwise(*operands)
    leaves, build = flatten(operands)
    inners, answers = zip(
        *[inside(spread(f, build), leaves, names) for f in (then, otherwise)]
    )
    (first, rebuild), (second, _) = map(flatten, (match or alike)(*answers))
    moving = [i for i, x in enumerate(first) if isinstance(x, Tensor)]
    both, reads = graphs(inners, [[x[i] for i in moving] for x in (first, second)])
    operands = [*map(as_tensor, leaves), *reads]
    found = cond_row.composed(pred, *operands, then=both[0], otherwise=both[1])
    results = dict(zip(moving, found))
    return rebuild([results.get(i, x) for i, x in enumerate(first)])


def alike(one, other):
    """What two branches return, with tensors for numbers that differ."""
    if form(one) != form(other):
        raise ValueError(f"cond: one branch returns {form(one)}, one {form(other)}")
    (first, build), (second, _) = flatten(one), flatten(other)
    pairs = [matched(x, y) for x, y in zip(first, second)]
    return build([x for x, _ in pairs]), build([y for _, y in pairs])


def spread(function, build):
    """`function` of a nest, as a function of its leaves."""
    return lambda *leaves: function(*build(leaves))


def matched(x, y):
    """Leaves of two branches: as they are if equal and no tensors, else as tensors."""
    tensors = [v for v in (x, y) if isinstance(v, Tensor)]
    if not tensors and (x is y or type(x) is type(y) and x == y):
        return x, y
    like = tensors[0] if tensors else None
    return as_tensor(x, like), as_tensor(y, like)


def while_loop(test, body, *state, max_steps=None, names=(), weak=()):
    """The state once `test(*state)` fails; `body(*state)` is the next one.

    A state of one returns by itself, of several as a tuple. It stops after `max_steps`
    in any case. A traced loop needs this bound to have a gradient.
    """
    if stack.recorder is None:
        steps = 0
        while steps != max_steps and test(*state):
            state = as_state(body(*state))
            steps += 1
        return state if len(state) > 1 else state[0]
    leaves, build = flatten(state)

    def step(*leaves):
        return flatten(as_state(body(*build(leaves))))[0]

    leaves = settled(step, leaves, names, weak)
    inners, answers = zip(
        *[inside(f, leaves, names) for f in (spread(test, build), step)]
    )
    after = list(map(as_tensor, answers[1], leaves))
    (check, round_), reads = graphs(inners, [[as_tensor(answers[0])], after])
    found = loop.composed(*leaves, *reads, test=check, body=round_, max_steps=max_steps)
    state = build(found)
    return state if len(state) > 1 else state[0]


def as_state(value):
    return value if isinstance(value, tuple) else (value,)


def settled(step, leaves, names=(), weak=()):
    """`leaves` as tensors; numbers among them in the dtype that they have after a step.

    A 0 to which a loop adds float64 numbers is float64 from the start. Leaves at `weak`
    were numbers before.
    """
    tensors = list(map(as_tensor, leaves))
    free = {i for i, x in enumerate(leaves) if not isinstance(x, Tensor)} | {*weak}
    if free:
        _, after = inside(step, tensors, names)
        for i in free:
            if isinstance(after[i], Tensor):
                tensors[i] = tensors[i].cast(after[i].dtype)
    return tensors


def scan(function, carry, xs, names=(), weak=()):
    """(the last carry, ys stacked): carry, y = function(carry, row) for each row.

    Rows are along the leading dimension of all tensors in `xs`.
    """
    rows, build_xs = flatten(xs)
    if not rows or not all(isinstance(x, Tensor) and x.ndim for x in rows):
        raise TypeError("scan takes rows of tensors, which have a leading dimension")
    if stack.recorder is None:
        return scan_now(function, carry, rows, build_xs)
    first, build = flatten(carry)
    count = len(first)

    def step(*leaves):
        after, y = function(build(leaves[:count]), build_xs(leaves[count:]))
        step.build_ys = flatten(y)[1]
        return [*flatten(after)[0], *flatten(y)[0]]

    slices = [Tensor(Symbol(input_node("row", x.shape[1:], x.dtype))) for x in rows]
    first = settled(step, [*first, *slices], names, weak)[:count]
    inner, after = inside(step, [*first, *slices], names)
    likes = [*first, *[None] * (len(after) - count)]
    (body,), reads = graphs([inner], [list(map(as_tensor, after, likes))])
    found = scan_row.composed(
        *first, *rows, *reads,
        body=body, length=len(rows[0]), carries=count, rows=len(rows),
    )  # fmt: skip
    return build(found[:count]), step.build_ys(found[count:])


def scan_now(function, carry, rows, build_xs):
    steps = []
    for i in range(len(rows[0])):
        carry, y = function(carry, build_xs([x[i] for x in rows]))
        leaves, build_ys = flatten(y)
        steps.append(leaves)
    if not steps:
        raise ValueError("scan over no rows: nothing says what the results would be")
    return carry, build_ys([joined(column) for column in zip(*steps)])


def joined(column):
    return None if column[0] is None else stacked(list(map(as_tensor, column)))
