"""script, against the plain function run by Python."""

import ast

import numpy as np
import pytest

import minidl as dl
from minidl import nn
from minidl.framework import graph as graphs
from minidl.framework.script.expressions import OPERATORS
from minidl.framework.script.language import supported
from minidl.framework.script.scripted import script
from minidl.framework.script.source import ScriptError
from minidl.framework.trace.capture import trace
from minidl.framework.trace.place import TraceError


def sample(*shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return dl.tensor(x, requires_grad=True)


def ops(graph):
    """The names of all operations, those in sub-graphs included."""
    found = [node.op.name for node in graph.nodes]
    for node in graph.nodes:
        for part in node.attrs.values():
            found += ops(part) if isinstance(part, graphs.Graph) else []
    return found


def assert_same(function, *args, like=()):
    """Scripted and plain agree on `args` and, by the graph for them, on `like`."""
    scripted = script(function)
    for arguments in (args, *like):
        ours, plain = scripted(*arguments), function(*arguments)
        ours = ours if isinstance(ours, tuple) else (ours,)
        plain = plain if isinstance(plain, tuple) else (plain,)
        for x, y in zip(ours, plain, strict=True):
            x, y = getattr(x, "data", x), getattr(y, "data", y)
            np.testing.assert_allclose(x, y, rtol=1e-12)
    assert len(scripted.captures) == 1
    return scripted


POSITIVE, NEGATIVE = dl.tensor([1.0, 2.0]), dl.tensor([-1.0, -2.0])

# ---- programs


def relu_or_square(x):
    """An `if` that a trace can't keep."""
    if x.sum() > 0:
        y = x * 3
    else:
        y = x * x
    return y + 1


def test_one_graph_holds_both_branches():
    f = assert_same(relu_or_square, POSITIVE, like=[(NEGATIVE,)])
    assert ops(f.graph).count("cond") == 1


def test_a_trace_of_the_same_names_the_line_that_it_cannot_keep():
    with pytest.raises(TraceError, match=r"test_scripted.py:\d+: `if x.sum\(\) > 0:`"):
        trace(relu_or_square, POSITIVE)


def test_elif_and_a_variable_set_on_one_way_only():
    def grade(x):
        y = x
        if x.sum() > 2:
            y = x * 2
        elif x.sum() > 0:
            y = x * 5
        return y

    args = [(dl.tensor([0.5, 0.5]),), (NEGATIVE,)]
    assert_same(grade, POSITIVE, like=args)


def test_a_return_in_a_branch_leaves_the_rest_to_the_other():
    def early(x, n):
        x = x * n
        if n > 1:
            x = x * 2
        if x.sum() > 4:
            return x, x.sum()
        x += 1
        if x.sum() > 0:
            return x * 7, x.sum()
        return -x, x.sum() * 2

    for n in (1, 2):
        assert_same(early, POSITIVE * 1, n, like=[(NEGATIVE * 1, n), (NEGATIVE * 9, n)])


def newton(a):
    """The square root of `a`, and how many rounds it took."""
    x, n = a, 0
    while (x * x - a).abs() > 1e-9 and n < 50:
        x = (x + a / x) * 0.5
        n += 1
    return x, n


def test_a_while_runs_as_often_as_the_values_say():
    numbers = [dl.tensor(np.float64(v)) for v in (2.0, 1.0, 1000.0)]
    f = assert_same(newton, numbers[0], like=[(v,) for v in numbers[1:]])
    assert f(numbers[0])[0].item() == pytest.approx(2**0.5)
    assert ops(f.graph).count("while_loop") == 1


def test_rows_of_a_tensor_become_a_scan_and_a_range_is_unrolled():
    def horner(coefficients, x):
        total = 0.0
        for c in coefficients:
            total = total * x + c
        for i in range(3):
            total = total + i
        return total

    f = assert_same(horner, sample(4), dl.tensor(np.float64(2.0)))
    assert ops(f.graph).count("scan") == 1 and "while_loop" not in ops(f.graph)


def test_loops_within_loops_and_branches_within_loops():
    def program(x):
        total, count = x[0] * 0, 0
        for row in x:
            if row.sum() > 0:
                total += row
                count += 1
            while total.sum() > 1:
                total = total * 0.5
        return total, count

    assert_same(program, sample(6, 3), like=[(sample(6, 3, seed=1),)])


def test_and_or_not_and_chains_are_those_of_python():
    def logic(x, flag):
        y = 0
        if 0 < x < 2 and not x > 1 or flag and x == 5:
            y = 1
        z = 2.0 if not (x < 0 or x > 3) else 3.0
        return y, z * x

    args = [(dl.tensor(v), True) for v in (-1.0, 1.5, 2.5, 5.0)]
    assert_same(logic, dl.tensor(0.5), True, like=args)


def test_python_decides_what_no_tensor_does():
    def configured(x, mode="twice", layers=(1, 2)):
        if mode == "twice":
            x = x * 2
        for n in layers:
            x = x + n
        names = [f"{i}" for i in range(3)]
        while len(names) > 1:
            names.pop()
        return x * len(names)

    f = assert_same(configured, POSITIVE)
    assert ops(f.graph).count("cond") == 0


def signed(x):
    if x.sum() > 0:
        return x
    return -x


def test_functions_that_are_called_are_read_in_turn():
    def outer(x):
        return signed(x) + signed(-x) * 2

    f = assert_same(outer, POSITIVE, like=[(NEGATIVE,)])
    assert ops(f.graph).count("cond") == 2


class Halting(nn.Module):
    """Applies its layer until the activations are small."""

    def __init__(self):
        dl.manual_seed(0)
        self.layer, self.norm = nn.Linear(3, 3), nn.LayerNorm(3)

    def forward(self, x):
        steps = 0
        while x.abs().max() > 0.2 and steps < 20:
            x = self.layer(x) * 0.5
            steps += 1
        return self.norm(x) if x.sum() > 0 else x


def test_a_module_reads_its_parameters_anew_in_each_call():
    model = Halting()
    f = script(model)
    x = dl.tensor(np.random.default_rng(0).normal(size=(2, 3)).astype("f4"))
    for _ in range(2):
        np.testing.assert_allclose(f(x).data, model(x).data, rtol=1e-6)
        with dl.no_grad():
            model.layer.weight.copy_(model.layer.weight * 0.7)
    assert len(f.captures) == 1


def test_a_number_that_the_program_met_is_noticed_when_it_changes():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    x = dl.tensor(np.random.default_rng(0).normal(size=(4, 3)).astype("f4"))

    def normed(x):
        y = model(x)
        return y if y.sum() > 0 else -y

    f = script(normed)
    for mode in (True, False, True):
        model.train(mode)
        np.testing.assert_allclose(f(x).data, normed(x).data, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_the_plain_function():
    model, x = Halting(), sample(2, 3)
    model.to("float64")
    inputs = [x, *model.parameters()]

    def gradients(function):
        return dl.grad((function(x) * x).sum(), inputs, allow_unused=True)

    for ours, plain in zip(gradients(script(model)), gradients(model), strict=True):
        assert (ours is None) == (plain is None)
        if ours is not None:
            np.testing.assert_allclose(ours.data, plain.data, rtol=1e-12)


def test_a_write_in_place_reaches_the_caller_as_in_python():
    def fill(x):
        x[0] = 5.0
        x *= 2
        return x.sum()

    ours, plain = dl.ones(3), dl.ones(3)
    assert script(fill)(ours).item() == fill(plain).item()
    np.testing.assert_array_equal(ours.data, plain.data)


def test_in_another_trace_it_gives_its_nodes():
    graph = trace(script(relu_or_square), POSITIVE)
    assert ops(graph).count("cond") == 1
    np.testing.assert_allclose(graph(NEGATIVE.data)[0], [2, 5])


def test_a_graph_is_kept_for_each_signature():
    f = script(relu_or_square)
    for x in (POSITIVE, NEGATIVE, dl.ones(3), dl.ones(3) * 2, dl.ones(2, 2)):
        f(x)
    assert len(f.captures) == 3


def test_a_decorated_method_is_a_method():
    class Counter:
        step = 3

        @script
        def up(self, x):
            while x < 10:
                x = x + self.step
            return x

    assert Counter().up(dl.tensor(0)).item() == 12


# ---- the stages


def test_every_stage_prints():
    f = script(newton)
    f(dl.tensor(2.0))
    assert "NAME     'while'" in str(f.tokens)
    assert "While" in str(f.tree) and "BoolOp op=And" in str(f.tree)
    assert "while_loop(" in str(f.graph) and "  body:" in str(f.graph)
    assert "test_scripted.py:" in str(f.graph)


def test_tokens_are_all_the_words_of_the_text():
    f = script(signed)
    words = "".join(t.text for t in f.source.tokens)
    assert words.replace(" ", "").replace("\n", "") == "".join(f.source.text.split())


def test_every_operator_of_the_table_is_pythons():
    kinds = {k for k in vars(ast).values() if isinstance(k, type)}
    wanted = {
        k
        for base in (ast.operator, ast.unaryop, ast.cmpop)
        for k in kinds
        if issubclass(k, base) and k is not base
    }
    assert wanted - {ast.Not} == set(OPERATORS)
    assert {"If", "While", "For"} <= set(supported()["statements"])


def test_a_planted_wrong_operator_is_caught(monkeypatch):
    monkeypatch.setitem(OPERATORS, ast.Mult, lambda x, y: x + y)
    with pytest.raises(AssertionError):
        assert_same(relu_or_square, NEGATIVE)


# ---- refusals: (program, what is said)


def breaks(x):
    while x.sum() > 0:
        x = x - 1
        break
    return x


def continues(x):
    for _row in x:
        continue
    return x


def tries(x):
    try:
        return x
    finally:
        pass


def sets_once(x):
    if x.sum() > 0:
        y = x
    return y


def disagrees(x):
    y = x
    if x.sum() > 0:
        y = x.sum()
    return y


def returns_sometimes(x):
    if x.sum() > 0:
        return x


def grows(x):
    while x.sum() < 9:
        x = dl.cat([x, x])
    return x


def appends(x):
    kept = []
    for value in x:
        kept.append(value)
    return kept


def reads_the_loops_own(x):
    for value in x:
        last = value
    return last


def returns_from_a_loop(x):
    for i in range(3):
        if x.sum() > i:
            return x
    return x


def writes_to_the_caller(x):
    if x.sum() > 0:
        x += 1
    return x


def writes_to_an_alias(x):
    y = x * 1
    z = y
    if x.sum() > 0:
        y += 1
    return z


def keeps(x):
    newton.kept = x
    return x


def asks_many(x):
    if x > 0:
        return x
    return x


def prints(x):
    print(x)
    return x


def asserts(x):
    assert x.sum() > 0
    return x


REFUSED = {
    breaks: "`break` can't be scripted; put what ends the loop into the condition",
    continues: "`continue` can't be scripted; put the rest of the body under an `if`",
    tries: "`try:` can't be scripted; decide before",
    sets_once: "reads `y`; it is set in one branch",
    disagrees: r"makes `y` float32\[\] in one branch and float32\[2\] in the other",
    returns_sometimes: "makes what is returned",
    appends: "changes a list inside",
    reads_the_loops_own: "reads `last`; it is set in the loop",
    returns_from_a_loop: "returns out of a loop",
    writes_to_the_caller: "writes in place to `x`, which the caller can see too",
    writes_to_an_alias: "writes in place to `y`, which `z` can see too",
    keeps: "sets the attribute kept; return the value",
    asks_many: r"takes a tensor of \(2,\) for one truth value; reduce it",
    prints: "needs the elements of a tensor",
    asserts: "asserts what a tensor says",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_what_is_refused_is_named_with_its_line_and_what_to_do(function):
    with pytest.raises(ScriptError, match=REFUSED[function]) as caught:
        script(function)(dl.ones(2))
    first = function.__code__.co_firstlineno
    line = int(str(caught.value).split(":")[1])
    assert first < line < first + 8


def test_a_state_that_changes_its_type_is_named():
    with pytest.raises(ValueError, match=r"`x` is float32\[2\] before .*float32\[4\]"):
        script(grows)(dl.ones(2))


def test_a_lambda_and_a_function_without_source_are_refused():
    with pytest.raises(ScriptError, match="no `def`"):
        script(lambda x: x)
    with pytest.raises(ScriptError, match="source"):
        script(eval("lambda x: x"))
