"""A lab's notebook, made from its solution: the answers cut out, pictures run.

The notebook keeps a sum of its cells as they were made. Where the cells no longer have
that sum, somebody has worked in it, and it is left as it is.
"""

import hashlib
import re
import subprocess
from pathlib import Path

from ..environment import ROOT, KitError
from ..notebook import METADATA, environ, refuse_paths, tidy
from . import files, nbgrader

REGION = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION \(about (?P<lines>\d+) lines?\)\n"
    r".*?^ *### END SOLUTION *$",
    re.MULTILINE | re.DOTALL,
)


def stubbed(source):
    """`source` with each solution region replaced by an error that says what to do."""
    out, end = [], 0
    for match in REGION.finditer(source):
        before = source[: match.start()]
        name = re.findall(r"^ *(?:def|class) +(\w+)", before, re.MULTILINE)[-1]
        words = f"{name}: write your code here, about {match['lines']} lines"
        out += [source[end : match.start()]]
        out += [f'{match["indent"]}raise NotImplementedError("{words}")']
        end = match.end()
    text = "".join([*out, source[end:]])
    if "### BEGIN SOLUTION" in text or "### END SOLUTION" in text:
        raise KitError(
            "A solution region must read ### BEGIN SOLUTION (about N lines) ... "
            "### END SOLUTION."
        )
    return text


def cells(chapter):
    """The notebook that a solution makes, its answers cut out, not run."""
    import jupytext

    text = files.solution_path(chapter).read_text(encoding="utf-8")
    fresh = jupytext.reads(stubbed(text), fmt="py:percent")
    for i, cell in enumerate(fresh.cells):
        cell["id"] = f"{files.name(chapter)[:5]}-{i:02d}"
    nbgrader.mark(fresh, files.parts(chapter).values())
    fresh.metadata = {**METADATA, "minidl": {"made": digest(fresh)}}
    return fresh


def digest(notebook):
    """A sum of what the cells say."""
    parts = [(c.cell_type, c.source.strip()) for c in notebook.cells]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def state(chapter):
    """ "fresh", "missing", "stale", or "edited" where somebody has worked in it."""
    import nbformat

    path = files.lab_path(chapter)
    if not path.exists():
        return "missing"
    try:
        made = nbformat.read(path, as_version=4)
    except Exception:
        return "edited"
    if made.metadata.get("minidl", {}).get("made") != digest(made):
        return "edited"
    fresh = cells(chapter)
    same = nbgrader.marked(made) == nbgrader.marked(fresh)
    return "fresh" if same and digest(made) == digest(fresh) else "stale"


def make(chapter):
    """Writes the lab, its pictures drawn; one that was edited is kept."""
    import nbformat
    from nbclient import NotebookClient

    fresh = cells(chapter)
    client = NotebookClient(
        fresh,
        timeout=120,
        allow_errors=True,
        resources={"metadata": {"path": str(ROOT / "labs")}},
    )
    client.execute(env=environ(), stderr=subprocess.DEVNULL)
    for cell in fresh.cells:
        drawn = "picture" in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and not drawn:
            cell.outputs, cell.execution_count = [], None
        failed = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        if failed:
            raise KitError(
                f"{files.name(chapter)}: a picture fails: {failed[0].evalue}"
            )
        tidy(cell)
    widgets = fresh.metadata.get("widgets")
    fresh.metadata = {**METADATA, "minidl": {"made": digest(fresh)}}
    if widgets:
        fresh.metadata["widgets"] = widgets
    refuse_paths(chapter, fresh)
    nbformat.validate(fresh)
    path = Path(files.lab_path(chapter))
    path.parent.mkdir(exist_ok=True)
    path.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8", newline="\n")
