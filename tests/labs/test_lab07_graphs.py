"""Checks of lab 07: liveness, a loop as a node, and the types of its state.

The witnesses: for liveness all ways through a program, one by one, each loop run up to
seven times; for values and types Python and NumPy, which run the same text; numbers by
hand for the rest.
"""

import ast
from dataclasses import replace

import numpy as np

from kit.labs.parts import Part, Property, same
from minidl.framework import graph as graphs
from minidl.framework.graph import Graph, input_node

ROUNDS = 7  # of a loop, on a way through a program: more than it has variables
FUNCTIONS = {"exp", "abs", "sum", "largest", "softmax", "turned", "no"}


# ---- the witness for liveness: a block is a list of
#      ["set", name, reads], ["while", reads, block], ["until", reads, block]


def before(block, ends):
    """{what is live before the block on one way}, from what is live behind it."""
    for kind, *rest in reversed(block):
        if kind == "set":
            name, reads = rest
            ends = {
                (end - {name}) | frozenset(reads) if name in end else end
                for end in ends
            }
        else:
            ends = around(kind, frozenset(rest[0]), rest[1], ends)
    return ends


def around(kind, tested, body, ends):
    """The ways through a loop of no round (`while`) or one, up to ROUNDS of them."""
    now = {end | tested for end in ends}
    found = set(now) if kind == "while" else set()
    for _ in range(ROUNDS):
        start = before(body, now)
        now = {way | tested for way in start}
        found |= now if kind == "while" else start
    return found


def live(block, after):
    return set().union(*before(block, {frozenset(after)}))


def variables(expression):
    names = {n.id for n in ast.walk(ast.parse(expression)) if isinstance(n, ast.Name)}
    return sorted(names - FUNCTIONS)


def of_tree(statements):
    """The lab's tree of a program as such a block."""
    found = []
    for s in statements:
        kind = type(s).__name__.lower()
        if kind == "set":
            found.append([kind, s.name, variables(s.value)])
        else:
            found.append([kind, variables(s.test), of_tree(s.body)])
    return found


def standing_in(lab, **functions):
    """Puts `functions` where the lab's own look for those names."""
    names = lab.lower.__globals__
    names["live_before"] = lambda block, after: live(of_tree(block), after)
    names.update(functions)


# ---- the same text for Python


def python(text):
    """The program as Python reads it: an `until` breaks out of a loop."""
    lines = []
    for line in text.strip("\n").splitlines():
        indent, words = line[: len(line) - len(line.lstrip())], line.strip()
        if words == "repeat:":
            words = "while True:"
        elif words.startswith("until "):
            words = f"    if {words[6:]}: break"
        lines.append(indent + words)
    return "\n".join(lines)


def of_python(nodes):
    """Python's tree of a program as a block for `live`."""
    found = []
    for s in nodes:
        if isinstance(s, ast.Assign):
            found.append(["set", s.targets[0].id, variables(ast.unparse(s.value))])
        elif isinstance(s.test, ast.Constant):
            *body, last = s.body
            tested = variables(ast.unparse(last.test))
            found.append(["until", tested, of_python(body)])
        else:
            tested = variables(ast.unparse(s.test))
            found.append(["while", tested, of_python(s.body)])
    return found


def live_in(text, after):
    return live(of_python(ast.parse(python(text)).body), after)


def run(text, given):
    """{variable: its value} once Python and NumPy have run the program."""
    names = {"exp": np.exp, "sum": np.sum, **given}
    exec(python(text), names)
    return names


# ---- programs drawn at random


def lines_of(rng, names, depth, indent=""):
    """Any lines, to be read and not to be run."""
    for _ in range(rng.integers(1, 4)):
        kind = rng.integers(0, 4) if depth else 3
        test = " < ".join(rng.choice(names, 2))
        if kind == 0:
            yield f"{indent}while {test}:"
            yield from lines_of(rng, names, depth - 1, indent + "    ")
        elif kind == 1:
            yield f"{indent}repeat:"
            yield from lines_of(rng, names, depth - 1, indent + "    ")
            yield f"{indent}until {test}"
        else:
            yield f"{indent}{rng.choice(names)} = {expression(rng, names)}"


def expression(rng, names):
    x, y = rng.choice(names, 2)
    forms = (f"{x}", f"{x} / 2 + {y} / 4", f"{x} - {y} / 2", f"abs({x})", "0.5")
    return str(rng.choice(forms, p=[0.3, 0.3, 0.2, 0.1, 0.1]))


def rounds_of(rng, names, kinds="wr", indent="", counters="nm"):
    """A loop that ends, with lines that can be run; perhaps a loop in it."""
    count, *inner = counters
    times = int(rng.integers(0, 5))
    loop = str(rng.choice(list(kinds)))
    yield f"{indent}{count} = 0"
    yield f"{indent}while {count} < {times}:" if loop == "w" else f"{indent}repeat:"
    for _ in range(rng.integers(2, 5)):
        yield f"{indent}    {rng.choice(names)} = {expression(rng, names)}"
    if inner:
        yield from rounds_of(rng, names, kinds, indent + "    ", inner)
    yield f"{indent}    {count} = {count} + 1"
    if loop == "r":
        yield f"{indent}until {count} > {times}"


def joined(lines):
    return "\n".join(lines)


# ---- part 1: live_before

CHAIN = """\
while n < 9:
    a = b
    b = c
    c = d
    n = n + 1
"""
TWICE = """\
repeat:
    y = x
    x = z
until y < 1
"""


def blocks(rng):
    yield {"program": "x = x + 1", "after": ["x", "y"], "by_hand": ["x", "y"]}
    yield {"program": "y = x + 1\nx = y * 2\nz = x + y", "after": ["z"],
           "by_hand": ["x"]}  # fmt: skip
    yield {"program": "x = 1\ny = x", "after": ["x"], "by_hand": []}
    yield {"program": "x = y\ny = x", "after": [], "by_hand": []}
    yield {"program": "x = y\ny = x", "after": ["y"], "by_hand": ["y"]}
    yield {"program": "x = w\ny = x\nx = 1", "after": ["x"], "by_hand": []}
    for _ in range(4):
        yield drawn(rng, 0)


def drawn(rng, depth):
    text = joined(lines_of(rng, ["a", "b", "c", "d"], depth))
    after = [name for name in "abcde" if rng.random() < 0.4]
    return {"program": text, "after": after, "by_hand": sorted(live_in(text, after))}


def whiles(rng):
    for program, after, by_hand in [
        ("while x > 1:\n    x = x / 2", [], ["x"]),
        ("while x > 1:\n    y = x\n    x = x / 2", ["y"], ["x", "y"]),
        ("while n < 9:\n    x = y\n    y = 1\n    n = n + 1", ["x"], ["n", "x", "y"]),
        (CHAIN, ["a"], ["a", "b", "c", "d", "n"]),
        ("while n < 9:\n    n = n + 1\n    t = n\n    n = t", ["q"], ["n", "q"]),
    ]:
        yield {"program": program, "after": after, "by_hand": by_hand}
    for _ in range(4):
        lines = [f"    {line}" for line in lines_of(rng, ["a", "b", "c", "d"], 0)]
        text = joined(["while a < d:", *lines])
        yield {"program": text, "after": ["b"], "by_hand": sorted(live_in(text, ["b"]))}


def untils(rng):
    for program, after, by_hand in [
        ("repeat:\n    y = x\n    x = x / 2\nuntil x < 1", ["y"], ["x"]),
        ("repeat:\n    x = 1\nuntil y < 1", ["x"], ["y"]),
        ("repeat:\n    y = 1\nuntil y < x", [], ["x"]),
        (TWICE, ["x"], ["x", "z"]),
        ("repeat:\n    x = y\n    y = 1\nuntil x < 1", ["z"], ["y", "z"]),
    ]:
        yield {"program": program, "after": after, "by_hand": by_hand}
    for _ in range(4):
        lines = [f"    {line}" for line in lines_of(rng, ["a", "b", "c", "d"], 0)]
        text = joined(["repeat:", *lines, "until a < d"])
        yield {"program": text, "after": ["b"], "by_hand": sorted(live_in(text, ["b"]))}


def nests(rng):
    for _ in range(12):
        yield drawn(rng, 2)


def call_live(lab, program, after):
    after = set(after)
    found = lab.live_before(lab.parse(program), frozenset(after))
    if not isinstance(found, set | frozenset):
        raise TypeError(
            f"live_before() returned {type(found).__name__}, expected a set"
        )
    return sorted(map(str, found))


def judge_live(found, program, after, by_hand):
    extra, lacking = set(found) - set(by_hand), set(by_hand) - set(found)
    if not extra and not lacking:
        return None
    return (
        f"live before it, with {shown(after)} live behind: expected {shown(by_hand)}; "
        f"found {shown(found)}"
    )


def shown(names):
    return ", ".join(names) if len(names) else "nothing"


LIVE = Part(
    "live_before",
    defines=("live_before",),
    properties=(
        Property(
            "Without loops: live is what goes into what is live, before it is set.",
            blocks, call_live, judge_live,
            "From the last line to the first. A line that sets nothing live changes "
            "nothing; else take away what it sets, then add what it reads.",
        ),
        Property(
            "A while may run no round, or many.",
            whiles, call_live, judge_live,
            "What is live at the head is live at the end of the body too. Add what "
            "comes of that to the head, and again, until nothing is added.",
        ),
        Property(
            "An until runs one round at least.",
            untils, call_live, judge_live,
            "Its test comes after the body. Find what is live there first; what is "
            "live before the loop is live before the body, and no more.",
        ),
        Property(
            "Loops may hold loops.",
            nests, call_live, judge_live,
            "live_before answers for a body as for a program, with what is live at the "
            "body's end for `after`.",
        ),
    ),
)  # fmt: skip


# ---- part 2: lower_while

HALVING = """\
count = 0
while x > limit:
    x = x / 2
    count = count + 1.0
"""
SWAP = """\
n = 0.0
while n < 3:
    t = a
    a = b
    b = t
    n = n + 1
"""
TESTS_LAST = """\
repeat:
    w = x / 3
    x = w + scale
until x < 1
"""
SCRATCH = TESTS_LAST.replace("repeat:", "w = x\nwhile x > 1:").replace(
    "until x < 1", ""
)


def numbers(names, rng, count=3):
    return {
        k: rng.integers(-8, 9, count).astype("float64") / 2 + (k == "x") * 5
        for k in names
    }


def runs(rng):
    for text, inputs, results in [
        (HALVING.replace("= 0", "= 0.0"), ["x", "limit"], ["x", "count"]),
        (SWAP, ["a", "b"], ["a", "b"]),
        (SCRATCH, ["x", "scale"], ["x"]),
        (TESTS_LAST, ["x", "scale"], ["x", "w"]),
        ("while a > b:\n    a = a - 1", ["a", "b", "c"], ["a", "c"]),
    ]:
        given = numbers(inputs, rng)
        for name in {"limit", "scale"} & set(inputs):
            given[name] = np.array([0.25, 0.5, 0.125])
        yield {"program": text, "inputs": given, "results": results}
    for _ in range(5):
        text = floats(joined(rounds_of(rng, ["a", "b", "c"], counters="n")))
        yield {"program": text, "inputs": numbers("abc", rng), "results": ["a", "b"]}


def floats(text):
    """The program with counters that are floats: types don't change in this part."""
    return text.replace(" = 0\n", " = 0.0\n").replace("= 0.5", "= 0.5 + a * 0")


def nested(rng):
    for kinds in ("w", "r", "wr", "wr", "wr"):
        text = floats(joined(rounds_of(rng, ["a", "b", "c"], kinds)))
        yield {"program": text, "inputs": numbers("abc", rng), "results": ["a", "c"]}


def whole(lab, program, results, inputs):
    """The graph of the whole program for one set of inputs."""
    standing_in(lab, settled=lambda loop, names, after: names)
    return graphs.check(lab.compiled(program, results, **inputs))


def bounded(graph):
    """The graph with loops that end after 100 rounds: all programs here do before."""
    return graphs.rebuild(graph, bound)


def bound(node, inputs):
    parts = {k: v for k, v in node.attrs.items() if isinstance(v, Graph)}
    inner = {k: bounded(part) for k, part in parts.items()}
    if node.op.name == "while_loop":
        inner["max_steps"] = min(node.attrs["max_steps"] or 100, 100)
    return replace(node, inputs=inputs, attrs={**node.attrs, **inner})


def call_run(lab, program, inputs, results):
    first = {k: v[0] for k, v in inputs.items()}
    graph = bounded(whole(lab, program, results, first))
    count = len(next(iter(inputs.values())))
    return [
        [np.asarray(y) for y in graph(*[v[i] for v in inputs.values()])]
        for i in range(count)
    ]


def judge_run(found, program, inputs, results):
    for i, values in enumerate(found):
        given = {k: float(v[i]) for k, v in inputs.items()}
        wanted = run(program, given)
        for name, value in zip(results, values, strict=True):
            wrong = same(wanted[name], value, f"{name}, for {given}", 1e-4, 1e-4)
            if wrong:
                return wrong
    return None


CARRIED = [  # program, inputs, results, the state, what is fixed
    (HALVING.replace("= 0", "= 0.0"), ["x", "limit"], ["x", "count"], ["count", "x"],
     ["limit"]),
    (HALVING.replace("= 0", "= 0.0"), ["x", "limit"], ["x"], ["x"], ["limit"]),
    (SWAP, ["a", "b"], ["a"], ["a", "b", "n"], []),
    (SCRATCH, ["x", "scale"], ["x"], ["x"], ["scale"]),
    (SCRATCH, ["x", "scale"], ["x", "w"], ["w", "x"], ["scale"]),
    (SCRATCH, ["x", "scale", "other"], ["x", "other"], ["x"], ["scale"]),
    ("while a > b:\n    a = a - c", ["a", "b", "c"], ["a", "b", "c"], ["a"],
     ["b", "c"]),
]  # fmt: skip


def states(rng):
    for text, inputs, results, state, fixed in CARRIED:
        yield {"program": text, "inputs": inputs, "results": results,
               "state": state, "fixed": fixed}  # fmt: skip
    for _ in range(5):
        text = floats(joined(rounds_of(rng, ["a", "b", "c", "d"], "w", "", "n")))
        first, loop = text.split("\n", 1)
        results = sorted({str(n) for n in rng.choice(list("abcd"), 2)})
        ((_, tested, body),) = of_python(ast.parse(loop).body)
        state = sorted(live_in(loop, results) & {s[1] for s in body})
        fixed = sorted((live(body, state) | set(tested)) - set(state))
        yield {"program": text, "inputs": list("abcd"), "results": results,
               "state": state, "fixed": fixed}  # fmt: skip


def loops_in(graph):
    return [node for node in graph.nodes if node.op.name == "while_loop"]


def call_state(lab, program, inputs, results):
    given = {k: np.float64(0) for k in inputs}
    found = []
    for node in loops_in(whole(lab, program, results, given)):
        body, test = node.attrs["body"], node.attrs["test"]
        names = [[x.attrs["name"] for x in part.inputs] for part in (body, test)]
        found.append([*names, len(body.outputs)])
    return found


def judge_state(found, program, inputs, results, state, fixed):
    if not found and not set(state) & set(results):
        return None  # a loop that nobody asks for
    if len(found) != 1:
        return f"expected one node while_loop, found {len(found)}"
    names, tested, count = found[0]
    if names != tested:
        return f"body has the inputs {shown(names)}, and test has {shown(tested)}"
    if names[:count] != state:
        return f"state: expected {shown(state)}; found {shown(names[:count])}"
    if sorted(names[count:]) != fixed:
        return f"fixed: expected {shown(fixed)}; found {shown(names[count:])}"
    return None


def unset(rng):
    for program, inputs, results, name in [
        ("while x > 1:\n    y = x\n    x = x / 2", ["x"], ["x", "y"], "y"),
        ("while x > 1:\n    x = x / z", ["x"], ["x"], "z"),
        ("while z > 1:\n    x = x / 2\n    z = x", ["x"], ["x"], "z"),
        ("while x > 1:\n    x = x + t\n    t = x", ["x"], ["x"], "t"),
    ]:
        yield {"program": program, "inputs": inputs, "results": results, "name": name}
    name = "".join(rng.choice(list("efgh"), 3))
    program = f"while x > 1:\n    {name} = x\n    x = x / 2"
    yield {"program": program, "inputs": ["x"], "results": [name], "name": name}


def call_unset(lab, program, inputs, results):
    try:
        whole(lab, program, results, {k: np.float64(0) for k in inputs})
    except ValueError as error:
        return str(error)
    return ""


def judge_unset(found, program, inputs, results, name):
    if f"`{name}`" in found:
        return None
    words = f"a ValueError that says {found!r:.60}" if found else "no error"
    return f"expected a ValueError that names `{name}`, found {words}"


def once(rng):
    yield {"program": "while x < 9:\n    x = x + exp(x)", "exps": 1}
    yield {"program": "while exp(x) < 9:\n    x = x + 1", "exps": 1}
    times = int(rng.integers(2, 6))
    lines = [f"    y = exp(y + {k})" for k in range(times)]
    yield {"program": joined(["while exp(x) < 9:", *lines, "    x = x + exp(y)"]),
           "exps": times + 2}  # fmt: skip


def counted(graph, name):
    parts = [p for n in graph.nodes for p in n.attrs.values() if isinstance(p, Graph)]
    here = sum(node.op.name == name for node in graph.nodes)
    return here + sum(counted(part, name) for part in parts)


def call_once(lab, program):
    given = {"x": np.float64(0), "y": np.float64(0)}
    return counted(whole(lab, program, ["x"], given), "exp")


def judge_once(found, program, exps):
    if found == exps:
        return None
    return f"operations `exp` in all graphs together: expected {exps}, found {found}"


LOWER = Part(
    "lower_while",
    defines=("lower_while", "lower", "compiled", "parse"),
    points=15,
    properties=(
        Property(
            "The graph computes what the program says.",
            runs, call_run, judge_run,
            "All of the state changes at once: results of one round are made from the "
            "inputs of that round. Both graphs take all inputs, in one order.",
        ),
        Property(
            "The state is what is live at the head and set in the body, no more.",
            states, call_state, judge_state,
            "live_before((loop,), after) is what is live at the head. What the body "
            "needs besides is live before it when the state is live behind it.",
        ),
        Property(
            "Loops in loops, and until, come out right.",
            nested, call_run, judge_run,
            "Lower the body with lower, and say what is live at its end: the state, "
            "which the next round reads.",
        ),
        Property(
            "A variable that may be read before it is set is refused by name.",
            unset, call_unset, judge_unset,
            "A loop may run no round. So all of the state needs a value before it: ask "
            "node_of for each.",
        ),
        Property(
            "The test and the body stand in the graph once.",
            once, call_once, judge_once,
            "No round is run beforehand, and nothing of the loop is computed outside "
            "of its two graphs.",
        ),
    ),
)  # fmt: skip


# ---- part 3: settled

LATE = """\
while n < 4:
    a = b
    b = c
    c = c + 0.5
    n = n + 1
"""


def kinds(rng):
    yield {"program": "while n < 4:\n    total = total + 0.5\n    n = n + 1",
           "after": ["total"]}  # fmt: skip
    yield {"program": "while n < 4:\n    n = n + 1", "after": ["n"]}
    yield {"program": LATE, "after": ["a"]}
    swap = "while n < 4:\n    t = a\n    a = b / 2\n    b = t\n    n = n + 1"
    yield {"program": swap, "after": ["a", "b"]}
    for size in (3, 4, 6):
        names = [str(n) for n in rng.permutation(list("abcdef")[:size])]
        yield {"program": chain(rng, names), "after": names[:1]}


def chain(rng, names):
    """A float travels along assignments, one a round."""
    lines = [f"    {x} = {y}" for x, y in zip(names, names[1:])]
    stays = names[0] if rng.random() < 0.5 else names[-1]
    lines.append(f"    {names[-1]} = {names[-1]} + 0.5")
    lines += [f"    {stays} = {stays} + 1", "    n = n + 1"]
    return joined(["while n < 4:", *lines])


def looped(lab, program):
    (loop,) = lab.parse(program)
    return loop


def call_kinds(lab, program, after):
    standing_in(lab)
    loop = looped(lab, program)
    names = {k: input_node(k, (), "int64") for k in variables_of(loop, after)}
    found = lab.settled(loop, names, set(after))
    return {k: found[k].dtype.kind for k in sorted(found)}


def variables_of(loop, after):
    _, tested, body = of_tree([loop])[0]
    names = {name for s in body for name in (s[1], *s[2])}
    return sorted({*tested, *names, *after})


def judge_kinds(found, program, after):
    """Python's own numbers are ints or floats: those of ten rounds."""
    wanted = seen_in_python(program.replace("n < 4", "n < 10"), set(found))
    carried = live_in(program, after)
    for name, kind in found.items():
        is_float = wanted[name] and name in carried
        if (kind == "f") != is_float:
            words = {"f": "a float", "i": "int64"}
            expected = "a float" if is_float else "int64"
            return f"{name}: expected {expected}, found {words.get(kind, kind)}"
    return None


def seen_in_python(program, names):
    """{variable: whether it is a float at the head of some round}"""
    head, *body = python(program).splitlines()
    state = dict.fromkeys(names, 0)
    seen = dict.fromkeys(names, False)
    lines = joined(line.removeprefix("    ") for line in body)
    while eval(head[len("while ") : -1], {}, dict(state)):
        exec(lines, {}, state)
        for name in names:
            seen[name] = seen[name] or isinstance(state[name], float)
    return seen


def levels(rng):
    # (dtypes before, program, dtypes by hand)
    add = "while a < x:\n    a = a + x"
    for given, program, by_hand in [
        ({"a": "int64", "x": "float64"}, add, ["float64"] * 2),
        ({"a": "int64", "x": "float32"}, add, ["float32"] * 2),
        ({"a": "float32", "b": "int64", "x": "float64"},
         "while a < x:\n    b = a\n    a = a + x", ["float64"] * 3),
        ({"a": "bool", "x": "float32"}, "while x < 1:\n    a = x < 5\n    x = x + 1",
         ["bool", "float32"]),
        ({"a": "int64", "b": "int64", "c": "float32", "x": "float64"},
         "while a < x:\n    a = b\n    b = c\n    c = c + x", ["float64"] * 4),
        ({"a": "float64", "x": "float32"}, "while a < x:\n    a = x", ["float64",
                                                                    "float32"]),
    ]:  # fmt: skip
        yield {"program": program, "dtypes": given, "by_hand": by_hand}
    # A dtype behind the others by as many assignments as rng says.
    size = int(rng.integers(3, 7))
    names = "abcdefg"[:size]
    lines = [f"    {x} = {y}" for x, y in zip(names, names[1:])]
    text = joined(["while a < x:", *lines, f"    {names[-1]} = {names[-1]} + x"])
    yield {"program": text, "dtypes": {**dict.fromkeys(names, "int64"), "x": "float64"},
           "by_hand": ["float64"] * (size + 1)}  # fmt: skip


def call_levels(lab, program, dtypes):
    standing_in(lab)
    names = {k: input_node(k, (), dtype) for k, dtype in dtypes.items()}
    found = lab.settled(looped(lab, program), names, set(dtypes))
    return [str(found[k].dtype) for k in dtypes]


def judge_levels(found, program, dtypes, by_hand):
    for name, wanted, got in zip(dtypes, by_hand, found, strict=True):
        if wanted != got:
            return f"{name}: expected {wanted}, found {got}"
    return None


def others(rng):
    body = "    a = a + step\n    dead = 0.5\n    n = n + 1"
    for program in (f"while n < 4:\n{body}", f"while n < top:\n{body}\n    late = a"):
        given = {k: int(rng.integers(1, 9)) for k in
                 ("a", "dead", "late", "n", "other", "step", "top")}  # fmt: skip
        yield {
            "program": program,
            "given": given,
            "half": float(rng.integers(1, 9)) / 2,
        }


def call_others(lab, program, given, half):
    standing_in(lab)
    values = {k: np.asarray(half if k == "step" else v) for k, v in given.items()}
    names = {k: input_node(k, (), v.dtype) for k, v in values.items()}
    found = lab.settled(looped(lab, program), dict(names), {"a", "other"})
    graph = Graph(tuple(names.values()), tuple(found[k] for k in names))
    outs = graph(*values.values())
    return {
        "same": sorted(k for k in names if found[k] is names[k]),
        "values": {k: float(y) for k, y in zip(names, outs)},
    }


def judge_others(found, program, given, half):
    wanted = sorted(set(given) - {"a"})
    if found["same"] != wanted:
        return (
            f"variables that keep their node: expected {shown(wanted)}; found "
            f"{shown(found['same'])}"
        )
    for name, value in found["values"].items():
        expected = half if name == "step" else given[name]
        if value != expected:
            return f"{name}: expected the value {expected}, found {value}"
    return None


def shapes(rng):
    for program, shape, name in [
        ("while sum(x) < 9:\n    x = x + y", {"x": [], "y": [3]}, "x"),
        ("while sum(x) < 9:\n    x = sum(x)", {"x": [3], "y": [3]}, "x"),
        ("while sum(y) < 9:\n    a = y\n    y = y + 1", {"a": [], "y": [2]}, "a"),
        ("while sum(y) < 9:\n    a = b\n    b = y\n    y = y + 1",
         {"a": [2], "b": [2], "y": [3]}, "b"),
    ]:  # fmt: skip
        yield {"program": program, "shapes": shape, "name": name}
    name = "".join(rng.choice(list("efgh"), 3))
    program = f"while sum(y) < 9:\n    {name} = {name} + y\n    y = y + 1"
    sizes = {name: [], "y": [int(rng.integers(2, 9))]}
    yield {"program": program, "shapes": sizes, "name": name}


def call_shapes(lab, program, shapes):
    standing_in(lab)
    names = {k: input_node(k, shape, "float32") for k, shape in shapes.items()}
    try:
        lab.settled(looped(lab, program), names, set(shapes))
    except ValueError as error:
        return str(error)
    return ""


def judge_shapes(found, program, shapes, name):
    return judge_unset(found, program, None, None, name)


SETTLED = Part(
    "settled",
    defines=("settled", "lower", "parse", "as_dtype"),
    properties=(
        Property(
            "What a round makes a float is a float from the start, however late.",
            kinds, call_kinds, judge_kinds,
            "Lower the body on stand-ins of the types you have, widen, and begin again "
            "with the new types, until a pass changes nothing.",
        ),
        Property(
            "A dtype only gets wider.",
            levels, call_levels, judge_levels,
            "wider(p, q) of what goes in and of what comes out. Not what comes out "
            "alone: a round may be narrower than what came before the loop.",
        ),
        Property(
            "Only the state is cast, and values stay what they were.",
            others, call_others, judge_others,
            "The state is live at the head and set in the body. as_dtype gives a node "
            "back as it is where it has the dtype.",
        ),
        Property(
            "A shape that changes is refused by name.",
            shapes, call_shapes, judge_shapes,
            "Compare the shape of each variable of the state before a round and after "
            "it; raise a ValueError with its name in backticks.",
        ),
    ),
)  # fmt: skip

PARTS = [LIVE, LOWER, SETTLED]
