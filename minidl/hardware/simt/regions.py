"""Where compiled text goes: lines, names, and the mask of each region. (Chapter 11.)"""

from contextlib import contextmanager

from pycparser import c_ast

from .values import Value

LOOPS = c_ast.For | c_ast.While | c_ast.DoWhile


def escapes(node):
    """Which of return, break and continue leave the statement `node`."""
    if isinstance(node, c_ast.Return):
        return {"return"}
    if isinstance(node, c_ast.Break):
        return {"break"}
    if isinstance(node, c_ast.Continue):
        return {"continue"}
    found = set().union(*(escapes(child) for _, child in node.children()), set())
    if isinstance(node, LOOPS):
        return found & {"return"}
    return found - {"break"} if isinstance(node, c_ast.Switch) else found


def addressed(node):
    """The names of the variables whose address is taken somewhere in `node`."""
    found = set()
    if isinstance(node, c_ast.UnaryOp) and node.op == "&":
        whole = node.expr
        while isinstance(whole, c_ast.StructRef) and whole.type == ".":
            whole = whole.name
        if isinstance(whole, c_ast.ID):
            found.add(whole.name)
    for _, child in node.children():
        found |= addressed(child)
    return found


class Regions:
    """The part of a function's compiler that writes, and knows the current mask."""

    def emit(self, line):
        self.lines.append(self.indent + line)

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def new_domain(self):
        self.count += 1
        return self.count

    def temporary(self, value):
        """`value` under a name, worked out here and now."""
        if value.code.isidentifier() and not value.code.startswith("v_"):
            return value
        name = self.name()
        self.emit(f"{name} = {value.code}")
        return Value(name, value.kind, value.constant, value.product)

    def at(self, node):
        return self.program.site(node)

    def tally(self, kind, n=1):
        if self.line is not None:
            self.program.tallies[self.line][kind] += n

    def home(self, domain):
        return self.homes[domain]

    @contextmanager
    def indented(self):
        before, self.indent = self.indent, self.indent + "    "
        yield
        self.indent = before

    @contextmanager
    def under(self, mask):
        """What is written inside runs under `mask`, in a domain of its own."""
        before = self.mask, self.domain, dict(self.homes)
        self.domain = self.new_domain()
        self.homes[self.domain] = self.mask = mask
        with self.indented(), self.scoped():
            yield
        self.mask, self.domain, self.homes = before

    @contextmanager
    def scoped(self):
        """What is declared inside is known inside only."""
        before = self.scope, self.outer
        self.scope, self.outer = dict(self.scope), self.scope
        yield
        self.scope, self.outer = before

    @contextmanager
    def only(self, condition):
        """What is written inside runs where `condition` holds, if anywhere."""
        mask = self.name()
        self.emit(f"{mask} = where({self.mask}, {condition})")
        self.emit(f"if {mask}:")
        with self.under(mask):
            yield
            self.emit("pass")

    def block(self, items):
        """Statements in turn; what an escape skips runs under a smaller mask."""
        mask, homes, indent = self.mask, dict(self.homes), self.indent
        for i, item in enumerate(items):
            self.statement(item)
            left = escapes(item)
            if left and i + 1 < len(items):
                self.narrow(left)
        self.mask, self.homes, self.indent = mask, homes, indent

    def narrow(self, left):
        """Goes on with those that have not left."""
        gone = ", ".join(self.leaving[how] for how in sorted(left))
        mask = self.name()
        self.emit(f"{mask} = without({self.mask}, {gone})")
        self.emit(f"if {mask}:")
        self.indent += "    "
        self.homes[self.domain] = self.mask = mask
