"""Inner: traces a branch or a body, inside the trace of the program around it.

A graph within a node sees nothing but its inputs. So what a branch reads from outside,
an activation, a parameter, a constant, becomes a further input here, and a further
operand there (closure conversion). What it writes must be its own. (Chapter 7.)
"""

import numpy as np

from ..graph import CONSTANT, INPUT, Graph, input_node
from ..op import stack
from ..tensor import Tensor
from ..trace.place import refuse
from ..trace.recorder import Recorder, recording_by
from ..trace.symbol import Symbol


class Inner(Recorder):
    """Records a graph whose inputs are `given`, and what it reads from `outer`."""

    def __init__(self, outer):
        super().__init__(outer.where)
        self.outer, self.mappings = outer, outer.mappings
        self.own = set()  # all nodes in here
        self.given, self.reads = [], {}  # reads: {key: (node here, tensor outside)}

    def node(self, op, inputs, attrs):
        node = super().node(op, inputs, attrs)
        self.own.add(node)
        return node

    def input(self, name, like):
        taken = {node.attrs["name"] for node in self.own if node.op is INPUT}
        free = (f"{name}{i}" for i in range(2, len(taken) + 3))
        name = name if name not in taken else next(x for x in free if x not in taken)
        node = input_node(name, like.shape, like.dtype)
        self.own.add(node)
        return node

    def operand(self, x, name):
        """A tensor that stands for `x`, and may be written in here."""
        self.given.append(self.input(name, x))
        return Tensor(Symbol(self.given[-1], on=x.device))

    def is_own(self, x):
        return isinstance(x.data, Symbol) and x.data.current in self.own

    def lift(self, x):
        if self.is_own(x):
            return x.data
        outside = self.outer.lift(x)
        if outside.node.op is CONSTANT:
            self.own.add(outside.node)
            return outside
        key = (outside.node, id(x.node or x) if x.requires_grad else None)
        if key not in self.reads:
            name = outside.node.attrs["name"] if outside.node.op is INPUT else "t"
            # Only what the tape knows is kept: others may ask who holds a tensor.
            known = x if x.requires_grad else Tensor(outside)
            self.reads[key] = self.input(name, outside), known
        return Symbol(self.reads[key][0], on=outside.on)

    def write(self, x, value):
        if not self.is_own(x):
            refuse(
                "writes, inside a branch or a loop, into a tensor from outside of it",
                "compute a new tensor, x = x + y, and return it",
            )
        return super().write(x, value)

    def number(self, number, dtype):
        return self.outer.number(number, dtype)

    def key(self, generator, device):
        refuse(
            "draws random numbers inside a branch or a loop",
            "draw them before it, and pass them in",
        )


def inside(function, operands, names=()):
    """(the Inner that traced it, what `function` returned) of stand-ins of operands."""
    inner, names = Inner(stack.recorder), [*names, *["x"] * len(operands)]
    with recording_by(inner):
        given = [inner.operand(x, name) for x, name in zip(operands, names)]
        return inner, function(*given)


def graphs(inners, results):
    """(a Graph for each Inner, what they read from outside): all of the same inputs."""
    outputs = [
        tuple(own_node(inner, x) for x in tensors)
        for inner, tensors in zip(inners, results)
    ]
    reads = {key: known for i in inners for key, known in i.reads.items()}
    made = [graph(inner, outs, reads) for inner, outs in zip(inners, outputs)]
    return made, [known for _, known in reads.values()]


def graph(inner, outputs, reads):
    """The Graph that `inner` recorded, of all that it or its sibling reads."""
    for key, (there, known) in reads.items():
        if key not in inner.reads:
            inner.reads[key] = inner.input(there.attrs["name"], known), known
    inputs = (*inner.given, *[inner.reads[key][0] for key in reads])
    return Graph(inputs, outputs, tuple(inner.order))


def own_node(inner, x):
    with recording_by(inner):
        return inner.lift(x).node


def as_tensor(value, like=None):
    """`value`, a tensor or a Python number, as a tensor; a number gets a dtype."""
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, bool | int | float):
        raise TypeError(
            f"{type(value).__name__} can't be a result of control flow: tensors and "
            "numbers can"
        )
    dtype = np.float32 if isinstance(value, float) else None
    return Tensor(np.asarray(value, dtype if like is None else like.dtype))
