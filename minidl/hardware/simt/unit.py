"""A translation unit: its types, its constants, its functions. (Chapter 11.)"""

from pycparser import c_ast, c_parser

from . import kinds
from .kinds import Array, Pointer, structure
from .values import literal, number_of


class Unit:
    """The part of a Program that reads declarations at the top of the file."""

    def parsed(self, text):
        try:
            return c_parser.CParser().parse(text)
        except c_parser.ParseError as error:
            parts = str(error).split(":")
            line = next((int(p) for p in parts if p.strip().isdigit()), None)
            words = parts[-1].strip()
            raise self.wrong(f"this is not read here, at `{words}`", line) from None

    def read(self, tree):
        """Takes in what stands at the top of the file."""
        for node in tree.ext:
            if isinstance(node, c_ast.FuncDef):
                self.functions[node.decl.name] = node
            elif isinstance(node, c_ast.Typedef):
                self.typedef(node)
            elif isinstance(node, c_ast.Decl):
                self.declared(node)

    def typedef(self, node):
        name = node.name
        if name in kinds.NAMED or name in self.structs:
            return
        if isinstance(node.type.type, c_ast.Struct):
            if node.type.type.decls is None:
                return
            self.structs[name] = self.struct(node.type.type, name)
        else:
            self.structs[name] = self.kind(node.type)

    def declared(self, node):
        """A struct, a prototype, or a constant at the top of the file."""
        if isinstance(node.type, c_ast.Struct):
            self.structs[node.type.name] = self.struct(node.type, node.type.name)
        elif isinstance(node.type, c_ast.FuncDecl):
            pass
        elif isinstance(node.type, c_ast.ArrayDecl):
            raise self.wrong(
                f"`{node.name}` is an array outside of functions: declare it inside of "
                "the kernel, or pass a pointer",
                node,
            )
        elif "const" in node.quals and node.init is not None:
            self.constants[node.name] = node.init, self.kind(node.type)
        else:
            raise self.wrong(
                f"`{node.name}` is a variable outside of functions: pass a pointer, or "
                "make it const",
                node,
            )

    def struct(self, node, name):
        fields = []
        for field in node.decls or ():
            kind = self.kind(field.type)
            if isinstance(kind, Pointer | Array):
                raise self.wrong(
                    f"the field `{field.name}` is no plain number: keep pointers and "
                    "arrays outside of structures",
                    field,
                )
            fields.append((field.name, kind))
        return structure(name, fields)

    def kind(self, node, space=None):
        """The type that a declaration's type node stands for."""
        if isinstance(node, c_ast.PtrDecl):
            const = "const" in getattr(node.type, "quals", ())
            return Pointer(self.kind(node.type), space, const)
        if isinstance(node, c_ast.ArrayDecl):
            length = 0 if node.dim is None else self.constant(node.dim)
            if node.dim is not None and length < 1:
                raise self.wrong(f"an array has at least 1 element, not {length}", node)
            return Array(self.kind(node.type), length)
        if isinstance(node, c_ast.TypeDecl | c_ast.Typename):
            return self.kind(node.type)
        if isinstance(node, c_ast.Struct):
            return self.named([node.name], node)
        if isinstance(node, c_ast.IdentifierType):
            return self.named(node.names, node)
        raise self.wrong("this type is not read here", node)

    def named(self, names, node):
        if names == ["void"]:
            return kinds.VOID
        found = self.structs.get(names[0]) if len(names) == 1 else None
        found = found or kinds.written(names)
        if found is None:
            raise self.wrong(f"the type `{' '.join(names)}` is not known here", node)
        return found

    def constant(self, node, scope=None):
        """The integer that an expression of constants has."""
        value = self.folded(node, scope or {})
        if value is None:
            raise self.wrong(
                "the length of an array must be a constant, such as a #define", node
            )
        return int(value)

    def folded(self, node, scope):
        """The number of a constant expression, or None."""
        if isinstance(node, c_ast.Constant):
            return literal(node)[0]
        if isinstance(node, c_ast.ID):
            if node.name in scope:
                return getattr(scope[node.name], "constant", None)
            init = self.constants.get(node.name)
            return self.folded(init[0], {}) if init else None
        if isinstance(node, c_ast.UnaryOp) and node.op == "sizeof":
            return self.kind(node.expr).size
        if isinstance(node, c_ast.UnaryOp | c_ast.BinaryOp | c_ast.TernaryOp):
            parts = [self.folded(child, scope) for _, child in node.children()]
            if None not in parts:
                return number_of(getattr(node, "op", "?"), parts)
        if isinstance(node, c_ast.Cast):
            return self.folded(node.expr, scope)
        return None
