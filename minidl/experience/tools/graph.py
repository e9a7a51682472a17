"""What the tape recorded, as a picture: from the leaves down to the result."""

from ...framework.autodiff import topological_order
from ...framework.graph import Graph
from ...framework.tape import Node
from .graphs import picture
from .layered import layered_svg
from .svg import Picture


def draw_graph(output, names=None, marked=()):
    """The recorded graph of `output`, or a Graph, to display in a notebook.

    `names` maps a word to a leaf, `{"w": w}`; the inputs of a Graph have names of their
    own. `marked` vertices (nodes, or leaf tensors) are drawn in the accent colour.
    Raises ValueError where nothing was recorded.
    """
    if isinstance(output, Graph):
        return picture(output, marked)
    names = names or {}
    if not isinstance(names, dict) or not all(
        hasattr(x, "edges") for x in names.values()
    ):
        raise TypeError('draw_graph: names are words for leaf tensors, {"w": w}')
    vertices, edges = recorded(output)
    words = {id(leaf): name for name, leaf in names.items()}
    nodes = {id(v): named(v, words.get(id(v))) for v in vertices}
    svg = layered_svg(nodes, edges, {id(v) for v in marked}, "The recorded graph")
    count = sum(isinstance(v, Node) for v in vertices)
    words = f"{count} operations on {len(vertices) - count} leaves: {output.node}"
    return Picture(svg, words)


def recorded(output):
    """(vertices, edges) from the leaves to `output`; edges are pairs of ids."""
    if output.node is None:
        raise ValueError("nothing to draw: no operation was recorded for this tensor")
    vertices = topological_order([output.node])[::-1]
    edges = [(id(e), id(v)) for v in vertices for e in v.edges if e is not None]
    return vertices, list(dict.fromkeys(edges))


def named(vertex, name):
    if isinstance(vertex, Node):
        return vertex.op.name
    shape = "x".join(map(str, vertex.shape)) or "scalar"
    return (f"{name}\n{shape}" if name else f"leaf\n{shape}"), "leaf"
