"""A directed acyclic graph drawn in layers: every edge points down.

A vertex stands one layer below the lowest of what it depends on; within a layer,
vertices are ordered by the mean place of their neighbours, swept down and up a few
times, which leaves few crossings (Sugiyama, Tagawa & Toda, 1981).
"""

from .colours import ACCENT, ACCENT_PALE, INK, PALE, PAPER, QUIET
from .svg import box, document, element, label, text_width

ROW, HEIGHT, GAP, MARGIN = 74, 38, 18, 20
LEAST = 28  # width of the words in a vertex
SIZE, SMALL = 14, 12  # of the first line of a label, and of the second
SWEEPS = 6


def layered_svg(nodes, edges, marked=(), title="A graph"):
    """The graph as SVG.

    `nodes` maps a key to its label, or to (label, kind) with kind "leaf" for a rounded,
    pale vertex; `edges` are pairs of keys, what comes first first, or triples with
    words to stand on the edge; `marked` keys are drawn in the accent colour. A label
    may have two lines. ValueError for a circle, or where an edge's end is no vertex.
    """
    width, height, parts, words = layered(nodes, edges, marked)
    return document(width, height, [heads(), *parts], title, f"From the top: {words}")


def layered(nodes, edges, marked=(), shown=None):
    """(width, height, parts, words) of the graph, to place in a larger picture.

    Of vertices that are not `shown`, if some are, there is only the room.
    """
    labels = {
        k: v if isinstance(v, tuple) else (v, "operation") for k, v in nodes.items()
    }
    check(labels, edges)
    labels, edges, marked = with_words(labels, edges, set(marked))
    layers, routes = routed(ranks(labels, edges), edges)
    steps = [step for route in routes for step in zip(route, route[1:])]
    places = placed(ordered(layers, steps), labels)
    width = max(x + w for x, _, w in places.values()) + MARGIN
    height = max(y for _, y, _ in places.values()) + HEIGHT + MARGIN
    there = [k for k in labels if shown is None or k in shown]
    arrows = [
        arrow([places[k] for k in r], r[-1] in marked, labels[r[-1]][1] != "words")
        for r in routes
        if r[0] in there and r[-1] in there
    ]
    shapes = [s for k in there for s in vertex(places[k], *labels[k], k in marked)]
    words = "; ".join(labels[k][0].replace("\n", " ") for k in there)
    return round(width), round(height), [*arrows, *shapes], words


def check(nodes, edges):
    if not nodes:
        raise ValueError("a graph to draw has at least one vertex, got none")
    for a, b, *_ in edges:
        if a not in nodes or b not in nodes:
            raise ValueError(f"the edge {a!r} -> {b!r} has an end that is no vertex")


def with_words(labels, edges, marked):
    """(labels, edges, marked), where the words on an edge are a vertex on its way."""
    labels, pairs = dict(labels), []
    for i, (a, b, *words) in enumerate(edges):
        if not words:
            pairs.append((a, b))
            continue
        middle = ("words", i)
        labels[middle] = words[0], "words"
        pairs += [(a, middle), (middle, b)]
        marked = marked | {middle} if b in marked else marked
    return labels, pairs, marked


def routed(rank, edges):
    """(layers, routes): a long edge has a bend in each layer that it passes."""
    layers = [[k for k in rank if rank[k] == r] for r in range(max(rank.values()) + 1)]
    routes = []
    for i, (a, b) in enumerate(edges):
        bends = {r: ("bend", i, r) for r in range(rank[a] + 1, rank[b])}
        for r, bend in bends.items():
            layers[r].append(bend)
        routes.append([a, *bends.values(), b])
    return layers, routes


def ranks(nodes, edges):
    """The layer of each vertex: the longest path that leads to it."""
    before = {key: [a for a, b in edges if b == key] for key in nodes}
    rank = {}
    while len(rank) < len(nodes):
        free = [k for k in nodes if k not in rank and all(a in rank for a in before[k])]
        if not free:
            raise ValueError("the graph has a circle, so it has no layers")
        for key in free:
            rank[key] = 1 + max((rank[a] for a in before[key]), default=-1)
    after = {key: [b for a, b in edges if a == key] for key in nodes}
    for key in nodes:  # a vertex without inputs stands right above its first use
        if not before[key] and after[key]:
            rank[key] = min(rank[b] for b in after[key]) - 1
    return rank


def placed(layers, labels):
    """(x, y, width) of each vertex and bend."""
    widths = {k: width_of(*labels.get(k, ())) for layer in layers for k in layer}
    total = [sum(widths[k] + GAP for k in layer) - GAP for layer in layers]
    places = {}
    for r, layer in enumerate(layers):
        x = MARGIN + (max(total) - total[r]) / 2
        for key in layer:
            places[key] = (x, MARGIN + r * ROW, widths[key])
            x += widths[key] + GAP
    return places


def ordered(layers, edges):
    """The layers, each in an order that leaves few crossings."""
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        spot = {key: i / len(layer) for layer in layers for i, key in enumerate(layer)}
        for layer in layers if down else layers[::-1]:
            layer.sort(key=lambda key: mean_spot(key, edges, spot, down))
            spot.update({key: (i + 0.5) / len(layer) for i, key in enumerate(layer)})
    return layers


def mean_spot(key, edges, spot, down):
    """The mean place of the neighbours above (or below) of `key`, else its own."""
    ends = edges if down else [(b, a) for a, b in edges]
    near = [spot[a] for a, b in ends if b == key]
    return sum(near) / len(near) if near else spot[key]


def width_of(text="", kind=None):
    """The width of a box around `text`; a bend has no text and takes little."""
    first, *rest = text.split("\n")
    widths = [text_width(first, SIZE), *(text_width(line, SMALL) for line in rest)]
    return max(LEAST, *widths) + 16 if text else 8


def vertex(place, text, kind, marked):
    x, y, width = place
    if kind != "words":
        leaf = kind == "leaf"
        yield box(
            x,
            y,
            width,
            HEIGHT,
            radius=HEIGHT / 2 if leaf else 6,
            fill=ACCENT_PALE if marked else PALE if leaf else PAPER,
            stroke=ACCENT if marked else QUIET if leaf else INK,
            stroke_width=2 if marked else 1,
        )
    lines = text.split("\n")
    for i, line in enumerate(lines):
        drop = 24 if len(lines) == 1 else 16 + 16 * i
        size = SIZE if i == 0 else SMALL
        yield label(x + width / 2, y + drop, line, size=size, anchor="middle")


def arrow(places, marked, head=True):
    """A curve down through the middles of `places`."""
    points = [(places[0][0] + places[0][2] / 2, places[0][1] + HEIGHT)]
    for x, y, width in places[1:-1]:
        points += [(x + width / 2, y), (x + width / 2, y + HEIGHT)]
    points.append((places[-1][0] + places[-1][2] / 2, places[-1][1] - 2))
    path = f"M{points[0][0]:.0f},{points[0][1]}"
    for (x1, y1), (x2, y2) in zip(points, points[1:]):
        middle = (y1 + y2) / 2
        path += f" C{x1:.0f},{middle:.0f} {x2:.0f},{middle:.0f} {x2:.0f},{y2}"
    style = {"stroke": ACCENT if marked else QUIET, "stroke_width": 2 if marked else 1}
    if head:
        style["marker_end"] = f"url(#{'marked' if marked else 'plain'})"
    return element("path", d=path, fill="none", **style)


def heads():
    """The two arrow heads that the arrows name."""
    tip = {"viewBox": "0 0 8 8", "refX": 7, "refY": 4, "orient": "auto"}
    tip |= {"markerWidth": 7, "markerHeight": 7, "markerUnits": "userSpaceOnUse"}
    return element(
        "defs",
        "".join(
            element(
                "marker", element("path", d="M0,0L8,4L0,8z", fill=fill), id=name, **tip
            )
            for name, fill in (("plain", QUIET), ("marked", ACCENT))
        ),
    )
