"""FUNCTIONS: how each elementwise operation is written, in Python and in CUDA C.

A row is a name of the operation table; each of its forms serves one family of dtypes.
A form is a template. `{0}`, `{1}` stand for the arguments, `{type}` for the result's
type, `{zero}` and `{one}` for constants of the arguments' type. What it means is what
NumPy does: maximum keeps a nan, gate multiplies by truth. (Chapter 9.)
"""

from dataclasses import dataclass

# How tightly a piece of text holds together; a looser one needs parentheses inside a
# tighter one. Python and C agree on these, not on how & and == compare.
CHOICE, SUM, PRODUCT, UNARY, ATOM = range(5)


@dataclass(frozen=True)
class Form:
    text: str
    level: int = ATOM  # of the whole
    needs: tuple = (CHOICE,) * 3  # the least level that each argument must have

    def fill(self, arguments, **words):
        """(text, level) with the arguments, pairs of the same, in their places."""
        texts = [
            text if level >= need else f"({text})"
            for (text, level), need in zip(arguments, self.needs)
        ]
        return self.text.format(*texts, **words), self.level


@dataclass(frozen=True)
class Function:
    """`python` and `cuda` map a family to its Form, "any" serving the rest.

    Families: "float32", "float64", "int", "bool"; that of the last argument, or that
    of the result where `by_result`.
    """

    arity: int
    python: dict
    cuda: dict
    by_result: bool = False

    def form(self, language, family):
        forms = getattr(self, language)
        return forms[family] if family in forms else forms["any"]


def family(dtype):
    """Which forms serve a dtype."""
    return {"b": "bool", "i": "int", "u": "int"}.get(dtype.kind, dtype.name)


def infix(sign, level):
    """Two arguments with a sign between; equal levels group to the left."""
    needs = max(level, SUM), level + 1
    return Form(f"{{0}} {sign} {{1}}", level, needs)


def forms(**by_family):
    """Forms from texts: a string is a call, which needs no parentheses."""
    return {k: Form(v) if isinstance(v, str) else v for k, v in by_family.items()}


def arithmetic(sign, level, truth=None):
    """A row that is an operator; on truth values `truth` is it."""
    rows = {"any": infix(sign, level)}
    if truth:
        rows["bool"] = infix(truth, CHOICE)
    return Function(2, rows, rows)


def mathematical(name):
    """A row that vectorises in float32, with the library's function for float64."""
    return Function(
        1,
        forms(float32=f"{name}({{0}})", float64=f"np.{name}({{0}})"),
        forms(float32=f"{name}f({{0}})", float64=f"{name}({{0}})"),
    )


def library(name):
    """A row that is NumPy's function for both floats."""
    call = f"np.{name}({{0}})"
    return Function(1, forms(any=call), mathematical(name).cuda)


def extremum(name, whole, truth):
    """A row that keeps nan; C's own fmax loses it, so `cuda_text` defines another."""
    return Function(
        2,
        forms(
            any=f"{name}({{0}}, {{1}})",
            int=f"{whole[:3]}({{0}}, {{1}})",
            bool=infix(truth, CHOICE),
        ),
        forms(
            float32=f"{name}f({{0}}, {{1}})",
            float64=f"{name}({{0}}, {{1}})",
            int=f"{whole}({{0}}, {{1}})",
            bool=infix(truth, CHOICE),
        ),
    )


def one_form(arity, python, cuda):
    return Function(arity, forms(any=python), forms(any=cuda))


logistic = "{one} / ({one} + %s(-{0}))"
tight = (ATOM,) * 3
same = Form("{0}", ATOM, tight)
both = Form("({0} != {zero}) & ({1} != {zero})", CHOICE, (SUM, SUM))
conjunction = {"any": both, "bool": infix("&", CHOICE)}

FUNCTIONS = {
    "neg": one_form(1, Form("-{0}", UNARY, tight), Form("-{0}", UNARY, tight)),
    "exp": mathematical("exp"),
    "log": mathematical("log"),
    "sqrt": library("sqrt"),
    "sin": library("sin"),
    "cos": library("cos"),
    "tanh": mathematical("tanh"),
    "sigmoid": Function(
        1,
        forms(float32="sigmoid({0})", any=Form(logistic % "np.exp", PRODUCT, tight)),
        {
            "float32": Form(logistic % "expf", PRODUCT, tight),
            "any": Form(logistic % "exp", PRODUCT, tight),
        },
    ),
    "relu": Function(
        1,
        forms(any="maximum({0}, {zero})", int="max({0}, {zero})", bool=same),
        forms(
            float32="maximumf({0}, {zero})",
            float64="maximum({0}, {zero})",
            int="max_whole({0}, {zero})",
            bool=same,
        ),
    ),
    "abs": Function(
        1,
        forms(any="abs({0})", bool=same),
        forms(float32="fabsf({0})", float64="fabs({0})", any="abs({0})", bool=same),
    ),
    "sign": Function(
        1,
        forms(any="sign({0}, {one})"),
        forms(
            float32="signf({0})", float64="sign({0})", int="sign_whole({0})", bool=same
        ),
    ),
    "logical_not": Function(
        1,
        forms(any=Form("{0} == {zero}", CHOICE, (SUM,)), bool=Form("not {0}", CHOICE)),
        forms(any=Form("{0} == {zero}", CHOICE, (SUM,)), bool=Form("!{0}", UNARY)),
    ),
    "add": arithmetic("+", SUM, truth="|"),
    "sub": arithmetic("-", SUM),
    "mul": arithmetic("*", PRODUCT, truth="&"),
    "div": arithmetic("/", PRODUCT),
    "pow": Function(
        2,
        forms(any=Form("{0} ** {1}", UNARY, tight)),
        forms(float32="powf({0}, {1})", float64="pow({0}, {1})", any="power({0}, {1})"),
    ),
    "maximum": extremum("maximum", "max_whole", "|"),
    "minimum": extremum("minimum", "min_whole", "&"),
    "larger": Function(
        2,
        forms(any="larger({0}, {1})", int="max({0}, {1})"),
        forms(
            float32="largerf({0}, {1})",
            float64="larger({0}, {1})",
            int="max_whole({0}, {1})",
        ),
    ),
    "gate": Function(
        2,
        forms(
            any=Form("{0} * {type}({1} > {zero})", PRODUCT, (PRODUCT, SUM)),
            bool=infix("&", CHOICE),
        ),
        forms(
            any=Form("{0} * ({type})({1} > {zero})", PRODUCT, (PRODUCT, SUM)),
            bool=infix("&", CHOICE),
        ),
    ),
    "eq": arithmetic("==", CHOICE),
    "lt": arithmetic("<", CHOICE),
    "le": arithmetic("<=", CHOICE),
    "logical_and": Function(2, conjunction, conjunction),
    "where": one_form(
        3, "where({0}, {1}, {2})", Form("{0} ? {1} : {2}", CHOICE, (SUM,) * 3)
    ),
    "cast": Function(
        1,
        forms(any="{type}({0})", bool=Form("{0} != {zero}", CHOICE, (SUM,))),
        forms(
            any=Form("({type}){0}", UNARY, tight),
            bool=Form("{0} != {zero}", CHOICE, (SUM,)),
        ),
        by_result=True,
    ),
    "contiguous": one_form(1, same, same),
    "floordiv": Function(
        2, {"any": infix("//", PRODUCT)}, forms(any="floordiv({0}, {1})")
    ),
    "mod": Function(2, {"any": infix("%", PRODUCT)}, forms(any="modulo({0}, {1})")),
}
