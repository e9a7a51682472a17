"""Recorders: what an operation does while a program is traced, a node for a result.

`evaluate` gives each operation of this thread to the recorder under way. The one here
takes tensors that have elements as constants: so passes write nodes, as operations on
tensors. (Chapter 7.)
"""

from contextlib import contextmanager

from .. import ops
from ..create import next_key
from ..graph import constant, make
from ..op import stack
from ..replace import replace
from ..tape import no_grad
from ..tensor import Tensor
from .place import place, refuse
from .symbol import Symbol


class Recorder:
    """Makes a node of each operation; nothing is computed."""

    def __init__(self, where=None):
        self.where = where  # the line of all nodes; else that of the user, as it runs
        self.order, self.mappings = [], {}

    def lift(self, x):
        """The Symbol that stands for tensor `x`."""
        if not isinstance(x.data, Symbol):
            return Symbol(constant(x.data), on=x.device)
        return x.data

    def record(self, op, inputs, attrs):
        """In place of `evaluate`: the result as a tensor on a symbol."""
        if op is ops.assign:
            return self.write(*inputs)
        if op.writes:
            return self.expanded(op, inputs, attrs)
        symbols, first = [self.lift(x) for x in inputs], inputs[0]
        node = self.node(op, [s.node for s in symbols], attrs)
        if op.view:
            return first.wrap(Symbol(node, symbols[0], first.device), first.version)
        return first.wrap(Symbol(node, on=first.device))

    def node(self, op, inputs, attrs):
        node = make(op, inputs, attrs, place() if self.where is None else self.where)
        self.order.append(node)
        return node

    def write(self, x, value):
        """`x` is `value` from now on: in a graph, a write is a new node."""
        old, new = self.lift(x), self.lift(value).node
        if new.shape != old.shape:
            new = self.node(ops.expand, (new,), {"shape": old.shape})
        old.write(new)
        x.version[0] += 1
        return x

    def expanded(self, op, inputs, attrs):
        """An operation that writes in place, by those it is composed of."""
        if op.composed is None:
            refuse(f"writes in place by {op.name}", "give the op a `composed` form")
        with no_grad():
            return op.composed(*inputs, **attrs)

    def key(self, generator, device):
        refuse("draws random numbers", "draw them before, and pass them in")


@contextmanager
def recording_by(recorder):
    """In the block, operations of this thread are recorded, not computed."""
    outside, stack.recorder = stack.recorder, recorder
    try:
        with replace(next_key, recorder.key):
            yield recorder
    finally:
        stack.recorder = outside


def record(function, nodes, where=""):
    """The nodes of what `function`, of tensors, computes on `nodes`, as a tuple."""
    with recording_by(Recorder(where)) as recorder, no_grad():
        answer = function(*[Tensor(Symbol(node)) for node in nodes])
        results = answer if isinstance(answer, tuple | list) else (answer,)
        return tuple(recorder.lift(x).node for x in results)
