"""C's operators, on values and on addresses. (Chapter 11.)"""

from dataclasses import replace

from pycparser import c_ast

from . import kinds
from .kinds import BOOL, INT, LONG, Pointer, Scalar, common, elements, promoted
from .values import Value, number_of

COMPARISONS = {"<", ">", "<=", ">=", "==", "!="}


class Operators:
    """The part of a function's compiler that reads operators."""

    def on_UnaryOp(self, node):
        op = node.op
        if op in ("++", "--", "p++", "p--"):
            return self.stepped(node)
        if op == "&":
            return self.address(self.place(node.expr), node)
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
            local = a.kind.space == "local"  # whose places count innermost elements
            size = elements(a.kind.to) if local else a.kind.to.size
            size = self.program.number(LONG, size)
            return Value(f"(({a.code} - {b.code}) // {size})", LONG)
        raise self.program.wrong(f"`{op}` can't join {a.kind} and {b.kind}", node)

    def moved(self, pointer, by, op, node):
        """A pointer some elements further."""
        if pointer.kind.to == kinds.VOID:
            raise self.program.wrong("void has no size: cast the pointer first", node)
        self.tally("int")
        if pointer.kind.space == "local":
            by, each = self.cast(by, INT, node), elements(pointer.kind.to)
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
