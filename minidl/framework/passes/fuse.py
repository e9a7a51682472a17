"""Fusion: operations that read what others have just written share one loop.

Groups grow along the graph: an operation joins the groups that it reads from, unless
some other operation, outside, stands between. The fused graph has one node for each
group, which holds its members as a graph of their own; so it can be run, checked and
read as before. (Chapter 8.)
"""

from ..codegen.roles import VIEWS, is_fusable, origin
from ..graph import CONSTANT, FUSED, ITEM, Graph, Node, input_node, keep, types
from .dce import dce
from .groups import Group


def fuse(graph):
    """The graph with a node for each group of operations that one loop can compute."""
    graph = dce(graph)  # a loop has results
    return contracted(graph, Grouping(graph))


class Grouping:
    """Which group each fusable node is in, as `home`.

    A unit is a group, or a node that is in none. Sets of nodes are kept as the bits of
    one whole number: `bits` of a unit are its nodes, `above` all that it needs, also by
    way of other units.
    """

    def __init__(self, graph):
        self.graph, self.home, self.outputs = graph, {}, set(graph.outputs)
        self.place = {node: i for i, node in enumerate(graph.nodes)}
        self.bits, self.above = {}, {}
        for node in graph.nodes:
            if node.op.name not in VIEWS:
                self.enter(node)
        self.join_readers()

    def enter(self, node):
        """Makes a unit of `node`, and joins it to groups that it reads from."""
        unit = Group([node]) if is_fusable(node) else node
        self.bits[unit] = 1 << self.place[node]
        if unit is not node:
            self.home[node] = unit
        needed = self.needs(unit)
        self.above[unit] = union(self.bits[u] | self.above[u] for u in needed)
        if unit is not node:
            groups = [u for u in needed if isinstance(u, Group)]
            for group in sorted(groups, key=self.bits.get, reverse=True):
                self.merge(group, self.home[node])

    def join_readers(self):
        """Joins groups that read the same large value, which is then read once."""
        for node in self.graph.nodes:
            users = [self.home[u] for u in self.graph.users[node] if u in self.home]
            groups = [g for g in dict.fromkeys(users) if g.size == node.size]
            for other in groups[1:]:
                self.merge(groups[0], other)

    def merge(self, a, b):
        """Makes one group of two, where that is possible."""
        a, b = self.home[next(iter(a.members))], self.home[next(iter(b.members))]
        if a is b or self.between(a, b) or self.between(b, a):
            return
        both = Group([*a.members, *b.members])
        if both.is_possible():
            self.replace(a, b, both)

    def replace(self, a, b, both):
        """Has group `both` be where `a` and `b` were, for all that need these."""
        self.home.update(dict.fromkeys(both.members, both))
        self.bits[both] = own = self.bits.pop(a) | self.bits.pop(b)
        needed = (self.above.pop(a) | self.above.pop(b)) & ~own
        self.above[both] = needed
        for unit, above in self.above.items():
            if above & own:
                self.above[unit] = above | own | needed

    def between(self, start, goal):
        """Whether `goal` needs what something outside computes from `start`."""
        outside = self.needs(goal) - {start, goal}
        return any(self.above[unit] & self.bits[start] for unit in outside)

    def needs(self, unit):
        """The groups and single nodes whose results a group or a node reads."""
        nodes = unit.members if isinstance(unit, Group) else [unit]
        sources = {origin(x) for node in nodes for x in node.inputs}
        return {self.home.get(source, source) for source in sources}


def union(sets):
    result = 0
    for s in sets:
        result |= s
    return result


# ---- a node for each group


def contracted(graph, grouping):
    """The graph with each group in place of its members."""
    now, order, home = {x: x for x in graph.inputs}, [], grouping.home
    roots = [x for x in graph.nodes if x.op.name not in VIEWS]
    pending = [(x, False) for x in (*roots, *graph.outputs)[::-1]]
    while pending:
        node, ready = pending.pop()
        if node in now:
            continue
        needed = external(home[node]) if node in home else node.inputs
        if not ready:
            pending.append((node, True))
            pending.extend((x, False) for x in needed)
        elif node in home:
            order += place_group(grouping, home[node], needed, now)
        else:
            now[node] = keep(node, tuple(now[x] for x in node.inputs))
            order.append(now[node])
    return Graph(graph.inputs, tuple(now[x] for x in graph.outputs), tuple(order))


def external(group):
    """The values from outside that the members read, below any views."""
    sources = [origin(x) for node in group.members for x in node.inputs]
    return [x for x in dict.fromkeys(sources) if x not in group.members]


def place_group(grouping, group, needed, now):
    """Makes the fused node; enters what stands for its results; returns the nodes."""
    inside = {
        x: x if is_literal(x) else input_node(f"x{i}", x.shape, x.dtype)
        for i, x in enumerate(needed)
    }
    members = sorted(group.members, key=grouping.place.get)
    for node in members:
        inside[node] = keep(node, tuple(within(x, inside) for x in node.inputs))
    results = [m for m in members if is_read_outside(grouping, m, group)]
    given = [x for x in needed if not is_literal(x)]
    body = Graph(
        tuple(inside[x] for x in given),
        tuple(inside[m] for m in results),
        tuple(inside[m] for m in members),
    )
    now.update(dict.fromkeys(members))  # the others are of no use outside
    where = members[-1].where
    inputs = tuple(now[x] for x in given)
    whole = Node(
        FUSED, inputs, {"body": body}, types(body, "shape"), types(body, "dtype"), where
    )
    if len(results) == 1:
        now[results[0]] = whole
        return [whole]
    for i, m in enumerate(results):
        now[m] = Node(ITEM, (whole,), {"index": i}, m.shape, m.dtype, m.where)
    return [whole, *[now[m] for m in results]]


def is_literal(node):
    """Whether it is a number to write into the kernel's text."""
    return node.op is CONSTANT and node.size == 1


def within(x, inside):
    """The value `x` inside the body, with the views that lead to it."""
    if x not in inside:
        inside[x] = keep(x, tuple(within(y, inside) for y in x.inputs))
    return inside[x]


def is_read_outside(grouping, node, group):
    """Whether a result of the group: an output, or read by who is no member."""
    pending, seen = [node], set()
    while pending:
        x = pending.pop()
        if x in grouping.outputs:
            return True
        for user in grouping.graph.users[x]:
            if user.op.name in VIEWS:
                if user not in seen:
                    seen.add(user)
                    pending.append(user)
            elif user not in group.members:
                return True
    return False
