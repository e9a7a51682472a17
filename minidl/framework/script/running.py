"""Running a captured graph on tensors, one operation at a time. (Chapter 7.)"""

from ..create import tensor
from ..graph import replay
from ..tape import is_recording, recording
from ..tensor import Tensor
from ..trace.capture import Output

INPUTS = {  # {kind of source: (what it is of, tensors among the arguments) -> a tensor}
    "argument": lambda of, tensors: tensors[of],
    "tensor": lambda of, tensors: of,
    "number": lambda of, tensors: of.get(),
    "key": lambda of, tensors: of[0],
}


def run(kept, tensors):
    """The result for these tensors; what the program writes is written."""
    values = [
        as_input(node, source, tensors)
        for node, source in zip(kept.graph.inputs, kept.sources)
    ]
    for generator, count in kept.draws.items():
        generator.draw += count
    outs = replay(kept.graph, values)
    for target, i in kept.writes:
        # A leaf is written as under no_grad; what has a history goes on with it.
        with recording(is_recording() and not target.is_leaf):
            target.copy_(outs[i])
    return unpacked(kept.result, outs)


def as_input(node, source, tensors):
    value = INPUTS[source.kind](source.of, tensors)
    if source.kind == "key":
        value = (value.seed, value.draw + source.of[1])
    return value if isinstance(value, Tensor) else tensor(value, node.dtype)


def unpacked(result, outs):
    """`result` with tensors, or the numbers in them, in place of each Output."""
    if isinstance(result, Output):
        return outs[result.index].item() if result.number else outs[result.index]
    if isinstance(result, tuple | list):
        return type(result)(unpacked(r, outs) for r in result)
    if isinstance(result, dict):
        return {k: unpacked(r, outs) for k, r in result.items()}
    return result
