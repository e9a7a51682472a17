"""Graph: a computation as a value that can be read, checked, rewritten and run.

A Node is one operation on other nodes; it never changes. A Graph is its inputs, its
outputs and all that lies between. Nothing in it is written twice (static single
assignment): what was an in-place write in the program is a further output. A pass is a
function from Graph to Graph. Node by node, `check` holds a graph to the rules of the
table. (Chapter 7.)
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from math import prod
from textwrap import indent

import numpy as np

from .op import MISTAKES, Op
from .tape import no_grad
from .tensor import Tensor


@dataclass(frozen=True, eq=False)
class Node:
    """One operation, and the shape and dtype of its result.

    `where` is the line of the program that asked for it. A node with several results
    has a tuple of shapes and of dtypes; `item` nodes pick one of them.
    """

    op: Op
    inputs: tuple = ()
    attrs: dict = field(default_factory=dict)
    shape: tuple = ()
    dtype: object = None
    where: str = ""

    @property
    def size(self):
        return prod(self.shape)

    @property
    def nbytes(self):
        if isinstance(self.dtype, tuple):
            return sum(prod(s) * d.itemsize for s, d in zip(self.shape, self.dtype))
        return self.size * self.dtype.itemsize

    def __repr__(self):
        return f"{self.op.name} {tuple(self.shape)} {self.dtype}"


def given(xp, *inputs, **attrs):
    raise TypeError("an input or a constant has its value; it is not computed")


INPUT = Op("input", given, flops=lambda *shapes, **attrs: 0)
CONSTANT = Op("constant", given, flops=lambda *shapes, **attrs: 0)
ITEM = Op(  # one of a node's several results
    "item",
    given,
    shape=lambda shapes, *, index: shapes[index],
    dtype=lambda dtypes, *, index: dtypes[index],
    flops=lambda *shapes, **attrs: 0,
    view=True,
)


def types(body, of):
    """The shapes or dtypes of a graph's outputs: that of one, or a tuple of several."""
    kinds = tuple(getattr(x, of) for x in body.outputs)
    return kinds if len(kinds) > 1 else kinds[0]


FUSED = Op(  # the nodes of `body`, a graph, which one kernel computes
    "fused",
    given,
    shape=lambda *shapes, body: types(body, "shape"),
    dtype=lambda *dtypes, body: types(body, "dtype"),
    flops=lambda result, *shapes, body: body.flops,
)


def input_node(name, shape, dtype, where=""):
    return Node(INPUT, (), {"name": name}, tuple(shape), np.dtype(dtype), where)


def constant(value, where=""):
    """The node of an array that is known before the graph runs."""
    value = np.asarray(value)
    return Node(CONSTANT, (), {"value": value}, value.shape, value.dtype, where)


def make(op, inputs, attrs=None, where=""):
    """The node of `op` on nodes `inputs`; shape and dtype by the op's own rules.

    Raises ValueError or TypeError, with the line `where`, where they don't fit.
    """
    attrs = attrs or {}
    try:
        shape = op.shape(*[x.shape for x in inputs], **attrs)
        dtype = op.dtype(*[x.dtype for x in inputs], **attrs)
    except MISTAKES as error:
        operands = ", ".join(f"{tuple(x.shape)} {x.dtype}" for x in inputs)
        place = f"{where}: " if where else ""
        raise type(error)(f"{place}{op.name} {operands}: {error}") from None
    return Node(op, tuple(inputs), attrs, tuple(shape), dtype, where)


@dataclass(frozen=True, eq=False)
class Graph:
    """`order` is the order in which to compute nodes, those that nobody needs included.

    It may name some of them only: the others follow where they are first needed.
    """

    inputs: tuple
    outputs: tuple
    order: tuple = ()

    @cached_property
    def nodes(self):
        """All nodes, in order, each after its own inputs."""
        order, seen = [], set()
        roots = (*self.inputs, *self.order, *self.outputs)
        pending = [(x, False) for x in roots[::-1]]
        while pending:
            node, done = pending.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                pending.append((node, True))
                pending.extend((x, False) for x in node.inputs[::-1])
        return tuple(order)

    @cached_property
    def users(self):
        """{node: the nodes that read it}; a node that reads twice is there twice."""
        users = {node: [] for node in self.nodes}
        for node in self.nodes:
            for x in node.inputs:
                users[x].append(node)
        return users

    @property
    def flops(self):
        return sum(flops(node) for node in self.nodes)

    @property
    def nbytes(self):
        """Bytes that all operations read and write if nothing stays in a cache."""
        return sum(moved(node) for node in self.nodes)

    def __len__(self):
        """How many operations it has, inputs and constants left out."""
        return sum(node.op not in (INPUT, CONSTANT) for node in self.nodes)

    def __repr__(self):
        return text(self)

    def __call__(self, *arrays):
        return run(self, *arrays)


def flops(node):
    """Floating-point operations of one node, by its row."""
    return node.op.flops(node.shape, *[x.shape for x in node.inputs], **node.attrs)


def moved(node):
    """Bytes that one node reads and writes."""
    if node.op in (INPUT, CONSTANT) or node.op.view:
        return 0
    if node.op is FUSED:
        return sum(x.nbytes for x in (*node.inputs, *node.attrs["body"].outputs))
    return node.nbytes + sum(x.nbytes for x in node.inputs)


# ---- reading it


def text(graph):
    """One line a node: its name, its type, what it computes, and from which line."""
    names = name_nodes(graph)
    rows = [(names[n], type_text(n), call_text(n, names), n.where) for n in graph.nodes]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = []
    for node, (name, kind, call, where) in zip(graph.nodes, rows):
        line = (
            f"{name:<{widths[0]}}  {kind:<{widths[1]}} = {call:<{widths[2]}}  {where}"
        )
        lines += [line.rstrip(), *parts_text(node)]
    results = ", ".join(names[x] for x in graph.outputs)
    return "\n".join([*lines, f"return {results}"])


def parts_text(node):
    """The graphs that a node holds, each under its name, set in."""
    for name, part in node.attrs.items():
        if isinstance(part, Graph):
            yield indent(f"{name}:\n{indent(text(part), '  ')}", "  ")


def name_nodes(graph):
    """{node: name}: an input's own, else % and a number."""
    names, free = {}, count()
    for node in graph.nodes:
        own = node.attrs["name"] if node.op is INPUT else None
        names[node] = own or f"%{next(free)}"
    return names


def type_text(node):
    if node.dtype is None or isinstance(node.dtype, tuple):
        pairs = zip(node.shape, node.dtype or ())
        return "(" + ", ".join(f"{d}{list(s)}" for s, d in pairs) + ")"
    return f"{node.dtype}{list(node.shape)}"


def call_text(node, names):
    if node.op is CONSTANT:
        value = node.attrs["value"]
        return f"{value.item():.6g}" if value.size == 1 else f"constant {value.shape}"
    if node.op is INPUT:
        return "input"
    parts = [names[x] for x in node.inputs]
    parts += [f"{k}={attr_text(v)}" for k, v in node.attrs.items()]
    return f"{node.op.name}({', '.join(parts)})"


def attr_text(value):
    if isinstance(value, Graph):
        return f"<graph of {len(value)}>"
    return str(value).replace(" ", "")


# ---- checking it


def check(graph, like=None):
    """`graph`, if it keeps the rules; ValueError that names the node which doesn't.

    Each result has the shape and dtype that its row's rules give for its inputs; an
    input is one of the graph's; with `like`, inputs and the outputs' types are as
    there: what a pass must keep.
    """
    for node in graph.nodes:
        for part in node.attrs.values():
            if isinstance(part, Graph):
                check(part)
        if node.op is INPUT:
            if node not in graph.inputs:
                raise ValueError(f"{node.attrs['name']} is no input of this graph")
        elif node.op is CONSTANT:
            expect(node, node.attrs["value"].shape, node.attrs["value"].dtype)
        elif node.op is not ITEM:
            shapes, dtypes = (
                [x.shape for x in node.inputs],
                [x.dtype for x in node.inputs],
            )
            expect(
                node,
                node.op.shape(*shapes, **node.attrs),
                node.op.dtype(*dtypes, **node.attrs),
            )
    if like is not None:
        if graph.inputs != like.inputs or len(graph.outputs) != len(like.outputs):
            raise ValueError("a pass must keep a graph's inputs and count of outputs")
        for mine, theirs in zip(graph.outputs, like.outputs):
            expect(mine, theirs.shape, theirs.dtype)
    return graph


def expect(node, shape, dtype):
    if tuple(node.shape) != tuple(shape) or node.dtype != dtype:
        raise ValueError(f"{node}: its rules give {tuple(shape)} {dtype}")


# ---- running it, one operation at a time: what every compiled form must agree with


@no_grad()
def run(graph, *arrays):
    """The outputs for `arrays`, one for each input, as a tuple of arrays."""
    if len(arrays) != len(graph.inputs):
        raise ValueError(f"a graph of {len(graph.inputs)} inputs got {len(arrays)}")
    tensors = [Tensor(np.asarray(a)) for a in arrays]
    return tuple(x.data for x in replay(graph, tensors))


def replay(graph, tensors):
    """The outputs for `tensors`, as a tuple: applied one by one, as a program does."""
    values = dict(zip(graph.inputs, tensors))
    for node in graph.nodes:
        if node not in values:
            values[node] = result(node, [values[x] for x in node.inputs])
    return tuple(values[x] for x in graph.outputs)


def result(node, inputs):
    if node.op is CONSTANT:
        return Tensor(node.attrs["value"])
    if node.op is ITEM:
        return inputs[0][node.attrs["index"]]
    if node.op is FUSED:
        found = tuple(map(Tensor, run(node.attrs["body"], *[x.data for x in inputs])))
        return found if len(found) > 1 else found[0]
    if isinstance(node.dtype, tuple):  # control flow: of several results
        return node.op.composed(*inputs, **node.attrs)
    return node.op(*inputs, **node.attrs)


# ---- changing it


def rebuild(graph, change):
    """A new graph: `change(node, inputs)` gives what stands for each node.

    `inputs` are what stands for the node's inputs; `keep` is the change that changes
    nothing. Inputs of the graph stay.
    """
    return substitute(graph, {}, graph.inputs, change)


def keep(node, inputs):
    """`node` on `inputs`: itself where they are its own."""
    if inputs == node.inputs:
        return node
    return replace(node, inputs=inputs)


def substitute(graph, known, inputs, change=None):
    """`graph` as a graph of `inputs`, with `known`, {node: node}, put in place.

    `change` is as in `rebuild`.
    """
    now = {**{x: x for x in inputs}, **known}
    for node in graph.nodes:
        if node not in now:
            now[node] = (change or keep)(node, tuple(now[x] for x in node.inputs))
    outputs = tuple(now[x] for x in graph.outputs)
    return Graph(tuple(inputs), outputs, tuple(now[x] for x in graph.nodes))
