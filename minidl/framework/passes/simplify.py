"""Simplification: the tables of rules, applied together. (Chapter 8.)

A row to add is a row of a list: `simplify(graph, RULES + [Rule(...)])`.
"""

from .algebra import ALGEBRA
from .moves import MOVES
from .rewrite import EXACT, rewrite
from .through import THROUGH

RULES = ALGEBRA + MOVES + THROUGH
EXACT_RULES = [rule for rule in RULES if rule.keeps == EXACT]


def simplify(graph, rules=RULES, tally=None):
    """`graph` with the rules applied until none fits.

    Values stay the same but for rounding and the signs of zeros; with EXACT_RULES the
    same bits, as far as sums go over memory in the same order. `tally`, a Counter,
    learns which rules applied how often.
    """
    return rewrite(graph, rules, tally)
