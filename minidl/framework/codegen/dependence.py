"""Which iterations of a loop touch the same memory: what a schedule may change.

An index is read as a sum of loop variables times numbers. Of `a[16 * i + j]` with j
below 16 we can say that two values of i never meet; of `a[b[i]]` we can say nothing,
and then the loop stays as it is. (Chapter 9.)
"""

from dataclasses import dataclass

from .loops import (
    Call,
    Const,
    Expr,
    Let,
    Load,
    Local,
    Loop,
    Store,
    Update,
    Var,
    parts,
    walk,
)

UNBOUNDED = float("inf")


def affine(index):
    """{name of a loop: factor} of an index that is such a sum, else None.

    What it adds beside loops, the same in all iterations, is left out.
    """
    if isinstance(index, Const):
        return {}
    if isinstance(index, Var):
        return {index.name: 1}
    if isinstance(index, Call) and index.fn in ("add", "sub", "mul"):
        return combined(index.fn, *index.args)
    return None


def combined(fn, a, b):
    if fn == "mul":
        a, b = (b, a) if isinstance(a, Const) else (a, b)
        terms = affine(a) if isinstance(b, Const) else None
        return terms and {name: factor * b.value for name, factor in terms.items()}
    left, right = affine(a), affine(b)
    if left is None or right is None:
        return None
    sign = 1 if fn == "add" else -1
    names = {**left, **right}
    return {n: left.get(n, 0) + sign * right.get(n, 0) for n in names}


def most_rounds(loop):
    """The most iterations that a loop may have."""
    if isinstance(loop.extent, int):
        return loop.extent
    arguments = getattr(loop.extent, "args", ())
    known = [a.value for a in arguments if isinstance(a, Const)]
    bounded = getattr(loop.extent, "fn", "") == "minimum" and known
    return min(known) if bounded else UNBOUNDED


@dataclass(frozen=True)
class Access:
    buffer: object
    index: tuple
    fn: str | None = None  # of a store that updates
    store: bool = False


def accesses(body):
    """Each load and store of the statements, in the order in which they happen."""
    found = []
    for statement in body:
        for part in parts(statement):
            if isinstance(part, Expr):
                loads = [x for x in walk(part) if isinstance(x, Load)]
                found += [Access(x.buffer, x.index) for x in loads]
        if isinstance(statement, Store):
            index, fn = statement.index, statement.fn
            found.append(Access(statement.buffer, index, fn, store=True))
        if isinstance(statement, Loop):
            found += accesses(statement.body)
    return found


def within(body, kind):
    """All nodes of a kind in the statements of a body."""
    return [x for statement in body for x in walk(statement) if isinstance(x, kind)]


def separates(index, name, rounds):
    """Whether `index` differs in any two iterations of loop `name`.

    `rounds` says how often the loops inside run; what they add must stay below a step.
    """
    terms = affine(index)
    if not terms or not terms.get(name):
        return False
    reach = sum(abs(f) * (rounds[n] - 1) for n, f in terms.items() if n in rounds and f)
    return reach < abs(terms[name])


def conflict(loop, scratch=(), reductions=False):
    """Why the iterations of a loop can't run at the same time; None if they can.

    `scratch` buffers are taken as each iteration's own if it writes before it reads.
    With `reductions`, Updates of scalars from outside are allowed, if nothing else in
    the loop reads these.
    """
    found = accesses(loop.body)
    rounds = {x.var: most_rounds(x) for x in within(loop.body, Loop)}
    for buffer in {a.buffer for a in found if a.store}:
        of_it = [a for a in found if a.buffer == buffer]
        own = of_it[0].store and of_it[0].fn is None
        if not (buffer in scratch and own) and not apart(of_it, loop.var, rounds):
            return f"two of them may touch one element of {buffer.name}"
    return scalar_conflict(loop, reductions)


def apart(of_one_buffer, name, rounds):
    """Whether some dimension keeps the accesses of any two iterations apart."""
    return any(
        len(set(same)) == 1 and separates(same[0], name, rounds)
        for same in zip(*(a.index for a in of_one_buffer))
    )


def scalar_conflict(loop, reductions):
    inside = {let.local for let in within(loop.body, Let)}
    updates = [u for u in within(loop.body, Update) if u.local not in inside]
    for local in {u.local for u in updates}:
        if not reductions:
            return f"all of them update {local.name}"
        fns = {u.fn for u in updates if u.local == local}
        if len(fns) > 1 or reads(loop.body, local):
            return f"each needs the {local.name} that the one before it left"
    return None


def reads(body, local):
    """Whether a statement reads a local other than by its own Update."""
    named = sum(x == local for x in within(body, Local))
    return named > sum(u.local == local for u in within(body, Update))


def determined(index, rounds):
    """The loops of `rounds` whose variables can be told from the value of `index`."""
    named = set()
    for part in index:
        terms = {n: abs(f) for n, f in (affine(part) or {}).items() if n in rounds}
        ordered = sorted((n for n in terms if terms[n]), key=terms.get)
        reach = 0
        for name in ordered:
            if reach >= terms[name]:
                break
            reach += terms[name] * (rounds[name] - 1)
        else:
            named |= set(ordered)
    return named


def free_loops(node):
    """Names of the loops that an extent, an int or an expression, depends on."""
    if isinstance(node, int):
        return set()
    return {x.name for x in walk(node) if isinstance(x, Var)}
