"""Rematerialisation: to compute a value again, rather than keep it until it is read.

A backward pass reads what the forward pass computed, in reverse: the first values wait
longest, and all of them wait at once when the two meet. Where memory is short, a value
may be dropped over a gap in which nobody reads it, and computed again for its next
reader (Chen et al., 2016, for whole layers; Jain et al., 2020, as a choice of values).
Here greedily: at the peak, the most bytes freed for a FLOP spent first.

Runs after `cse`, which would undo it. (Chapter 8.)
"""

import warnings
from dataclasses import dataclass, replace

from ..graph import Graph, flops, keep
from ..replace import replaceable
from .liveness import Lives, live, peak

LONGEST = 24  # nodes to compute again for one value


@dataclass(frozen=True)
class Rematerialised:
    """A graph under a budget of bytes, or as near as computing again brings it."""

    graph: Graph
    budget: int
    before: int  # peak bytes
    peak: int
    values: int  # dropped and computed again
    flops: int  # added

    @property
    def reached(self):
        return self.peak <= self.budget

    def __repr__(self):
        over = self.peak - self.budget
        return (
            f"peak {self.before:,} -> {self.peak:,} bytes by {self.values} "
            f"value{'s' * (self.values != 1)} computed again, {self.flops:,} FLOPs; "
            + ("within" if self.reached else f"{over:,} bytes over")
            + f" the budget of {self.budget:,}"
            + ("" if self.reached else ": nothing left to compute again would help")
        )


@dataclass(frozen=True)
class Drop:
    """A value to drop, and to compute again at place `again` from what is live there.

    `nodes` are computed again, in order, from `sources`.
    """

    value: object
    again: int
    nodes: tuple
    sources: frozenset

    @property
    def flops(self):
        return sum(map(flops, self.nodes))

    @property
    def worth(self):
        """Bytes freed for each FLOP; a value that costs none is worth its bytes."""
        return self.value.nbytes / (1 + self.flops)

    @property
    def workspace(self):
        """Bytes at `again` at most, besides the value, while it is computed."""
        return sum(x.nbytes for x in self.nodes if not x.op.view) - self.value.nbytes


def rematerialise(graph, budget):
    """`graph` with values computed again where its peak of bytes exceeds `budget`.

    Returns a Rematerialised, which says what peak it reached.
    """
    first, values = graph, 0
    while True:
        lives = Lives(graph)
        held = live(graph, lives)
        drops = choose(lives, held, budget) if max(held, default=0) > budget else ()
        if not drops:
            break
        graph = dropped(lives, drops)
        values += len(drops)
    spent = graph.flops - first.flops
    return Rematerialised(graph, budget, peak(first), peak(graph), values, spent)


def within(budget):
    """The pass that brings a graph under `budget` bytes; warns where it can't."""

    def pass_(graph):
        found = rematerialise(graph, budget)
        if not found.reached:
            warnings.warn(str(found), stacklevel=2)
        return found.graph

    return pass_


# ---- choosing what to drop


@replaceable
def choose(lives, held, budget):
    """Drops that bring the highest place under `budget`, or as far as they go."""
    top = max(range(len(held)), key=held.__getitem__)
    drops, needed, held = [], set(), list(held)
    for drop in sorted(candidates(lives, top), key=lambda d: d.worth, reverse=True):
        gone = {d.value for d in drops}
        if drop.value in needed or drop.sources & gone:
            continue  # another drop is computed from it, or the other way round
        after = held[top] - drop.value.nbytes
        if held[drop.again] + drop.workspace > max(budget, after):
            continue  # it would only move the peak to where it is computed again
        held[top], held[drop.again] = after, held[drop.again] + drop.workspace
        drops.append(drop)
        needed |= drop.sources
        if after <= budget:
            break
    return drops


def candidates(lives, top):
    """A Drop for each value that waits while the node at `top` runs."""
    for value, reads in lives.reads.items():
        waits = lives.born(value) < top < lives.dies(value) and top not in reads
        if waits and value not in lives.kept and not isinstance(value.dtype, tuple):
            again = next(i for i in reads if i > top)
            found = recipe(lives, value, again)
            if found is not None:
                yield Drop(value, again, *found)


def recipe(lives, value, place):
    """(nodes, sources) to compute `value` at `place`; None where that is too long."""
    nodes, sources, pending = {value}, set(), list(value.inputs)
    while pending:
        x = pending.pop()
        if lives.dies(lives.owner[x]) >= place:
            sources.add(lives.owner[x])
        elif x not in nodes:
            nodes.add(x)
            pending.extend(x.inputs)
        if len(nodes) > LONGEST:
            return None
    return tuple(sorted(nodes, key=lives.place.get)), frozenset(sources)


# ---- dropping it


def dropped(lives, drops):
    """The graph in which readers from `drop.again` on read the value's second copy.

    The order needn't name the copies: a node's inputs come right before it.
    """
    now, order, again = {}, [], {}
    for drop in drops:
        again.setdefault(drop.again, []).append(drop)
    for i, node in enumerate(lives.graph.nodes):
        for x in copies(lives, again.get(i, ())):
            now[x] = replace(x, inputs=tuple(now[y] for y in x.inputs))
        now[node] = keep(node, tuple(now[x] for x in node.inputs))
        order.append(now[node])
    outputs = tuple(now[x] for x in lives.graph.outputs)
    return Graph(lives.graph.inputs, outputs, tuple(order))


def copies(lives, drops):
    """What is made a second time for `drops`: their nodes, and views of the values."""
    nodes = {x for drop in drops for x in drop.nodes}
    values = {drop.value for drop in drops}
    for x in lives.graph.nodes if drops else ():
        if x in nodes or (lives.owner[x] in values and x.op.view):
            yield x
