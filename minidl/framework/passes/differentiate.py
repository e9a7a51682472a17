"""Differentiation as a pass: the graph of the gradients, by the rules of the table.

The same walk as along the tape, and the same rules: run on symbols, they write nodes.
What comes out is a graph like any other, which can be differentiated again.
(Chapter 8.)
"""

import numpy as np

from .. import ops
from ..dtypes import is_float
from ..graph import FUSED, Graph, constant, keep, make, rebuild
from ..trace.recorder import record
from .decompose import is_composed, written_out

CONTROL = (
    "{where}: {op} is control flow, and its gradient needs what only its run can keep: "
    "take the gradient in the program, and trace that"
)


def differentiate(graph, output=0, wrt=None, value=False):
    """The graph of the gradients of one output, which must have one element.

    It has an output for each input whose position `wrt` names, or for each floating
    one; with `value`, the differentiated output comes before them.
    """
    graph = with_rules(graph)
    top, wanted = graph.outputs[output], targets(graph, wrt)
    if top.size != 1 or not is_float(top.dtype):
        raise ValueError(f"output {output} is {top}: a gradient is of one real number")
    found = propagate(graph, top, reaching(graph, wanted))
    grads = [found[x] if x in found else zeros(x) for x in wanted]
    outputs = (top, *grads) if value else tuple(grads)
    return Graph(graph.inputs, outputs, graph.nodes)


def with_rules(graph):
    """`graph`, where a row that has no gradient rule but is made of others is them."""

    def change(node, inputs):
        node = keep(node, inputs)
        return written_out(node) if is_composed(node) and not node.op.vjp else node

    return rebuild(graph, change)


def targets(graph, wrt):
    """The inputs to differentiate by."""
    if wrt is None:
        return [x for x in graph.inputs if is_float(x.dtype)]
    wanted = [graph.inputs[i] for i in wrt]
    for x in wanted:
        if not is_float(x.dtype):
            raise ValueError(f"only floating inputs have gradients, this is {x}")
    return wanted


def reaching(graph, sources):
    """The nodes through which a change of `sources` is felt."""
    found = set(sources)
    for node in graph.nodes:
        if any(x in found for x in node.inputs):
            if isinstance(node.dtype, tuple):
                raise ValueError(CONTROL.format(where=node.where, op=node.op.name))
            if node.op is FUSED:
                raise ValueError("a fused loop has no gradient: differentiate first")
            found.add(node)
    return found


def propagate(graph, top, reached):
    """{node: the gradient of `top` by it}, from `top` back to the inputs."""
    sums = {top: constant(np.ones(top.shape, top.dtype), top.where)}
    for node in graph.nodes[::-1]:
        if node in sums and node in reached:
            wanted = [i for i, x in enumerate(node.inputs) if x in reached]
            for x, part in pull(node, sums[node], wanted):
                sums[x] = make(ops.add, (sums[x], part)) if x in sums else part
    return sums


def pull(node, g, wanted):
    """(input, gradient) for those of the `wanted` inputs that have a rule."""
    signature = node.op.signature
    ruled = [i for i in wanted if signature.rule_index(i) is not None]

    def rules(g, out, *inputs):
        return [gradient(node, i, g, out, inputs) for i in ruled]

    parts = record(rules, (g, node, *node.inputs), node.where) if ruled else ()
    return [(node.inputs[i], part) for i, part in zip(ruled, parts)]


def gradient(node, i, g, out, inputs):
    """The answer of the rule for input `i`, in the shape and dtype of that input."""
    op, signature = node.op, node.op.signature
    shapes = tuple(x.shape for x in inputs)
    scope = {"g": g, "out": out, "shapes": shapes, "i": i, **node.attrs}
    scope.update(zip(signature.inputs, inputs))
    if signature.rest:
        scope[signature.rest] = inputs[len(signature.inputs) :]
    rule = signature.rule_index(i)
    answer = op.vjp[rule](*[scope[name] for name in signature.asks[rule]])
    return ops.sum_to(answer, shapes[i]).to(inputs[i].dtype)


def zeros(x):
    """The gradient by what has no part in the result."""
    nothing = constant(np.zeros((), x.dtype), x.where)
    return make(ops.expand, (nothing,), {"shape": x.shape}, x.where)
