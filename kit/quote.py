"""quote: the source of anything in the library, by dotted name, not imported."""

import ast
import difflib

from .environment import ROOT


def quote(name):
    """The source of `minidl.package.module.thing[.member]`, decorators included.

    `thing` is a function, class or top-level assignment such as a row of a table.
    Raises LookupError that lists names near it.
    """
    path, members = file_of(name.split("."))
    text = path.read_text(encoding="utf-8")
    if not members:
        return text.rstrip()
    body, node = ast.parse(text).body, None
    for i, member in enumerate(members):
        defined = {label: item for item in body for label in labels(item)}
        if member not in defined:
            near = (
                ", ".join(difflib.get_close_matches(member, defined))
                or "nothing like it"
            )
            where = ".".join(name.split(".")[: len(name.split(".")) - len(members) + i])
            raise LookupError(f"{where} defines no {member!r} (there is: {near})")
        node = defined[member]
        body = getattr(node, "body", [])
    return cut(text.splitlines(), node)


def file_of(parts):
    """(file, the parts of a dotted name that stand inside it)."""
    for n in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:n])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                if candidate.name == "__init__.py" and n < len(parts) - 1:
                    break
                return candidate, parts[n:]
    raise LookupError(f"{'.'.join(parts)} is in no file of this project")


def labels(item):
    """The names that a statement defines."""
    if isinstance(item, ast.FunctionDef | ast.ClassDef):
        return [item.name]
    targets = (
        item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", 0)]
    )
    names = [t for target in targets for t in getattr(target, "elts", [target])]
    return [t.id for t in names if isinstance(t, ast.Name)]


def cut(lines, node):
    """The lines of `node`, decorators included, moved to the left margin."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    chosen = lines[first - 1 : node.end_lineno]
    margin = len(chosen[0]) - len(chosen[0].lstrip())
    return "\n".join(line[margin:] for line in chosen)
