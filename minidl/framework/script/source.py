"""Source: a function's text, its tokens and its tree. (Chapter 7.)

The first two stages of every compiler: the text is cut into words, and the words are
put into a tree by the grammar. Python brings both along.
"""

import ast
import inspect
import io
import textwrap
import tokenize
from dataclasses import dataclass

from ..trace.place import file_name


class ScriptError(RuntimeError):
    """The function does what can't be scripted; the message names the line."""


@dataclass(frozen=True)
class Token:
    kind: str  # NAME, NUMBER, OP, STRING, INDENT, ...
    text: str
    line: int

    def __str__(self):
        return f"{self.line:>4}  {self.kind:<8} {self.text!r}"


class Source:
    """The text of `function`, where it stands, and what it is made of."""

    def __init__(self, function):
        try:
            lines, first = inspect.getsourcelines(function)
        except (OSError, TypeError):
            raise ScriptError(
                f"the source of {function!r:.60} can't be found: script functions that "
                "are written in a file or a notebook"
            ) from None
        self.text, self.first = textwrap.dedent("".join(lines)), max(first, 1)
        self.file = file_name(inspect.getsourcefile(function))
        self.definition = definition(self.text, function)

    def line_number(self, node):
        return self.first + node.lineno - 1

    def place(self, node):
        return f"{self.file}:{self.line_number(node)}"

    def line(self, node):
        return self.text.splitlines()[node.lineno - 1].strip()

    def refuse(self, node, problem, remedy):
        raise ScriptError(
            f"{self.place(node)}: `{self.line(node)}` {problem}; {remedy}"
        )

    @property
    def tokens(self):
        words = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return tuple(
            Token(kind_of(word), word.string, self.first + word.start[0] - 1)
            for word in words
            if word.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER)
        )


def kind_of(word):
    return tokenize.tok_name[word.type]


def definition(text, function):
    """The tree of the `def` in `text`."""
    try:
        (tree,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        tree = None
    if not isinstance(tree, ast.FunctionDef):
        raise ScriptError(f"{function!r:.60} is no `def`: give the function a name")
    return tree


def outline(node, name="", depth=0):
    """The tree in lines: a node's kind and words, below it what it is made of."""
    words = [f"{k}={v}" for k, v in plain_fields(node)]
    label = f"{name}: " if name else ""
    yield "  " * depth + " ".join([label + type(node).__name__, *words])
    for key, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not is_plain(child):
                yield from outline(child, key, depth + 1)


def plain_fields(node):
    """The fields of a node that are words, not trees: names, constants, operators."""
    for key, value in ast.iter_fields(node):
        if is_plain(value) and not isinstance(value, ast.expr_context):
            yield key, type(value).__name__ if isinstance(value, ast.AST) else value
        elif isinstance(value, list) and value and all(map(is_plain, value)):
            yield key, ",".join(type(v).__name__ for v in value)


def is_plain(value):
    kinds = ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context
    return isinstance(value, (str, int, float, *kinds))
