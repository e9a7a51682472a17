"""quote: the source of anything in the library, by dotted name, not imported."""

import ast
import difflib
import re

from .environment import ROOT


def quote(name):
    """The source of `minidl.package.module.thing[.member]`, decorators included.

    `thing` is a function, class or top-level assignment such as a row of a table, or
    a kernel of a .cu file. Raises LookupError that lists names near it.
    """
    path, members = file_of(name.split("."))
    text = path.read_text(encoding="utf-8")
    if not members:
        return text.rstrip()
    if path.suffix == ".cu":
        return kernel(text, members[0])
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
        files = path.with_suffix(".py"), path.with_suffix(".cu"), path / "__init__.py"
        for candidate in files:
            if candidate.is_file():
                if candidate.name == "__init__.py" and n < len(parts) - 1:
                    break
                return candidate, parts[n:]
    raise LookupError(f"{'.'.join(parts)} is in no file of this project")


def kernel(text, name):
    """A function of CUDA C, from its comment to its closing brace."""
    whole = rf"(?:^//.*\n)*^\S.*\b{re.escape(name)}\((?:.*\n)*?^}}"
    found = re.search(whole, text, re.MULTILINE)
    if found is None:
        known = re.findall(r"__(?:global|device)__ \w+ (\w+)", text)
        near = ", ".join(difflib.get_close_matches(name, known)) or "nothing like it"
        raise LookupError(f"no kernel {name!r} in this file (there is: {near})")
    return found[0]


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
