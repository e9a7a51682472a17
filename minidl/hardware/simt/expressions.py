"""C expressions as Python on arrays of lanes. (Chapter 11.)

An expression gives a `Value`, Python text and a C type; what has an effect or reads
memory is written out as a statement before it, under the mask of that place.
"""

from dataclasses import replace

from pycparser import c_ast

from . import kinds
from .kinds import BOOL, INT, LONG, Pointer, Scalar, common
from .library import CALLS, call_builtin
from .operators import Operators
from .places import Places
from .values import (
    Value,
    Variable,
    literal,
    type_name,
)

INDICES = {
    f"{name}.{axis}" for name in ("threadIdx", "blockIdx", "blockDim", "gridDim")
    for axis in "xyz"
}  # fmt: skip


class Expressions(Operators, Places):
    """The part of a function's compiler that reads expressions; see `Regions`."""

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
