"""Dead code: nodes that no output needs. (Chapter 8.)

Most passes leave some behind: they make new nodes, and the old ones keep their place in
the order until this pass.
"""

from ..graph import Graph


def dce(graph):
    """`graph` with only what its outputs need, in the order in which it stood."""
    needed = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node in needed:
            needed.update(node.inputs)
    order = tuple(node for node in graph.nodes if node in needed)
    return Graph(graph.inputs, graph.outputs, order)
