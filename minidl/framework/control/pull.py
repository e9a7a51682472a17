"""The gradient of a graph as a graph: replayed on the tape, and walked back.

What replays is recorded again, so gradients of control flow are control flow, and have
gradients. (Chapter 7.)
"""

from ..autodiff import grad
from ..graph import Graph, input_node, replay
from ..op import stack
from ..tape import enable_grad
from ..trace.place import place
from ..trace.recorder import record
from .several import zeros
from .types import floating


def pull(graph, inputs, gs):
    """The gradients of all floating `inputs`; `gs` are those of floating results."""
    leaves = [x.detach() for x in inputs]
    wanted = [leaves[i].requires_grad_() for i in floating(inputs)]
    with enable_grad():
        outs = replay(graph, leaves)
    pairs = [(outs[i], g) for i, g in zip(floating(outs), gs)]
    pairs = [(y, g) for y, g in pairs if y.requires_grad]
    ys, gs = [y for y, _ in pairs], [g for _, g in pairs]
    found = grad(ys, wanted, gs, allow_unused=True)
    return [zeros(x) if g is None else g for x, g in zip(wanted, found)]


def pulled(graph):
    """The Graph of `pull`: from inputs and gradients to gradients of inputs."""
    count = len(graph.inputs)
    results = [graph.outputs[i] for i in floating(graph.outputs)]

    def function(*tensors):
        return pull(graph, tensors[:count], tensors[count:])

    return graph_of(function, [*graph.inputs, *results])


def graph_of(function, like):
    """The Graph of what `function` computes of tensors with the types of `like`."""
    nodes = tuple(input_node(f"x{i}", x.shape, x.dtype) for i, x in enumerate(like))
    where = stack.recorder.where if stack.recorder else ""
    return Graph(nodes, record(function, nodes, place() if where is None else where))
