"""Places: what can be read, written, and pointed to. (Chapter 11.)"""

from dataclasses import replace

from pycparser import c_ast

from . import kinds
from .kinds import INT, LONG, Array, Pointer, Struct, elements
from .values import Element, Field, Memory, Value, Variable, type_name


class Places:
    """The part of a function's compiler that reads and writes places."""

    def place(self, node):
        """Where an expression can be written or its address taken."""
        if isinstance(node, c_ast.ID):
            if node.name not in self.scope:
                raise self.program.wrong(f"`{node.name}` is not declared here", node)
            return self.scope[node.name]
        if isinstance(node, c_ast.ArrayRef):
            return self.element(node)
        if isinstance(node, c_ast.UnaryOp) and node.op == "*":
            return self.behind(self.value(node.expr), node)
        if isinstance(node, c_ast.StructRef):
            return self.field(node)
        if isinstance(node, c_ast.Cast):
            raise self.program.wrong("a cast can't be written to", node)
        value = self.value(node)
        return Variable(self.temporary(value).code, value.kind, self.domain)

    def element(self, node):
        base = self.base(node.name)
        index = self.value(node.subscript)
        self.whole(index, node)
        if isinstance(base, Memory) and isinstance(base.kind, Array):
            self.within(index, base.kind, node)
            self.tally("int")
            step = self.scaled(index, base.kind.of.size, node)
            return Memory(f"({base.address} + {step})", base.kind.of, base.space)
        if isinstance(base, Element):
            self.within(index, base.kind, node)
            inner, count = base.kind.of, elements(base.kind.of)
            index = self.cast(index, INT, node)
            step = index.code
            if count > 1:
                step = f"{step} * {self.program.number(INT, count)}"
            return Element(base.array, f"({base.index} + {step})", inner)
        if not isinstance(base.kind, Pointer):
            raise self.program.wrong(f"{base.kind} has no elements", node)
        return self.behind(self.moved(base, index, "+", node), node)

    def base(self, node):
        """What stands before [ ]: an array's place, or a pointer's value."""
        simple = isinstance(node, c_ast.ID | c_ast.ArrayRef | c_ast.StructRef)
        place = self.place(node) if simple else None
        if isinstance(place, Memory | Element) and isinstance(place.kind, Array):
            return place
        return self.read(place, node) if place is not None else self.value(node)

    def within(self, index, kind, node):
        """A check that an index stays inside its own dimension of an array."""
        if kind.length and index.constant is None:
            self.emit(
                f"R.within({self.at(node)}, {self.mask}, {index.code}, {kind.length})"
            )
        elif kind.length and not 0 <= index.constant < kind.length:
            raise self.program.wrong(
                f"index {index.constant} is outside of an array of {kind.length}", node
            )

    def behind(self, pointer, node):
        """The place that a pointer points to."""
        if not isinstance(pointer.kind, Pointer):
            raise self.program.wrong(f"{pointer.kind} is no pointer", node)
        if pointer.kind.to == kinds.VOID:
            raise self.program.wrong("void has no value: cast the pointer first", node)
        if pointer.kind.space == "local":
            code = self.temporary(pointer).code
            return Element(f"{code}.array", f"{code}.offset", pointer.kind.to)
        if pointer.kind.space is None:
            raise self.program.wrong("this pointer points nowhere yet", node)
        space = "constant " if pointer.kind.constant else ""
        return Memory(pointer.code, pointer.kind.to, space + pointer.kind.space)

    def field(self, node):
        name = node.field.name
        if node.type == "->":
            base = self.behind(self.value(node.name), node)
        else:
            base = self.place(node.name)
        found = base.kind.field(name) if isinstance(base.kind, Struct) else None
        if found is None:
            raise self.program.wrong(f"{base.kind} has no field `{name}`", node)
        number, kind, offset = found
        if isinstance(base, Element):
            return Element(f"{base.array}.parts[{number}]", base.index, kind)
        if isinstance(base, Memory):
            offset = self.program.number(LONG, offset)
            return Memory(f"({base.address} + {offset})", kind, base.space)
        return Field(base, number, kind)

    def address(self, place, node):
        """A pointer to a place."""
        if isinstance(place, Memory):
            space = place.space.removeprefix("constant ")
            constant = place.space != space
            return Value(place.address, Pointer(place.kind, space, constant))
        if isinstance(place, Element):
            code = f"LocalPointer({place.array}, {place.index})"
            return Value(code, Pointer(place.kind, "local"))
        raise self.program.wrong("the address of this can't be taken here", node)

    def fixed(self, place):
        """The same place, its address worked out once."""
        if isinstance(place, Memory):
            return replace(
                place, address=self.temporary(Value(place.address, LONG)).code
            )
        if isinstance(place, Element):
            return replace(place, index=self.temporary(Value(place.index, INT)).code)
        return place

    def read(self, place, node):
        """The value at a place; an array becomes a pointer to its first element."""
        if isinstance(place.kind, Array):
            first = replace(place, kind=place.kind.of)
            return self.address(first, node)
        if isinstance(place, Variable):
            return self.read_variable(place, node)
        if isinstance(place, Field):
            base = self.read(place.base, node)
            return Value(f"{base.code}[{place.number}]", place.kind)
        where = f"{self.at(node)}, {self.mask}"
        if isinstance(place, Element):
            code = f"{place.array}.load({where}, {place.index})"
            return self.temporary(Value(code, place.kind))
        self.tally("load")
        self.program.touches(place.kind)
        space = place.space.removeprefix("constant ")
        kind = type_name(place.kind)
        code = f'R.load({where}, {place.address}, "{space}", {kind})'
        return self.temporary(Value(code, place.kind))

    def read_variable(self, place, node):
        if place.tracked:
            self.emit(
                f"R.initialised({self.at(node)}, {self.mask}, set_{place.code}, "
                f'"{place.code[2:]}")'
            )
        return Value(place.code, place.kind, place.constant)

    def write(self, place, value, node):
        """Stores a value in the lanes of the current mask."""
        if isinstance(place, Variable):
            return self.write_variable(place, value, node)
        if isinstance(place, Field):
            old = self.read(place.base, node)
            new = f"with_field({old.code}, {place.number}, {value.code})"
            return self.write(place.base, Value(new, place.base.kind), node)
        where = f"{self.at(node)}, {self.mask}"
        if isinstance(place, Element):
            self.emit(f"{place.array}.store({where}, {place.index}, {value.code})")
            return
        if place.space.startswith("constant "):
            raise self.program.wrong(
                "this is const: nothing can be written to it", node
            )
        self.tally("store")
        self.program.touches(place.kind)
        kind = type_name(place.kind)
        self.emit(
            f'R.store({where}, {place.address}, "{place.space}", {kind}, {value.code})'
        )

    def write_variable(self, place, value, node):
        if isinstance(place.kind, Pointer) and place.kind.space is None:
            place.kind = replace(place.kind, space=value.kind.space)
        elif isinstance(place.kind, Pointer) and value.kind.space not in (
            None,
            place.kind.space,
        ):
            raise self.program.wrong(
                f"this pointer points into {place.kind.space} memory and can't point "
                f"into {value.kind.space} memory: use two",
                node,
            )
        home = self.home(place.domain)
        if self.mask == home:
            self.emit(f"{place.code} = {value.code}")
            if place.domain == self.domain:
                place.tracked = False
        else:
            new = f"select({self.mask}, {home}, {value.code}, {place.code})"
            self.emit(f"{place.code} = {new}")
        if place.tracked:
            self.emit(f"set_{place.code} = union(set_{place.code}, {self.mask})")
