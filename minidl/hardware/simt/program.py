"""A translation unit: parsed, its types and shared memory known, its functions written
as Python on demand. (Chapter 11.)

What is compiled is text that one can read: `kernel.python` has it.
"""

from collections import Counter
from dataclasses import dataclass

from . import kinds, library
from .faults import CompileError
from .kinds import Array, Pointer, Struct
from .library import CALLS
from .locals import LocalArray, LocalPointer, LocalStructs
from .memory import OBJECT
from .statements import Function, parameters
from .translate import DEVICE, KERNEL, translate
from .unit import Unit
from .values import type_name

IMPORTS = (
    "from minidl.hardware.simt.masks import "
    "NOBODY, select, union, unless, where, without"
)


@dataclass
class Shared:
    """One object in the shared memory of each block; None bytes: as launched."""

    name: str
    kind: object
    nbytes: int | None


class Program(Unit):
    """The functions of one source, and what their compiled code refers to."""

    def __init__(self, source, wanted=()):
        self.source = source
        text, structs, self.instances = translate(source, wanted)
        self.structs = dict(kinds.VECTORS)
        self.functions, self.constants = {}, {}
        self.lines, self.tallies = [], []  # by site
        self.finest = 8  # bytes of the smallest access to global or shared memory
        self.shared, self.compiled, self.numbers = [], {}, {}
        self.python = [IMPORTS]
        self.read(self.parsed(text))

    def wrong(self, words, where=None):
        """A CompileError at a node or a line."""
        coord = getattr(where, "coord", None)
        line = where if isinstance(where, int) else coord.line if coord else None
        return CompileError(words, line, self.source)

    # ---- what compiled code refers to

    def touches(self, kind):
        """Takes in the size of an access: what the race check must tell apart."""
        for _, own, _ in getattr(kind, "fields", ()):
            self.touches(own)
        if not isinstance(kind, Struct):
            self.finest = min(self.finest, kind.size)

    def site(self, node):
        """A number for a place in the source, by which faults and counters know it."""
        self.lines.append(node.coord.line)
        self.tallies.append(Counter())
        return len(self.lines) - 1

    def number(self, kind, value):
        """The name of a NumPy scalar in the compiled code."""
        name = f"K{len(self.numbers)}"
        return self.numbers.setdefault((kind, repr(value)), (name, kind, value))[0]

    def share(self, node, kind, nbytes):
        """The address of a new shared object."""
        for known in self.shared:
            if nbytes is None and known.nbytes is None:
                raise self.wrong("one extern shared array is enough: cut it up", node)
        self.shared.append(Shared(node.name, kind, nbytes))
        return len(self.shared) << OBJECT

    def kernel_parameters(self, name):
        """[(name, type)] of a kernel."""
        node = self.functions.get(name)
        if node is None or KERNEL not in node.decl.storage:
            known = [n for n, f in self.functions.items() if KERNEL in f.decl.storage]
            raise CompileError(
                f"there is no __global__ function `{name}`; there are: "
                f"{', '.join(known) or 'none'}"
            )
        if self.kind(node.decl.type.type) != kinds.VOID:
            raise self.wrong(f"a kernel returns nothing: make `{name}` void", node.decl)
        return [(p.name, self.parameter_kind(p)) for p in parameters(node)]

    def parameter_kind(self, node):
        kind = self.kind(node.type, "global")
        if isinstance(kind, Array):
            return Pointer(kind.of, "global")
        if isinstance(kind, Pointer) and isinstance(kind.to, Pointer):
            raise self.wrong("a pointer to pointers is not read here: pass each", node)
        return kind

    def function(self, name, given, node):
        """(Python name, result type) of a device function for these argument types."""
        definition = self.functions.get(name)
        if definition is None or DEVICE not in definition.decl.storage:
            raise self.unknown(name, node)
        wanted = parameters(definition)
        if len(wanted) != len(given):
            raise self.wrong(
                f"{name} takes {len(wanted)} arguments, found {len(given)}", node
            )
        own = [self.passed(p, k, name) for p, k in zip(wanted, given)]
        key = (name, *own)
        if key not in self.compiled:
            result = self.kind(definition.decl.type.type)
            python = f"f{len(self.compiled)}_{name}"
            self.compiled[key] = python, result
            result = self.write(definition, own, python, result)
            self.compiled[key] = python, result
        return self.compiled[key] + (own,)

    def passed(self, node, given, name):
        """The type of a parameter for an argument of type `given`."""
        kind = self.kind(node.type)
        if isinstance(kind, Array):
            kind = Pointer(kind.of, None)
        if isinstance(kind, Pointer):
            if not isinstance(given, Pointer) or given.to != kind.to:
                raise self.wrong(
                    f"{name} wants {kind} for `{node.name}`, found {given}", node
                )
            return Pointer(kind.to, given.space, kind.constant)
        return kind

    def unknown(self, name, node):
        import difflib

        known = [*CALLS, *self.functions]
        near = difflib.get_close_matches(name, known, 1)
        guess = f"; is it `{near[0]}`?" if near else ""
        if name in self.functions:
            guess = ": call __device__ functions; a kernel is launched from Python"
        return self.wrong(f"there is no device function `{name}`{guess}", node)

    def kernel(self, name):
        """The Python function of a kernel."""
        kinds_given = tuple(kind for _, kind in self.kernel_parameters(name))
        key = (name, *kinds_given)
        if key not in self.compiled:
            self.compiled[key] = f"k_{name}", kinds.VOID
            node = self.functions[name]
            self.write(node, kinds_given, f"k_{name}", kinds.VOID, True)
        return self.linked()[f"k_{name}"]

    def write(self, node, given, python_name, result, is_kernel=False):
        function = Function(self, node, given, result, is_kernel)
        self.python.append(function.text(python_name))
        return function.result  # a pointer's memory is known now

    def linked(self):
        """The names of the compiled code, run."""
        names = {c.__name__: c for c in (LocalArray, LocalPointer, LocalStructs)}
        names |= library.NAMES
        for name, kind, value in self.numbers.values():
            names[name] = kinds.scalar(kind, value)
        names |= {f"T_{name}": kind for name, kind in self.structs.items()}
        names |= {type_name(k): k for k in kinds.SCALARS.values()}
        exec(compile("\n\n\n".join(self.python), "<simt>", "exec"), names)
        return names
