"""Rewriting by rules: a table of (pattern, replacement), applied until none fits.

A sweep goes once through the graph, inputs before their readers, and tries at each node
the rules for its operation only; so it takes time in proportion to the nodes, not to
nodes times rules. What a rule gives may fit another one: sweeps go on until one changes
nothing. (Chapter 8.)
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from .. import ops
from ..graph import keep, make, rebuild
from .dce import dce
from .pattern import Pattern, build, match

# What a rule keeps of the values, the strictest first.
EXACT = "the same bits"  # of a nan, that it is one
SIGN = "the same but for the sign of a zero"
ROUNDS = "the same but for rounding"
STEPS, SWEEPS = 50, 20  # a table whose rules undo one another must end too


@dataclass(frozen=True, eq=False)
class Rule:
    """Where `pattern` is found, `replacement` may stand.

    A replacement is a pattern over the same names, or a function (node, **captures) ->
    node, or None where it declines. It must have the dtype of what it replaces; a
    smaller shape is stretched.
    """

    name: str
    pattern: Pattern
    replacement: Pattern | Callable
    keeps: str
    why: str

    def __call__(self, node, uses):
        """What stands for `node` by this rule; None where it doesn't apply."""
        found = match(self.pattern, node, uses)
        if found is None:
            return None
        if isinstance(self.replacement, Pattern):
            return self.fitted(build(self.replacement, found, node), node)
        answer = self.replacement(node, **found)
        return answer and self.fitted(answer, node)

    def fitted(self, answer, node):
        if answer.dtype != node.dtype:
            raise ValueError(f"rule {self.name!r} makes {answer} of {node}")
        if answer.shape == node.shape:
            return answer
        return make(ops.expand, (answer,), {"shape": node.shape}, node.where)

    def __repr__(self):
        return f"{self.name:<40} {self.keeps}: {self.why}"


def index_of(rules):
    """{op: the rules whose pattern begins with it}."""
    table = {}
    for rule in rules:
        if not rule.pattern.ops:
            raise ValueError(f"rule {rule.name!r}: its pattern must begin with an op")
        for op in rule.pattern.ops:
            table.setdefault(op, []).append(rule)
    return table


def rewrite(graph, rules, tally=None):
    """`graph` with `rules` applied until none fits.

    `tally`, a Counter, learns how often each rule did. RuntimeError where they don't
    come to an end.
    """
    table, tally = index_of(rules), Counter() if tally is None else tally
    for _ in range(SWEEPS):
        count = tally.total()
        graph = sweep(graph, table, tally)
        if tally.total() == count:
            return graph
    raise RuntimeError(f"after {SWEEPS} sweeps these rules still apply: {dict(tally)}")


def sweep(graph, table, tally):
    """`graph` with the rules of `table` applied once through."""
    uses = Counter(graph.outputs)
    for node in graph.nodes:
        uses.update(node.inputs)

    def change(node, inputs):
        now = keep(node, inputs)
        uses[now] = uses[node]
        answer = settle(now, table, uses, tally)
        if answer is not now:  # it takes over the readers
            uses[answer] += uses[node]
        return answer

    return dce(rebuild(graph, change))


def settle(node, table, uses, tally):
    """What `node` becomes when no rule fits its root any more."""
    for _ in range(STEPS):
        for rule in table.get(node.op, ()):
            answer = rule(node, uses)
            if answer is not None:
                tally[rule.name] += 1
                node = answer
                break
        else:
            return node
    raise RuntimeError(f"rules go round in a circle at {node}: {dict(tally)}")
