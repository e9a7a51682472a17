"""Declarations: variables, local arrays, shared memory. (Chapter 11.)"""

from pycparser import c_ast

from . import kinds
from .kinds import Array, Pointer, Struct
from .translate import SHARED
from .values import Element, Memory, Value, Variable, type_name


class Declarations:
    """The part of a function's compiler that reads declarations."""

    def do_DeclList(self, node):
        for declaration in node.decls:
            self.do_Decl(declaration)

    def do_Decl(self, node):
        if SHARED in node.storage:
            return self.shared(node)
        if isinstance(node.type, c_ast.Struct):
            raise self.program.wrong("declare structures outside of functions", node)
        kind = self.declared_kind(node)
        array = isinstance(kind, Array)
        if array or node.name in self.pointed:
            return self.local_array(node, kind)
        name = self.new_name("v", node)
        variable = Variable(name, kind, self.domain)
        if node.init is None:
            variable.tracked = not isinstance(kind, Struct)
            start = f"zero({type_name(kind)})" if isinstance(kind, Struct) else "None"
            self.emit(f"{name} = {start}")
            if variable.tracked:
                self.emit(f"set_{name} = NOBODY")
        else:
            value = self.initial(node.init, kind)
            if isinstance(kind, Pointer):
                variable.kind = kind = value.kind
            if "const" in node.quals and not isinstance(kind, Pointer):
                variable.constant = value.constant
            self.emit(f"{name} = {value.code}")
        self.scope[node.name] = variable

    def new_name(self, prefix, node):
        """The Python name of a new variable; one that it hides keeps its own."""
        name, hidden = node.name, self.scope.get(node.name)
        if hidden is None:
            return f"{prefix}_{name}"
        if hidden is not self.outer.get(name):
            raise self.program.wrong(f"`{name}` is declared twice here", node)
        return f"{prefix}_{name}_{self.name()}"

    def declared_kind(self, node):
        """The type of a declaration; lengths may be const variables."""
        outer = self.program.folded
        self.program.folded = lambda n, scope: outer(n, scope or self.scope)
        try:
            kind = self.program.kind(node.type)
        finally:
            self.program.folded = outer
        if isinstance(kind, Array) and kind.length == 0 and node.init is not None:
            kind = Array(kind.of, len(node.init.exprs))
        if kind == kinds.VOID:
            raise self.program.wrong("a variable can't be void", node)
        return kind

    def initial(self, node, kind):
        """The value of an initialiser for `kind`."""
        if isinstance(node, c_ast.InitList):
            if not isinstance(kind, Struct):
                return self.initial(node.exprs[0], kind)
            given = list(node.exprs)
            parts = []
            for _, own, _ in kind.fields:
                part = self.initial(given.pop(0), own) if given else self.none(own)
                parts.append(part.code)
            return Value(f"({', '.join(parts)},)", kind)
        return self.cast(self.value(node), kind, node)

    def none(self, kind):
        return Value(f"zero({type_name(kind)})", kind)

    def local(self, name, length, kind):
        form = "LocalStructs" if isinstance(kind, Struct) else "LocalArray"
        given = f'R, {self.mask}, "{name[2:]}", {length}, {type_name(kind)}'
        return f"{name} = {form}({given})"

    def local_array(self, node, kind):
        element = kind.element if isinstance(kind, Array) else kind
        if isinstance(element, Pointer):
            raise self.program.wrong("a local array of pointers is not read here", node)
        length = kind.size // element.size
        name = self.new_name("a", node)
        self.emit(self.local(name, length, element))
        self.scope[node.name] = Element(name, "0", kind)
        if node.init is not None:
            given = dict(placed(node.init, kind))
            if max(given, default=0) >= length:
                raise self.program.wrong(f"{kind} has no place for all this", node)
            for i in range(length):
                value = self.initial(given[i], element) if i in given else None
                value = value or self.none(element)
                where = f"{self.at(node)}, {self.mask}"
                self.emit(f"{name}.store({where}, {i}, {value.code})")

    def shared(self, node):
        """An object in shared memory: a place in the block's layout."""
        kind = self.declared_kind(node)
        if node.init is not None:
            raise self.program.wrong(
                "shared memory has no initial value: let a thread write it, then "
                "__syncthreads()",
                node,
            )
        dynamic = "extern" in node.storage
        nbytes = None if dynamic else kind.size
        if dynamic:
            kind = Array(kind.of, 0)
        address = self.program.share(node, kind, nbytes)
        code = self.program.number(kinds.LONG, address)
        self.scope[node.name] = Memory(code, kind, "shared")


def placed(node, kind, at=0):
    """(place, expression) of the innermost elements of an initialiser list."""
    if not isinstance(node, c_ast.InitList) or not isinstance(kind, Array):
        yield at, node
        return
    nested = all(isinstance(part, c_ast.InitList) for part in node.exprs)
    of = kind.of if nested else kind.element
    for i, part in enumerate(node.exprs):
        yield from placed(part, of, at + i * (of.size // kind.element.size))
