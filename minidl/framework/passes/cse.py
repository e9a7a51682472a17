"""Common subexpressions: what is computed twice is computed once.

Value numbering: nodes get equal keys if they apply one operation to the same inputs
with the same attributes; the first stands for all. Constants are compared by their
bytes. Random numbers are no exception: they are a function of their key. (Chapter 8.)
"""

import numpy as np

from ..graph import INPUT, Graph, keep, rebuild
from .pattern import COMMUTE


def cse(graph):
    """`graph` with one node for all that compute the same."""
    first = {}

    def change(node, inputs):
        node = keep(node, inputs)
        return node if node.op.writes else first.setdefault(key(node), node)

    return rebuild(graph, change)


def key(node):
    """What two nodes that compute the same have in common.

    The type is part of it: of two casts, one may be wrongly typed, and `check` is to
    find it.
    """
    inputs = tuple(map(id, node.inputs))
    if node.op in COMMUTE:
        inputs = tuple(sorted(inputs))
    return node.op, inputs, token(node.attrs), node.shape, node.dtype


# ---- attributes: something hashable that is equal only where they are


def token(value):
    """A value that can be a key: equal for equal attributes, of whatever kind."""
    for kind, rule in TOKENS.items():
        if isinstance(value, kind):
            return rule(value)
    return type(value), hashable(value)


def hashable(value):
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def array_token(value):
    """Strides too: in another layout, a sum may round otherwise."""
    return "array", value.shape, value.strides, value.dtype, value.tobytes()


def graph_token(graph):
    """Its nodes by number, so that two graphs traced from one function are equal."""
    place = {node: i for i, node in enumerate(graph.nodes)}
    rows = tuple(
        (node.op, tuple(place[x] for x in node.inputs), node_token(node))
        for node in graph.nodes
    )
    ends = tuple(place[x] for x in (*graph.inputs, *graph.outputs))
    return "graph", rows, ends


def node_token(node):
    attrs = {} if node.op is INPUT else node.attrs  # an input's name says nothing
    return token(attrs), node.shape, node.dtype


TOKENS = {
    np.ndarray: array_token,
    Graph: graph_token,
    dict: lambda value: tuple((k, token(v)) for k, v in sorted(value.items())),
    list | tuple: lambda value: (type(value), *map(token, value)),
    float: lambda value: ("float", value.hex()),  # 0 is not -0, and nan is nan
}
