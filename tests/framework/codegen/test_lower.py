"""Lowering and assembly: kernels compute what their groups do."""

import re

import numpy as np
import pytest
from graphs import graphs
from hypothesis import given, settings

from minidl import nn
from minidl.framework.codegen import python
from minidl.framework.codegen.assemble import Assembly
from minidl.framework.codegen.loops import check
from minidl.framework.codegen.lower import lower
from minidl.framework.codegen.places import Unreachable
from minidl.framework.graph import CONSTANT, FUSED, Graph, input_node, run
from minidl.framework.passes import decompose, optimise
from minidl.framework.passes.dense import dense
from minidl.framework.passes.fuse import fuse
from minidl.framework.passes.joins import join_parts
from minidl.framework.trace.recorder import record
from minidl.runtime.execute import Executor

PLAIN = {  # what the kernels' own mathematics means, for Python to run them as they are
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "maximum": np.maximum,
    "minimum": np.minimum, "where": lambda c, x, y: x if c else y,
    "larger": np.fmax, "sign": lambda x, one: np.sign(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip


def interpreted(kernel):
    """The printed kernel as Python runs it: slow, and without a compiler."""
    text = re.sub(r"from minidl\S+ import .*", "", python.source(kernel))
    scope = dict(PLAIN)
    exec(text, scope)
    return scope[kernel.name]


def computed(body, *arrays):
    """What the kernel of `body` computes, by running its source."""
    kernel = check_and_lower(body)
    outputs = [np.empty(b.shape, b.dtype) for b in kernel.outputs]
    inputs = [number(b, arrays).reshape(b.shape) for b in kernel.inputs]
    params = [number(p, arrays).reshape(-1)[0] for p in kernel.params]
    bounds = [0, kernel.body[0].extent] if python.splits(kernel) else []
    with np.errstate(all="ignore"):
        interpreted(kernel)(*outputs, *inputs, *params, *bounds)
    return [out.reshape(x.shape) for out, x in zip(outputs, body.outputs)]


def check_and_lower(body):
    kernel = lower(body)
    check(kernel)
    return kernel


def number(named, arrays):
    return arrays[int(named.name.strip("x_"))]


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_the_kernel_of_each_group_computes_it(case):
    graph = fuse(dense(optimise(join_parts(optimise(decompose(case.graph))))))
    values = dict(zip(graph.inputs, case.arrays))
    for node in graph.nodes:
        if node.op is FUSED:
            arrays = run(Graph(graph.inputs, node.inputs), *values.values())
            body = node.attrs["body"]
            try:
                found = computed(body, *arrays)
            except Unreachable:
                continue  # runs by its rows instead
            for mine, theirs in zip(found, run(body, *arrays)):
                scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=1)
                np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11 * scale)


def outcome(graph, arrays, threads=1):
    """The outputs of the assembled program."""
    assembly = Assembly(graph)
    executor = Executor(assembly.program(), assembly.bind, assembly.types(), threads)
    for node in assembly.nodes:
        b = assembly.buffer[node]
        if node.op is CONSTANT:
            executor.place(b, np.ascontiguousarray(node.attrs["value"]))
        elif executor.program.buffers[b].kind == "output":
            executor.place(b, np.empty(node.shape, node.dtype))
    for node, array in zip(graph.inputs, arrays):
        executor.place(assembly.buffer[node], np.ascontiguousarray(array))
    executor.run()
    return [assembly.array(x, executor.arrays).copy() for x in graph.outputs]


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(graphs())
def test_programs_of_random_graphs_compute_them(case):
    graph = fuse(dense(optimise(join_parts(optimise(decompose(case.graph))))))
    for mine, theirs in zip(outcome(graph, case.arrays), run(graph, *case.arrays)):
        scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=1)
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11 * scale)


def example():
    x, w = input_node("x", (256, 512), "float32"), input_node("w", (512,), "float32")

    def function(x, w):
        y = nn.functional.gelu(nn.functional.layer_norm(x, w))
        return nn.functional.softmax(y), y.sum(0)

    graph = Graph((x, w), record(function, (x, w)))
    return fuse(dense(optimise(decompose(graph))))


def test_threads_that_share_the_rows_change_no_bit():
    draw = np.random.default_rng(0)
    arrays = [draw.standard_normal(s).astype("f") for s in ((256, 512), (512,))]
    one, two = (outcome(example(), arrays, threads) for threads in (1, 2))
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)


def test_equal_groups_are_built_once():
    """Kernels of one text are one, whatever layer they serve."""
    x = input_node("x", (8, 16), "float32")

    def function(x):
        for _ in range(3):
            x = nn.functional.softmax(x) @ x.T @ x
        return x

    graph = fuse(optimise(decompose(Graph((x,), record(function, (x,))))))
    sources = [
        python.source(lower(n.attrs["body"])) for n in graph.nodes if n.op is FUSED
    ]
    assert len(sources) == 3 and len(set(sources)) == 1
