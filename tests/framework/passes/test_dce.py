from graphs import graphs, same_bits
from hypothesis import given, settings

from minidl.framework import ops
from minidl.framework.graph import Graph, check, input_node, make
from minidl.framework.passes import dce


def needed(graph):
    """What the outputs need, by a walk back from each of them."""
    found, pending = set(), list(graph.outputs)
    while pending:
        node = pending.pop()
        found.add(node)
        pending.extend(node.inputs)
    return found


@settings(max_examples=150)
@given(graphs(special=True))
def test_what_is_left_is_what_an_output_needs_and_in_the_order_it_had(case):
    graph = check(dce(case.graph), like=case.graph)
    same_bits(case, graph)
    assert set(graph.nodes) == needed(case.graph) | set(case.graph.inputs)
    assert list(graph.nodes) == [x for x in case.graph.nodes if x in set(graph.nodes)]


def test_an_input_that_nobody_reads_stays_an_input():
    x, y = (input_node(name, (), "float64") for name in "xy")
    unread = make(ops.exp, [y])
    graph = dce(Graph((x, y), (make(ops.neg, [x]),), (unread,)))
    assert graph.inputs == (x, y) and unread not in graph.nodes
