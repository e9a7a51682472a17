"""Session: a compiled program between one call and the next.

Before a run it brings inputs to their places, after it results to theirs: tensors that
the program wrote, gradients, counts of an optimiser, and what it returns. Parameters
are read and written where they lie. A result's memory is used again once nobody but
the session holds it. (Chapters 7 and 13.)
"""

import sys

import numpy as np

from ..runtime.execute import Executor
from .codegen.assemble import Assembly
from .codegen.roles import origin
from .graph import CONSTANT
from .tensor import Tensor
from .trace.capture import Argument, Output
from .trace.number import Late, Number


class Session:
    def __init__(self, captured, fused):
        self.captured, self.fused = captured, fused
        inputs = {id(s.of): x for x, s in zip(fused.inputs, captured.sources)
                  if s.kind == "tensor"}  # fmt: skip
        replaced = {j: inputs[id(x)] for x, j in captured.writes if id(x) in inputs}
        self.assembly = Assembly(fused, replaced)
        self.buffer = self.assembly.buffer
        self.executor = Executor(
            self.assembly.program(), self.assembly.bind, self.assembly.types()
        )
        self.place_constants()
        self.sort_inputs()
        self.in_place = {
            j for j, x in replaced.items()
            if self.buffer.get(fused.outputs[j]) == self.buffer[x]
        }  # fmt: skip
        # {output buffer: references to its array while only this session has any}
        outputs = {self.buffer[origin(x)] for x in fused.outputs}
        buffers = self.executor.program.buffers
        self.fresh = {b: None for b in outputs if buffers[b].kind == "output"}
        self.sort_outputs()

    def place_constants(self):
        for node in self.assembly.nodes:
            if node.op is CONSTANT:
                value = np.ascontiguousarray(node.attrs["value"])
                self.executor.place(self.buffer[node], value)

    def sort_inputs(self):
        """Tells inputs that each call copies from tensors used where they lie."""
        self.copied, self.states = [], []
        needed = set(self.fused.outputs) | {
            x for x in self.fused.nodes if self.fused.users[x]
        }
        for x, source in zip(self.fused.inputs, self.captured.sources):
            b = self.buffer[x]
            if source.kind == "tensor":
                self.states.append([source.of, None, source.of.requires_grad, b])
            elif x in needed:
                array = np.empty(x.shape, x.dtype)
                self.executor.place(b, array)
                self.copied.append((source, array))

    def sort_outputs(self):
        """For each output its buffer, and its node if that is another view of it."""
        self.places = []
        for node in self.fused.outputs:
            b = self.buffer[origin(node)]
            self.places.append((b, None if node in self.buffer else node))
        numbers = {id(x): i for i, x in enumerate(self.captured.arguments)}
        writes = [(x, numbers.get(id(x)), j) for x, j in self.captured.writes]
        self.written = [write for write in writes if write[2] in self.in_place]
        self.to_write = [write for write in writes if write[2] not in self.in_place]

    # ---- before a run

    def broken(self):
        """What no more fits this program of the tensors it reaches, in words."""
        for source, array in self.copied:
            if source.kind == "grad" and not has_gradient(source.of, array):
                return f"the gradient of {tuple(array.shape)} that it reads"
        for x, array, wanted, _ in self.states:
            if x.requires_grad != wanted:
                return f"requires_grad of {tuple(x.shape)} is {x.requires_grad}"
            if x.data is not array and array is not None and not like(x.data, array):
                return f"a tensor went from {array.shape} to {x.data.shape} {x.dtype}"
        return None

    def place_states(self):
        for state in self.states:
            x, array, _, b = state
            if x.data is not array:
                if not x.data.flags.c_contiguous:
                    x.data = np.ascontiguousarray(x.data)
                state[1] = x.data
                self.executor.place(b, x.data)

    def fill_inputs(self, arguments):
        for source, array in self.copied:
            array[...] = READ[source.kind](source.of, arguments)

    def free_outputs(self):
        """Gives an output new memory where somebody still holds its last."""
        arrays = self.executor.arrays
        for b, alone in self.fresh.items():
            if alone is None or sys.getrefcount(arrays[b]) > alone:
                node = self.assembly.nodes[b]
                self.executor.place(b, np.empty(node.shape, node.dtype))

    # ---- a run

    def run(self, arguments):
        """Computes with the tensors `arguments`; returns what the program returns."""
        self.place_states()
        self.fill_inputs(arguments)
        for leaf, _ in self.captured.grads:
            leaf.grad = None
        self.free_outputs()
        self.arguments = arguments
        self.executor.run()
        for b in self.fresh:
            self.fresh[b] = sys.getrefcount(self.executor.arrays[b])
        return self.deliver()

    def deliver(self):
        """Brings all results to their places."""
        self.held = set()
        self.write_back()
        for leaf, j in self.captured.grads:
            leaf.grad = None if j is None else Tensor(self.output(j))
        answer = self.unpacked(self.captured.result)
        values = [(kept, key, self.known(n)) for kept, key, n in self.captured.stores]
        for kept, key, value in values:
            kept[key] = value
        for generator, count in self.captured.draws.items():
            generator.draw += count
        return answer

    def output(self, j):
        """Output j as an array of its own."""
        b, node = self.places[j]
        array = self.executor.arrays[b]
        if node is not None:
            array = self.assembly.array(node, self.executor.arrays)
        if b not in self.fresh or b in self.held or not array.flags.c_contiguous:
            return array.copy()
        self.held.add(b)
        return array

    def write_back(self):
        """Into tensors that were written, unless a kernel wrote there."""
        for x, _, _ in self.written:
            x.version[0] += 1
        new = [(x, i, self.output(j)) for x, i, j in self.to_write]
        for x, i, array in new:
            x = x if i is None else self.arguments[i]
            x.data[...] = array
            x.version[0] += 1

    def unpacked(self, value):
        """The program's result, with tensors and numbers in place of Outputs."""
        if isinstance(value, Output):
            array = self.output(value.index)
            return array.item() if value.number else Tensor(array)
        if isinstance(value, Argument):
            return self.arguments[value.index]
        if isinstance(value, Number):
            return self.known(value)
        if isinstance(value, tuple | list):
            return type(value)(self.unpacked(v) for v in value)
        if isinstance(value, dict):
            return {k: self.unpacked(v) for k, v in value.items()}
        return value

    def known(self, number):
        """A number's value after the run."""
        if isinstance(number, Output):
            return self.unpacked(number)
        if isinstance(number, Late):
            return number.function(*map(self.known, number.numbers))
        return number.get() if isinstance(number, Number) else number


def has_gradient(leaf, array):
    return leaf.grad is not None and like(leaf.grad.data, array)


def like(array, other):
    return array.shape == other.shape and array.dtype == other.dtype


def key_of(draw, arguments):
    generator, count = draw
    return generator.seed, generator.draw + count


READ = {
    "argument": lambda i, arguments: arguments[i].data,
    "number": lambda number, arguments: number.get(),
    "grad": lambda leaf, arguments: leaf.grad.data,
    "key": key_of,
}
