"""Schedules: the same loops in another order, cut, unrolled, side by side.

Each function takes a Kernel and gives another that computes the same, sums up to
rounding. What speed they bring is a matter of the machine: of its caches (tile,
reorder), its vector units (vectorise), its cores (parallelise). A loop is named by its
variable; all loops of that name are changed. ValueError says why where it can't be
done. (Chapter 9.)
"""

from dataclasses import replace

from .dependence import (
    accesses,
    conflict,
    determined,
    free_loops,
    most_rounds,
    scalar_conflict,
    within,
)
from .loops import INT, Const, Loop, Var, call, check, mapped, substitute, word
from .python import MOST_UNROLLED


def changed(kernel, var, change):
    """`kernel` with change(loop) for each loop over `var`, innermost first."""
    names = {x.var for x in within(kernel.body, Loop)}
    if var not in names:
        raise ValueError(f"no loop over {var!r}; there are {', '.join(sorted(names))}")

    def rewrite(node):
        node = mapped(node, rewrite) if isinstance(node, Loop) else node
        hit = isinstance(node, Loop) and node.var == var
        return change(node) if hit else node

    return check(replace(kernel, body=tuple(rewrite(s) for s in kernel.body)))


# ---- shape


def tile(kernel, var, size):
    """Cuts loop i into `i_outer`, over tiles, and `i_inner`, within a tile of `size`.

    Where `size` doesn't divide the extent, the last tile is smaller.
    """
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"a tile has a whole size of at least 1, not {size!r}")
    return changed(kernel, var, lambda loop: tiled(loop, size))


def tiled(loop, size):
    if loop.kind != "serial":
        raise ValueError(f"loop {loop.var} is {loop.kind} already: tile it before that")
    outer, inner = Var(f"{loop.var}_outer"), Var(f"{loop.var}_inner")
    extent = loop.extent
    extent = Const(extent, INT) if isinstance(extent, int) else extent
    tiles = plain((extent + (size - 1)) // size)
    left = call("minimum", Const(size, INT), extent - outer * size)
    even = isinstance(loop.extent, int) and loop.extent % size == 0
    body = tuple(
        substitute(s, {Var(loop.var): outer * size + inner}) for s in loop.body
    )
    return Loop(outer.name, tiles, (Loop(inner.name, size if even else left, body),))


def plain(extent):
    """A constant extent as the int that it is."""
    return extent.value if isinstance(extent, Const) else extent


def reorder(kernel, *order):
    """Nested loops in the given order, outermost first.

    They must stand directly in each other, with all statements in the innermost. Loops
    between them that aren't named stay where they are.
    """
    body = tuple(reordered(s, order, kernel) for s in kernel.body)
    if body == kernel.body and not any(covers(s, order) for s in within(body, Loop)):
        nests = {" > ".join(x.var for x in chain(s)) for s in within(body, Loop)}
        longest = [n for n in nests if not any(n in m for m in nests - {n})]
        raise ValueError(
            f"loops over {', '.join(order)} don't stand directly in each other; "
            f"those that do: {'; '.join(sorted(longest))}"
        )
    return check(replace(kernel, body=body))


def chain(loop):
    """A loop and the loops that stand directly in each other below it."""
    loops = [loop]
    while len(loop.body) == 1 and isinstance(loop.body[0], Loop):
        loop = loop.body[0]
        loops.append(loop)
    return loops


def covers(loop, order):
    return set(order) <= {x.var for x in chain(loop)}


def reordered(statement, order, kernel):
    """A statement with the nest that has all loops of `order` rearranged."""
    if not isinstance(statement, Loop):
        return statement
    if not covers(statement, order):
        body = tuple(reordered(s, order, kernel) for s in statement.body)
        return replace(statement, body=body)
    old = chain(statement)
    named = {x.var: x for x in old}
    turn = iter(order)
    new = [named[next(turn)] if x.var in order else x for x in old]
    check_order(old, new, kernel)
    body = old[-1].body
    for loop in new[::-1]:
        body = (replace(loop, body=body),)
    return body[0]


def check_order(old, new, kernel):
    """ValueError if loops `new` may not stand in place of loops `old`."""
    for place, loop in enumerate(new):
        later = free_loops(loop.extent) & {x.var for x in new[place:]}
        if later:
            raise ValueError(
                f"the extent of {loop.var} depends on {', '.join(later)}, which must "
                "stay outside of it"
            )
    body = old[-1].body
    rounds = {x.var: most_rounds(x) for x in (*old, *within(body, Loop))}
    names = [[x.var for x in loops] for loops in (old, new)]
    found = accesses(body)
    for buffer in {a.buffer for a in found if a.store}:
        of_it = [a for a in found if a.buffer == buffer]
        if not may_move(of_it, names, rounds, buffer in kernel.scratch):
            raise ValueError(
                f"{buffer.name} would get its values in another order: it is written "
                "and read at places that these loops share"
            )
    reason = scalar_conflict(replace(old[-1], body=body), reductions=True)
    if reason:
        raise ValueError(f"the iterations keep their order: {reason}")


def may_move(of_one_buffer, names, rounds, scratch):
    """Whether a buffer ends up the same when a nest runs in another order.

    So it does if it is only summed into; if it is the iteration's own; or if the loops
    that meet at one place, those its index doesn't tell, keep their order.
    """
    first = of_one_buffer[0]
    if {(a.store, a.fn) for a in of_one_buffer} == {(True, first.fn)} and first.fn:
        return True
    if scratch and first.store and first.fn is None:
        return True
    if len({a.index for a in of_one_buffer}) > 1:
        return False
    told = determined(first.index, rounds)
    before, after = ([n for n in order if n not in told] for order in names)
    return before == after


# ---- kind


def vectorise(kernel, var):
    """Declares an innermost loop fit for vector instructions.

    Numba's compiler looks for such loops by itself; on a GPU all loops that allow it
    go to threads. So this changes no text: it makes sure, or says what is in the way.
    """

    def change(loop):
        inner = [x.var for x in loop.body if isinstance(x, Loop) and x.kind != "unroll"]
        if inner:
            raise ValueError(
                f"loop {var} holds loop {inner[0]}; only an innermost loop runs as "
                "vectors: reorder it inside"
            )
        return independent(loop, "vector", kernel, reductions=True)

    return changed(kernel, var, change)


def parallelise(kernel, var):
    """Lets the caller split an outermost loop over threads."""
    if all(getattr(s, "var", None) != var for s in kernel.body):
        tops = ", ".join(s.var for s in kernel.body if isinstance(s, Loop))
        raise ValueError(f"loop {var} isn't outermost; {tops} is: reorder it outside")
    together = [s for s in kernel.body if getattr(s, "var", None) == var]
    whole = replace(together[0], body=tuple(s for x in together for s in x.body))
    independent(whole, "parallel", kernel)
    return changed(kernel, var, lambda loop: replace(loop, kind="parallel"))


def independent(loop, kind, kernel, reductions=False):
    reason = conflict(loop, kernel.scratch, reductions)
    if reason:
        raise ValueError(
            f"loop {loop.var} can't be {kind}: its iterations aren't independent, for "
            f"{reason}"
        )
    return replace(loop, kind=kind)


def unroll(kernel, var):
    """Writes the body once for each iteration, with no loop left."""

    def change(loop):
        if not isinstance(loop.extent, int) or loop.extent > MOST_UNROLLED:
            raise ValueError(
                f"loop {var} runs {word(loop.extent)} times; unrolling takes a fixed "
                f"number, {MOST_UNROLLED} at most: tile it first, by a divisor"
            )
        return replace(loop, kind="unroll")

    return changed(kernel, var, change)
