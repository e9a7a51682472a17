"""Passes one after another, checked after each, and what each of them changed.

The rules of the table say what shape and dtype each node has. A pass that breaks one,
or the graph's signature, is named at once and not where the program falls over.
(Chapter 8.)
"""

from dataclasses import dataclass
from time import perf_counter

from ..graph import check
from .cse import cse
from .dce import dce
from .fold import fold
from .inside import everywhere
from .simplify import simplify

PASSES = {p.__name__: everywhere(p) for p in (fold, simplify, cse, dce)}


def optimise(graph, passes=PASSES):
    """`graph` after `passes`, {name: pass}, each held to the rules of the table."""
    return report(graph, passes).graph


@dataclass(frozen=True)
class Row:
    """What one pass changed: nodes, bytes and FLOPs as (before, after)."""

    name: str
    nodes: tuple
    nbytes: tuple
    flops: tuple
    seconds: float  # of the pass and of checking what it made, measured here


@dataclass(frozen=True)
class Report:
    """The graph after all passes, and a Row for each; prints as a table of counts."""

    graph: object
    rows: tuple

    def __repr__(self):
        head = ("pass", "operations", "MB moved", "MFLOP")
        cells = [head, *map(cells_of, self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        return "\n".join(
            "  ".join(map(str.ljust, row, widths)).rstrip() for row in cells
        )


def cells_of(row):
    return (
        row.name,
        arrow(row.nodes, "{:,}"),
        arrow([n / 1e6 for n in row.nbytes], "{:,.2f}"),
        arrow([n / 1e6 for n in row.flops], "{:,.2f}"),
    )


def arrow(pair, form):
    """`before -> after`, or one number where nothing changed."""
    before, after = (form.format(n) for n in pair)
    return before if before == after else f"{before} -> {after}"


def report(graph, passes=PASSES):
    """The Report of `passes` on `graph`: a table to print, and the graph they made.

    ValueError, with the name of the pass, where one breaks the rules of the table.
    """
    rows, size = [], sizes(graph)
    for name, function in passes.items():
        start = perf_counter()
        graph = checked(name, function(graph), graph)
        seconds = perf_counter() - start
        before, size = size, sizes(graph)
        rows.append(Row(name, *zip(before, size), seconds))
    return Report(graph, tuple(rows))


def sizes(graph):
    return len(graph), graph.nbytes, graph.flops


def checked(name, graph, like):
    try:
        return check(graph, like=like)
    except ValueError as error:
        raise ValueError(f"after pass {name!r}: {error}") from None
