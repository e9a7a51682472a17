"""Loops and switches: who goes on, who is out, who waits. (Chapter 11.)"""

from pycparser import c_ast

from .regions import escapes


class Loops:
    """The part of a function's compiler that reads loops and switches."""

    def do_Break(self, node):
        self.leave("break", node)

    def do_Continue(self, node):
        self.leave("continue", node)

    def leave(self, how, node):
        if how not in self.leaving:
            raise self.program.wrong(f"{how} stands outside of a loop", node)
        name = self.leaving[how]
        self.emit(f"{name} = union({name}, {self.mask})")

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
