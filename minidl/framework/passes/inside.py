"""Passes go into branches and bodies: graphs that nodes hold as attributes.

A loop's body runs often, so what a pass saves there counts most. A group that is fused
already is left as it is: its loop has been laid out. (Chapter 8.)
"""

from dataclasses import replace
from functools import wraps

from ..graph import FUSED, Graph, check, keep, rebuild


def everywhere(pass_):
    """`pass_`, which also goes into the graphs inside nodes, the innermost first."""

    @wraps(pass_)
    def deep(graph):
        return pass_(inner_changed(graph, deep))

    return deep


def inner_changed(graph, pass_):
    """`graph` with each graph inside its nodes as `pass_` makes it."""
    if not any(holds(node) for node in graph.nodes):
        return graph

    def change(node, inputs):
        node = keep(node, inputs)
        if not holds(node):
            return node
        inner = {name: changed(value, pass_) for name, value in node.attrs.items()}
        return replace(node, attrs=inner)

    return rebuild(graph, change)


def holds(node):
    """Whether a node holds a graph that passes may change."""
    values = node.attrs.values()
    return node.op is not FUSED and any(isinstance(v, Graph) for v in values)


def changed(value, pass_):
    return check(pass_(value), like=value) if isinstance(value, Graph) else value
