"""Passes: functions from Graph to Graph, and the table of those that always run.

    fold           what depends on constants alone is a constant
    simplify       rules of algebra and movement, as tables of (pattern, replacement)
    cse            what is computed twice is computed once
    dce            what nobody needs goes

These leave no graph worse, so `optimise` runs them. By need come `decompose`, rows in
terms of other rows, for fusion; `differentiate`, the graph of the gradients; and
`rematerialise`, values computed again rather than kept, for a memory budget. (Chapter
8.)
"""

from .cse import cse
from .dce import dce
from .decompose import decompose
from .differentiate import differentiate
from .fold import fold
from .pipeline import PASSES, Report, optimise, report
from .rematerialise import rematerialise, within
from .rewrite import Rule, rewrite
from .simplify import RULES, simplify

__all__ = [
    "PASSES", "RULES", "Report", "Rule", "cse", "dce", "decompose", "differentiate",
    "fold", "optimise", "rematerialise", "report", "rewrite", "simplify", "within",
]  # fmt: skip
