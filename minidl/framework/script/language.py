"""What can be scripted: the tables of `frame`, with all their rules. (Chapter 7.)"""

from . import branches, calls, expressions, loops, statements
from .calls import perform, readable
from .frame import EXPRESSIONS, STATEMENTS

__all__ = ["perform", "readable", "supported"]

RULES = branches, calls, expressions, loops, statements  # each fills the tables


def supported():
    """The kinds of Python's tree that have a rule, by name."""
    tables = {"statements": STATEMENTS, "expressions": EXPRESSIONS}
    return {k: sorted(kind.__name__ for kind in v) for k, v in tables.items()}
