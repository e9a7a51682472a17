"""C statements as Python: branches and loops as masks. (Chapter 11.)

Each region of a function (its body, a branch, a loop) is a domain with a mask. Lanes
that return, break or continue leave the masks for the rest of what they skip.
"""

from contextlib import contextmanager

from pycparser import c_ast

from . import kinds
from .expressions import Expressions
from .kinds import Array, Pointer, Struct
from .translate import SHARED
from .values import Element, Memory, Value, Variable, type_name

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


class Function(Expressions):
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

    # ---- writing

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

    # ---- statements

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

    def do_Break(self, node):
        self.leave("break", node)

    def do_Continue(self, node):
        self.leave("continue", node)

    def leave(self, how, node):
        if how not in self.leaving:
            raise self.program.wrong(f"{how} stands outside of a loop", node)
        name = self.leaving[how]
        self.emit(f"{name} = union({name}, {self.mask})")

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

    def do_While(self, node):
        self.loop(node, node.cond, None, node.stmt)

    def do_DoWhile(self, node):
        self.loop(node, node.cond, None, node.stmt, test_first=False)

    def do_For(self, node):
        with self.scoped():
            self.rounds(node)

    def rounds(self, node):
        """A `for`, its variable in the scope of the loop alone."""
        mask = self.name()
        self.emit(f"{mask} = {self.mask}")
        before = self.mask, self.domain, dict(self.homes)
        self.domain = self.new_domain()
        self.homes[self.domain] = self.mask = mask
        if isinstance(node.init, c_ast.DeclList):
            self.do_DeclList(node.init)
        elif node.init is not None:
            self.value(node.init)
        self.loop(node, node.cond, node.next, node.stmt, mask)
        self.mask, self.domain, self.homes = before

    def loop(self, node, cond, step, body, mask=None, test_first=True):
        """A loop that runs while a lane is left in its mask."""
        if mask is None:
            mask = self.name()
            self.emit(f"{mask} = {self.mask}")
        left, before = escapes(body), dict(self.leaving)
        broken, skipped = self.name(), self.name()
        self.leaving |= {"break": broken, "continue": skipped}
        self.emit(f"{broken} = NOBODY")
        self.emit("while True:")
        line = self.line
        with self.under(mask):
            self.line = self.at(node)  # of the test and the step, once a round
            self.emit(f"R.count({self.line}, {mask})")
            if test_first:
                self.test(node, cond, mask)
            self.emit(f"{skipped} = NOBODY")
            self.emit(f"R.tick({self.at(node)}, {mask})")
            self.statement(body)
            if left & {"break", "return"}:
                gone = ", ".join([broken] + ["gone"] * ("return" in left))
                self.emit(f"{mask} = without({mask}, {gone})")
                self.emit(f"if not {mask}:")
                self.emit("    break")
            if step is not None:
                self.value(step)
            if not test_first:
                self.test(node, cond, mask)
        self.leaving, self.line = before, line

    def test(self, node, cond, mask):
        """Leaves in the mask the lanes for which the loop goes on."""
        self.tally("control")
        if cond is None:
            return
        left = self.name()
        self.emit(f"{left} = where({mask}, {self.truth(cond)})")
        self.emit(f"R.branch({self.at(node)}, {mask}, {left})")
        self.emit(f"{mask} = {left}")
        self.emit(f"if not {mask}:")
        self.emit("    break")

    def do_Switch(self, node):
        """Cases in turn; a lane that is in falls through until it breaks."""
        value = self.temporary(self.value(node.cond))
        cases = getattr(node.stmt, "block_items", None) or []
        if not isinstance(node.stmt, c_ast.Compound) or not all(
            isinstance(c, c_ast.Case | c_ast.Default) for c in cases
        ):
            raise self.program.wrong("a switch holds cases only", node)
        before, broken, into = dict(self.leaving), self.name(), self.name()
        self.leaving["break"] = broken
        self.emit(f"{broken} = {into} = NOBODY")
        tests = {}
        for case in cases:
            if isinstance(case, c_ast.Case):
                wanted = self.cast(self.value(case.expr), value.kind, case)
                tests[case] = self.name()
                code = f"({value.code} == {wanted.code})"
                self.emit(f"{tests[case]} = where({self.mask}, {code})")
        others = ", ".join([self.mask, *tests.values()])
        for case in cases:
            enters = tests.get(case, f"without({others})")
            self.emit(f"{into} = union({into}, {enters})")
            self.emit(f"R.branch({self.at(case)}, {self.mask}, {into})")
            self.emit(f"if {into}:")
            with self.under(into):
                self.block(case.stmts or [])
                self.emit("pass")
            gone = [broken, *(self.leaving[h] for h in ("continue", "return")
                              if h in self.leaving)]  # fmt: skip
            self.emit(f"{into} = without({into}, {', '.join(gone)})")
        self.leaving = before


def placed(node, kind, at=0):
    """(place, expression) of the innermost elements of an initialiser list."""
    if not isinstance(node, c_ast.InitList) or not isinstance(kind, Array):
        yield at, node
        return
    nested = all(isinstance(part, c_ast.InitList) for part in node.exprs)
    of = kind.of if nested else kind.element
    for i, part in enumerate(node.exprs):
        yield from placed(part, of, at + i * (of.size // kind.element.size))


def parameters(node):
    """The parameter declarations of a function."""
    args = node.decl.type.args
    found = [] if args is None else args.params
    return [p for p in found if not isinstance(p, c_ast.Typename)]
