"""C statements as Python: branches and loops as masks. (Chapter 11.)

Each region of a function (its body, a branch, a loop) is a domain with a mask. Lanes
that return, break or continue leave the masks for the rest of what they skip.
"""

from pycparser import c_ast

from . import kinds
from .declarations import Declarations
from .expressions import Expressions
from .kinds import Pointer
from .loops import Loops
from .regions import Regions, addressed
from .values import Element, Value, Variable


class Function(Regions, Declarations, Loops, Expressions):
    """The compiler of one function, for arguments of given types."""

    def __init__(self, program, node, given, result, is_kernel):
        self.program, self.node, self.given = program, node, given
        self.result, self.is_kernel = result, is_kernel
        self.lines, self.indent = [], "    "
        self.count = 0
        self.scope, self.outer = {}, {}  # names here, and around this block
        self.homes = {0: "m"}  # domain: the name of its mask now
        self.domain, self.mask = 0, "m"
        self.leaving = {"return": "gone"}
        self.line = None
        self.pointed = addressed(node)

    def text(self, python_name):
        """The function as Python text."""
        names = []
        for own, kind in zip(parameters(self.node), self.given):
            names.append(f"v_{own.name}")
            self.scope[own.name] = Variable(names[-1], kind, 0)
        self.emit("out, gone = None, NOBODY")
        for name in sorted(self.pointed & set(self.scope)):
            self.boxed(name, self.scope[name])
        self.block(self.node.body.block_items or [])
        items = self.node.body.block_items or [None]
        if self.result != kinds.VOID and not isinstance(items[-1], c_ast.Return):
            site, name = self.at(self.node), self.node.decl.name
            self.emit(f'R.initialised({site}, m, gone, "that {name} returns")')
        self.emit("return out")
        head = f"def {python_name}({', '.join(['R', 'm', *names])}):"
        return "\n".join([head, *self.lines])

    def boxed(self, name, variable):
        """A parameter whose address is taken moves to local memory."""
        array = f"a_{name}"
        self.emit(self.local(array, 1, variable.kind))
        self.emit(f"{array}.store(0, m, 0, {variable.code})")
        self.scope[name] = Element(array, "0", variable.kind)

    def statement(self, node):
        rule = getattr(self, f"do_{type(node).__name__}", None)
        before = self.line
        if not isinstance(node, c_ast.Compound | c_ast.EmptyStatement | c_ast.Pragma):
            self.line = self.at(node)
            self.emit(f"R.count({self.line}, {self.mask})")
        if rule is not None:
            rule(node)
        else:
            self.value(node)
        self.line = before

    def do_Compound(self, node):
        with self.scoped():
            self.block(node.block_items or [])

    def do_EmptyStatement(self, node):
        pass

    def do_Pragma(self, node):
        pass

    def do_Return(self, node):
        if (node.expr is None) != (self.result == kinds.VOID):
            raise self.program.wrong(f"this function returns {self.result}", node)
        if self.is_kernel:
            self.emit(f"R.left({self.mask})")
        elif node.expr is not None:
            value = self.cast(self.value(node.expr), self.result, node)
            if isinstance(value.kind, Pointer):
                if self.result.space not in (None, value.kind.space):
                    raise self.program.wrong("pointers to two memories", node)
                self.result = value.kind
            self.emit(f"out = select({self.mask}, m, {value.code}, out)")
        self.emit(f"gone = union(gone, {self.mask})")

    def do_If(self, node):
        condition = self.temporary(Value(self.truth(node.cond), kinds.BOOL)).code
        yes, no = self.name(), self.name()
        self.emit(f"{yes} = where({self.mask}, {condition})")
        self.emit(f"R.branch({self.at(node)}, {self.mask}, {yes})")
        if node.iffalse is not None:
            self.emit(f"{no} = unless({self.mask}, {yes})")
        self.tally("control")
        for mask, branch in ((yes, node.iftrue), (no, node.iffalse)):
            if branch is not None:
                self.emit(f"if {mask}:")
                with self.under(mask):
                    self.statement(branch)
                    self.emit("pass")


def parameters(node):
    """The parameter declarations of a function."""
    args = node.decl.type.args
    found = [] if args is None else args.params
    return [p for p in found if not isinstance(p, c_ast.Typename)]
