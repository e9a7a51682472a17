"""Checks of lab 02: two gradient rules, a walk back, a Hessian times a vector.

The witnesses: differences of NumPy functions, and numbers worked by hand.
"""

import numpy as np

import minidl as dl
from kit.labs.parts import Part, Property, same


def leaves(*arrays):
    return [dl.tensor(np.asarray(a, "float64"), requires_grad=True) for a in arrays]


def plain(tensors):
    return [t if t is None else t.detach().numpy().copy() for t in tensors]


# ---- witnesses: slopes by differences, of a NumPy function of arrays


def moved(arrays, directions, step):
    return [a + step * d for a, d in zip(arrays, directions)]


def unit(arrays, n, place):
    """Zeros like `arrays`, with a 1 at `place` of array `n`."""
    directions = [np.zeros(a.shape) for a in arrays]
    directions[n][place] = 1
    return directions


def differences(scalar, arrays, step=1e-5):
    """The slopes of `scalar(*arrays)` along each element."""
    slopes = [np.zeros(a.shape) for a in arrays]
    for n, a in enumerate(arrays):
        for place in np.ndindex(a.shape):
            e = unit(arrays, n, place)
            up, down = (scalar(*moved(arrays, e, s)) for s in (step, -step))
            slopes[n][place] = (up - down) / (2 * step)
    return slopes


def curved(scalar, arrays, vectors, step=1e-3):
    """How these slopes change per unit along `vectors`."""
    up, down = (
        differences(scalar, moved(arrays, vectors, s), 1e-4) for s in (step, -step)
    )
    return [(u - d) / (2 * step) for u, d in zip(up, down)]


def first_wrong(expected, found, names, what="the gradient of", **tolerance):
    if len(found) != len(expected):
        return f"expected {len(expected)} results, found {len(found)}"
    for e, f, name in zip(expected, found, names):
        if f is None:
            wanted = f"shape {np.shape(e)}" if np.ndim(e) else f"{e:.6g}"
            return f"{what} {name}: expected {wanted}, but there is none"
        wrong = same(e, f, f"{what} {name}", **tolerance)
        if wrong:
            return wrong
    return None


def several(answer, name):
    """`answer`, where one can go through it; else an error in words."""
    if not hasattr(answer, "__iter__"):
        found = type(answer).__name__
        raise TypeError(f"{name}() returned {found}, expected several results")
    return answer


def twice(out, inputs, g, vectors):
    """How the gradients of `inputs` change along `vectors`, by a second walk."""
    slopes = dl.grad(out, inputs, g, create_graph=True)
    product = sum((s * v).sum() for s, v in zip(slopes, vectors))
    if not product.requires_grad:
        return [np.zeros(x.shape) for x in inputs]
    second = dl.grad(product, inputs, allow_unused=True)
    return [
        np.zeros(x.shape) if s is None else s.numpy() for s, x in zip(second, inputs)
    ]


# ---- part 1: logsumexp_rule


def lse(x, dims, keepdim):
    return np.log(np.sum(np.exp(x), axis=tuple(dims), keepdims=keepdim))


def sums(rng):
    yield {"x": np.log([1.0, 3.0]), "dims": [0], "keepdim": False, "g": np.array(1.0)}
    for shape, dims, keepdim in [
        ((2, 3), [1], False),
        ((2, 3), [0], False),
        ((3, 3), [1], False),
        ((2, 3), [1], True),
        ((2, 3, 2), [0, 2], False),
        ((2, 2), [0, 1], True),
    ]:
        x = rng.standard_normal(shape).round(1)
        g = rng.uniform(1, 3, np.shape(lse(x, dims, keepdim))).round(1)
        yield {"x": x, "dims": dims, "keepdim": keepdim, "g": g}


def sum_of(lab, x, dims, keepdim):
    (x,) = leaves(x)
    with dl.replace(lab.logsumexp, vjp=lab.logsumexp_rule):
        return x, lab.logsumexp(x, dims=tuple(dims), keepdim=keepdim)


def call_sum(lab, x, dims, keepdim, g):
    x, out = sum_of(lab, x, dims, keepdim)
    return dl.grad(out, x, dl.tensor(g))[0].numpy()


def judge_sum(found, x, dims, keepdim, g):
    (expected,) = differences(lambda x: (g * lse(x, dims, keepdim)).sum(), [x])
    return same(expected, found, "the gradient of x")


def far(rng):
    inf = float("inf")
    for x, expected in [
        ([1000.0, 1000.0], [0.5, 0.5]),
        ([-1000.0, -1000.0], [0.5, 0.5]),
        ([1000.0, -1000.0, 1000.0], [0.5, 0, 0.5]),
        ([0.0, -inf], [1, 0]),
    ]:
        yield {"x": np.array(x), "by_hand": expected}
    c, odds = float(rng.integers(500, 2000)), int(rng.integers(2, 9))
    shares = [1 / (1 + odds), odds / (1 + odds)]
    yield {"x": np.array([-c, -c + np.log(odds)]), "by_hand": shares}


def call_far(lab, x):
    return call_sum(lab, x, [0], False, np.array(1.0))


def judge_far(found, x, by_hand):
    return same(by_hand, found, "the gradient of x")


def sums_twice(rng):
    for case in sums(rng):
        yield case | {"v": rng.standard_normal(case["x"].shape).round(1)}


def call_sum_twice(lab, x, dims, keepdim, g, v):
    x, out = sum_of(lab, x, dims, keepdim)
    return twice(out, [x], dl.tensor(g), [dl.tensor(v)])[0]


def judge_sum_twice(found, x, dims, keepdim, g, v):
    (expected,) = curved(lambda x: (g * lse(x, dims, keepdim)).sum(), [x], [v])
    return same(expected, found, "the change along v of the gradient of x", 1e-4, 1e-5)


LOGSUMEXP = Part(
    "logsumexp_rule",
    defines=("logsumexp", "logsumexp_rule"),
    seconds=10,
    properties=(
        Property(
            "The gradient agrees with differences, along any dimensions.",
            sums,
            call_sum,
            judge_sum,
            "Each exponential has a share in the sum. Where keepdim is false, give g "
            "and out their lost dimensions back before they meet x.",
        ),
        Property(
            "It stays finite for inputs far from 0.",
            far,
            call_far,
            judge_far,
            "exp(1000) is inf. Subtract before you take the exponential; `out` is "
            "never below the largest x.",
        ),
        Property(
            "It can itself be differentiated.",
            sums_twice,
            call_sum_twice,
            judge_sum_twice,
            "First get the gradient right. Then: what is detached, or goes through "
            "NumPy, counts as constant in the second walk.",
        ),
    ),
)


# ---- part 2: bilinear_rules

NAMES = ("x", "weight", "y")


def pairs(rng):
    yield {
        "x": np.array([[2.0]]), "weight": np.array([[[3.0]]]), "y": np.array([[5.0]]),
        "g": np.array([[1.0]]),
    }  # fmt: skip
    for B, K, M, N in [(1, 1, 2, 3), (2, 1, 1, 1), (1, 2, 1, 1), (4, 2, 3, 5)]:
        shapes = {"x": (B, M), "weight": (K, M, N), "y": (B, N), "g": (B, K)}
        yield {k: rng.integers(-3, 4, s) + 0.5 for k, s in shapes.items()}
    square = {"x": (3, 3), "weight": (3, 3, 3), "y": (3, 3), "g": (3, 3)}
    yield {k: rng.standard_normal(s).round(1) for k, s in square.items()}


def form(g):
    """The sum of g times the result, by the definition."""
    return lambda x, weight, y: np.einsum("bk,bi,kij,bj->", g, x, weight, y)


def form_of(lab, *inputs):
    rules = several(lab.bilinear_rules(), "bilinear_rules")
    with dl.replace(lab.bilinear, vjp=tuple(rules)):
        return lab.bilinear(*inputs)


def call_pairs(lab, x, weight, y, g):
    inputs = leaves(x, weight, y)
    return plain(
        dl.grad(form_of(lab, *inputs), inputs, dl.tensor(g), allow_unused=True)
    )


def judge_pairs(found, x, weight, y, g):
    expected = differences(form(g), [x, weight, y])
    return first_wrong(expected, found, NAMES)


def pairs_twice(rng):
    for case in pairs(rng):
        vs = {f"v_{k}": rng.standard_normal(case[k].shape).round(1) for k in NAMES}
        yield case | vs


def call_pairs_twice(lab, x, weight, y, g, v_x, v_weight, v_y):
    inputs = leaves(x, weight, y)
    vectors = [dl.tensor(v) for v in (v_x, v_weight, v_y)]
    return twice(form_of(lab, *inputs), inputs, dl.tensor(g), vectors)


def judge_pairs_twice(found, x, weight, y, g, v_x, v_weight, v_y):
    expected = curved(form(g), [x, weight, y], [v_x, v_weight, v_y])
    what = "the change along v of the gradient of"
    return first_wrong(expected, found, NAMES, what, rtol=1e-4, atol=1e-4)


def wanted(rng):
    for name in NAMES:
        yield {"wanted": name}


def call_kept(lab, wanted):
    inputs = [dl.ones(*s, requires_grad=n == wanted)
              for n, s in zip(NAMES, [(2, 3), (4, 3, 5), (2, 5)])]  # fmt: skip
    node = form_of(lab, *inputs).node
    kept = [name for name, s in zip(NAMES, node.saved) if s is not None]
    return kept + ["the result"] * (node.out is not None)


def judge_kept(found, wanted):
    expected = [name for name in NAMES if name != wanted]
    if found != expected:
        return f"to be kept: expected {expected}, found {found}"
    return None


def sizes(rng):
    yield {"B": 16, "K": 12, "M": 14, "N": 15}


def call_largest(lab, B, K, M, N):
    inputs = [dl.ones(*s, requires_grad=True) for s in ((B, M), (K, M, N), (B, N))]
    out = form_of(lab, *inputs)
    with dl.Ledger() as ledger:
        dl.grad(out, inputs, dl.ones(B, K))
    largest = max(ledger.entries, key=lambda entry: np.prod(entry.shape))
    return [largest.op, list(largest.shape)]


def judge_largest(found, B, K, M, N):
    op, shape = found
    if np.prod(shape) > B * K * M * N / 4:
        return (
            f"{op} makes an array {tuple(shape)} of {np.prod(shape):,} numbers; "
            f"{K * max(B * M, B * N, M * N):,} are enough at a time"
        )
    return None


BILINEAR = Part(
    "bilinear_rules",
    defines=("bilinear", "bilinear_rules"),
    seconds=10,
    properties=(
        Property(
            "The gradients agree with differences.",
            pairs,
            call_pairs,
            judge_pairs,
            "Write down the sum for one input: which letters does it not have? Over "
            "those the slope is summed, and each number is a product of the other two "
            "inputs and g.",
        ),
        Property(
            "They can themselves be differentiated.",
            pairs_twice,
            call_pairs_twice,
            judge_pairs_twice,
            "First get the gradient right. Then: what is detached, or goes through "
            "NumPy, counts as constant in the second walk.",
        ),
        Property(
            "Each rule asks for the other two inputs alone.",
            wanted,
            call_kept,
            judge_kept,
            "What a rule names as a parameter is kept. The slope along an input of a "
            "product doesn't depend on that input.",
        ),
        Property(
            "No rule makes an array of B K M N numbers.",
            sizes,
            call_largest,
            judge_largest,
            "Bring g to the input without a k first, as (K, B, ...), and let a matrix "
            "product do the sum over i, j or b.",
        ),
    ),
)


# ---- part 3: propagate. Programs of a = 2 and b = 3, their slopes worked by hand

PROGRAMS = {
    "a * b": lambda a, b: a * b,
    "a * a + b": lambda a, b: a * a + b,
    "a + b + a * 3": lambda a, b: a + b + a * 3,
    "p = a * b; p * p + p * b": lambda a, b: on(a * b, lambda p: p * p + p * b),
    "a + ((a * b) * 2 + 1) * 3": lambda a, b: a + ((a * b) * 2 + 1) * 3,
    "p = a + b; q = p * p; q * a + p": lambda a, b: on(a + b, lambda p: p * p * a + p),
    "gate(b, a) + a * 3": lambda a, b: dl.ops.gate(b, a) + a * 3,
    "gate(b, h) + h * 3; h = a * 2": lambda a, b: on(
        a * 2, lambda h: dl.ops.gate(b, h) + h * 3
    ),
    "gate(b, a.exp()) + a * 3": lambda a, b: dl.ops.gate(b, a.exp()) + a * 3,
    "gate(b, a.exp().exp()) + a.neg() * 5": lambda a, b: (
        dl.ops.gate(b, a.exp().exp()) + (-a) * 5
    ),
}


def on(value, function):
    return function(value)


def by_hand(*slopes):
    def cases(rng):
        for program, along_a, along_b in slopes:
            yield {"program": program, "a": 2, "b": 3, "slopes": [along_a, along_b]}

    return cases


def walk_of(lab):
    """The student's walk, in words where it gives nothing to walk through."""

    def walk(seeds, keep_graph=False):
        return several(lab.propagate(seeds, keep_graph), "propagate")

    return walk


def by_hand_and_drawn(*slopes):
    """The same, then elsewhere, where differences say what the slopes are."""

    def cases(rng):
        yield from by_hand(*slopes)(rng)
        for program, *_ in slopes:
            a, b = (np.array(v) for v in rng.integers(-9, 10, 2) / 2)
            found = differences(PROGRAMS[program], [a, b])
            yield {"program": program, "a": float(a), "b": float(b), "slopes": found}

    return cases


def call_slopes(lab, program, a, b):
    a, b = leaves(a, b)
    with dl.replace(dl.autodiff.propagate, walk_of(lab)):
        return plain(dl.grad(PROGRAMS[program](a, b), [a, b], allow_unused=True))


def judge_slopes(found, program, a, b, slopes):
    return first_wrong(slopes, found, "ab", "slope along")


def probe(log):
    """An operation that does nothing, and notes in `log` when it is pulled."""

    def pulled(g, name):
        log.append(f"pull of {name}")
        return g * 1

    return dl.Op("probe", lambda xp, x, *, name: x * 1, vjp=pulled)


RUNGS = {  # what is done to h once
    "h = h * 1": lambda h: h * 1,
    "h = h + h": lambda h: h + h,
    "h = h + h + h": lambda h: h + h + h,
}
RUNG_BY_HAND = {  # its nodes besides the probe, its slope
    "h = h * 1": (1, 1),
    "h = h + h": (1, 2),
    "h = h + h + h": (2, 3),
}


def ladders(rng):
    yield {"program": "h = h + h", "times": 1}
    yield {"program": "h = h + h + h", "times": 3}
    yield {"program": "h = h + h", "times": 12}
    yield {"program": "h = h * 1", "times": 1100}
    for program in RUNGS:
        yield {"program": program, "times": int(rng.integers(2, 12))}


def call_ladder(lab, program, times):
    log, slopes, yielded, (leaf,) = [], [], [], leaves(1.0)
    h, through, rung = leaf, probe(log), RUNGS[program]
    for k in range(times):
        h = rung(through(h, name=k))
    for vertex, g in walk_of(lab)([(h.node, dl.tensor(1.0, dtype="float64"))]):
        yielded.append(id(vertex))
        if vertex is leaf:
            slopes.append(g.item())
    counts = {"yielded": len(yielded), "vertices": len(set(yielded))}
    return {"pulls": len(log), "slopes": slopes, **counts}


def judge_ladder(found, program, times):
    nodes, slope = RUNG_BY_HAND[program]
    slopes, vertices = found["slopes"], (nodes + 1) * times + 1
    if len(slopes) != 1:
        return f"the leaf: expected to be yielded once, was yielded {len(slopes)} times"
    for what, expected, count in [
        ("pulls of a node before each step", times, found["pulls"]),
        ("vertices yielded, nodes and leaf", vertices, found["vertices"]),
        ("vertices yielded, repetitions included", vertices, found["yielded"]),
    ]:
        if count != expected:
            return f"{what}: expected {expected}, found {count}"
    return same(float(slope) ** times, slopes[0], "slope along the leaf")


def layered(rng):
    yield {"layers": ["w", "v"]}
    yield {"layers": ["u", "v", "w"]}
    yield {"layers": ["w", "v", "w"]}
    yield {"layers": ["w", "w", "v", "u"]}
    yield {"layers": rng.choice(["u", "v", "w"], 6).tolist()}


def call_events(lab, layers):
    """What happens in the walk through h = probe(h) * weight, layer by layer."""
    log, weights = [], {name: dl.ones(1, requires_grad=True) for name in layers}
    x, through = dl.ones(1, requires_grad=True), probe(log)
    names, h = {id(x): "leaf x"}, x
    for k, weight in enumerate(layers, 1):
        h = through(h, name=f"probe {k}")
        names[id(h.node)] = f"node probe {k}"
        h = h * weights[weight]
        names[id(h.node)] = f"node mul {k}"
    names |= {id(w): f"leaf {name}" for name, w in weights.items()}
    for vertex, _ in walk_of(lab)([(h.node, dl.ones(1))]):
        log.append(names[id(vertex)])
    return log


def judge_events(found, layers):
    expected = []
    for k, weight in reversed(list(enumerate(layers, 1))):
        expected.append(f"node mul {k}")
        if weight not in layers[: k - 1]:
            expected.append(f"leaf {weight}")
        expected += [f"node probe {k}", f"pull of probe {k}"]
    expected.append("leaf x")
    for k, (e, f) in enumerate(zip(expected, [*found, *["nothing"] * len(expected)])):
        if e != f:
            so_far = ", ".join(expected[:k]) or "the start"
            return f"after {so_far}: expected {e}, found {f}"
    if len(found) > len(expected):
        return f"after {expected[-1]}: expected the end, found {found[len(expected)]}"
    return None


def planted(rng):
    # p = a * b is 6 and f = p * p: a gradient G at p gives a 3 G, and b 2 G.
    places, drawn = ["f", *rng.choice(list("apf"), 3)], rng.integers(-9, 10, 4)
    seeds = [[str(place), int(g)] for place, g in zip(places, drawn)]
    at = {place: sum(g for p, g in seeds if p == place) for place in "apf"}
    whole = at["p"] + 12 * at["f"]
    for given, slopes in [
        ([["f", 1]], [36, 24]),
        ([["f", 1], ["f", 2]], [108, 72]),
        ([["f", 1], ["p", 10]], [66, 44]),
        ([["p", 10], ["f", 1]], [66, 44]),
        ([["a", 5], ["f", 1]], [41, 24]),
        ([["f", 1], ["a", 5]], [41, 24]),
        (seeds, [at["a"] + 3 * whole, 2 * whole]),
    ]:
        yield {"program": "p = a * b; f = p * p", "a": 2, "b": 3,
               "seeds": given, "slopes": slopes}  # fmt: skip


def call_planted(lab, program, a, b, seeds):
    a, b = leaves(a, b)
    p = a * b
    vertices = {"a": a, "b": b, "p": p.node, "f": (p * p).node}
    given = [(vertices[name], dl.tensor(g, dtype="float64")) for name, g in seeds]
    found = {}
    for vertex, g in walk_of(lab)(given):
        found.setdefault(id(vertex), g)
    return plain([found.get(id(a)), found.get(id(b))])


def judge_planted(found, program, a, b, seeds, slopes):
    return judge_slopes(found, program, a, b, slopes)


def again(keep):
    """Two walks through 2 a b; the second is refused where the first freed its node."""

    def walk(a, b):
        out = a * b * 2
        out.backward(retain_graph=keep)
        try:
            out.backward()
        except RuntimeError as error:
            if "a second time" in str(error):
                return "the graph was freed"
            raise
        return plain([a.grad, b.grad])

    return walk


def capped_inside(a, b):
    p = a * b
    p.register_hook(lambda g: g.clamp(max=5.0))
    (p * p + a).backward()
    return plain([a.grad, b.grad])


def capped_leaf(a, b):
    a.register_hook(lambda g: g.clamp(max=3.0))
    (a * b + a).backward()
    return plain([a.grad, b.grad])


def slopes_of_slopes(a, b):
    slopes = dl.grad(a * b * b + a * a, [a, b], create_graph=True)
    return plain(dl.grad(slopes[0] + slopes[1], [a, b]))


WALKS = {  # what is done with a = 2 and b = 3
    "2 a b: backward(), then again": again(False),
    "2 a b: backward(retain_graph=True), then again": again(True),
    "p = a b, a hook cuts its gradient to 5; p p + a": capped_inside,
    "a hook cuts the gradient of a to 3; a b + a": capped_leaf,
    "a b b + a a: slopes with create_graph=True, then their slopes": slopes_of_slopes,
}
WALKS_BY_HAND = {  # what comes of it
    "2 a b: backward(), then again": "the graph was freed",
    "2 a b: backward(retain_graph=True), then again": [12, 8],
    "p = a b, a hook cuts its gradient to 5; p p + a": [16, 10],
    "a hook cuts the gradient of a to 3; a b + a": [3, 2],
    # The slopes are b b + 2 a and 2 a b; we take those of their sum.
    "a b b + a a: slopes with create_graph=True, then their slopes": [8, 10],
}


def contracts(rng):
    for walk, expected in WALKS_BY_HAND.items():
        yield {"walk": walk, "a": 2, "b": 3, "expected": expected}


def call_contract(lab, walk, a, b):
    with dl.replace(dl.autodiff.propagate, walk_of(lab)):
        return WALKS[walk](*leaves(a, b))


def judge_contract(found, walk, a, b, expected):
    if isinstance(found, str) or isinstance(expected, str):
        words = found if isinstance(found, str) else "it went through again"
        return None if found == expected else f"expected: {expected}; found: {words}"
    return first_wrong(expected, found, "ab", "slope along")


PROPAGATE = Part(
    "propagate",
    defines=("propagate",),
    seconds=10,
    properties=(
        Property(
            "Gradients of several uses add up.",
            by_hand_and_drawn(
                ("a * b", 3, 2),
                ("a * a + b", 4, 1),
                ("a + b + a * 3", 4, 1),
                ("p = a * b; p * p + p * b", 45, 36),
                ("a + ((a * b) * 2 + 1) * 3", 19, 12),
                ("p = a + b; q = p * p; q * a + p", 46, 21),
            ),
            call_slopes,
            judge_slopes,
            "Hand a gradient on only when every use is done. Add with x + y, not "
            "x += y: a rule may pass one tensor on to two inputs.",
        ),
        Property(
            "A use that passes nothing on is done all the same.",
            by_hand(
                ("gate(b, a) + a * 3", 3, 1),
                ("gate(b, h) + h * 3; h = a * 2", 6, 1),
                ("gate(b, a.exp()) + a * 3", 3, 1),
                ("gate(b, a.exp().exp()) + a.neg() * 5", -5, 1),
            ),
            call_slopes,
            judge_slopes,
            "pull() yields only edges to which something goes. Count uses along "
            "vertex.edges, also those of a vertex to which nothing came.",
        ),
        Property(
            "Each vertex is yielded once and each node pulled once, however deep.",
            ladders,
            call_ladder,
            judge_ladder,
            "A walk along all paths meets a vertex once a path, and there may be 2^12. "
            "A function that calls itself for each node ends at about a thousand.",
        ),
        Property(
            "A leaf is handed on as soon as it is whole, before the next node.",
            layered,
            call_events,
            judge_events,
            "Of all that is ready, take a leaf first, and use `yield`: what is "
            "gathered in a list arrives only when all is done.",
        ),
        Property(
            "Seeds add up, in any order, also where one depends on another.",
            planted,
            call_planted,
            judge_planted,
            "A seed is one more part of a gradient. A vertex with a seed still waits "
            "for its uses.",
        ),
        Property(
            "It keeps to the library's contract: frees, calls hooks, can be recorded.",
            contracts,
            call_contract,
            judge_contract,
            "Free a node after its pull unless keep_graph. A hook is called once, with "
            "the whole gradient, and what it returns is yielded and pulled.",
        ),
    ),
    points=20,
    target="minidl.framework.autodiff.propagate",
    stand_in=lambda lab: [dl.replace(dl.autodiff.propagate, lab.propagate)],
)


# ---- part 4: hessian_vector


def hands(rng):
    # f = x x y has the Hessian [[2 y, 2 x], [2 x, 0]].
    for v, expected in [([1, 0], [4, 6]), ([0, 1], [6, 0]), ([2, -1], [2, 12])]:
        yield {"f": "x * x * y", "at": [3.0, 2.0], "v": v, "by_hand": expected}
    x, y, *v = (rng.integers(-9, 10, 4) / 2).tolist()
    product = [2 * y * v[0] + 2 * x * v[1], 2 * x * v[0]]
    yield {"f": "x * x * y", "at": [x, y], "v": v, "by_hand": product}


def product_of(lab, loss, parameters, vectors):
    vectors = [dl.tensor(np.asarray(v, "float64")) for v in vectors]
    found = lab.hessian_vector(loss, parameters, vectors)
    return plain(several(found, "hessian_vector"))


def call_hand(lab, f, at, v):
    x, y = leaves(*at)
    return product_of(lab, lambda: x * x * y, [x, y], v)


def judge_hand(found, f, at, v, by_hand):
    return first_wrong(by_hand, found, "xy", "H v along")


def nets(rng):
    for B, n, m in [(1, 1, 1), (3, 2, 2), (5, 4, 3)]:
        shapes = {"x": (B, n), "w": (n, m), "b": (m,), "v_w": (n, m), "v_b": (m,)}
        yield {k: rng.standard_normal(s).round(1) for k, s in shapes.items()}


def call_net(lab, x, w, b, v_w, v_b):
    x, (w, b) = dl.tensor(x), leaves(w, b)

    def loss():
        h = (x @ w + b).tanh()
        return (h * h).sum() + (3 * b).exp().sum()

    return product_of(lab, loss, [w, b], [v_w, v_b])


def judge_net(found, x, w, b, v_w, v_b):
    def loss(w, b):
        return (np.tanh(x @ w + b) ** 2).sum() + np.exp(3 * b).sum()

    expected = curved(loss, [w, b], [v_w, v_b])
    return first_wrong(expected, found, "wb", "H v along", rtol=1e-3, atol=1e-3)


FLAT = {
    "x * x + 3 * y": lambda x, y: x * x + 3 * y,
    "3 * x + y * y * y": lambda x, y: 3 * x + y * y * y,
    "3 * x + 4 * y": lambda x, y: 3 * x + 4 * y,
    "x * x": lambda x, y: x * x,
    "y * 5": lambda x, y: y * 5,
}
FLAT_BY_HAND = {  # H times (2, 2) at x = 3, y = 2
    "x * x + 3 * y": [4, 0],
    "3 * x + y * y * y": [0, 24],
    "3 * x + 4 * y": [0, 0],
    "x * x": [4, 0],
    "y * 5": [0, 0],
}


def flats(rng):
    for f, expected in FLAT_BY_HAND.items():
        yield {"f": f, "at": [3.0, 2.0], "v": [2, 2], "by_hand": expected}


def call_flat(lab, f, at, v):
    x, y = leaves(*at)
    return product_of(lab, lambda: FLAT[f](x, y), [x, y], v)


def large(rng):
    for n in (4, 100):
        yield {"parameters": n}


def call_cost(lab, parameters):
    x, w = dl.ones(8, parameters), dl.ones(parameters, requires_grad=True)
    w.grad, calls = dl.ones(parameters), []

    def loss():
        calls.append("loss")
        return ((x * w).sum(1) * 0.01).tanh().sum()

    with dl.Ledger() as once:
        loss()
    writes, grad = w.version[0], w.grad
    with dl.Ledger() as product:
        several(lab.hessian_vector(loss, [w], [dl.ones(parameters)]), "hessian_vector")
    same_grad = w.grad is grad and grad.tolist() == [1] * parameters
    return {
        "calls": calls.count("loss") - 1, "times": product.flops / once.flops,
        "writes": w.version[0] - writes, "same_grad": same_grad,
        "leaf": w.requires_grad,
    }  # fmt: skip


def judge_cost(found, parameters):
    if found["calls"] != 1:
        return f"evaluations of the loss: expected 1, found {found['calls']}"
    if found["times"] > 10:
        return (
            "arithmetic, in evaluations of the loss: expected at most 10, found "
            f"{found['times']:.0f}"
        )
    return None


def judge_alone(found, parameters):
    if found["writes"]:
        return f"writes into the parameters: expected none, found {found['writes']}"
    if not found["leaf"]:
        return "requires_grad of the parameters: expected True, found False"
    return None if found["same_grad"] else ".grad of the parameters has changed"


HESSIAN = Part(
    "hessian_vector",
    defines=("hessian_vector",),
    seconds=10,
    properties=(
        Property(
            "The product is that of a Hessian worked by hand.",
            hands,
            call_hand,
            judge_hand,
            "The gradient is a vector, and each entry may depend on all parameters: "
            "pull v back through it.",
        ),
        Property(
            "In a small network it is how the gradient changes along v.",
            nets,
            call_net,
            judge_net,
            "Each parameter's product has parts from the slopes of all parameters.",
        ),
        Property(
            "It is zero for a parameter on which no slope depends.",
            flats,
            call_flat,
            judge_hand,
            "dl.grad gives None for what is unused if allow_unused, and refuses an "
            "output that requires no gradient. Ask slope.requires_grad first.",
        ),
        Property(
            "It evaluates the loss once, and costs a few times that.",
            large,
            call_cost,
            judge_cost,
            "One walk for the gradient, one for its product with v: not one for each "
            "parameter.",
        ),
        Property(
            "It leaves the parameters and their .grad alone.",
            large,
            call_cost,
            judge_alone,
            "dl.grad returns gradients and leaves .grad as it was; backward() adds "
            "to it.",
        ),
    ),
)

PARTS = [LOGSUMEXP, BILINEAR, PROPAGATE, HESSIAN]
