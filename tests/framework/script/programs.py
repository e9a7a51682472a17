"""Random Python functions of a matrix `x` and a vector `w`, as hypothesis strategies.

They set vectors a, b and numbers s, t; branch and loop on them; and end. Values stay
small, so that no comparison overflows.
"""

import linecache
from itertools import count

from hypothesis import strategies as st

VECTORS, NUMBERS = ("a", "b"), ("s", "t")
numbered = count()

vector = st.recursive(
    st.sampled_from(["a", "b", "w", "x[0]", "x[1]"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(
            lambda p: f"({p[0]} {p[1]} {p[2]}).tanh()"
        ),
        inner.map(lambda v: f"{v}.sin()"),
        inner.map(lambda v: f"({v} * s).tanh()"),
        inner.map(lambda v: f"({v} if s > t else -{v})"),
    ),
    max_leaves=3,
)
number = st.one_of(
    vector.map(lambda v: f"{v}.sum().sin()"),
    st.sampled_from(["(s * t).sin()", "(s + 0.3)", "0.7", "(t - s * 0.5).tanh()"]),
)
comparison = st.one_of(
    st.tuples(number, st.sampled_from(["<", ">"]), number).map(" ".join),
    number.map(lambda n: f"-0.4 < {n} < 0.6"),
)
condition = st.one_of(
    comparison,
    comparison.map(lambda c: f"not ({c})"),
    st.tuples(comparison, st.sampled_from(["and", "or"]), comparison).map(
        lambda p: f"({p[0]}) {p[1]} ({p[2]})"
    ),
)
simple = st.one_of(
    st.tuples(st.sampled_from(VECTORS), vector).map(lambda p: [f"{p[0]} = {p[1]}"]),
    st.tuples(st.sampled_from(NUMBERS), number).map(lambda p: [f"{p[0]} = {p[1]}"]),
    number.map(lambda n: [f"s = s + {n}"]),
    vector.map(lambda v: [f"a, b = b, {v}"]),
)


def indented(lines):
    return ["    " + line for line in lines]


def branch(parts):
    test, then, otherwise = parts
    return [f"if {test}:", *indented(then), "else:", *indented(otherwise)]


def one_way(parts):
    return [f"if {parts[0]}:", *indented(parts[1])]


def loop(parts):
    n = f"n{next(numbered)}"
    body = [*parts[1], f"{n} += 1"]
    return [f"{n} = 0", f"while ({parts[0]}) and {n} < 3:", *indented(body)]


def rows(body):
    row = f"row{next(numbered)}"
    return [f"for {row} in x:", *indented([*body, f"a = (a + {row}).tanh()"])]


def unrolled(body):
    return ["for i in range(2):", *indented([*body, "b = b + i * 0.1"])]


def blocks(inner):
    several = st.lists(inner, min_size=1, max_size=3).map(lambda b: sum(b, []))
    return st.one_of(
        several,
        st.tuples(condition, several, several).map(branch),
        st.tuples(condition, several).map(one_way),
        st.tuples(condition, several).map(loop),
        several.map(rows),
        several.map(unrolled),
    )


def early(parts):
    return [f"if {parts[0]}:", f"    return {parts[1]} * s"]


block = st.recursive(simple, blocks, max_leaves=6)
returning = st.tuples(condition, vector).map(early)
straight = st.lists(simple, min_size=1, max_size=6).map(lambda b: sum(b, []))
branching = st.lists(st.one_of(block, block, returning), min_size=1, max_size=4).map(
    lambda b: sum(b, [])
)


def function(lines):
    """The function with this body, whose source Python's `inspect` can find."""
    start = ["a, b = w * 1.0, x[0] * 0.5", "s, t = x.sum().sin(), w.sum().sin()"]
    body = indented([*start, *lines, "return (a + b) * s + t"])
    source = "\n".join(["def program(x, w):", *body]) + "\n"
    name = f"program{next(numbered)}.py"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    made = {"__name__": "programs"}
    exec(compile(source, name, "exec"), made)
    return made["program"]
