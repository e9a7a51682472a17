"""Assembly: from a fused graph to a Program, and to what each instruction launches.

A fused node becomes a generated kernel, a matrix product a call of BLAS into memory
that is there already, any other operation a call of its own evaluation. Views become no
instruction: they are another way to look at a buffer. Where an input is to be replaced
by an output, as a parameter by its update, and nobody reads it later, the kernel writes
in place. (Chapters 9 and 13.)
"""

from dataclasses import dataclass, field

import numpy as np

from ...runtime.build import build_entry
from ...runtime.execute import Call
from ...runtime.products import product_call
from ...runtime.program import Instruction, lives
from .. import ops
from ..graph import CONSTANT, FUSED, INPUT, ITEM, flops, moved, result
from ..tape import no_grad
from ..tensor import Tensor
from . import python
from .lower import computed, lower
from .places import Unreachable
from .roles import VIEWS, in_order, origin
from .rows import LOOPS

LONGEST = 5  # operations that a kernel's name tells


@dataclass
class Step:
    """What will be an instruction: nodes it reads and writes, and how it is bound.

    `bind(array)` gives the Call, `array` being a function from a node to its memory.
    """

    name: str
    node: object
    reads: tuple
    writes: tuple
    bind: object
    kernel: object = None  # the loops, where a kernel was generated
    source: str = ""
    note: str = ""  # why none was
    inplace: dict = field(default_factory=dict)  # {output node: input node}


class Assembly:
    """The steps of `graph`, whose output j replaces input `replaced[j]`."""

    def __init__(self, graph, replaced=None):
        self.graph, self.replaced = graph, replaced or {}
        self.items = {}
        for node in graph.nodes:
            if node.op is ITEM:
                self.items.setdefault(node.inputs[0], {})[node.attrs["index"]] = node
        work = [n for n in graph.nodes if n.op not in (INPUT, CONSTANT, ITEM)]
        work = [n for n in work if n.op.name not in VIEWS]
        self.work = sorted(work, key=self.turn)
        self.last_read = {}
        for t, node in enumerate(self.work):
            for x in node.inputs:
                self.last_read[origin(x)] = t
        self.into = {}  # {output of a kernel: (cat that it is a part of, ...)}
        for node in self.work:
            if node.op is ops.cat:
                self.place_parts(node)
        steps = [self.step(t, node) for t, node in enumerate(self.work)]
        self.steps = [step for step in steps if step]
        self.number()

    def turn(self, node):
        """0, 1 or 2: what comes first, what may follow, what comes last.

        First are checks of what the caller gave, so that an error leaves all as it was.
        Last is what only the outside waits for: an update then overwrites a parameter
        that nobody reads any more.
        """
        if node.op is ops.in_range and origin(node.inputs[0]).op is INPUT:
            return 0
        items = self.items.get(node, {}).values() or [node]
        return 1 if any(self.graph.users[x] for x in items) else 2

    # ---- steps

    def step(self, t, node):
        if node.op is FUSED:
            return self.kernel_step(t, node)
        if node.op is ops.matmul:
            return self.product_step(node)
        if node.op is ops.in_range:
            return self.check_step(node)
        if node.op is ops.cat and self.into.get(origin(node.inputs[0]), [0])[0] is node:
            return None  # the kernels of its parts write them where they belong
        kernel = LOOPS[node.op.name](node) if node.op.name in LOOPS else None
        if kernel is not None:
            return self.launched(node, kernel)
        return self.call_step(node, "no kernel is generated for it")

    def launched(self, node, kernel, inplace=None):
        """The Step that runs `kernel` for `node`."""
        writes, reads = self.outputs(node), tuple(map(origin, node.inputs))
        text = python.source(kernel)
        bind = Launch(node, writes, kernel, text)
        own = inplace or {}
        return Step(kernel.name, node, reads, writes, bind, kernel, text, inplace=own)

    def kernel_step(self, t, node):
        body, inplace = node.attrs["body"], self.in_place(t, node)
        writes = self.outputs(node)
        into = {o: self.into[w][1:] for o, w in enumerate(writes) if w in self.into}
        try:
            kernel = lower(body, name_of(body), inplace, into)
        except Unreachable:
            inplace = []
            try:
                kernel = lower(body, name_of(body), (), into)
            except Unreachable as error:
                return self.call_step(node, f"{error}")
        own = {writes[o]: node.inputs[i] for o, i in inplace}
        return self.launched(node, kernel, own)

    def outputs(self, node):
        if isinstance(node.dtype, tuple):
            found = self.items[node]
            return tuple(found.get(i) for i in range(len(node.dtype)))
        return (node,)

    def in_place(self, t, node):
        """Pairs (output, input) of a fused node that may share memory."""
        pairs, writes = [], self.outputs(node)
        for j, replaced in self.replaced.items():
            new = self.graph.outputs[j]
            if (
                new in writes
                and replaced in node.inputs
                and self.last_read.get(replaced) == t
                and replaced not in self.graph.outputs
                and self.graph.outputs.count(new) == 1
            ):
                pairs.append((writes.index(new), node.inputs.index(replaced)))
        return pairs

    def place_parts(self, cat):
        """Has the parts of `cat` written into it, if kernels make them for it alone."""
        dim, start = cat.attrs["dim"], 0
        if len(set(map(origin, cat.inputs))) < len(cat.inputs):
            return
        if all(self.is_part(x, cat) for x in cat.inputs):
            for x in cat.inputs:
                self.into[origin(x)] = cat, x.shape, cat.shape, dim, start
                start += x.shape[dim]

    def is_part(self, x, cat):
        """Whether `x` is what a kernel made, in order, and only `cat` reads it."""
        made = origin(x)
        kernel = made.inputs[0] if made.op is ITEM else made
        users = [made]
        while users and users != [cat]:
            if len(users) > 1 or users[0] in self.graph.outputs:
                return False
            users = self.graph.users[users[0]]
        return kernel.op is FUSED and in_order(x) and users == [cat]

    def product_step(self, node):
        def bind(array):
            return product_call(*map(array, (*node.inputs, node)))

        return Step("matmul", node, tuple(map(origin, node.inputs)), (node,), bind)

    def check_step(self, node):
        def bind(array):
            return Call(
                checked, [*map(array, (*node.inputs, node)), node.attrs["size"]]
            )

        return Step("in_range", node, (origin(node.inputs[0]),), (node,), bind)

    def call_step(self, node, note):
        writes = self.outputs(node)

        def bind(array):
            inputs, outputs = map(array, node.inputs), map(array, writes)
            return Call(evaluate, [node, list(inputs), list(outputs)])

        return Step(
            node.op.name,
            node,
            tuple(map(origin, node.inputs)),
            writes,
            bind,
            note=note,
        )

    # ---- buffers

    def number(self):
        """Gives each value that has memory of its own a buffer."""
        self.buffer, self.nodes = {}, []
        literal = [n for n in self.graph.nodes if n.op in (INPUT, CONSTANT)]
        for node in (*literal, *[w for s in self.steps for w in s.writes]):
            if node is not None and node not in self.buffer:
                self.enter(node)

    def enter(self, node):
        shared = next((s.inplace[node] for s in self.steps if node in s.inplace), None)
        if node in self.into:
            shared = self.into[node][0]
            if shared not in self.buffer:
                self.enter(shared)
        if shared is not None:
            self.buffer[node] = self.buffer[shared]
        else:
            self.buffer[node] = len(self.nodes)
            self.nodes.append(node)

    def kind(self, node):
        if node.op in (INPUT, CONSTANT):
            return "input" if node.op is INPUT else "constant"
        return "output" if node in set(map(origin, self.graph.outputs)) else "temporary"

    def program(self):
        """The Program: sizes, lives and instructions."""
        made = [
            Instruction(
                s.name,
                tuple(dict.fromkeys(self.buffer[x] for x in s.reads)),
                tuple(dict.fromkeys(self.buffer[x] for x in s.writes if x is not None)),
                flops(s.node),
                moved(s.node),
            )
            for s in self.steps
        ]
        kinds = [self.kind(node) for node in self.nodes]
        return lives([node.nbytes for node in self.nodes], kinds, made)

    def types(self):
        return [(node.shape, node.dtype) for node in self.nodes]

    def array(self, node, arrays):
        """The memory of `node`, of `arrays`, one for each buffer."""
        if node is None:
            return None
        if node.op.name in VIEWS:
            return node.op.eval(np, self.array(node.inputs[0], arrays), **node.attrs)
        return arrays[self.buffer[node]]

    def bind(self, t, arrays):
        """Instruction t on `arrays`: for the executor."""
        return self.steps[t].bind(lambda node: self.array(node, arrays))


class Launch:
    """How a generated kernel is bound: arrays in the shapes that its loops use."""

    def __init__(self, node, writes, kernel, source):
        self.node, self.writes, self.kernel = node, writes, kernel
        self.entry = build_entry(source + python.entry(kernel), f"{kernel.name}_at")

    def __call__(self, array):
        kernel = self.kernel
        outputs = [
            array(w).reshape(b.shape) if w is not None else np.empty(b.shape, b.dtype)
            for w, b in zip(self.writes, kernel.outputs)
        ]
        inputs = [self.input(array, b).reshape(b.shape) for b in kernel.inputs]
        scalars = [self.input(array, p).reshape(()) for p in kernel.params]
        fixed = [*outputs, *inputs, *scalars]
        if not python.splits(kernel):
            return Call(self.entry, fixed)
        rows = kernel.body[0].extent

        def part(start, stop):
            return [*fixed, start, stop]

        return Call(self.entry, part(0, rows), rows, part)

    def input(self, array, named):
        return array(self.node.inputs[int(named.name.strip("x_"))])


def name_of(body):
    """A kernel's name: its operations, as many as can be read."""
    names = list(dict.fromkeys(n.op.name for n in computed(body)))
    more = ["etc"] if len(names) > LONGEST else []
    return "_".join(["fused", *names[:LONGEST], *more])


def checked(numbers, out, size):
    """Copies numbers that are places of a dimension; raises IndexError for others."""
    if numbers.size and np.maximum.reduce(numbers, axis=None) >= size:
        ops.checked_range(np, numbers, size=size)
    if numbers.size and np.minimum.reduce(numbers, axis=None) < 0:
        ops.checked_range(np, numbers, size=size)
    out[...] = numbers


@no_grad()
def evaluate(node, inputs, outputs):
    """The operation's own evaluation, copied to where its result belongs."""
    answer = result(node, [Tensor(x) for x in inputs])
    for out, x in zip(outputs, answer if isinstance(answer, tuple) else (answer,)):
        if out is not None:
            out[...] = x.data
