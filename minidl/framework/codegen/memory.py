"""The memory of a kernel under construction: its buffers, scalars and scopes.

(Chapter 9.)
"""

from ..graph import CONSTANT
from . import loops as ir
from .places import Unreachable, as_array


class Scope:
    """A body that is being written, and what is known in it by then.

    `phase` counts the passes along a row; a scope once a row stands before its pass.
    """

    def __init__(self, phase):
        self.phase, self.statements, self.known = phase, [], {}


class Memory:
    """Which buffers and scalars the kernel of `body` reads, and its scratch rows."""

    def __init__(self, body, inplace):
        self.body, self.inplace = body, inplace
        self.buffers, self.params, self.scratch = {}, {}, {}

    def load(self, source, place):
        """What stands at `place` in the memory of `source`, an input or a constant."""
        if source.op is CONSTANT:
            return ir.Const(source.attrs["value"].item(), source.dtype)
        number = self.body.inputs.index(source)
        if source.size == 1:
            return self.params.setdefault(number, ir.Param(f"x{number}", source.dtype))
        buffer, index = spot(f"x{number}", source.dtype, source.size, place)
        for output, own in self.inplace.items():
            if own == number:
                return self.load_output(output, buffer, index)
        return ir.Load(self.named(buffer), index)

    def named(self, buffer):
        """The buffer, under another name where its memory has another shape too."""
        for other in self.buffers:
            if other.name.rstrip("_") == buffer.name and other.shape == buffer.shape:
                return other
        while any(other.name == buffer.name for other in self.buffers):
            buffer = ir.Buffer(buffer.name + "_", buffer.shape, buffer.dtype)
        self.buffers[buffer] = None
        return buffer

    def load_output(self, output, buffer, index):
        """An input that is written in place: read where its element is written."""
        node = self.body.outputs[output]
        if (
            buffer.shape != (node.size,)
            or len(index) != 1
            or not isinstance(index[0], ir.Var)
        ):
            raise Unreachable("what is written in place is read elsewhere")
        return ir.Load(ir.Buffer(f"y{output}", buffer.shape, buffer.dtype), index)


def spot(name, dtype, size, place):
    """(buffer, index): memory of `size` elements, and where `place` is in it."""
    shape, index = as_array(place, size)
    return ir.Buffer(name, shape, dtype), tuple(map(variable_index, index))


def variable_index(pair):
    variable, number = pair
    return ir.Var(variable.name) + number if variable else ir.Const(number, ir.INT)


def rows_of(name, table, place):
    """(buffer, index within a row): a table of rows, and where `place` is in a row."""
    rows = table.shape[0]
    shape, index = as_array(place, table.size // rows)
    return ir.Buffer(name, (rows, *shape), table.dtype), tuple(
        map(variable_index, index)
    )
