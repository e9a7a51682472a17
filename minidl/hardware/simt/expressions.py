"""C expressions as Python on arrays of lanes. (Chapter 11.)

An expression gives a `Value`, Python text and a C type; what has an effect or reads
memory is written out as a statement before it, under the mask of that place.
"""

from dataclasses import replace

from pycparser import c_ast

from . import kinds
from .kinds import BOOL, INT, LONG, Array, Pointer, Scalar, Struct, common, promoted
from .library import CALLS, call_builtin
from .values import (
    Element,
    Field,
    Memory,
    Value,
    Variable,
    literal,
    number_of,
    type_name,
)

INDICES = {
    f"{name}.{axis}" for name in ("threadIdx", "blockIdx", "blockDim", "gridDim")
    for axis in "xyz"
}  # fmt: skip
COMPARISONS = {"<", ">", "<=", ">=", "==", "!="}


class Expressions:
    """The half of a function's compiler that reads expressions.

    The other half gives: `program`, `mask` (the name of the current mask), `scope`,
    `emit(line)`, `temporary(code)`, `at(node)` (a site), `tally(kind)`.
    """

    def value(self, node):
        """The Value of an expression."""
        rule = getattr(self, f"on_{type(node).__name__}", None)
        if rule is None:
            raise self.program.wrong("this expression is not read here", node)
        return rule(node)

    def on_Constant(self, node):
        if node.type == "string":
            raise self.program.wrong("a text has no use in a kernel here", node)
        number, kind = literal(node)
        return self.known(kind, number)

    def known(self, kind, number):
        number = kinds.scalar(kind, number).item()  # as the type holds it
        return Value(self.program.number(kind, number), kind, number)

    def on_ID(self, node):
        if node.name == "warpSize":
            return self.known(INT, 32)
        if node.name not in self.scope and node.name in self.program.constants:
            init, kind = self.program.constants[node.name]
            return self.cast(self.value(init), kind, node)
        return self.read(self.place(node), node)

    def on_ArrayRef(self, node):
        return self.read(self.place(node), node)

    def on_StructRef(self, node):
        name = getattr(node.name, "name", None)
        if node.type == "." and f"{name}.{node.field.name}" in INDICES:
            return Value(f'R.index["{name}.{node.field.name}"]', kinds.UINT)
        return self.read(self.place(node), node)

    def on_Cast(self, node):
        kind = self.program.kind(node.to_type)
        value = self.value(node.expr)
        if isinstance(kind, Pointer) and isinstance(value.kind, Pointer):
            kind = Pointer(kind.to, value.kind.space, kind.constant)
            if value.kind.space == "local" and kind.to != value.kind.to:
                raise self.program.wrong(
                    "a local array can't be read as another type: copy its elements "
                    "one by one, as in make_float4(a[0], a[1], a[2], a[3])",
                    node,
                )
            return replace(value, kind=kind)
        return self.cast(value, kind, node)

    def cast(self, value, kind, node):
        """`value` as type `kind`."""
        if value.kind == kind or kind == kinds.VOID:
            return value
        if isinstance(kind, Pointer):
            if value.constant == 0:
                return Value(self.program.number(LONG, 0), kind)
            if isinstance(value.kind, Pointer) and value.kind.to == kind.to:
                return replace(value, kind=replace(kind, space=value.kind.space))
        if (
            isinstance(kind, Scalar)
            and isinstance(value.kind, Pointer)
            and kind is BOOL
        ):
            return Value(f"({value.code} != 0)", BOOL)
        if not isinstance(kind, Scalar) or not isinstance(value.kind, Scalar):
            raise self.program.wrong(f"{value.kind} can't become {kind} here", node)
        if value.constant is not None and (kind.rank >= INT.rank):
            number = value.constant if not kind.whole else int(value.constant)
            number = float(number) if not kind.whole else number
            return self.known(kind, number)
        self.tally("convert" if value.kind is not BOOL else "int")
        old, new = type_name(value.kind), type_name(kind)
        if not kind.whole or (value.kind.whole and kind is not BOOL):
            return Value(f"{value.code}.astype({new}.dtype)", kind)
        return Value(f"converted({value.code}, {old}, {new})", kind)

    def truth(self, node):
        """The text of a condition: bool for each lane."""
        value = self.value(node)
        return self.cast(value, BOOL, node).code

    # ---- operators

    def on_UnaryOp(self, node):
        op = node.op
        if op in ("++", "--", "p++", "p--"):
            return self.stepped(node)
        if op == "&":
            return self.address(self.place(node.expr, True), node)
        if op == "*":
            return self.read(self.place(node), node)
        if op == "sizeof":
            return self.known(kinds.ULONG, self.size_of(node.expr))
        if op == "!":
            return Value(f"(~{self.truth(node.expr)})", BOOL)
        value = self.value(node.expr)
        if not isinstance(value.kind, Scalar) or (op == "~" and not value.kind.whole):
            raise self.program.wrong(f"`{op}` can't be used on {value.kind}", node)
        if value.constant is not None:
            return self.known(promoted(value.kind), number_of(op, [value.constant]))
        value = self.cast(value, promoted(value.kind), node)
        self.tally("int" if value.kind.whole else "float")
        return value if op == "+" else Value(f"({op}{value.code})", value.kind)

    def size_of(self, node):
        if isinstance(node, c_ast.Typename):
            return self.program.kind(node).size
        place = self.place(node)
        return place.kind.size

    def stepped(self, node):
        """++ and --, before or behind."""
        place = self.place(node.expr)
        old = self.temporary(self.read(place, node))
        new = self.temporary(self.binary(node.op[-1], old, self.known(INT, 1), node))
        new = self.cast(new, place.kind, node)
        self.write(place, new, node)
        return old if node.op[0] == "p" else new

    def on_BinaryOp(self, node):
        if node.op in ("&&", "||"):
            return self.either(node)
        return self.binary(node.op, self.value(node.left), self.value(node.right), node)

    def binary(self, op, a, b, node):
        """`a op b` by C's rules."""
        if isinstance(a.kind, Pointer) or isinstance(b.kind, Pointer):
            return self.pointers(op, a, b, node)
        if not isinstance(a.kind, Scalar) or not isinstance(b.kind, Scalar):
            raise self.program.wrong(f"`{op}` can't join {a.kind} and {b.kind}", node)
        kind = promoted(a.kind) if op in ("<<", ">>") else common(a.kind, b.kind)
        if op in ("&", "|", "^", "<<", ">>", "%") and not (
            a.kind.whole and b.kind.whole
        ):
            raise self.program.wrong(f"`{op}` needs whole numbers", node)
        folded = self.folded(op, a, b, kind)
        if folded is not None:
            return folded
        fused = op in ("+", "-") and not kind.whole and (a.product or b.product)
        a = self.cast(a, kind, node)
        b = self.cast(b, INT if op in ("<<", ">>") else kind, node)
        self.tally("fma" if fused else "int" if kind.whole else "float")
        if fused:
            self.tally("float", -1)
        if op in COMPARISONS:
            return Value(f"({a.code} {op} {b.code})", BOOL)
        rule = self.checked(op, kind)
        if rule:
            code = f"{rule}(R, {self.at(node)}, {self.mask}, {a.code}, {b.code})"
            return Value(code, kind)
        product = op == "*" and not kind.whole
        return Value(f"({a.code} {op} {b.code})", kind, product=product)

    def checked(self, op, kind):
        if op in ("/", "%") and kind.whole:
            return "quotient" if op == "/" else "remainder"
        return {"<<": "shifted_left", ">>": "shifted_right"}.get(op)

    def folded(self, op, a, b, kind):
        """The constant that two integer constants give, or None."""
        if a.constant is None or b.constant is None or not kind.whole:
            return None
        shift = op in ("<<", ">>")
        if shift and not 0 <= b.constant < 8 * kind.size:
            return None
        given = a.constant, b.constant
        left, right = (kinds.scalar(kind, n).item() for n in given)
        number = number_of(op, [left, b.constant if shift else right])
        if number is None:
            return None
        return self.known(BOOL if op in COMPARISONS else kind, number)

    def pointers(self, op, a, b, node):
        """Arithmetic and comparison of addresses."""
        if isinstance(b.kind, Pointer) and op == "+":
            a, b = b, a
        if isinstance(a.kind, Pointer) and isinstance(b.kind, Scalar):
            if op in COMPARISONS and b.constant == 0:
                return Value(f"({a.code} {op} 0)", BOOL)
            if op in ("+", "-"):
                return self.moved(a, b, op, node)
        elif isinstance(b.kind, Pointer) and op in COMPARISONS:
            return Value(f"({a.code} {op} {b.code})", BOOL)
        elif op == "-" and a.kind.to == b.kind.to:
            size, inner = a.kind.to.size, a.kind.to
            if a.kind.space == "local":  # places count innermost elements
                size = size // inner.element.size if isinstance(inner, Array) else 1
            size = self.program.number(LONG, size)
            return Value(f"(({a.code} - {b.code}) // {size})", LONG)
        raise self.program.wrong(f"`{op}` can't join {a.kind} and {b.kind}", node)

    def moved(self, pointer, by, op, node):
        """A pointer some elements further."""
        if pointer.kind.to == kinds.VOID:
            raise self.program.wrong("void has no size: cast the pointer first", node)
        self.tally("int")
        if pointer.kind.space == "local":
            inner, by = pointer.kind.to, self.cast(by, INT, node)
            each = inner.size // inner.element.size if isinstance(inner, Array) else 1
            step = f"{by.code} * {each}" if each > 1 else by.code
            return replace(pointer, code=f"{pointer.code}.moved({op}({step}))")
        by = self.scaled(by, pointer.kind.to.size, node)
        return Value(f"({pointer.code} {op} {by})", pointer.kind)

    def whole(self, index, node):
        if not isinstance(index.kind, Scalar) or not index.kind.whole:
            raise self.program.wrong(
                f"an index is a whole number, not {index.kind}", node
            )

    def scaled(self, index, size, node):
        """The text of `index` times `size`, in bytes."""
        self.whole(index, node)
        if index.constant is not None:
            return self.program.number(LONG, index.constant * size)
        if index.kind is kinds.ULONG:
            index = Value(f"{index.code}.astype(T_long_long.dtype)", LONG)
        if index.kind is BOOL:
            index = self.cast(index, INT, node)
        return f"{index.code} * {self.program.number(LONG, size)}"

    def either(self, node):
        """&& and ||; the right side runs only where the left leaves it open."""
        self.tally("int")
        if self.free(node.right):
            op = "&" if node.op == "&&" else "|"
            return Value(
                f"({self.truth(node.left)} {op} {self.truth(node.right)})", BOOL
            )
        left = self.name()
        self.emit(f"{left} = {self.truth(node.left)}")
        open_ = left if node.op == "&&" else f"~{left}"
        with self.only(open_):
            right = self.truth(node.right)
            self.emit(f"{left} = {left} {'&' if node.op == '&&' else '|'} {right}")
        return Value(left, BOOL)

    def on_TernaryOp(self, node):
        condition = self.temporary(Value(self.truth(node.cond), BOOL)).code
        results = []
        for branch, test in ((node.iftrue, condition), (node.iffalse, f"~{condition}")):
            if self.free(branch):
                results.append((self.value(branch), None))
                continue
            name = self.name()
            start = len(self.lines)
            with self.only(test):
                value = self.value(branch)
                line = len(self.lines)
                self.emit(f"{name} = {value.code}")
            self.lines.insert(start, f"{self.indent}{name} = None")
            results.append((replace(value, code=name, constant=None), line + 1))
        (a, _), (b, _) = results
        if isinstance(a.kind, Scalar) and isinstance(b.kind, Scalar):
            kind = a.kind if a.kind is b.kind else common(a.kind, b.kind)
            a, b = self.late(a, kind, node), self.late(b, kind, node)
        elif (
            isinstance(a.kind, Pointer) and getattr(b.kind, "space", 0) != a.kind.space
        ):
            raise self.program.wrong("the two pointers are of different memories", node)
        self.tally("int")
        return Value(f"choose({condition}, {a.code}, {b.code})", a.kind)

    def late(self, value, kind, node):
        """A cast of what may be None, where no lane took that side."""
        if value.kind == kind:
            return value
        if value.constant is not None:
            return self.cast(value, kind, node)
        new, old = type_name(kind), type_name(value.kind)
        return Value(f"late_cast({value.code}, {old}, {new})", kind)

    def free(self, node):
        """Whether an expression neither changes, reads memory, nor can fail."""
        if isinstance(node, c_ast.ArrayRef | c_ast.Assignment | c_ast.FuncCall):
            return False
        if isinstance(node, c_ast.UnaryOp) and node.op in (
            "++",
            "--",
            "p++",
            "p--",
            "*",
        ):
            return False
        if isinstance(node, c_ast.StructRef) and node.type == "->":
            return False
        if isinstance(node, c_ast.BinaryOp) and node.op in ("/", "%", "<<", ">>"):
            return False
        if isinstance(node, c_ast.ID) and node.name in self.scope:
            variable = self.scope[node.name]
            if not isinstance(variable, Variable) or variable.tracked:
                return False
        if isinstance(node, c_ast.StructRef):
            name = getattr(node.name, "name", None)
            return f"{name}.{node.field.name}" in INDICES or self.free(node.name)
        return all(self.free(child) for _, child in node.children())

    def on_ExprList(self, node):
        for part in node.exprs:
            value = self.value(part)
        return value

    def on_Assignment(self, node):
        place = self.place(node.lvalue)
        if node.op == "=":
            value = self.value(node.rvalue)
        else:
            right = self.value(node.rvalue)
            place = self.fixed(place)
            value = self.binary(node.op[:-1], self.read(place, node), right, node)
        value = self.cast(value, place.kind, node)
        if not (node.op == "=" and value.constant is not None):
            value = self.temporary(value)
        self.write(place, value, node)
        return value

    def on_FuncCall(self, node):
        if not isinstance(node.name, c_ast.ID):
            raise self.program.wrong("what is called here is no function", node)
        name = node.name.name
        arguments = node.args.exprs if node.args else []
        if name in CALLS and name not in self.program.functions:
            return call_builtin(self, name, arguments, node)
        given = [self.value(a) for a in arguments]
        python, result, own = self.program.function(name, [g.kind for g in given], node)
        given = [self.cast(g, kind, node) for g, kind in zip(given, own)]
        code = ", ".join(["R", self.mask, *(g.code for g in given)])
        if result == kinds.VOID:
            self.emit(f"{python}({code})")
            return Value("None", kinds.VOID)
        return self.temporary(Value(f"{python}({code})", result))

    # ---- places

    def place(self, node, addressed=False):
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
            inner = base.kind.of
            count = inner.size // inner.element.size if isinstance(inner, Array) else 1
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
        where = f"R, {self.at(node)}, {self.mask}"
        if isinstance(place, Element):
            code = f"{place.array}.load({where[3:]}, {place.index})"
            return self.temporary(Value(code, place.kind))
        self.tally("load")
        self.program.touches(place.kind)
        space = place.space.removeprefix("constant ")
        kind = type_name(place.kind)
        code = f'R.load({where[3:]}, {place.address}, "{space}", {kind})'
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
