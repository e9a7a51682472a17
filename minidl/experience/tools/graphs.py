"""A compiler's Graph as a picture, and what a pass did to it as two.

From the inputs down to the results. A constant of one element stands in the words of
the operation that reads it. (Chapters 7 and 8.)
"""

from collections import Counter

from ...framework.graph import CONSTANT, FUSED, INPUT
from ...framework.passes.cse import node_token
from ...framework.passes.pattern import COMMUTE
from .layered import heads, layered
from .svg import Picture, document, element, label, text_width

LARGEST = 50  # vertices: with more, words are too small to read
GAP, TOP = 40, 44  # between two pictures, and above them, in pixels


def picture(graph, marked=()):
    """The Graph, with the nodes `marked` in the accent colour."""
    return beside([("The graph", graph, marked)])


def draw_rewrite(before, after):
    """Two graphs beside each other, before and after a pass, to display in a notebook.

    Marked are the operations that went, at the left, and the new ones, at the right. An
    operation on other inputs than before counts as the same.
    """
    gone, new = missing(before, after), missing(after, before)
    return beside([("Before", before, gone), ("After", after, new)])


def missing(graph, other):
    """The nodes of `graph` that have no counterpart in `other`."""
    left = Counter(kind(x) for x in other.nodes)
    same = set(other.nodes)
    for node in graph.nodes:
        left[kind(node)] -= node in same
    alone = []
    for node in graph.nodes:
        if node not in same:
            left[kind(node)] -= 1
            if left[kind(node)] < 0:
                alone.append(node)
    return alone


def kind(node):
    """What two nodes have in common that do the same, on whatever inputs."""
    return node.op, node_token(node)


def beside(pictures):
    """One Picture of (title, graph, marked) for each, from the left to the right."""
    x, height, parts, words = 0, 0, [heads()], []
    for title, graph, marked in pictures:
        count = f"{len(graph)} operations"
        width, tall, shapes, found = drawn(graph, marked)
        width = max(width, round(text_width(f"{title}: {count}", 16)) + 2 * GAP)
        parts.append(label(x + GAP / 2, 28, f"{title}: {count}", 16, weight="bold"))
        parts.append(group(shapes, x, TOP))
        shown = sum(x.op not in (INPUT, CONSTANT) for x in marked)
        words.append(f"{title}: {count}, {shown} of them marked")
        x, height = x + width + GAP, max(height, tall)
    svg = document(x - GAP, height + TOP, parts, ". ".join(words), found)
    return Picture(svg, ". ".join(words))


def drawn(graph, marked):
    """(width, height, parts, words): the graph, or a sentence where it is too large."""
    nodes, edges = vertices(graph)
    if len(nodes) > LARGEST:
        return sentence(
            f"{len(nodes)} vertices are too many to read. Print the graph,",
            f"or draw a part: Graph(inputs, outputs) of up to {LARGEST}.",
        )
    shown = {id(x) for x in marked}
    marks = {key for key in nodes if key in shown}
    return layered(nodes, edges, marks)


def sentence(*lines):
    parts = [label(20, 30 + 22 * i, line, 14) for i, line in enumerate(lines)]
    width = max(text_width(line, 14) for line in lines)
    return round(width) + 40, 22 * len(lines) + 30, parts, " ".join(lines)


def group(parts, x, y):
    return element("g", "".join(parts), transform=f"translate({x},{y})")


# ---- what stands in a vertex


def vertices(graph):
    """({key: label}, edges) of all nodes but lone numbers, and of the results."""
    shown = [x for x in graph.nodes if not in_words(x, graph)]
    nodes = {id(x): worded(x) for x in shown}
    edges = [(id(x), id(node)) for node in shown for x in node.inputs if id(x) in nodes]
    for i, x in enumerate(graph.outputs):
        nodes["result", i] = (
            "result" if len(graph.outputs) == 1 else f"result {i}",
            "leaf",
        )
        edges.append((id(x), ("result", i)))
    return nodes, list(dict.fromkeys(edges))


def in_words(node, graph):
    return node.op is CONSTANT and node.size == 1 and node not in graph.outputs


def worded(node):
    """The label of a vertex: what it is, and the shape of what it gives."""
    if node.op in (INPUT, CONSTANT):
        name = node.attrs["name"] if node.op is INPUT else "constant"
        return f"{name}\n{size_of(node)}", "leaf"
    return f"{operation(node)}\n{size_of(node)}", "operation"


def operation(node):
    """The name of an operation with the numbers it reads: `mul 0.5`, `2 div`."""
    if node.op is FUSED:
        names = [x.op.name for x in node.attrs["body"].nodes if x.inputs]
        return " ".join(names[:4]) + (" ..." if len(names) > 4 else "")
    words = [number(x) for x in node.inputs]
    first = 1 if len(words) > 1 and node.op not in COMMUTE else 0
    return " ".join(filter(None, [*words[:first], node.op.name, *words[first:]]))


def number(node):
    lone = node.op is CONSTANT and node.size == 1
    return f"{node.attrs['value'].item():.4g}" if lone else ""


def size_of(node):
    if isinstance(node.dtype, tuple):
        return f"{len(node.dtype)} results"
    return "x".join(map(str, node.shape)) or "scalar"
