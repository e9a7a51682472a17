"""What of a checker's file a part needs, as source: the rest is not sent.

The process in which a student's code runs gets the functions that `call` reaches, and
their imports. Judges, cases and witnesses stay with the parent.
"""

import ast
import hashlib
import inspect
from functools import cache
from pathlib import Path


def tree(path):
    return parsed(Path(path).read_text("utf-8"))[0]


def bindings(path):
    return parsed(Path(path).read_text("utf-8"))[1]


@cache
def parsed(text):
    """(the tree of a text, {a name at its top: the statement that binds it last})."""
    whole = ast.parse(text)
    return whole, {name: s for s in whole.body for name in bound(s)}


def bound(statement):
    """The names that a statement at the top binds."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [name for alias in statement.names for name in bound_by(alias)]
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    nodes = [n for t in targets if t is not None for n in ast.walk(t)]
    return [n.id for n in nodes if isinstance(n, ast.Name)]


def bound_by(alias):
    return [alias.asname or alias.name.partition(".")[0]]


def names_in(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def reached(path, names):
    """The names at the top of the file that `names` need, they included."""
    top, found, waiting = bindings(path), set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in top and name not in found:
            found.add(name)
            waiting += names_in(top[name])
    return found


def source(path, names):
    """The statements that bind `names` and what these need, in the file's order."""
    return written(tree(path), frozenset(reached(path, names)))


@cache
def written(whole, wanted):
    kept = [only(s, wanted & set(bound(s))) for s in whole.body]
    return "\n".join(ast.unparse(s) for s in kept if s is not None)


def only(statement, names):
    """A statement, an import without other names; None where it binds none of them."""
    if not names:
        return None
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return statement
    used = [a for a in statement.names if set(bound_by(a)) & names]
    return type(statement)(**{**vars(statement), "names": used})


def expression(path, function):
    """The source of one `call`: its name, or a lambda as it is written.

    ValueError for a function made inside another, whose values can't be sent.
    """
    if function.__name__ in bindings(path):
        return function.__name__
    if function.__name__ == "<lambda>" and not function.__closure__:
        line = function.__code__.co_firstlineno
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Lambda) and node.lineno == line:
                made = eval(compile(ast.Expression(node), str(path), "eval"))
                if likeness(made.__code__) == likeness(function.__code__):
                    return ast.unparse(node)
    raise ValueError(
        f"{Path(path).name}: the call {function.__qualname__} must be a function at "
        "the top of the file, or a lambda that uses no variable of a function around "
        "it."
    )


def likeness(code):
    plain = [c for c in code.co_consts if not hasattr(c, "co_code")]
    return code.co_names, code.co_varnames, plain


def calls(path, part):
    """(source for the child, one expression for each property's `call`)."""
    expressions = [expression(path, rule.call) for rule in part.properties]
    names = set().union(*(names_in(ast.parse(e)) for e in expressions))
    return source(path, names), expressions


def inputs(rule, case):
    """The part of a case that `call` takes: what else it has is for the judge."""
    parameters = inspect.signature(rule.call).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return case
    return {key: value for key, value in case.items() if key in parameters}


def digest(path, part):
    """A sum of all that the file says of one part: judges, cases and points too."""
    text = said(tree(path), path, part.name)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def said(whole, path, name):
    for node in ast.walk(whole):
        if isinstance(node, ast.Call) and names_in(node.func) == {"Part"}:
            given = node.args[:1] + [k.value for k in node.keywords if k.arg == "name"]
            if any(isinstance(g, ast.Constant) and g.value == name for g in given):
                return ast.unparse(node) + "\n" + source(path, names_in(node))
    return ast.unparse(whole)
