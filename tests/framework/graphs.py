"""Random well-typed graphs and values for them, to hold a pass against.

Two kinds. `graphs(special=True)` has any operation and values with 0, -0, inf and nan:
for passes that promise the same bits, or nearly. `graphs()` is smooth: its operations
are continuous and its values tame, so that an error of rounding stays one; for passes
that round otherwise. Both compute in float64.
"""

from math import prod
from random import Random

import numpy as np
from hypothesis import strategies as st

from minidl.framework import ops
from minidl.framework.attention import attention
from minidl.framework.composites import (
    gelu,
    gelu_back,
    log_softmax,
    normalise,
    normalise_back,
    softmax,
    softmax_back,
)
from minidl.framework.graph import Graph, constant, input_node, make, run
from minidl.hardware.registry import device

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, np.inf, -np.inf, np.nan]
SCALARS = [0.0, 1.0, -1.0, 2.0, 3.0, -1.5, 0.25]
POWERS = [0.0, 1.0, 2.0, 3.0, 4.0]
MOST = 200  # elements of one value
KINDS = 6  # of step in one graph
SEEDS = st.integers(0, 2**32 - 1)  # one for three steps: others don't depend on them


class Case:
    """A graph, and arrays for its inputs."""

    def __init__(self, graph, arrays):
        self.graph, self.arrays = graph, arrays

    def __repr__(self):
        return f"\n{self.graph}\nfor " + ", ".join(map(repr, self.arrays))


class Maker:
    """A graph being made: draws what it needs, and keeps the nodes it has."""

    def __init__(self, special):
        self.special, self.nodes, self.arrays = special, [], []

    def step(self, function, seed):
        """One more node, if `function` finds what it needs."""
        self.random = Random(seed)
        node = function(self)
        if node is not None and node.size <= MOST:
            self.nodes.append(node)

    def choose(self, options):
        return self.random.choice(list(options))

    def flag(self):
        return self.choose([True, False])

    def pick(self, kind="f", least=0):
        """A node made before, of `least` dimensions; None where there is none."""
        found = [x for x in self.nodes if x.dtype.kind == kind]
        found = [x for x in found if len(x.shape) >= least]
        return self.choose(found[-1:] * 4 + found[-4:] + found[:2]) if found else None

    def shape(self):
        ndim = self.choose([0, 1, 2, 2, 3, 3])
        return tuple(self.choose([1, 2, 2, 3]) for _ in range(ndim))

    def values(self, shape):
        rng = np.random.default_rng(self.random.getrandbits(32))
        if self.special and self.flag():
            return rng.choice(SPECIAL, shape)
        return np.asarray(rng.uniform(0.3, 1.5, shape) * rng.choice([-1, 1], shape))

    def fits(self, *nodes):
        """Whether the shapes of `nodes` broadcast, and not to something huge."""
        try:
            return prod(np.broadcast_shapes(*[x.shape for x in nodes])) <= MOST
        except ValueError:
            return False

    def partner(self, x):
        """A node that broadcasts with `x`: one made before, or a constant."""
        found = [y for y in self.nodes if y.dtype == x.dtype and self.fits(x, y)]
        kind = self.choose(["node", "node", "number", "number", "constant"])
        if kind == "node" and found:
            return self.choose(found)
        shape = x.shape[1:] if kind == "constant" else ()
        return self.constant(shape)

    def constant(self, shape=()):
        if shape:
            return constant(self.values(shape))
        numbers = SCALARS + (SPECIAL if self.special else [])
        return constant(np.float64(self.choose(numbers)))


# ---- one step each: (maker) -> node, or None where the nodes so far don't allow it


def unary(*rows):
    return lambda m: make(m.choose(rows), [m.pick()])


def binary(*rows):
    def step(m):
        x = m.pick()
        pair = [x, m.partner(x)]
        return make(m.choose(rows), pair[::-1] if m.flag() else pair)

    return step


def quotient(m):
    """By anything; in a smooth graph by a number, or by 1 + y * y."""
    x = m.pick()
    if m.special:
        return make(ops.div, [x, m.partner(x)])
    if m.flag():
        return make(ops.div, [x, constant(m.choose([1.0, 2.0, -4.0, 3.0]))])
    return make(ops.div, [x, at_least_one(m.partner(x))])


def at_least_one(y):
    return make(ops.add, [make(ops.mul, [y, y]), constant(1.0)])


def power(m):
    x, roots = m.pick(), [-1.0, 0.5]
    if m.special:
        return make(ops.pow, [x, constant(m.choose(POWERS + roots))])
    if m.flag():
        return make(ops.pow, [x, constant(m.choose(POWERS))])
    return make(ops.pow, [at_least_one(x), constant(m.choose(roots))])


def logarithm(m):
    return make(ops.log, [m.pick() if m.special else at_least_one(m.pick())])


def exponential(m):
    """Of anything; in a smooth graph of what cannot overflow."""
    x = m.pick()
    return make(ops.exp, [x if m.special else make(ops.tanh, [x])])


def choice(m):
    condition, x = m.pick("b"), m.pick()
    if condition is None or m.flag():
        condition = constant(m.choose([np.True_, np.False_]))
    if not m.special:  # a jump, unless it is known which way
        condition = constant(np.array(m.choose([True, False])))
    y = m.partner(x)
    return make(ops.where, [condition, x, y]) if m.fits(condition, x, y) else None


def comparison(m):
    x = m.pick()
    return make(m.choose([ops.eq, ops.lt, ops.le]), [x, m.partner(x)])


def negation(m):
    return m.pick("b") and make(ops.logical_not, [m.pick("b")])


def some_dims(m, x):
    return tuple(d for d in range(len(x.shape)) if m.flag())


def reduction(row):
    def step(m):
        x = m.pick()
        attrs = {"dims": some_dims(m, x), "keepdim": m.flag()}
        return make(row, [x], attrs)

    return step


def position(m):
    x = m.pick(least=1)
    found = x and make(ops.argmax, [x], {"dim": 0, "keepdim": False})
    return found and make(ops.cast, [found], {"dtype": np.dtype(float)})


def reshape(m):
    x = m.pick()
    shape = m.choose([(x.size,), x.shape, (1, *x.shape), (*x.shape, 1), x.shape[::-1]])
    return make(ops.reshape, [x], {"shape": shape})


def permute(m):
    x = m.pick()
    dims = list(range(len(x.shape)))
    m.random.shuffle(dims)
    return make(ops.permute, [x], {"dims": tuple(dims)})


def expand(m):
    x = m.pick()
    lead = m.choose([(), (1,), (2,)])
    shape = lead + tuple(2 if n == 1 and m.flag() else n for n in x.shape)
    return make(ops.expand, [x], {"shape": shape}) if prod(shape) <= MOST else None


def part(m):
    x = m.pick()
    index = [m.choose([(0, n, 1), (n // 2, n, 1), (0, n, 2)]) for n in x.shape]
    return make(ops.slice_, [x], {"index": tuple(index)})


def pad(m):
    x = m.pick()
    before = m.choose([0, 1])
    index = tuple((before, before + n, 1) for n in x.shape)
    shape = tuple(n + 2 * before for n in x.shape)
    found = prod(shape) <= MOST
    return make(ops.pad, [x], {"index": index, "shape": shape}) if found else None


def flip(m):
    x = m.pick(least=1)
    return x and make(ops.flip, [x], {"dims": some_dims(m, x)})


def join(m):
    x = m.pick(least=1)
    parts = x and [x] * m.choose([1, 2])
    return make(ops.cat, parts, {"dim": 0}) if x and x.size * 2 <= MOST else None


def product(m):
    x = m.pick(least=2)
    if x is None:
        return None
    y = m.pick(least=2)
    if y.shape[-2] != x.shape[-1] or not m.fits(
        constant(np.ones(x.shape[:-2])), constant(np.ones(y.shape[:-2]))
    ):
        y = constant(m.values((x.shape[-1], 2)))
    return make(ops.matmul, [x, y])


def rows_of(m):
    x = m.pick(least=1)
    return x and make(ops.index, [x, constant(np.arange(x.shape[0])[::-1])])


def cast(m):
    return make(ops.cast, [m.pick()], {"dtype": np.dtype(float)})


def copy(m):
    return make(ops.copy, [m.pick()], {"device": device("cpu")})


def along_last(*rows, **attrs):
    """Rows that work along the last dimension, on as many inputs as they take."""

    def step(m):
        op, x = m.choose(rows), m.pick(least=1)
        if x is None:
            return None
        dim = (
            {"eps": 1e-2}
            if op in (normalise, normalise_back)
            else {"dim": len(x.shape) - 1}
        )
        inputs = [x] * (2 if op in (softmax_back, normalise_back) else 1)
        return make(op, inputs, dim)

    return step


def bell(m):
    op, x = m.choose([gelu, gelu_back]), m.pick()
    return make(op, [x] * (1 + (op is gelu_back)))


def attend(m):
    x = m.pick(least=2)
    return x and make(attention, [x, x, x])


SMOOTH_STEPS = {
    "bounded": unary(ops.neg, ops.sin, ops.cos, ops.tanh, ops.sigmoid, ops.abs),
    "ramp": unary(ops.relu),
    "sum": binary(ops.add, ops.sub),
    "product": binary(ops.mul),
    "larger": binary(ops.maximum),
    "quotient": quotient,
    "power": power,
    "exponential": exponential,
    "logarithm": logarithm,
    "choice": choice,
    "total": reduction(ops.sum),
    "largest": reduction(ops.amax),
    "reshape": reshape,
    "permute": permute,
    "expand": expand,
    "part": part,
    "pad": pad,
    "flip": flip,
    "join": join,
    "matmul": product,
    "rows": rows_of,
    "cast": cast,
    "copy": copy,
}
COMPOSED_STEPS = {
    "along last": along_last(
        softmax, log_softmax, softmax_back, normalise, normalise_back),
    "gelu": bell,
    "attention": attend,
}  # fmt: skip
SPECIAL_STEPS = SMOOTH_STEPS | {
    "rough": unary(ops.sqrt, ops.sign),
    "gate": binary(ops.gate),
    "comparison": comparison,
    "negation": negation,
    "position": position,
}


@st.composite
def graphs(draw, special=False, most=24, steps=None):
    """A Case of up to `most` steps; `steps` is a table such as those above.

    Each graph has only a few kinds of them, so that they meet one another often (swarm
    testing: Groce et al., 2012).
    """
    maker = Maker(special)
    table = steps or (SPECIAL_STEPS if special else SMOOTH_STEPS | COMPOSED_STEPS)
    kinds = Random(draw(SEEDS)).sample(list(table.values()), min(KINDS, len(table)))
    for i, seed in enumerate(draw(st.lists(SEEDS, min_size=1, max_size=3))):
        maker.step(new_input(i), seed)
    inputs = tuple(maker.nodes)
    for seed in draw(st.lists(SEEDS, min_size=1, max_size=most // 3)):
        for i, kind in enumerate(Random(seed).choices(kinds, k=3)):
            maker.step(kind, seed + i)
    graph = Graph(inputs, results(maker), tuple(maker.nodes))
    return Case(graph, tuple(maker.arrays))


def results(maker):
    """What nobody reads, so that no mistake stays unseen; sometimes the last alone."""
    read = {x for node in maker.nodes for x in node.inputs}
    unread = [node for node in maker.nodes if node not in read]
    return tuple(unread[-1:] if maker.choose(range(4)) == 0 else unread)


def new_input(i):
    def step(m):
        m.arrays.append(m.values(m.shape()))
        return input_node(f"x{i}", m.arrays[-1].shape, m.arrays[-1].dtype)

    return step


# ---- what a pass must keep


def same_bits(case, graph):
    """AssertionError unless `graph` computes what that of `case` does, bit for bit."""
    for before, after in zip(run(case.graph, *case.arrays), run(graph, *case.arrays)):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after, strict=True)
        finite = ~np.isnan(before) if before.dtype.kind == "f" else np.True_
        assert (np.signbit(before * 1.0) == np.signbit(after * 1.0))[finite].all()


def close(case, graph, rtol):
    """AssertionError unless they agree to `rtol` of the largest value of an output."""
    for before, after in zip(run(case.graph, *case.arrays), run(graph, *case.arrays)):
        assert before.dtype == after.dtype and before.shape == after.shape
        finite = np.abs(before[np.isfinite(before)], dtype=float)
        scale = max(finite.max(initial=0), 1)
        np.testing.assert_allclose(after, before, rtol=rtol, atol=rtol * scale)
