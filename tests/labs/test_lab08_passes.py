"""Checks of lab 08: a rule, a fusion of products, a choice of values to compute again.

The witnesses: NumPy for values, the two formulas of the order of products by hand,
a closure over a program's plain description for what depends on what, and all sets of
drops by their bit masks.
"""

import numpy as np

import minidl as dl
from kit.labs.parts import Part, Property, same
from minidl.framework import ops
from minidl.framework.graph import Graph, check, input_node, make, run, substitute
from minidl.framework.passes import cse, differentiate, rematerialise, simplify
from minidl.framework.passes.dce import dce
from minidl.framework.passes.rematerialise import choose

# ---- part 1: cheaper_order


def inputs_of(arrays):
    return [input_node(f"x{i}", a.shape, a.dtype) for i, a in enumerate(arrays)]


def product(nodes, tree):
    """The node of a tree of products: a position, or a pair of trees."""
    if isinstance(tree, int):
        return nodes[tree]
    left, right = (product(nodes, part) for part in tree)
    return make(ops.matmul, (left, right), where="net.py:7")


def ordered(lab, arrays, tree):
    """What the two rules make of a tree of products."""
    nodes = inputs_of(arrays)
    graph = Graph(tuple(nodes), (product(nodes, tree),))
    after = check(simplify(graph, lab.ORDER), like=graph)
    again = simplify(after, lab.ORDER)
    made = [n.where for n in after.nodes if n.op is ops.matmul and n not in graph.nodes]
    return {
        "result": run(after, *arrays)[0],
        "flops": after.flops,
        "before": graph.flops,
        "rest": again.flops,
        "where": made,
    }


LEFT, RIGHT = [[0, 1], 2], [0, [1, 2]]


def chained(rng, shapes, tree):
    arrays = [rng.integers(-4, 5, shape).astype("float64") for shape in shapes]
    return {"arrays": arrays, "tree": tree}


def triples(rng):
    yield chained(rng, [(100, 50), (50, 2), (2, 50)], RIGHT)
    yield chained(rng, [(50, 2), (2, 50), (50, 100)], LEFT)
    for _ in range(6):
        n, k, m, p = (int(size) for size in rng.integers(1, 12, 4))
        for tree in (LEFT, RIGHT):
            yield chained(rng, [(n, k), (k, m), (m, p)], tree)


def batches(rng):
    a, b = (int(size) for size in rng.integers(3, 9, 2))
    for x, y, z in (
        [(9, a, b), (b, 5), (5, a)],
        [(a, 6), (6, 6), (9, 6, b)],
        [(a, 3), (9, 3, 4), (4, b)],
        [(4, a, 3), (4, 3, b), (4, b, 5)],
        [(2, 4, a, 3), (4, 3, b), (b, 2)],
    ):
        for tree in (LEFT, RIGHT):
            yield chained(rng, [x, y, z], tree)


def multiplied(x, y):
    """(shape, FLOPs) of a product of matrices of these shapes, in batches or not."""
    lead = np.broadcast_shapes(x[:-2], y[:-2])
    shape = (*lead, x[-2], y[-1])
    return shape, 2 * int(np.prod(shape)) * x[-1]


def orders(arrays):
    """FLOPs of (x y) z and of x (y z)."""
    x, y, z = (a.shape for a in arrays)
    (xy, first), (yz, other) = multiplied(x, y), multiplied(y, z)
    return first + multiplied(xy, z)[1], other + multiplied(x, yz)[1]


def named(arrays, tree):
    shapes = " by ".join("x".join(map(str, a.shape)) for a in arrays)
    return f"{shapes}, written as {'(x y) z' if tree == LEFT else 'x (y z)'}"


def judge_value(found, arrays, tree):
    x, y, z = arrays
    return same(x @ y @ z, found["result"], f"the product {named(arrays, tree)}")


def judge_cheapest(found, arrays, tree):
    least = min(orders(arrays))
    if found["flops"] != least:
        return (
            f"{named(arrays, tree)}: expected {least:,} FLOPs, found "
            f"{found['flops']:,}; the two orders take "
            + " and ".join(f"{n:,}" for n in orders(arrays))
        )
    return None


def judge_order(found, arrays, tree):
    return judge_value(found, arrays, tree) or judge_cheapest(found, arrays, tree)


def ties(rng):
    for n, m in ((2, 3), *rng.integers(2, 30, (3, 2)).tolist()):
        for tree in (LEFT, RIGHT):
            yield {"shapes": [[n, n], [n, m], [m, m]], "tree": tree}


def call_tie(lab, shapes, tree):
    """Whether the replacement declines."""
    x, y, z = nodes = [input_node(f"x{i}", s, "float64") for i, s in enumerate(shapes)]
    return lab.cheaper_order(product(nodes, tree), x, y, z) is None


def judge_tie(found, shapes, tree):
    if not found:
        text = " by ".join("x".join(map(str, s)) for s in shapes)
        return f"{text}: both orders take the same; expected None, found another node"
    return None


def judge_line(found, arrays, tree):
    wrong = [line for line in found["where"] if line != "net.py:7"]
    if wrong:
        return f"{named(arrays, tree)}: expected new nodes from net.py:7, found {wrong}"
    return None


TREES = {
    4: ([[[0, 1], 2], 3], [0, [1, [2, 3]]], [[0, 1], [2, 3]], [0, [[1, 2], 3]]),
    5: ([[[[0, 1], 2], 3], 4], [0, [1, [2, [3, 4]]]], [[0, 1], [2, [3, 4]]]),
}


def chains(rng):
    for count, trees in TREES.items():
        for tree in trees:
            sizes = [int(n) for n in rng.integers(1, 10, count + 1)]
            yield chained(rng, list(zip(sizes, sizes[1:])), tree)


def judge_chain(found, arrays, tree):
    shapes = " by ".join("x".join(map(str, a.shape)) for a in arrays)
    if found["flops"] > found["before"]:
        return (
            f"{shapes}: expected at most the {found['before']:,} FLOPs that there "
            f"were, found {found['flops']:,}"
        )
    if found["rest"] != found["flops"]:
        return f"{shapes}: expected the rules to be done, but a second time they apply"
    return same(np.linalg.multi_dot(arrays), found["result"], f"the product {shapes}")


ORDER = Part(
    "cheaper_order",
    defines=("cheaper_order",),
    properties=(
        Property(
            "The product stays the same, and takes the FLOPs of the cheaper order.",
            triples,
            ordered,
            judge_order,
            "node.inputs[0] is x tells x (y z) from (x y) z. Compare both products of "
            "one order with both of the other.",
        ),
        Property(
            "It does so for matrices in batches.",
            batches,
            ordered,
            judge_order,
            "Ask flops(node): it knows the shapes, with their batches.",
        ),
        Property(
            "Where both orders take the same, it declines.",
            ties,
            call_tie,
            judge_tie,
            "Return None unless the other order is cheaper; else the two rows of the "
            "table undo each other for ever.",
        ),
        Property(
            "On longer chains the rules come to an end, and nothing gets dearer.",
            chains,
            ordered,
            judge_chain,
            "The inner product counts, too: the old one goes, a new one comes.",
        ),
        Property(
            "New nodes name the line of the program.",
            triples,
            ordered,
            judge_line,
            "make(ops.matmul, ..., where=node.where)",
        ),
    ),
)


# ---- part 2: mates


def built(shapes, steps):
    """(graph, values) of a small program: steps name an operation and positions."""
    rows = {"matmul": ops.matmul, "add": ops.add, "exp": ops.exp}
    values = [input_node(f"v{i}", s, "float64") for i, s in enumerate(shapes)]
    for name, *places in steps:
        values.append(make(rows[name], tuple(values[i] for i in places)))
    count = len(shapes)
    graph = Graph(tuple(values[:count]), tuple(values[count:]), tuple(values))
    return graph, values


def call_mates(lab, shapes, steps):
    """The positions of the products that `mates` finds."""
    graph, values = built(shapes, steps)
    found = lab.mates(graph)
    if not isinstance(found, list | tuple):
        raise TypeError(f"mates() returned {type(found).__name__}, expected a list")
    strange = [node for node in found if not any(node is v for v in values)]
    if strange:
        raise ValueError(f"mates() returned {strange[0]}, which is not in the graph")
    return [next(i for i, v in enumerate(values) if v is node) for node in found]


def group_in(shapes, steps):
    """The witness: the same from the description, by sets of what each value needs."""
    count = len(shapes)
    needs = [{i} for i in range(count)]
    for i, (_, *places) in enumerate(steps):
        needs.append({count + i}.union(*(needs[p] for p in places)))
    dims = [len(s) for s in shapes]
    for _, *places in steps:
        dims.append(max(dims[p] for p in places))
    for x in range(len(needs)):
        group = []
        for i, (name, *places) in enumerate(steps):
            fits = name == "matmul" and places[0] == x and dims[places[1]] == 2
            if fits and not needs[places[1]] & set(group):
                group.append(count + i)
        if len(group) > 1:
            return group
    return []


def program(shapes, steps):
    return {
        "shapes": [list(s) for s in shapes],
        "steps": [list(s) for s in steps],
        "expected": group_in(shapes, steps),
    }


SQUARE, BATCH = (4, 4), (2, 4, 4)


def readers(rng):
    several = int(rng.integers(2, 6))
    yield program([SQUARE] * 4, [("matmul", 0, 1), ("matmul", 0, 2), ("matmul", 0, 3)])
    yield program(
        [SQUARE] * (several + 1), [("matmul", 0, i + 1) for i in range(several)]
    )
    yield program(
        [SQUARE] * 5,
        [("exp", 0), ("matmul", 0, 1), ("matmul", 5, 2), ("matmul", 5, 3)],
    )
    yield program([SQUARE] * 3, [("matmul", 0, 1), ("matmul", 1, 2)])
    yield program([BATCH, SQUARE, SQUARE], [("matmul", 0, 1), ("matmul", 0, 2)])


def between(rng):
    wait = int(rng.integers(1, 5))
    hops = [("exp", 4 + i) for i in range(wait)]  # from the first product on
    yield program(
        [SQUARE] * 4,
        [("matmul", 0, 1), *hops, ("matmul", 0, 4 + wait), ("matmul", 0, 2)],
    )
    yield program([SQUARE] * 2, [("matmul", 0, 1), ("matmul", 0, 2)])
    yield program(
        [SQUARE] * 3,
        [("matmul", 0, 1), ("add", 3, 2), ("matmul", 0, 4), ("matmul", 0, 2)],
    )
    yield program(
        [SQUARE] * 3,
        [("matmul", 0, 1), ("matmul", 0, 2), ("add", 4, 1), ("matmul", 0, 5)],
    )
    # Two that need what isn't joined are no hindrance to each other.
    yield program(
        [SQUARE] * 3,
        [("matmul", 1, 2), ("exp", 3), ("matmul", 0, 3), ("matmul", 0, 4)],
    )


def misfits(rng):
    k = int(rng.integers(2, 5))
    yield program([SQUARE, SQUARE, SQUARE], [("matmul", 1, 0), ("matmul", 2, 0)])
    yield program([SQUARE, BATCH, SQUARE], [("matmul", 0, 1), ("matmul", 0, 2)])
    yield program(
        [SQUARE, *[BATCH] * k, SQUARE, SQUARE],
        [("matmul", 0, i + 1) for i in range(k + 2)],
    )
    yield program([SQUARE] * 2, [("add", 0, 1), ("add", 0, 1), ("matmul", 0, 1)])
    yield program([SQUARE] * 2, [("matmul", 0, 0)])
    yield program([SQUARE] * 2, [("matmul", 0, 0), ("matmul", 0, 1)])


def programs(rng):
    for _ in range(12):
        shapes = [SQUARE if rng.random() < 0.8 else BATCH for _ in range(4)]
        steps = []
        for i in range(4, 14):
            a, b = (int(n) for n in rng.integers(0, i, 2))
            a = int(rng.integers(0, 3)) if rng.random() < 0.6 else a
            name = str(rng.choice(["matmul", "matmul", "add", "exp"]))
            steps.append((name, a) if name == "exp" else (name, a, b))
        yield program(shapes, steps)


def worded(steps, count):
    names = [f"v{i} = {name}({', '.join(f'v{p}' for p in places)})"
             for i, (name, *places) in enumerate(steps, count)]  # fmt: skip
    return "; ".join(names)


def judge_mates(found, shapes, steps, expected):
    if list(found) != expected:
        words = [[f"v{i}" for i in group] for group in (expected, found)]
        deep = [f"v{i}" for i, s in enumerate(shapes) if len(s) == 3]
        deep = f" ({', '.join(deep)} of three dimensions)" if deep else ""
        return (
            f"in {worded(steps, len(shapes))}{deep}: expected "
            f"{', '.join(words[0]) or 'none'}, found {', '.join(words[1]) or 'none'}"
        )
    return None


MATES = Part(
    "mates",
    defines=("mates",),
    properties=(
        Property(
            "All products with one matrix at their left are found, in order.",
            readers,
            call_mates,
            judge_mates,
            "For each node x of graph.nodes go through graph.users[x].",
        ),
        Property(
            "A product whose right matrix needs another's result stays out.",
            between,
            call_mates,
            judge_mates,
            "depends(right, other) for each other that was taken.",
        ),
        Property(
            "Only matrix products, with x at the left and two dimensions at the right.",
            misfits,
            call_mates,
            judge_mates,
            "Look at node.op, node.inputs[0] and len(node.inputs[1].shape). X X reads "
            "x twice, and is one product.",
        ),
        Property(
            "It finds the same group as a search by hand, in random programs.",
            programs,
            call_mates,
            judge_mates,
            "The first node with two or more counts; one with a single product is "
            "passed by.",
        ),
    ),
)


# ---- part 3: side_by_side


def beside(lab, x, matrices):
    """The products of `x` with all matrices, made by one."""
    nodes = inputs_of([x, *matrices])
    products = [make(ops.matmul, (nodes[0], w), where="net.py:7") for w in nodes[1:]]
    graph = Graph(tuple(nodes), tuple(products))
    slices = lab.side_by_side(products)
    missing = [i for i, node in enumerate(products) if node not in slices]
    if missing:
        raise KeyError(f"side_by_side() has nothing for product {missing[0]}")
    after = check(dce(substitute(graph, slices, graph.inputs)), like=graph)
    return {
        "results": [np.asarray(a) for a in run(after, x, *matrices)],
        "products": sum(n.op is ops.matmul for n in after.nodes),
        "flops": after.flops,
        "before": graph.flops,
    }


def matrices_in(rng, lead, n, k, widths):
    draw = lambda *shape: rng.integers(-4, 5, shape).astype("float64")  # noqa: E731
    return {"x": draw(*lead, n, k), "matrices": [draw(k, m) for m in widths]}


def flat(rng):
    yield matrices_in(rng, (), 3, 2, [2, 2])
    for _ in range(4):
        n, k = (int(size) for size in rng.integers(1, 7, 2))
        count = int(rng.integers(2, 5))
        yield matrices_in(rng, (), n, k, rng.integers(1, 6, count).tolist())


def deep(rng):
    n, k = (int(size) for size in rng.integers(2, 7, 2))
    yield matrices_in(rng, (3,), n, k, [4, 1, 2])
    yield matrices_in(rng, (2, 3), k, n, [3, 5])


def judge_beside(found, x, matrices):
    for i, (w, result) in enumerate(zip(matrices, found["results"])):
        shapes = " and ".join("x".join(map(str, m.shape)) for m in matrices)
        what = f"product {i} of x {x.shape} with {shapes}"
        wrong = same(x @ w, result, what)
        if wrong:
            return wrong
    return None


def judge_one(found, x, matrices):
    if found["products"] != 1:
        return (
            f"{len(matrices)} products of x {x.shape}: expected 1 after joining, found "
            f"{found['products']}"
        )
    if found["flops"] > found["before"]:
        return f"expected {found['before']:,} FLOPs, found {found['flops']:,}"
    return None


BESIDE = Part(
    "side_by_side",
    defines=("side_by_side",),
    properties=(
        Property(
            "Each slice has the elements of its product, of whatever width.",
            flat,
            beside,
            judge_beside,
            "The next slice starts where the last one stopped.",
        ),
        Property(
            "Also where x comes in batches.",
            deep,
            beside,
            judge_beside,
            "(0, n, 1) for each dimension of the product but the last.",
        ),
        Property(
            "One product is left, of the same FLOPs.",
            flat,
            beside,
            judge_one,
            "Put the matrices at the right side by side, along dimension 1, and "
            "multiply once.",
        ),
    ),
)


# ---- part 4: cheapest


class Value:
    def __init__(self, nbytes):
        self.nbytes = nbytes


class Waiting:
    """As the library's Drop: a value, its FLOPs, and what it is computed from."""

    def __init__(self, value, flops, sources):
        self.value, self.flops, self.sources = value, flops, frozenset(sources)


def call_cheapest(lab, nbytes, flops, needs, needed):
    """The positions of the drops that are chosen."""
    values = [Value(n) for n in nbytes]
    drops = [
        Waiting(value, f, [values[i] for i in places])
        for value, f, places in zip(values, flops, needs)
    ]
    chosen = lab.cheapest(drops, needed)
    if not isinstance(chosen, list | tuple):
        raise TypeError(f"cheapest() returned {type(chosen).__name__}, expected a list")
    return sorted(next(i for i, d in enumerate(drops) if d is c) for c in chosen)


def choice(nbytes, flops, needs, needed):
    pairs = {"nbytes": nbytes, "flops": flops, "needs": needs, "needed": needed}
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in pairs.items()}


def free(count):
    return [[] for _ in range(count)]


def loose(rng):
    yield choice([9, 10, 4], [1, 2, 3], free(3), 10)
    yield choice([6, 5, 5], [1, 1, 1], free(3), 10)
    yield choice([5, 5], [1, 1], free(2), 0)
    for count in (6, 8, 10):
        nbytes, flops = rng.integers(1, 30, count), rng.integers(1, 30, count)
        yield choice(nbytes, flops, free(count), int(nbytes.sum()) // 2)


def tied(rng):
    yield choice([10, 9, 9], [1, 5, 5], [[1], [], []], 18)
    yield choice([10, 10, 10], [1, 1, 9], [[1], [], []], 20)
    for count in (6, 8, 9):
        nbytes, flops = rng.integers(5, 30, count), rng.integers(1, 30, count)
        needs = [
            sorted({int(j) for j in rng.integers(0, count, 2)} - {i})
            for i in range(count)
        ]
        yield choice(nbytes, flops, needs, int(nbytes.sum()) // 3)


def short(rng):
    yield choice([3, 4], [1, 1], free(2), 100)
    yield choice([3, 8, 4], [1, 9, 1], [[1], [2], []], 100)
    for count in (5, 7):
        nbytes, flops = rng.integers(1, 30, count), rng.integers(1, 30, count)
        needs = [[(i + 1) % count] for i in range(count)]
        yield choice(nbytes, flops, needs, 1000)
    yield choice([], [], [], 5)


def sets_of(nbytes, flops, needs):
    """(bytes, FLOPs) of every allowed set, by its bit mask."""
    count = len(nbytes)
    for mask in range(1 << count):
        chosen = [i for i in range(count) if mask >> i & 1]
        if not any(mask >> j & 1 for i in chosen for j in needs[i]):
            yield sum(nbytes[i] for i in chosen), sum(flops[i] for i in chosen)


def judge_choice(found, nbytes, flops, needs, needed):
    where = f"{needed} bytes of {len(nbytes)} values"
    if len(set(found)) < len(found):
        return f"{where}: found {found}, one of them twice"
    clash = [(i, j) for i in found for j in needs[i] if j in found]
    if clash:
        i, j = clash[0]
        return f"{where}: found {found}, but {i} is computed from {j}"
    freed, spent = sum(nbytes[i] for i in found), sum(flops[i] for i in found)
    sets = list(sets_of(nbytes, flops, needs))
    most = min(needed, max(b for b, _ in sets))
    least = min(f for b, f in sets if b >= most)
    if freed < most:
        return f"{where}: expected {most} bytes freed, found {freed} by {found}"
    if spent != least:
        return f"{where}: expected {least} FLOPs, found {spent} by {found}"
    return None


def stacks(rng):
    for layers, share in ((5, 0.8), (7, 0.6)):
        x = rng.standard_normal((6, int(rng.integers(5, 9))))
        yield {"x": x, "layers": layers, "share": share}


def call_library(lab, x, layers, share):
    """A deep loss and its gradient, in less memory by the student's choice."""
    first = y = input_node("x", x.shape, "float64")
    for _ in range(layers):
        y = make(ops.tanh, [make(ops.mul, [make(ops.sin, [y]), y])])
    total = make(ops.sum, [y], {"dims": (0, 1), "keepdim": False})
    graph = cse(differentiate(Graph((first,), (total,)), value=True))
    top = rematerialise(graph, 0).before
    with dl.replace(choose, lab.choose):
        found = rematerialise(graph, int(share * top))
    return {
        "slope": run(found.graph, x)[1],
        "wanted": run(graph, x)[1],
        "peak": found.peak,
        "budget": found.budget,
    }


def judge_library(found, x, layers, share):
    if found["peak"] > found["budget"]:
        return (
            f"{layers} layers under {found['budget']:,} bytes: found a peak of "
            f"{found['peak']:,}"
        )
    slope = slope_of(x, layers)
    return same(slope, found["slope"], f"the slope through {layers} layers")


def slope_of(x, layers):
    """The witness: tanh(y sin y), layer by layer, and its slope, in NumPy."""
    y, slope = x, np.ones_like(x)
    for _ in range(layers):
        inner = np.sin(y) * y
        slope = slope * (1 - np.tanh(inner) ** 2) * (np.cos(y) * y + np.sin(y))
        y = np.tanh(inner)
    return slope


CHEAPEST = Part(
    "cheapest",
    defines=("cheapest",),
    properties=(
        Property(
            "Enough is freed, for the fewest FLOPs that any set takes.",
            loose,
            call_cheapest,
            judge_choice,
            "Look at every set, the empty one too. One large value may be cheaper than "
            "two with a better ratio.",
        ),
        Property(
            "No value is dropped with one that it is computed from.",
            tied,
            call_cheapest,
            judge_choice,
            "A set is out if one of its drops has a source that is another's value.",
        ),
        Property(
            "Where no set is enough, the one that frees most is taken.",
            short,
            call_cheapest,
            judge_choice,
            "Compare sets by the bytes they free, up to what is needed, and then by "
            "their FLOPs.",
        ),
        Property(
            "In the library it brings a graph under its budget, and keeps its values.",
            stacks,
            call_library,
            judge_library,
            "Return drops of the list, as a list; leave `choose` as it is.",
        ),
    ),
)

PARTS = [ORDER, MATES, BESIDE, CHEAPEST]
