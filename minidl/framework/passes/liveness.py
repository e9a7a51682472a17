"""How long each value of a graph is needed, and so how much memory a run holds.

A value is live from its node to its last reader, an output to the end. A view lives in
its input's memory and keeps it alive; inputs and constants belong to the caller and
stay. Counted is what must be held while a node runs, its inputs and its result
included. Left out: workspace inside a node, and that a reshape of permuted memory has
to copy. (Chapters 8 and 13.)
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ..graph import CONSTANT, INPUT


@dataclass(frozen=True, eq=False)
class Lives:
    """The lives of a graph's values; places are positions in `graph.nodes`."""

    graph: object

    @cached_property
    def place(self):
        return {node: i for i, node in enumerate(self.graph.nodes)}

    @cached_property
    def owner(self):
        """{node: the node whose memory it reads}, itself where it is no view."""
        owner = {}
        for node in self.graph.nodes:
            owner[node] = owner[node.inputs[0]] if node.op.view else node
        return owner

    @cached_property
    def reads(self):
        """{owner: the places where its memory is read}, ascending."""
        reads = {owner: [] for owner in self.owner.values()}
        for i, node in enumerate(self.graph.nodes):
            if not node.op.view:  # a view moves nothing; its readers do
                for x in dict.fromkeys(self.owner[x] for x in node.inputs):
                    reads[x].append(i)
        return reads

    @cached_property
    def kept(self):
        """The owners that outlive the run."""
        outputs = {self.owner[x] for x in self.graph.outputs}
        return outputs | {x for x in self.reads if x.op in (INPUT, CONSTANT)}

    def born(self, owner):
        return 0 if owner.op in (INPUT, CONSTANT) else self.place[owner]

    def dies(self, owner):
        """The place of its last reader."""
        if owner in self.kept:
            return len(self.graph.nodes) - 1
        return self.reads[owner][-1] if self.reads[owner] else self.place[owner]


def live(graph, lives=None):
    """Bytes that are held while each node runs, in order."""
    lives = lives or Lives(graph)
    change = [0] * (len(graph.nodes) + 1)
    for owner in lives.reads:
        change[lives.born(owner)] += owner.nbytes
        change[lives.dies(owner) + 1] -= owner.nbytes
    return list(accumulate(change[:-1]))


def peak(graph):
    """The most bytes that are held at any time."""
    return max(live(graph), default=0)
