"""Random programs: scripted, captured and plain agree, in values and gradients."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import minidl as dl
from minidl.framework import graph as graphs
from minidl.framework.control.absorb import absorbed
from minidl.framework.script.expressions import OPERATORS
from minidl.framework.script.scripted import script
from minidl.framework.trace.capture import capture, trace

sys.path.insert(0, str(Path(__file__).parent))
import programs  # noqa: E402

often = settings(
    max_examples=80,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def arguments(seed):
    random = np.random.default_rng(seed)
    return [
        dl.tensor(random.normal(size=shape), requires_grad=True)
        for shape in ((2, 3), (3,))
    ]


def slopes(function, args):
    """The result, and the gradient of its square's sum for each argument."""
    y = function(*args)
    gradients = dl.grad((y * y).sum(), args, allow_unused=True)
    return [y, *[x * 0 if g is None else g for x, g in zip(args, gradients)]]


def assert_close(ours, plain):
    """To float32: that is what a Python number becomes in the state of a loop."""
    for x, y in zip(ours, plain, strict=True):
        x = getattr(x, "data", x)
        np.testing.assert_allclose(x, y.data, rtol=1e-5, atol=1e-6)


@often
@given(programs.branching)
def test_scripted_programs_agree_with_plain_ones_for_all_values(lines):
    plain = programs.function(lines)
    scripted = script(plain)
    for seed in range(3):
        args = arguments(seed)
        assert_close(slopes(scripted, args), slopes(plain, args))
    assert len(scripted.captures) == 1


@often
@given(programs.branching)
def test_gradients_within_the_graph_are_those_of_the_tape(lines):
    plain = programs.function(lines)
    scripted = script(plain, max_steps=4)
    captured = capture(lambda *args: slopes(scripted, args), arguments(0))
    graphs.check(captured.graph)
    for seed in range(2):
        args = arguments(seed)
        values = [
            args[s.of].data if s.kind == "argument" else s.of.data
            for s in captured.sources
        ]
        outs = graphs.run(captured.graph, *values)
        assert_close([outs[o.index] for o in captured.result], slopes(plain, args))


@often
@given(programs.straight)
def test_without_control_flow_a_trace_is_the_same_graph(lines):
    lines = [line for line in lines if " if " not in line]
    plain, args = programs.function(lines), [x.detach() for x in arguments(0)]
    traced, scripted = trace(plain, *args), script(plain).graph_for(*args)
    assert_close(traced(*[x.data for x in args]), [plain(*args)])
    assert_close(scripted(*[x.data for x in args]), [plain(*args)])
    kinds = [
        [n.op.name for n in g.nodes if n.inputs] for g in (absorbed(traced), scripted)
    ]
    assert sorted(kinds[0]) == sorted(kinds[1])


def test_a_comparison_the_wrong_way_round_is_caught(monkeypatch):
    plain = programs.function(["if s < t:", "    a = b"])
    monkeypatch.setitem(OPERATORS, ast.Lt, OPERATORS[ast.Gt])
    with pytest.raises(AssertionError):
        for seed in range(3):
            args = arguments(seed)
            assert_close(slopes(script(plain), args), slopes(plain, args))
