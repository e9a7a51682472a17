"""Lowering: from a group of fused nodes to the loops of one kernel.

The loops walk over the elements of the group's largest value, slowest dimension first.
Where a group reduces rows, the inner loops walk along a row, once for each reduction
that something in the row waits for: a softmax takes three such passes. What one pass
computed at a cost and another needs again is kept in a scratch row; the rest is
computed again. (Chapter 9.)
"""

from dataclasses import replace
from itertools import count
from math import inf, prod

import numpy as np

from ..graph import CONSTANT, INPUT
from . import loops as ir
from .memory import Memory, Scope, rows_of, spot
from .places import (
    NAMES,
    Digit,
    Split,
    Variable,
    broadcast,
    divided,
    down,
    linear,
    place_of,
    regroup,
)
from .roles import VIEWS, closes, is_dense, origin, row_length, walked

COSTLY = set("exp log tanh sigmoid div sqrt sin cos pow index".split())
STARTS = {
    "sum": ("add", 0),
    "amax": ("maximum", -inf),
    "peak": ("larger", -inf),
    "index_add": ("add", 0),
}
DEEPEST = 3  # of expressions written into one line


def lower(body, name="kernel", inplace=(), into=None):
    """The Kernel that computes `body`, the graph of a fused node.

    Its outputs are y0, y1, ..., its inputs x0, x1, ..., those of one element scalars.
    `inplace` has pairs (output, input) that share their memory. `into` is {output:
    (shape of it, shape of a whole, dimension, start)}: outputs that are parts of a
    whole. Raises Unreachable where no strides lead to an input, or an input in place is
    read elsewhere.
    """
    variables = first_variables(body)
    while True:
        try:
            return Lowering(body, variables, dict(inplace), into or {}).kernel(name)
        except Split as split:
            variables = divided(variables, split)


def first_variables(body):
    """The fewest loops: one over rows, and one along them where rows are reduced."""
    nodes = computed(body)
    size, row = max(walked(n).size for n in nodes), row_of(nodes)
    extents = [size] if row in (None, size) else [size // row, row]
    return [Variable(name, n) for name, n in zip(NAMES, extents)]


def computed(body):
    kept = (INPUT, CONSTANT)
    return [n for n in body.nodes if n.op not in kept and n.op.name not in VIEWS]


def row_of(nodes):
    return next((row_length(n) for n in nodes if row_length(n)), None)


class Lowering:
    """One body on one choice of loops.

    `passes` are the bodies of the loops along a row, one after another; `before` has
    what is done once a row before each of them, and after the last.
    """

    def __init__(self, body, variables, inplace, into):
        self.body, self.variables, self.into = body, variables, into
        self.nodes, self.row = computed(body), row_of(computed(body))
        self.size = prod(v.extent for v in variables)
        count = inner_count(variables, self.row)
        self.outer, self.inner = variables[:-count], variables[-count:]
        self.memory = Memory(body, inplace)
        self.phase = {}
        for node in self.nodes:
            sources = [origin(x) for x in node.inputs]
            before = [self.phase[s] for s in sources if s in self.phase]
            self.phase[node] = max(before, default=0) + (row_length(node) is not None)
        last = max(self.phase.values())
        self.passes = [Scope(phase) for phase in range(last + 1)]
        self.before = [Scope(phase) for phase in range(last + 2)]
        self.starts, self.names = [], count_names()
        self.outputs = {n: self.place_output(i, n) for i, n in enumerate(body.outputs)}

    def kernel(self, name):
        """The whole of it."""
        for node in self.nodes:
            self.emit(node)
        rows = [s for b, p in zip(self.before, self.passes) for s in self.turn(b, p)]
        rows += self.before[-1].statements
        body = nest(self.outer, rows)
        if not self.starts and len(body) == 1 and isinstance(body[0], ir.Loop):
            body = (replace(body[0], kind="parallel"),)
        buffers = [buffer for buffer, _ in self.outputs.values()]
        memory = self.memory
        return ir.Kernel(
            name, tuple(buffers), tuple(memory.buffers), tuple(memory.params.values()),
            tuple(memory.scratch.values()), (*self.starts, *body),
        )  # fmt: skip

    def turn(self, before, inside):
        """What is done before a pass, and the pass."""
        return [*before.statements, *nest(self.inner, inside.statements)]

    def emit(self, node):
        """Has `node` computed where something needs it as such."""
        if closes(node):
            self.gather_up(node)
        elif row_length(node):
            self.reduce(node)
        elif self.is_row(node):
            self.define(node, self.before[self.phase[node]], self.expression)
        if node in self.outputs and not closes(node):
            scopes = self.before if self.is_row(node) else self.passes
            scope = scopes[self.phase[node]]
            buffer, index = self.outputs[node]
            value = self.value(node, scope)
            scope.statements.append(ir.Store(buffer, index(scope), value))

    def reduce(self, node):
        """A reduction of each row: a local that the pass before updates."""
        fn, start = STARTS[node.op.name]
        local = ir.Local(next(self.names), node.dtype)
        phase = self.phase[node] - 1
        self.before[phase].statements.append(ir.Let(local, ir.Const(start, node.dtype)))
        value = self.operand(node, node.inputs[0], self.passes[phase])
        self.passes[phase].statements.append(ir.Update(local, fn, value))
        for scope in self.before[phase + 1 :]:
            scope.known[node] = local

    def gather_up(self, node):
        """A sum into places that many elements share: zero, then an update for each."""
        fn, start = STARTS[node.op.name]
        buffer = self.outputs[node][0]
        spots = [Variable(f"{NAMES[d]}0", n) for d, n in enumerate(buffer.shape)]
        here = tuple(ir.Var(v.name) for v in spots)
        zero = ir.Store(buffer, here, ir.Const(start, node.dtype))
        self.starts += nest(spots, [zero])
        scope = self.passes[self.phase[node]]
        value = self.operand(node, node.inputs[0], scope)
        index = self.outputs[node][1](scope)
        scope.statements.append(ir.Store(buffer, index, value, fn))

    def define(self, node, scope, expression):
        """A local of `scope` for the value of `node`, or its text if that is short."""
        value = expression(node, scope)
        shared = len(self.body.users[node]) > 1 or node in self.outputs
        if shared or depth(value) > DEEPEST or self.is_row(node):
            local = ir.Local(next(self.names), node.dtype)
            scope.statements.append(ir.Let(local, value))
            value = local
        later = self.before[scope.phase :] if self.is_row(node) else [scope]
        for other in later:
            other.known[node] = value

    # ---- values

    def is_row(self, node):
        """Whether `node` has one value a row."""
        return bool(row_length(node)) or walked(node).size < self.size

    def own(self, node):
        """The variables that tell elements of `node` apart."""
        return self.outer if self.is_row(node) else self.variables

    def value(self, node, scope):
        """A value in this scope: known, kept since another pass, or computed."""
        if self.is_row(node):
            return self.before[scope.phase].known[node]
        if node not in scope.known:
            if scope.phase > self.phase[node] and node.op.name in COSTLY:
                scope.known[node] = ir.Load(*self.kept(node))
            else:
                self.define(node, scope, self.expression)
        return scope.known[node]

    def kept(self, node):
        """(buffer, index) where an element waits for a later pass."""
        if node in self.outputs:
            return self.outputs[node][0], self.outputs[node][1](None)
        index = tuple(ir.Var(v.name) for v in self.inner)
        if node not in self.memory.scratch:
            shape = tuple(v.extent for v in self.inner)
            name = f"row{len(self.memory.scratch)}"
            buffer = self.memory.scratch[node] = ir.Buffer(name, shape, node.dtype)
            scope = self.passes[self.phase[node]]
            scope.statements.append(ir.Store(buffer, index, self.value(node, scope)))
        return self.memory.scratch[node], index

    def expression(self, node, scope):
        if node.op.name == "index":
            return self.gathered(node, scope)
        args = tuple(self.operand(node, x, scope) for x in node.inputs)
        return ir.Call(node.op.name, args, node.dtype)

    def digits(self, node):
        """The index of what the loops for `node` walk over."""
        over = walked(node)
        variables = self.variables if over.size == self.size else self.outer
        return regroup(variables, over.shape)

    def operand(self, node, x, scope):
        """The element of `x` that `node` needs where the loops stand."""
        over = walked(node)
        if (
            x.size == over.size
        ):  # in the same order: no dimension needs to be told apart
            variables = self.variables if over.size == self.size else self.outer
            return self.read(x, None, variables, scope)
        if x.size == 1:
            return self.read(x, [Digit()] * len(x.shape), None, scope)
        return self.read(x, broadcast(self.digits(node), x.shape), None, scope)

    def read(self, x, digits, variables, scope):
        """The element of `x` at `digits`, or where `variables` stand in their order."""
        source = origin(x)
        while x is not source:
            if digits is None and x.op.name != "reshape":
                digits = regroup(variables, x.shape)
            if digits is not None and is_dense(x):
                break
            digits = digits and down(x, digits)
            x = x.inputs[0]
        if source in self.phase:
            return self.value(source, scope)
        place = place_of(digits, x.shape) if digits is not None else linear(variables)
        return self.hoisted(self.memory.load(source, place), scope)

    def hoisted(self, load, scope):
        """A load as a local of the row, where it is the same all along it."""
        if isinstance(load, ir.Load) and load.buffer.name.startswith("y"):
            return self.fetched(load, scope)
        along = {ir.Var(v.name) for v in self.inner}
        if not isinstance(load, ir.Load) or along & set(ir.walk(load)):
            return load
        row = self.before[0]
        if load not in row.known:
            local = ir.Local(next(self.names), load.dtype)
            row.statements.append(ir.Let(local, load))
            row.known[load] = local
        return row.known[load]

    def fetched(self, load, scope):
        """What is written in place, as a local from before it is written."""
        if load not in scope.known:
            scope.known[load] = ir.Local(next(self.names), load.dtype)
            scope.statements.insert(0, ir.Let(scope.known[load], load))
        return scope.known[load]

    def number(self, node, digits, scope):
        """The number of a table's row, from the second input; -1 is the last one."""
        table = node if node.op.name == "index_add" else node.inputs[0]
        which, n = node.inputs[1], table.shape[0]
        number = self.read(which, digits[: len(which.shape)], None, scope)
        below = ir.Call("lt", (number, ir.Const(0, number.dtype)), np.dtype(bool))
        return ir.Call("where", (below, ir.call("add", number, n), number), ir.INT)

    def gathered(self, node, scope):
        """An element of a table, `index` of it by the numbers of rows."""
        table, digits = node.inputs[0], self.digits(node)
        number = self.number(node, digits, scope)
        place = place_of(digits[len(node.inputs[1].shape) :], table.shape[1:])
        name = f"x{self.body.inputs.index(origin(table))}"
        buffer, index = rows_of(name, table, place)
        return ir.Load(self.memory.named(buffer), (number, *index))

    # ---- where results go

    def place_output(self, i, node):
        """(buffer, function of the scope that gives the index)."""
        name = f"y{i}"
        if node.op.name == "index_add":
            return self.place_rows(name, node)
        if i in self.into:
            return self.place_part(name, node, *self.into[i])
        place = self.place_sum(node) if closes(node) else linear(self.own(node))
        buffer, index = spot(name, node.dtype, node.size, place)
        return buffer, lambda scope: index

    def place_sum(self, node):
        """Where a sum over some dimensions adds: at the others' digits."""
        lost, digits = set(node.attrs["dims"]), self.digits(node)
        left = [k for k in range(len(digits)) if k not in lost]
        shape = walked(node).shape
        return place_of([digits[k] for k in left], [shape[k] for k in left])

    def place_rows(self, name, node):
        """The same for rows that are added to a table by their numbers."""
        digits = self.digits(node)
        inside = digits[len(node.inputs[1].shape) :]
        buffer, index = rows_of(name, node, place_of(inside, node.shape[1:]))
        return buffer, lambda scope: (self.number(node, digits, scope), *index)

    def place_part(self, name, node, shape, whole, dim, start):
        """The same for a part of a larger value, along one of its dimensions."""
        digits = regroup(self.own(node), shape)
        digits[dim] = replace(digits[dim], start=start)
        buffer, index = spot(name, node.dtype, prod(whole), place_of(digits, whole))
        return buffer, lambda scope: index


def inner_count(variables, row):
    """How many of the variables go along a row; the last one, where there are none."""
    count = 1
    while row and prod(v.extent for v in variables[-count:]) < row:
        count += 1
    return count


def depth(value):
    return 1 + max(map(depth, ir.parts(value)), default=0)


def nest(variables, statements):
    """The statements in loops over the variables, the first outermost."""
    body = tuple(statements)
    for v in variables[::-1]:
        body = (ir.Loop(v.name, v.extent, body),) if body else ()
    return body


def count_names():
    return (f"t{i}" for i in count())
