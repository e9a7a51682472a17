"""Groups: which operations may share one loop.

Members of a group walk over the same elements in the same order: elementwise operations
of one size; reductions along rows, with what is computed of a row's result; reductions
of columns, as its last act. A view in between costs nothing where it keeps that order;
where it does not, a group may read through it from memory, but not from a member.
(Chapter 8.)
"""

from math import prod

from ..codegen.roles import (
    COMPUTED,
    STRAIGHT,
    by_number,
    closes,
    in_order,
    origin,
    row_length,
    walked,
)


def cuts(shape):
    """Where rows of each depth begin: 1 x 6 x 4 is cut at every 4 and 24 elements."""
    return {prod(shape[d:]) for d in range(len(shape)) if shape[d] > 1}


def nest(places):
    """Whether cuts fit into one another, so that one nest of loops has them all."""
    ordered = sorted(places)
    return all(b % a == 0 for a, b in zip(ordered, ordered[1:]))


class Group:
    """Nodes whose loops walk over `size` elements, in rows of `row` if it matters."""

    def __init__(self, members):
        self.members = dict.fromkeys(members)  # ordered
        self.size = max(walked(node).size for node in members)
        lengths = {row_length(node) for node in members} - {None}
        self.row = lengths.pop() if lengths else None
        self.rows_agree = not lengths

    def is_possible(self):
        """Whether all members fit, and find what they read when they need it."""
        full = [walked(n).shape for n in self.members if walked(n).size == self.size]
        places = set().union(*map(cuts, full), {self.row or 1})
        return (
            self.rows_agree
            and nest(places)
            and all(self.fits(node) and self.reads(node) for node in self.members)
        )

    def fits(self, node):
        """Whether it walks over all elements, or is computed once a row."""
        return walked(node).size == self.size or self.is_per_row(node)

    def is_per_row(self, node):
        return (
            self.row is not None
            and node.op.name in COMPUTED
            and node.size * self.row == self.size
        )

    def reads(self, node):
        """Whether members that `node` reads give it a value in time and in order."""
        for i, x in enumerate(node.inputs):
            source = origin(x)
            if source in self.members and (
                closes(source)
                or not in_order(x)
                or (by_number(node) and (i == 1 or node.op.name == "index"))
                or not self.meets(source, x, node)
            ):
                return False
        return True

    def meets(self, source, x, node):
        """Whether each element of `node` needs the element of `source` at its place."""
        over = walked(node)
        if source.size == over.size:
            return True
        if self.row is None or source.size * self.row != over.size:
            return False
        return repeats(x, self.row) and (
            x.size == over.size or trails(x.shape, over.shape, self.row)
        )


def repeats(x, row):
    """Whether expands on the way to `x` repeat elements along whole rows only."""
    while x.op.name in STRAIGHT:
        before = x.inputs[0]
        if x.size != before.size and not trails(before.shape, x.shape, row):
            return False
        x = before
    return True


def trails(shape, wide, row):
    """Whether `shape` broadcasts to `wide` along a row, in the last dimensions."""
    padded = (1,) * (len(wide) - len(shape)) + tuple(shape)
    lead = next((d for d in range(len(wide)) if padded[d] != wide[d]), len(wide))
    return prod(padded[lead:]) == 1 and prod(wide[lead:]) == row
