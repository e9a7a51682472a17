"""Frame: one call of a function, run from its tree, on symbols.

What is Python's own, numbers, lists, modules, is computed at once, as if the program
ran. What is a tensor's goes by the same `apply` as ever, and a recorder makes nodes of
it. So the whole library works in here. Two tables say what each kind of statement and
of expression means. (Chapter 7.)
"""

import ast
import builtins
from dataclasses import dataclass

from ..op import MISTAKES, stack
from ..trace.place import TraceError
from .source import ScriptError

EXPRESSIONS = {}  # {kind of node: (frame, node) -> its value}
STATEMENTS = {}  # {kind of node: (frame, node, the statements after it) -> Returned?}


def expression(*kinds):
    return lambda rule: [EXPRESSIONS.update({k: rule}) for k in kinds] and rule


def statement(*kinds):
    return lambda rule: [STATEMENTS.update({k: rule}) for k in kinds] and rule


@dataclass(frozen=True)
class Returned:
    """A block came to a `return`, and this is its value."""

    value: object


@dataclass(frozen=True)
class Missing:
    """In place of the value of a variable that may not be read."""

    reason: str


class Frame:
    """The variables of one call, and where in its source it is."""

    def __init__(self, source, names, outside, max_steps=None, parent=None, ends=True):
        self.source, self.names, self.outside = source, names, outside
        self.max_steps = max_steps  # of each loop whose condition is a tensor's
        self.parent = parent  # the frame around a branch, or around a loop's body
        self.ends = ends  # where its block ends the function does
        # Variables that would be Python numbers if a loop's state were not of tensors.
        self.numbers = set(parent.numbers) if parent else set()
        self.loops = 0  # how many blocks that Python runs, a loop's, lie around

    def child(self, changed=(), ends=False):
        """A frame for a branch or a body, in which variables have `changed`."""
        names = {**self.names, **dict(changed)}
        return Frame(self.source, names, self.outside, self.max_steps, self, ends)

    def refuse(self, node, problem, remedy):
        self.source.refuse(node, problem, remedy)

    def lookup(self, node):
        for names in (self.names, self.outside, vars(builtins)):
            if node.id in names:
                value = names[node.id]
                if isinstance(value, Missing):
                    self.refuse(node, f"reads `{node.id}`", value.reason)
                return value
        raise NameError(f"{self.source.place(node)}: {node.id} is not defined")

    def value(self, node):
        return EXPRESSIONS.get(type(node), by_python)(self, node)

    def block(self, statements):
        """Runs them; Returned where one of them returns."""
        for i, node in enumerate(statements):
            if type(node) not in STATEMENTS:
                self.refuse(node, *unknown(node))
            answer = self.run(node, statements[i + 1 :])
            if answer is not None:
                return answer
        return None

    def run(self, node, after):
        where, before = self.source.place(node), stack.recorder.where
        stack.recorder.where = where
        try:
            return STATEMENTS[type(node)](self, node, after)
        except TraceError as error:
            words = f"{where}: `{self.source.line(node)}` {told(error)}"
            raise ScriptError(words) from None
        except MISTAKES as error:
            raise located(error, where, self.source.line(node)) from error
        finally:
            stack.recorder.where = before


def told(error):
    """What a TraceError says, without the line that it says it of."""
    return str(error).rsplit("` ", 1)[-1].replace(", or script it", "")


def located(error, where, line):
    """`error`, with the line of the program in front; once."""
    if getattr(error, "located", False):
        return error
    kind = next(k for k in (*MISTAKES, Exception) if isinstance(error, k))
    words = str(error).removeprefix(f"{where}: ")
    error = kind(f"{where}: `{line}`: {words}")
    error.located = True
    return error


def by_python(frame, node):
    """The value of an expression that has no rule of its own: Python's."""
    code = compile(ast.Expression(body=node), frame.source.file, "eval")
    names = {k: v for k, v in frame.names.items() if not isinstance(v, Missing)}
    return eval(code, {**frame.outside, **names})


INSTEAD = {
    ast.Break: "put what ends the loop into the condition of a `while`",
    ast.Continue: "put the rest of the body under an `if`",
    ast.Try: "decide before the call what may fail",
    ast.FunctionDef: "define the function outside",
    ast.ClassDef: "define the class outside",
    ast.Import: "import at the top of the file",
    ast.ImportFrom: "import at the top of the file",
    ast.Global: "pass the variable in, and return it",
    ast.Nonlocal: "pass the variable in, and return it",
}


def unknown(node):
    remedy = INSTEAD.get(type(node), "keep it outside of the scripted function")
    return "can't be scripted", remedy
