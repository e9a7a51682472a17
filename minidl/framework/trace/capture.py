"""Capture: a whole program in one graph, and how the graph meets the world.

Forward pass, backward pass and the optimiser's update all come by the same `apply`, so
one trace holds a training step. Tensors that the program reaches, parameters among
them, become inputs as it first uses them; what it writes into them becomes an output.
(Chapter 7.)
"""

import sys
from dataclasses import dataclass

import numpy as np

from ...hardware.registry import device_of
from ..graph import Graph, constant, input_node, substitute
from ..surroundings import Surroundings
from ..tensor import Tensor
from .number import Late, Number
from .place import TraceError
from .recorder import Recorder, recording_by
from .symbol import Symbol


@dataclass(frozen=True)
class Source:
    """Where an input's value comes from, in each call.

    Of kind "argument", tensor number `of` among the arguments; "tensor", what tensor
    `of` holds then; "number", what a Number gives; "key", draw of[1] of the generator
    of[0]; "grad", the gradient that leaf `of` has.
    """

    kind: str
    of: object


@dataclass(frozen=True)
class Output:
    """In a result: the graph's output `index`, as a tensor or as a Python number."""

    index: int
    number: bool = False


@dataclass(frozen=True)
class Argument:
    """In a result: tensor number `index` among the arguments, itself."""

    index: int


@dataclass(frozen=True)
class Captured:
    graph: Graph
    sources: tuple  # a Source for each input
    result: object  # what the program returned, an Output for each tensor
    writes: tuple  # (tensor, index of the output it becomes)
    grads: tuple  # (leaf, index of the output that its .grad becomes, or None)
    stores: tuple  # (mapping, key, number): what an optimiser counts
    draws: dict  # {generator: how many keys it gave}
    arguments: tuple  # the tensors among the arguments when it was traced
    guards: tuple  # (function, words): the graph holds while all functions say True


# References to a tensor and to its array: from the trace's own books, and the calls.
KNOWN = (4, 3)


class Capture(Recorder):
    """A trace under way: lifts the tensors that a program reaches to symbols."""

    def __init__(self, names):
        super().__init__()
        self.names = names  # {id(tensor): a word for it}
        self.lifted = {}  # {id(tensor): (tensor, array, gradient, version)}
        self.symbols = {}  # {where an array lies: its Symbol}
        self.inputs, self.sources, self.numbers = [], [], {}
        self.guards, self.stores, self.draws = {}, [], {}
        self.outputs, self.arguments = [], []

    def input(self, name, shape, dtype, source):
        taken = {node.attrs["name"] for node in self.inputs}
        tries = (f"{name}{i}" for i in range(2, len(taken) + 3))
        name = name if name not in taken else next(t for t in tries if t not in taken)
        self.inputs.append(input_node(name, shape, dtype))
        self.sources.append(source)
        return self.inputs[-1]

    def lift(self, x, source=None):
        """The Symbol of `x`, which stands in its place until the end of the trace."""
        array = x.data
        if isinstance(array, Symbol):
            return array
        spot = (address(array), array.shape, array.strides, array.dtype)
        if spot not in self.symbols:
            name = self.names.get(id(x), "t")
            source = source or Source("tensor", x)
            node = self.input(name, x.shape, x.dtype, source)
            self.symbols[spot] = Symbol(node, on=device_of(array))
        self.lifted[id(x)] = (x, array, x.grad, x.version[0])
        x.data = self.symbols[spot]
        return x.data

    def number(self, number, dtype):
        """The Symbol of a Number, as an input."""
        if (number.key, dtype) not in self.numbers:
            node = self.input("n", (), dtype, Source("number", number))
            self.numbers[number.key, dtype] = Symbol(node)
        return self.numbers[number.key, dtype]

    def key(self, generator, device):
        """The key of a random row: the next one in each call, as when run eagerly."""
        draw = self.draws.get(generator, 0)
        self.draws[generator] = draw + 1
        return Tensor(
            Symbol(self.input("key", (2,), np.int64, Source("key", (generator, draw))))
        )

    def gradient(self, leaf):
        """A gradient for `leaf` to begin with."""
        name = self.names.get(id(leaf), "t") + ".grad"
        node = self.input(name, leaf.shape, leaf.dtype, Source("grad", leaf))
        return Tensor(Symbol(node))

    # ---- the end

    def restore(self):
        """Every tensor gets its array back, and a leaf the gradient it had."""
        for x, array, grad, version in self.lifted.values():
            x.data, x.grad, x.version[0] = array, grad, version

    def output(self, node):
        self.outputs.append(node)
        return len(self.outputs) - 1

    def packed(self, value):
        """`value` with an Output for each tensor and each late number in it."""
        if isinstance(value, Tensor):
            numbers = [i for i, x in enumerate(self.arguments) if x is value]
            if numbers:
                return Argument(numbers[0])
            lifted = not isinstance(value.data, Symbol) or id(value) in self.lifted
            return value if lifted else Output(self.output(value.data.node))
        if isinstance(value, Number) and isinstance(value.late, Symbol):
            return Output(self.output(value.late.node), number=True)
        if isinstance(value, Late):
            return Late(value.function, [self.packed(n) for n in value.numbers])
        if isinstance(value, tuple | list):
            return type(value)(self.packed(v) for v in value)
        if isinstance(value, dict):
            return {k: self.packed(v) for k, v in value.items()}
        return value

    def captured(self, answer):
        """All of it, once the program has returned `answer`."""
        self.refuse_overlaps()
        result = self.packed(answer)
        writes = [
            (x, self.output(x.data.node))
            for x in {id(x.data): x for x, *_ in self.lifted.values()}.values()
            if x.data.writes
        ]
        grads = [
            (x, self.output(x.grad.data.node) if x.grad is not None else None)
            for x, _, before, _ in self.lifted.values()
            if x.requires_grad and x.is_leaf and self.is_new(x.grad, before)
        ]
        graph, sources = self.with_constants()
        return Captured(
            graph, sources, result, tuple(writes), tuple(grads),
            tuple(self.stores), self.draws, tuple(self.arguments),
            tuple(self.guards.values()),
        )  # fmt: skip

    def refuse_overlaps(self):
        """TraceError where a tensor was written whose memory another one also reads.

        In a graph the two are apart; only tensors that see the same memory in the same
        way share a symbol.
        """
        arrays = {
            id(x.data): (x.data, array)
            for x, array, *_ in self.lifted.values()
            if isinstance(array, np.ndarray)
        }
        for symbol, array in arrays.values():
            others = [a for s, a in arrays.values() if s is not symbol]
            if symbol.writes and any(np.may_share_memory(array, a) for a in others):
                raise TraceError(
                    f"the program writes to a tensor, {tuple(array.shape)}, and reads "
                    "its memory as another tensor as well, a view of it; take the view "
                    "inside the function, after the write"
                )

    def with_constants(self):
        """(graph, sources), where what nobody can change any more is a constant."""
        graph = Graph(tuple(self.inputs), tuple(self.outputs), tuple(self.order))
        known = {
            node: constant(self.lifted[id(source.of)][1])
            for node, source in zip(self.inputs, self.sources)
            if source.kind == "tensor" and self.is_forgotten(source.of)
        }
        inputs = [node for node in self.inputs if node not in known]
        sources = [
            self.as_gradient(s)
            for x, s in zip(self.inputs, self.sources)
            if x not in known
        ]
        return substitute(graph, known, inputs), tuple(sources)

    def as_gradient(self, source):
        """The source, as a leaf's gradient if that is what its tensor is."""
        leaves = [x for x, _, grad, _ in self.lifted.values() if grad is source.of]
        if source.kind == "tensor" and leaves:
            return Source("grad", leaves[0])
        return source

    def is_forgotten(self, x):
        """Whether only this trace knows tensor `x` and its array still.

        A tensor that the program made on its way, the 0.5 of `x * 0.5`, say.
        """
        array = self.lifted[id(x)][1]
        holders = sys.getrefcount(x), sys.getrefcount(array)
        return not x.data.writes and holders[0] <= KNOWN[0] and holders[1] <= KNOWN[1]

    def is_new(self, grad, before):
        """Whether the program set this .grad itself."""
        if grad is None:
            return before is not None
        return isinstance(grad.data, Symbol) and id(grad) not in self.lifted


def tensors_in(value):
    """The tensors in arguments, which may be nested in sequences and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(part)


def address(array):
    """Where an array's elements begin."""
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0]
    return array.data.ptr


def capture(function, args=(), kwargs=None, names=None, leaves=()):
    """The program as Captured. Nothing is computed, and every tensor stays as it was.

    The `leaves` are given a gradient to begin with: if the graph then reads it, the
    program adds up gradients over calls. Raises TraceError, with the line, where the
    program needs the elements of a tensor.
    """
    run, kwargs = Capture(names or {}), kwargs or {}
    grads = [(p, p.grad) for p in leaves]
    try:
        with recording_by(run):
            for i, x in enumerate(tensors_in((args, kwargs))):
                run.arguments.append(x)
                run.lift(x, Source("argument", i))
            for p in leaves:
                p.grad = run.gradient(p)
            return run.captured(function(*args, **kwargs))
    finally:
        run.restore()
        for p, grad in grads:
            p.grad = grad


def trace(function, *args, **kwargs):
    """The graph of what `function` does with these arguments.

    Of tensors, shape and dtype matter, and not their elements. Raises TraceError, with
    the line, where the function needs them.
    """
    names = Surroundings(function, args, kwargs).names
    return capture(function, args, kwargs, names).graph
