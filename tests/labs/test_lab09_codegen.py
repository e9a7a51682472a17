"""Checks of lab 09: loops of a gradient, a schedule, and a function on loops.

Kernels are run as plain Python, uncompiled, on small whole numbers, of which sums are
exact in any order. The witnesses: sums over windows written out in NumPy; for the cost
the library's model, which counts the loops; for what may be merged, results worked out
in NumPy and the order in which two loops touch memory.
"""

import numpy as np

from kit.labs.parts import Part, Property, same
from minidl.framework.codegen import loops as ir
from minidl.framework.codegen import python
from minidl.framework.codegen.schedule import parallelise
from minidl.framework.codegen.tuning import modelled, times

F = "float32"


def ready(value, kind, name):
    """What the student's function returned, if it is of the right kind."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} returned {type(value).__name__}, expected {kind.__name__}"
        )
    return ir.check(value) if kind is ir.Kernel else value


def run(kernel, *arrays, parts=1):
    """Runs the generated Python; a parallel loop in several parts, the last first."""
    names = {}
    exec(python.source(kernel), names)
    function = names[kernel.name]
    if not python.splits(kernel):
        return function(*arrays)
    edges = np.linspace(0, kernel.body[0].extent, parts + 1).astype(int).tolist()
    for start, stop in list(zip(edges, edges[1:]))[::-1]:
        function(*arrays, start, stop)
    return None


def whole_numbers(rng, *shape):
    return rng.integers(-4, 5, shape).astype(F)


# ---- part 1: image_gradient


def images(rng):
    """Sizes, the stride, and what comes back."""
    for C, H, W, K, size, stride in [
        (1, 3, 3, 1, 2, 1),
        (1, 5, 5, 1, 3, 2),
        (2, 4, 6, 3, 2, 1),
        (3, 6, 5, 2, 3, 1),
        (1, 8, 7, 2, 3, 2),
        (2, 7, 5, 1, 2, 3),
        (2, int(rng.integers(4, 8)), 6, 2, 3, int(rng.integers(1, 3))),
    ]:
        R, S = (H - size) // stride + 1, (W - size) // stride + 1
        yield {
            "sizes": [C, H, W, K, size, stride],
            "dy": whole_numbers(rng, K, R, S),
            "weight": whole_numbers(rng, K, C, size, size),
        }


def gradient_kernel(lab, sizes):
    return ready(lab.image_gradient(*sizes), ir.Kernel, "image_gradient")


def call_gradient(lab, sizes, dy, weight):
    dx = np.zeros(sizes[:3], F)
    run(gradient_kernel(lab, sizes), dx, dy, weight)
    return dx


def call_over_garbage(lab, sizes, dy, weight):
    dx = np.full(sizes[:3], np.nan, F)
    run(gradient_kernel(lab, sizes), dx, dy, weight)
    return dx


def judge_gradient(found, sizes, dy, weight):
    C, H, W, K, size, stride = sizes
    expected = np.zeros((C, H, W))
    for k, r, s in np.ndindex(dy.shape):
        rows, columns = (slice(a * stride, a * stride + size) for a in (r, s))
        expected[:, rows, columns] += dy[k, r, s] * weight[k].astype("f8")
    return same(expected, found, "dx")


def call_buffers(lab, sizes, dy, weight):
    kernel = gradient_kernel(lab, sizes)
    kinds = {"out": kernel.outputs, "in": kernel.inputs, "scratch": kernel.scratch}
    return [kernel.name] + [
        f"{kind} {b.name}: {b.dtype.name} {list(b.shape)}"
        for kind, buffers in kinds.items()
        for b in buffers
    ]


def judge_buffers(found, sizes, dy, weight):
    expected = [
        "image_gradient",
        f"out dx: float32 {sizes[:3]}",
        f"in dy: float32 {list(dy.shape)}",
        f"in weight: float32 {list(weight.shape)}",
    ]
    found = [words for words in found if not words.startswith("scratch")]
    for e, f in zip(expected, [*found, *["nothing"] * 4]):
        if e != f:
            return f"expected {e}, found {f}"
    return None if len(found) == 4 else f"expected four names, found {found}"


def call_shared(lab, sizes, dy, weight):
    kernel = parallelise(gradient_kernel(lab, sizes), "c")
    dx = np.full(sizes[:3], np.nan, F)
    run(kernel, dx, dy, weight, parts=sizes[0])
    tops = [s.var for s in kernel.body if isinstance(s, ir.Loop)]
    return {"dx": dx, "tops": tops}


def judge_shared(found, sizes, dy, weight):
    others = [name for name in found["tops"] if name != "c"]
    if others or not found["tops"]:
        return f"loops at the top: expected c alone, found {found['tops']}"
    return judge_gradient(found["dx"], sizes, dy, weight)


GRADIENT = Part(
    "image_gradient",
    defines=("image_gradient",),
    properties=(
        Property(
            "Each pixel gets what all windows over it send back.",
            images,
            call_gradient,
            judge_gradient,
            "Window (r, s) covers the pixels (r * stride + i, s * stride + j). Go over "
            "all c, k, r, s, i, j, and add dy[k, r, s] * weight[k, c, i, j] there.",
        ),
        Property(
            "What stood in dx before is gone, also where no window comes.",
            images,
            call_over_garbage,
            judge_gradient,
            "Store 0 into every pixel, in loops of their own, before the first sum. dx "
            "was filled with nan here.",
        ),
        Property(
            "Threads can share the channels of the image.",
            images,
            call_shared,
            judge_shared,
            "Only loops over c may stand at the top, and the index of dx must tell "
            "iterations of c apart. Clear and sum both in loops over c.",
        ),
        Property(
            "The kernel, its buffers and their shapes are as asked.",
            images,
            call_buffers,
            judge_buffers,
            "R = (H - size) // stride + 1, and S in the same way from W.",
        ),
    ),
)


# ---- part 2: scheduled


def forward_sizes(rng):
    """C, H, W, K, size: also those that no tile divides."""
    yield {"sizes": [1, 4, 4, 4, 2]}
    yield {"sizes": [2, 3, 9, 8, 3]}
    yield {"sizes": [2, 4, 5, 7, 2]}
    yield {"sizes": [3, 5, 4, 6, 3]}
    yield {"sizes": [1, 3, 3, 1, 3]}
    yield {"sizes": [2, 4, int(rng.integers(4, 9)), int(rng.integers(2, 12)), 2]}


def arrays_of(sizes):
    """(x, weight) that any process makes alike."""
    C, H, W, K, size = sizes
    x = (np.arange(C * H * W) * 7 % 11 - 5).reshape(C, H, W)
    weight = (np.arange(K * C * size * size) * 5 % 9 - 4).reshape(K, C, size, size)
    return x.astype(F), weight.astype(F)


def forward_kernel(lab, sizes):
    return ready(lab.scheduled(lab.convolution(*sizes)), ir.Kernel, "scheduled")


def call_forward(lab, sizes):
    C, H, W, K, size = sizes
    out = np.full((K, H - size + 1, W - size + 1), np.nan, F)
    run(forward_kernel(lab, sizes), out, *arrays_of(sizes))
    return out


def judge_forward(found, sizes):
    x, weight = arrays_of(sizes)
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (1, 2))
    return same(np.einsum("crsij,kcij->krs", windows, weight), found, "out")


def call_threads(lab, sizes):
    kernel = forward_kernel(lab, sizes)
    tops = [[s.var, s.kind] for s in kernel.body if isinstance(s, ir.Loop)]
    C, H, W, K, size = sizes
    out = np.full((K, H - size + 1, W - size + 1), np.nan, F)
    run(kernel, out, *arrays_of(sizes), parts=3)
    return {"tops": tops, "out": out}


def judge_threads(found, sizes):
    for var, kind in found["tops"]:
        if kind != "parallel" or not var.startswith("k"):
            return (
                "loops at the top: expected parallel ones over k or tiles of it, found "
                f"{kind} {var}"
            )
    return judge_forward(found["out"], sizes)


def wide_sizes(rng):
    yield {"sizes": [16, 10, 66, 16, 3]}
    C, K = int(rng.integers(8, 17)), 16 * int(rng.integers(1, 3))
    yield {"sizes": [C, 10, 66, K, 3]}


def sums_of(loop, around=()):
    """(loops around, statement) of each statement that adds."""
    around = (*around, loop)
    for s in loop.body:
        if isinstance(s, ir.Loop):
            yield from sums_of(s, around)
        elif getattr(s, "fn", None) == "add":
            yield around, s


def call_cost(lab, sizes):
    kernel = forward_kernel(lab, sizes)
    found = [n for s in kernel.body if isinstance(s, ir.Loop) for n in sums_of(s)]
    rolled = [[x for x in around if x.kind != "unroll"] for around, _ in found]
    products = [
        times(around) * sum(getattr(x, "fn", "") == "mul" and x.dtype != ir.INT
                            for x in ir.walk(statement))
        for around, statement in found
    ]  # fmt: skip
    return {
        "inner": [[loops[-1].var, loops[-1].kind] if loops else ["none", ""]
                  for loops in rolled],
        "products": float(sum(products)),
        "seconds": modelled(kernel),
    }  # fmt: skip


def judge_vectors(found, sizes):
    if not found["inner"]:
        return "no statement adds to out"
    for var, kind in found["inner"]:
        if kind != "vector" or not var.startswith("s"):
            return (
                "the innermost loop that is left, around a sum: expected a vector loop "
                f"over s, found {kind} {var}"
            )
    return None


def judge_cost(found, sizes):
    C, H, W, K, size = sizes
    needed = C * K * size * size * (H - size + 1) * (W - size + 1)
    if found["products"] < needed:
        return f"products: expected {needed:,}, found {found['products']:,.0f}"
    share = found["seconds"] / naive_seconds(*sizes)
    if not share <= 0.4:
        return (
            "modelled time, in parts of the naive nest's: expected at most 0.40, found "
            f"{share:.2f}"
        )
    return None


def naive_seconds(C, H, W, K, size):
    """The model's time for the loops as the lab gives them."""
    R, S, (k, r, s, c, i, j) = H - size + 1, W - size + 1, map(ir.Var, "krscij")
    x, weight = ir.Buffer("x", (C, H, W), F), ir.Buffer("w", (K, C, size, size), F)
    out = ir.Buffer("out", (K, R, S), F)
    product = ir.Load(x, (c, r + i, s + j)) * ir.Load(weight, (k, c, i, j))
    clear = ir.Store(out, (k, r, s), ir.Const(0, F))
    nests = clear, ir.Store(out, (k, r, s), product, "add")
    seconds = 0.0
    for body, loops in zip(nests, ("krs", "krscij")):
        extents = dict(zip("krscij", (K, R, S, C, size, size)))
        for var in loops[::-1]:
            body = ir.Loop(var, extents[var], (body,))
        seconds += modelled(ir.Kernel("naive", (out,), (x, weight), body=(body,)))
    return seconds


SCHEDULED = Part(
    "scheduled",
    defines=("scheduled", "convolution"),
    properties=(
        Property(
            "It computes the same, for any number of channels.",
            forward_sizes,
            call_forward,
            judge_forward,
            "kernel.body[0].extent is K. Tile k by a number that divides it, which may "
            "be 1.",
        ),
        Property(
            "Threads share the output channels.",
            forward_sizes,
            call_threads,
            judge_threads,
            "parallelise both loops over k (after tile they are called k_outer), and "
            "do it last: a parallel loop can't be tiled.",
        ),
        Property(
            "The innermost loop left is a vector loop along a row.",
            wide_sizes,
            call_cost,
            judge_vectors,
            "Reorder so that s comes after all that stays a loop, and what comes after "
            "s is unrolled; then vectorise s.",
        ),
        Property(
            "By the model it takes at most 2/5 of the naive nest's time.",
            wide_sizes,
            call_cost,
            judge_cost,
            "One channel at a time loads each pixel again for each of them. Unroll "
            "about 4 channels inside of s, and the window too.",
        ),
    ),
    points=15,
)


# ---- part 3: merged


def load(buffer, *index):
    return ir.Load(buffer, tuple(index))


def store(buffer, index, value, fn=None):
    return ir.Store(buffer, (index,), value, fn)


def loop(var, extent, *body, kind="serial"):
    return ir.Loop(var, extent, body, kind)


class Pair:
    """Two loops over `n` numbers each: j, then k; x is read, y and z are written."""

    def __init__(self, n):
        self.n, self.j, self.k, self.i = n, ir.Var("j"), ir.Var("k"), ir.Var("i")
        self.x = ir.Buffer("x", (n + 1,), F)
        self.y, self.z = (ir.Buffer(name, (n + 1,), F) for name in "yz")
        self.cell = ir.Buffer("cell", (1,), F)
        self.s, self.t = ir.Local("total", F), ir.Local("squares", F)

    def loops(self, first, second):
        return loop("j", self.n, *first), loop("k", self.n, *second)

    def doubled(self):
        return store(self.y, self.j, load(self.x, self.j) * 2)


def chain(p):
    """z = y + x, where y has just been made."""
    value = load(p.y, p.k) + load(p.x, p.k)
    return p.loops([p.doubled()], [store(p.z, p.k, value)])


def apart(p):
    """Nothing in common but what is read."""
    return p.loops([p.doubled()], [store(p.z, p.k, load(p.x, p.k) * 3)])


def triangle(p):
    """The second loop has a loop inside that is as long as k says."""
    inner = loop("i", p.k + 1, store(p.z, p.k, load(p.x, p.i), "add"))
    return p.loops([p.doubled()], [inner])


def inner(p):
    """Both have a loop inside; each adds into elements of its own."""
    one = loop("i", 3, store(p.y, p.j, load(p.x, p.i), "add"))
    two = loop("i", 2, store(p.z, p.k, load(p.y, p.k) * load(p.x, p.i), "add"))
    return p.loops([one], [two])


def two_sums(p):
    """A sum of x and one of its squares."""
    square = load(p.x, p.k) * load(p.x, p.k)
    return p.loops([ir.Update(p.s, "add", load(p.x, p.j))],
                   [ir.Update(p.t, "add", square)])  # fmt: skip


def sum_and_store(p):
    """A sum of x, and 2 x."""
    twice = store(p.z, p.k, load(p.x, p.k) * 2)
    return p.loops([ir.Update(p.s, "add", load(p.x, p.j))], [twice])


def centred(p):
    """The second needs the whole sum."""
    return p.loops([ir.Update(p.s, "add", load(p.x, p.j))],
                   [store(p.z, p.k, load(p.x, p.k) - p.s)])  # fmt: skip


def ahead(p):
    """The second reads what a later iteration of the first writes."""
    return p.loops([p.doubled()], [store(p.z, p.k, load(p.y, p.k + 1))])


def mirrored(p):
    """The second reads from the other end."""
    last = load(p.y, p.k * -1 + (p.n - 1))
    return p.loops([p.doubled()], [store(p.z, p.k, last)])


def one_cell(p):
    """All iterations of the first write one place, which the second reads."""
    keep = store(p.cell, ir.Const(0, ir.INT), load(p.x, p.j))
    read = load(p.cell, ir.Const(0, ir.INT))
    return p.loops([keep], [store(p.z, p.k, read + load(p.x, p.k))])


def overwritten(p):
    """The second writes what a later iteration of the first would read."""
    first = store(p.z, p.j, load(p.y, p.j))
    return p.loops([first], [store(p.y, p.k + 1, load(p.x, p.k))])


def added_up(p):
    """The first adds all into one element, which the second reads."""
    first = store(p.y, ir.Const(0, ir.INT), load(p.x, p.j), "add")
    first_of = load(p.y, ir.Const(0, ir.INT))
    return p.loops([first], [store(p.z, p.k, first_of * load(p.x, p.k))])


PAIRS = {
    "z = 2 x + x, by y = 2 x": chain,
    "y = 2 x; z = 3 x": apart,
    "y = 2 x; z[k] = x[0] + ... + x[k]": triangle,
    "y[j] += x[0] + x[1] + x[2]; z[k] += y[k] (x[0] + x[1])": inner,
    "s = sum of x; t = sum of x x": two_sums,
    "s = sum of x; z = 2 x": sum_and_store,
    "s = sum of x; z = x - s": centred,
    "y = 2 x; z[k] = y[k + 1]": ahead,
    "y = 2 x; z[k] = y[n - 1 - k]": mirrored,
    "cell = x[j]; z[k] = cell + x[k]": one_cell,
    "z[j] = y[j]; y[k + 1] = x[k]": overwritten,
    "y[0] += x[j]; z[k] = y[0] x[k]": added_up,
}
ALLOWED = list(PAIRS)[:6]
FORBIDDEN = list(PAIRS)[6:]


def inputs(rng, loops):
    n = int(rng.integers(3, 8))
    return {"loops": loops, "n": n, "x": whole_numbers(rng, n + 1),
            "y": whole_numbers(rng, n + 1), "z": whole_numbers(rng, n + 1)}  # fmt: skip


def allowed(rng):
    for name in ALLOWED:
        yield inputs(rng, name)


def forbidden(rng):
    for name in FORBIDDEN:
        yield inputs(rng, name)


def executed(p, body, x, y, z):
    """y and z, and the sums s and t, after these statements."""
    y, z, sums = y.copy(), z.copy(), np.zeros(2, F)
    kept = ir.Buffer("sums", (2,), F)
    starts = [ir.Let(local, ir.Const(0, F)) for local in (p.s, p.t)]
    ends = [store(kept, ir.Const(i, ir.INT), v) for i, v in enumerate((p.s, p.t))]
    kernel = ir.Kernel("pair", (p.y, p.z, kept), (p.x,), scratch=(p.cell,),
                       body=(*starts, *body, *ends))  # fmt: skip
    run(kernel, y, z, sums, x)
    return {"y": y, "z": z, "sums": sums}


def order(body):
    """The buffers and sums that statements write, in their order."""
    names = []
    for s in body:
        if isinstance(s, ir.Loop):
            names += order(s.body)
        else:
            names.append(getattr(s, "buffer", None) or s.local)
    return [x if isinstance(x, str) else x.name for x in names]


def call_merged(lab, loops, n, x, y, z):
    p = Pair(n)
    first, second = PAIRS[loops](p)
    made = ready(lab.merged(first, second), ir.Loop, "merged")
    return executed(p, (made,), x, y, z) | {
        "var": made.var, "extent": str(made.extent), "kind": made.kind,
        "order": order(made.body), "wanted": order(first.body + second.body),
    }  # fmt: skip


def after(loops, n, x, y, z):
    """The same in NumPy, one loop after the other."""
    x, y, z, sums = (np.array(v, "f8") for v in (x, y, z, [0, 0]))
    a, (s, square) = x[:n], (x[:n].sum(), (x[:n] ** 2).sum())
    if loops.startswith(("z = 2 x", "y = 2 x")):
        y[:n] = 2 * a
    steps = {
        "z = 2 x + x, by y = 2 x": lambda: 3 * a,
        "y = 2 x; z = 3 x": lambda: 3 * a,
        "y = 2 x; z[k] = x[0] + ... + x[k]": lambda: z[:n] + np.cumsum(a),
        "s = sum of x; z = 2 x": lambda: 2 * a,
        "s = sum of x; z = x - s": lambda: a - s,
        "y = 2 x; z[k] = y[k + 1]": lambda: y[1 : n + 1].copy(),
        "y = 2 x; z[k] = y[n - 1 - k]": lambda: y[:n][::-1].copy(),
        "cell = x[j]; z[k] = cell + x[k]": lambda: a[-1] + a,
        "z[j] = y[j]; y[k + 1] = x[k]": lambda: y[:n].copy(),
        "y[0] += x[j]; z[k] = y[0] x[k]": lambda: (y[0] + s) * a,
    }
    if loops in steps:
        z[:n] = steps[loops]()
    if loops.startswith("s = "):
        sums[0] = s
    if loops.endswith("t = sum of x x"):
        sums[1] = square
    if loops.startswith("y[j] +="):
        y[:n] += x[:3].sum()
        z[:n] += y[:n] * x[:2].sum()
    if loops.startswith("y[0]"):
        y[0] += s
    if loops.endswith("y[k + 1] = x[k]"):
        y[1 : n + 1] = a
    return {"y": y, "z": z, "sums": sums}


def judge_values(found, loops, n, x, y, z):
    for name, expected in after(loops, n, x, y, z).items():
        wrong = same(expected, found[name], name)
        if wrong:
            return wrong
    return None


def judge_form(found, loops, n, x, y, z):
    if found["var"] != "j" or found["kind"] != "serial" or found["extent"] != str(n):
        words = f"{found['kind']} {found['var']} < {found['extent']}"
        return f"the loop: expected serial j < {n}, found {words}"
    if found["order"] != found["wanted"]:
        return f"what it writes: expected {found['wanted']}, found {found['order']}"
    return None


def call_refused(lab, loops, n, x, y, z):
    p = Pair(n)
    try:
        made = ready(lab.merged(*PAIRS[loops](p)), ir.Loop, "merged")
    except ValueError as error:
        return {"refused": str(error)}
    return executed(p, (made,), x, y, z)


def judge_refused(found, loops, n, x, y, z):
    if "refused" in found:
        return None
    wrong = judge_values(found, loops, n, x, y, z)
    return f"expected ValueError, found a loop. After it, {wrong or 'all fits by luck'}"


def unlike(rng):
    n = int(rng.integers(3, 30))
    for kinds, extents in [
        (["serial", "serial"], [n, n + 1]),
        (["serial", "serial"], [n + 1, n]),
        (["parallel", "serial"], [n, n]),
        (["serial", "parallel"], [n, n]),
        (["unroll", "unroll"], [n, n]),
        (["serial", "vector"], [n, n]),
    ]:
        yield {"kinds": kinds, "extents": extents}


def call_unlike(lab, kinds, extents):
    p = Pair(max(extents))
    pair = [
        ir.Loop(x.var, extent, x.body, kind)
        for x, extent, kind in zip(apart(p), extents, kinds)
    ]
    try:
        made = lab.merged(*pair)
    except ValueError as error:
        return {"refused": str(error)}
    return {"made": f"{made.kind} {made.var} < {made.extent}"}


def judge_unlike(found, kinds, extents):
    if "refused" in found:
        return None
    return f"expected ValueError, found the loop {found['made']}"


MERGED = Part(
    "merged",
    defines=("merged",),
    properties=(
        Property(
            "One loop does what the two did.",
            allowed,
            call_merged,
            judge_values,
            "The variable of the second loop must be replaced wherever it stands, also "
            "in the extents of loops inside: substitute does that.",
        ),
        Property(
            "It is the first loop, with the statements of both in their order.",
            allowed,
            call_merged,
            judge_form,
            "replace(first, body=...) keeps variable, extent and kind.",
        ),
        Property(
            "What an iteration would find changed is refused.",
            forbidden,
            call_refused,
            judge_refused,
            "Ask conflict about the merged loop, with both bodies, and not about the "
            "two loops.",
        ),
        Property(
            "Loops of other lengths, or not serial, are refused.",
            unlike,
            call_unlike,
            judge_unlike,
            "Compare the extents. A parallel loop may be shared among threads by "
            "somebody else: it isn't yours to merge.",
        ),
    ),
)

PARTS = [GRADIENT, SCHEDULED, MERGED]
