"""Which loops of a kernel go to the threads of a GPU, and how. (Chapter 9.)

Iterations that touch different memory may run at once. Of a nest, the loops of which
that is true go to the grid, the others stay in each thread, inside of them. What is
left in the body decides the form: a thread an element, or a block a row, whose threads
share the row's inner loops. Where neither is right, one block does it all.
"""

from dataclasses import dataclass, replace

from .cuda_text import total
from .dependence import accesses, affine, conflict, within
from .loops import Let, Loop, Update, Var, substitute
from .schedule import chain

WARP = 32


@dataclass(frozen=True)
class Plan:
    outer: tuple  # loops whose iterations go to the grid
    body: tuple  # what is done in each
    rows: bool  # whether a block does an iteration, or a thread
    before: tuple = ()  # scalars that all need


def plan(kernel):
    """The Plan of a kernel."""
    first = next((i for i, s in enumerate(kernel.body) if not isinstance(s, Let)), 0)
    before, nests = kernel.body[:first], kernel.body[first:]
    if nests and all(isinstance(s, Loop) for s in nests):
        outer, body = together([spread(s, kernel.scratch) for s in nests], kernel)
        if outer:
            body = body if total(outer) else ()
            return Plan(outer, body, by_rows(outer, body), before)
    return Plan((), kernel.body, True)


def spread(loop, scratch=(), reductions=False):
    """(loops of a nest whose iterations may all run at once, the rest as a body)."""
    nest, chosen = chain(loop), []
    for candidate in nest:
        rest = [x for x in nest if x not in chosen and x is not candidate]
        (whole,) = around([candidate, *rest], nest[-1].body)
        fixed = isinstance(candidate.extent, int) and candidate.kind != "unroll"
        if fixed and conflict(whole, scratch, reductions) is None:
            chosen.append(candidate)
    rest = [x for x in nest if x not in chosen]
    return tuple(chosen), around(rest, nest[-1].body)


def around(loops, body):
    """`body` inside the loops, the first outermost."""
    for loop in loops[::-1]:
        body = (replace(loop, body=body),)
    return body


def together(nests, kernel):
    """Nests with the same loops as one, its body all their bodies; else ((), ()).

    There is no barrier across a grid: each iteration may only need what it made itself.
    """
    (outer, body), *others = nests
    for loops, own in others:
        if [x.extent for x in loops] != [x.extent for x in outer]:
            return (), ()
        names = {Var(a.var): Var(b.var) for a, b in zip(loops, outer)}
        if clash(body, own, outer):
            return (), ()
        body += tuple(substitute(s, names) for s in own)
    for place, loop in enumerate(outer):
        (whole,) = around([loop, *outer[place + 1 :]], body)
        if others and conflict(whole, kernel.scratch):
            return (), ()
    return outer, body


def clash(body, own, outer):
    """Whether two bodies, side by side, would define one name twice."""
    inner = {x.var for x in within(own, Loop)}
    lets = [{s.local for s in b if isinstance(s, Let)} for b in (body, own)]
    return bool(inner & {x.var for x in outer}) or bool(lets[0] & lets[1])


def by_rows(outer, body):
    """Whether loads stand side by side along the loops inside, more than outside.

    A row shorter than a warp isn't worth a block.
    """
    shared = [x for x in shared_loops(body) if total(x) >= WARP]
    inner = {loop.var for loops in shared for loop in loops}
    loads = [a for a in accesses(body) if a.index and not a.store]
    loads = [affine(a.index[-1]) or {} for a in loads]
    along = sum(any(terms.get(name) == 1 for name in inner) for terms in loads)
    across = sum(terms.get(outer[-1].var) == 1 for terms in loads)
    return along > across


def shared_loops(body):
    """The loops that the threads of a block can share, nest by nest."""
    found = []
    for loop in (s for s in body if isinstance(s, Loop)):
        loops, _ = spread(loop, reductions=True)
        found += [loops] if loops else shared_loops(loop.body)
    return found


def threads_of(way):
    """Threads for a block: as its longest loop needs; fewer where there are others."""
    longest = max((total(x) for x in shared_loops(way.body)), default=1)
    return min(256 if way.outer else 1024, -(-max(longest, 1) // WARP) * WARP)


def updated(body):
    """{local: fn} of the scalars from outside that a body updates."""
    inside = {let.local for let in within(body, Let)}
    found = {u.local: u.fn for u in within(body, Update)}
    return {local: fn for local, fn in found.items() if local not in inside}
