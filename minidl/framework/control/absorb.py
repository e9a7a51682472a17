"""Constants move into the graphs that read them; what no graph reads moves nowhere.

Traced, a branch sees all it reads as an operand. That is right, and says little of what
the branch computes. (Chapter 7.)
"""

from dataclasses import replace

from ..graph import CONSTANT, Graph, keep, rebuild, substitute
from .cond import cond
from .loop import loop
from .scan import scan

# Where the operands begin that all graphs of a row take as they are.
FIXED = {
    cond: lambda node: 1,
    loop: lambda node: len(node.attrs["body"].outputs),
    scan: lambda node: node.attrs["carries"] + node.attrs["rows"],
}


def absorbed(graph):
    """`graph`, and the graphs in it, without operands that are constant or unread."""
    whole = rebuild(graph, absorb)
    needed = set(Graph(whole.inputs, whole.outputs).nodes)
    order = tuple(node for node in whole.order if node in needed)
    return Graph(whole.inputs, whole.outputs, order)


def absorb(node, inputs):
    if node.op not in FIXED:
        return keep(node, inputs)
    parts = {k: absorbed(v) for k, v in node.attrs.items() if isinstance(v, Graph)}
    shift = 1 if node.op is cond else 0  # the condition is none of a branch's inputs
    gone = {
        i: x
        for i, x in enumerate(inputs)
        if i >= FIXED[node.op](node)
        and (x.op is CONSTANT or not is_read(i - shift, parts.values()))
    }
    inner = {k: absorbed(without(v, gone, shift)) for k, v in parts.items()}
    left = tuple(x for i, x in enumerate(inputs) if i not in gone)
    return replace(node, inputs=left, attrs={**node.attrs, **inner})


def is_read(i, graphs):
    return any(g.users[g.inputs[i]] or g.inputs[i] in g.outputs for g in graphs)


def without(graph, gone, shift):
    """`graph` with the operands `gone` in place of the inputs that they were for."""
    known = {graph.inputs[i - shift]: x for i, x in gone.items() if x.op is CONSTANT}
    inputs = [x for i, x in enumerate(graph.inputs) if i + shift not in gone]
    return substitute(graph, known, inputs)
