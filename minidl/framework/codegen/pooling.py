"""Loops of pooling, with images last in memory, and of padding. (Chapter 9.)

Each channel is a thread's own. A run along the images of one place is a vector loop:
all that stands in a window is there n numbers further, the same for all images.
"""

from itertools import product
from math import prod

from .loops import Buffer, Call, Const, Kernel, Let, Load, Local, Loop, Store, Var

TRUTH = "bool"


def nest(extents, body, kinds=()):
    """`body` in loops, {variable: extent}, the first outermost."""
    for name, extent in list(extents.items())[::-1]:
        body = (Loop(name, extent, tuple(body), dict(kinds).get(name, "serial")),)
    return body


def images(name, node):
    return Buffer(name, node.shape, node.dtype)


def window(size, stride):
    """The index (c, row, column, n) of each element of the window at (r, s)."""
    c, r, s, n = map(Var, "crsn")
    places = product(*map(range, size))
    return [(c, r * stride[0] + i, s * stride[1] + j, n) for i, j in places]


LOOPS_OF_PLACES = (("c", "parallel"), ("n", "vector"))


def pool_last(node):
    """The Kernel that finds the largest of each window."""
    x, out = images("x0", node.inputs[0]), images("y0", node)
    best, *others = [Load(x, p) for p in window(**node.attrs)]
    for other in others:
        best = Call("maximum", (best, other), node.dtype)
    store = Store(out, tuple(map(Var, "crsn")), best)
    body = nest(dict(zip("crsn", node.shape)), [store], LOOPS_OF_PLACES)
    return Kernel("pool_last", (out,), (x,), body=body)


def pool_last_back(node):
    """The Kernel that puts the gradient of each window back where its best stands.

    What the first elements that reach the best leave is nothing: `rest` is all of the
    gradient, until it has been given away.
    """
    y, x, best = (images(f"x{i}", v) for i, v in enumerate(node.inputs))
    out, here, dtype = images("y0", node), tuple(map(Var, "crsn")), node.dtype
    zero, top, rest = Const(0, dtype), Local("best", dtype), Local("rest0", dtype)
    body = [Let(top, Load(best, here)), Let(rest, Load(y, here))]
    fn = None if tiled(node) else "add"
    *places, last = window(**node.attrs)
    for number, place in enumerate(places):
        hit, left = Local(f"hit{number}", TRUTH), Local(f"rest{number + 1}", dtype)
        body.append(Let(hit, Call("eq", (Load(x, place), top), TRUTH)))
        body.append(Store(out, place, Call("where", (hit, rest, zero), dtype), fn))
        body.append(Let(left, Call("where", (hit, zero, rest), dtype)))
        rest = left
    body.append(Store(out, last, rest, fn))
    loops = nest(dict(zip("rsn", y.shape[1:])), body, LOOPS_OF_PLACES)
    if fn:
        loops = (*cleared(out), *loops)
    whole = (Loop("c", node.shape[0], loops, "parallel"),)
    return Kernel("pool_last_back", (out,), (y, x, best), body=whole)


def tiled(node):
    """Whether each element is in just one window."""
    size, stride = node.attrs["size"], node.attrs["stride"]
    whole = all(n % k == 0 for n, k in zip(node.shape[1:3], size))
    return tuple(size) == tuple(stride) and whole


def cleared(out):
    """Zeros all over channel c."""
    index = tuple(map(Var, ("c", "h0", "w0", "n0")))
    store = Store(out, index, Const(0, out.dtype))
    return nest(dict(zip(("h0", "w0", "n0"), out.shape[1:])), [store])


# ---- padding


def pad(node):
    """The Kernel that writes an array with zeros around it; None for one with steps.

    Each element is written once. Dimensions at the end that get no border are part of
    the run of the dimension before.
    """
    source, ranges = node.inputs[0].shape, node.attrs["index"]
    if any(step != 1 for *_, step in ranges) or not prod(source):
        return None
    starts = [start for start, *_ in ranges]
    spans = merged(list(zip(starts, source, node.shape)))
    x = Buffer("x0", tuple(n for _, n, _ in spans), node.dtype)
    out = Buffer("y0", tuple(m for *_, m in spans), node.dtype)
    body = bordered(spans, x, out, (), ())
    if len(body) == 1 and isinstance(body[0], Loop):
        body = (Loop(body[0].var, body[0].extent, body[0].body, "parallel"),)
    return Kernel("pad", (out,), (x,), body=body)


def merged(spans):
    """(start, size, whole size) by dimension, the last ones that are whole in one."""
    run = 1
    while len(spans) > 1 and spans[-1][1] == spans[-1][2]:
        run *= spans.pop()[2]
    spans[-1] = tuple(n * run for n in spans[-1])
    return spans


def bordered(spans, x, out, read, write):
    """The loops of the dimensions from len(read) on: zeros, the inside, zeros."""
    depth = len(read)
    if depth == len(spans):
        return (Store(out, write, Load(x, read)),)
    start, n, whole = spans[depth]
    v = Var(f"i{depth}")
    inner = bordered(spans, x, out, (*read, v), (*write, v + start))
    kept = (Loop(v.name, n, inner),)
    before = blank(spans, out, write, f"a{depth}", 0, start)
    after = blank(spans, out, write, f"b{depth}", start + n, whole - start - n)
    return (*before, *kept, *after)


def blank(spans, out, write, name, start, count):
    """Zeros for `count` indices of a dimension, from `start`; whole in all after it."""
    depth, v = len(write), Var(name)
    inner = {f"{name}_{d}": spans[d][2] for d in range(depth + 1, len(spans))}
    store = Store(out, (*write, v + start, *map(Var, inner)), Const(0, out.dtype))
    return nest({name: count, **inner}, [store]) if count else ()
