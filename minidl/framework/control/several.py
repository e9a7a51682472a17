"""Rows with several results: run in Python by others, recorded in a trace as one node.

The tape knows one result a vertex. So each result of such a row has a vertex of its own
(Item) above the row's (Call), and the gradient that reaches a Call is in Parts, one for
each result. (Chapter 7.)
"""

from ..dtypes import is_float
from ..graph import ITEM
from ..op import Op, stack
from ..tape import Node, is_recording, no_grad
from ..tensor import Tensor
from ..trace.symbol import Symbol

GRADIENTS = {}  # {row: (gradients of results, results, operands, **attrs) -> a list}


def several(name, run, gradient, taped=None, **rules_of_its_own):
    """A row of several results: `run(*tensors, **attrs)` is what it means in Python.

    It is called by `row.composed`. In a trace, `taped` takes its place where a gradient
    may be asked for. `gradient` answers for all operands at once, with None for those
    that have none.
    """

    def composed(*inputs, **attrs):
        if stack.recorder is None:
            return run(*inputs, **attrs)
        if taped and is_recording() and any(x.requires_grad for x in inputs):
            return taped(*inputs, **attrs)
        return recorded(row, inputs, attrs)

    @no_grad()
    def eval(xp, *operands, **attrs):
        return tuple(x.data for x in run(*map(Tensor, operands), **attrs))

    row = Op(name, eval, composed=composed, **rules_of_its_own)
    GRADIENTS[row] = gradient
    return row


def recorded(op, inputs, attrs):
    """The results as tensors on symbols: a node, and an `item` for each."""
    recorder = stack.recorder
    symbols = [recorder.lift(x) for x in inputs]
    node = recorder.node(op, [s.node for s in symbols], attrs)
    items = [recorder.node(ITEM, (node,), {"index": i}) for i in range(len(node.shape))]
    device = symbols[0].on
    outs = tuple(Tensor(Symbol(item, on=device)) for item in items)
    if is_recording() and any(x.requires_grad for x in inputs):
        Call(op, inputs, attrs, outs).link(outs)
    return outs


class Parts(dict):
    """{index of a result: its gradient}; a sum adds up what both have."""

    def __add__(self, other):
        both = {i: self[i] + other[i] for i in self.keys() & other.keys()}
        return Parts({**self, **other, **both})


class Call(Node):
    """The vertex of an operation that has several results."""

    __slots__ = ("outs",)

    def __init__(self, op, inputs, attrs, outs):
        super().__init__(op, inputs, attrs, outs[0], [True] * len(inputs), False)
        self.outs = [x.data for x in outs]

    def link(self, outs):
        """The tensors `outs`, each with its own vertex above this one."""
        for i, out in enumerate(outs):
            if is_float(out.dtype):
                out.requires_grad, out.node = True, Item(self, i, out)
        return outs

    def pull(self, g):
        """As `Node.pull`, of `g`, the Parts that results passed on."""
        self.check_unchanged()
        outs = self.link([Tensor(data) for data in self.outs])
        gs = [
            g.get(i, zeros(x)) if is_float(x.dtype) else None
            for i, x in enumerate(outs)
        ]
        answers = GRADIENTS[self.op](gs, outs, self.saved, **self.attrs)
        for i, (edge, answer) in enumerate(zip(self.edges, answers)):
            if edge is not None and answer is not None:
                yield edge, self.fitted(i, answer)


class Item(Node):
    """The vertex of one result of a Call: it passes on a gradient in Parts."""

    __slots__ = ()

    def __init__(self, call, index, out):
        super().__init__(ITEM, (), {"index": index}, out, (), False)
        self.edges = (call,)

    def pull(self, g):
        yield self.edges[0], Parts({self.attrs["index"]: g})


def zeros(x):
    """Zeros as `x`: one number, stretched."""
    zero = Tensor(x.device.xp.zeros((), x.dtype))
    return zero.expand(*x.shape) if x.ndim else zero
