"""C programs by chance: functions whose meaning the C standard leaves no doubt about.

Shift counts, divisors, indices and the rounds of loops are kept in range by masks; a
statement has one side effect.
"""

HELPERS = """
FUNCTION int whole(double z) { return z > -1e6 && z < 1e6 ? (int)z : 7; }
"""
WHOLE = ["a", "b", "k", "u", "v", "l", "m", "ul", "c", "d", "uc", "s", "us"]
REAL = ["f", "g", "x", "y"]
NUMBERS = ["0", "1", "-1", "3", "255", "7u", "0x80000000", "40000LL", "-5", "'a'"]
REALS = ["0.5f", "0.1", "2.0f", "-3.25", "1e3f"]
TYPES = ["int", "unsigned", "long long", "unsigned char", "short", "signed char",
         "unsigned long long", "unsigned short"]  # fmt: skip
LOCALS = {"z": "int", "w": "unsigned", "q": "long long", "n": "unsigned char"}


class Writer:
    """Random C text; `chance` is a random.Random."""

    def __init__(self, chance):
        self.chance, self.depth, self.loops, self.names = chance, 0, 0, 0

    def function(self):
        """The body of a function that returns a long long."""
        starts = "".join(f"{t} {n} = {self.whole(2)}; " for n, t in LOCALS.items())
        return (
            f"{{ {starts}float h = f; int t[4] = {{1, a, 3}}; "
            f"{self.statements(3)} return z + 3LL * w + 5 * q + 7 * n + 11 * whole(h) "
            "+ (t[0] ^ t[1]) - t[2] * t[3]; }"
        )

    # ---- expressions

    def whole(self, depth):
        """An expression of integer type."""
        pick = self.chance.choice
        if depth == 0 or self.chance.random() < 0.1:
            return pick([*WHOLE, *NUMBERS])
        more = lambda: self.whole(depth - 1)  # noqa: E731
        form = pick(
            ["binary", "binary", "binary", "unary", "cast", "compare", "compare",
             "shift", "divide", "choose", "logic", "real", "element"]
        )  # fmt: skip
        return {
            "binary": lambda: f"({more()} {pick('+ - * & | ^'.split())} {more()})",
            "unary": lambda: f"({pick(['-', '~', '!', '+'])} {more()})",
            "cast": lambda: f"(({pick(TYPES)}){more()})",
            "compare": lambda: f"({more()} {pick('< > <= >= == !='.split())} {more()})",
            "shift": lambda: f"({more()} {pick(['<<', '>>'])} ({more()} & 7))",
            "divide": lambda: f"({more()} {pick('/%')} (({more()} & 15) + 2))",
            "choose": lambda: f"({more()} ? {more()} : {more()})",
            "logic": lambda: f"({more()} {pick(['&&', '||'])} {more()})",
            "real": lambda: (
                f"({self.real(depth - 1)} {pick(['<', '==', '>='])} "
                f"{self.real(depth - 1)})"
            ),
            "element": lambda: f"whole({self.real(depth - 1)})",
        }[form]()

    def real(self, depth):
        """An expression of type float or double."""
        pick = self.chance.choice
        if depth == 0:
            return pick([*REAL, *REALS])
        more = lambda: self.real(depth - 1)  # noqa: E731
        return {
            "binary": lambda: f"({more()} {pick('+-*/')} {more()})",
            "mixed": lambda: f"({more()} {pick('+-*')} {self.whole(depth - 1)})",
            "minus": lambda: f"(- {more()})",
            "cast": lambda: f"(({pick(['float', 'double'])}){more()})",
            "choose": lambda: f"({self.whole(depth - 1)} ? {more()} : {more()})",
        }[pick(["binary", "binary", "mixed", "minus", "cast", "choose"])]()

    def inner(self, depth=2):
        """An integer expression that knows the locals too."""
        local = self.chance.choice([*LOCALS, f"t[{self.chance.choice('zwk')} & 3]"])
        sign = self.chance.choice("+-^|")
        return f"({self.whole(depth)} {sign} {local})"

    # ---- statements

    def statements(self, depth):
        return " ".join(self.statement(depth) for _ in range(self.chance.randint(1, 3)))

    def statement(self, depth):
        simple = [self.assign, self.assign, self.step, self.element, self.float_step]
        nested = [self.branch, self.branch, self.count, self.repeat, self.switch]
        if self.loops:
            simple.append(self.leave)
        rules = simple if depth == 0 else simple + nested * 2
        return self.chance.choice(rules)(depth)

    def assign(self, _):
        op = self.chance.choice(["", "", "+", "-", "*", "&", "|", "^"])
        return f"{self.chance.choice([*LOCALS])} {op}= {self.inner()};"

    def step(self, _):
        name, op = self.chance.choice([*LOCALS]), self.chance.choice(["++", "--"])
        other = self.chance.choice([x for x in LOCALS if x != name])
        return self.chance.choice(
            [f"{name}{op};", f"{other} = {op}{name};", f"{other} += {name}{op};",
             f"({self.inner(1)} && {name}{op});"]
        )  # fmt: skip

    def element(self, _):
        op = self.chance.choice(["", "+", "^"])
        return f"t[{self.chance.choice('zwq')} & 3] {op}= {self.inner(1)};"

    def float_step(self, _):
        op = self.chance.choice("+-*")
        return f"h {op}= {self.real(1)};"

    def leave(self, _):
        how = self.chance.choice(["break", "continue", "break", "return z * 3"])
        return f"if ({self.inner(1)} & 1) {how};"

    def branch(self, depth):
        other = f" else {{ {self.statements(depth - 1)} }}"
        return (
            f"if ({self.inner()}) {{ {self.statements(depth - 1)} }}"
            f"{other * (self.chance.random() < 0.6)}"
        )

    def body(self, depth):
        self.loops += 1
        text = self.statements(depth - 1)
        self.loops -= 1
        return text

    def count(self, depth):
        self.names += 1
        i, bound = f"i{self.names}", self.chance.choice(["3", "(k & 3)", "(a & 3)"])
        return (
            f"for (int {i} = 0; {i} < {bound}; ++{i}) "
            f"{{ z += {i}; {self.body(depth)} }}"
        )

    def repeat(self, depth):
        self.names += 1
        i, body = f"r{self.names}", self.body(depth)
        return self.chance.choice(
            [f"{{ int {i} = k & 3; while ({i}-- > 0) {{ {body} }} }}",
             f"{{ int {i} = 0; do {{ {body} }} while (++{i} < (b & 3)); }}"]
        )  # fmt: skip

    def switch(self, depth):
        labels = self.chance.sample(["case 0:", "case 1:", "case 2:", "default:"], 3)
        ends = ["break; ", ""]
        cases = "".join(
            f"{label} {self.statements(depth - 1)} {self.chance.choice(ends)}"
            for label in labels
        )
        return f"switch ({self.inner(1)} & 3) {{ {cases}}}"
