"""One notebook: its cells from the chapter's text, its run, and whether it is fresh."""

import os
import re
import site
import subprocess
import tempfile
from pathlib import Path

from . import chapters
from .environment import ROOT, KitError
from .quote import quote

QUOTE = re.compile(r"^```\{quote\} *(\S+) *\n```$", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py"},
}
ENVIRONMENT = {
    "TQDM_DISABLE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def cells(chapter):
    """The notebook that a chapter's text makes, not run."""
    import jupytext

    path = chapters.book_path(chapter)
    if not path.exists():
        raise KitError(f"book/{path.name} is missing; the manifest calls it ready.")
    text = QUOTE.sub(
        lambda match: quoted(match, path), path.read_text(encoding="utf-8")
    )
    fresh = jupytext.reads(text, fmt="md:myst")
    fresh.metadata = dict(METADATA)
    for i, cell in enumerate(fresh.cells):
        cell["id"] = f"{chapter['number']:02d}-{i:02d}"
    return fresh


def quoted(match, path):
    try:
        language = "c" if ".cuda." in match[1] else "python"
        return f"```{language}\n{quote(match[1])}\n```"
    except LookupError as error:
        line = match.string.count("\n", 0, match.start()) + 1
        raise KitError(f"book/{path.name}, line {line}: {error}") from None


def stale(chapter):
    """Why the notebook is not what its text makes, or None."""
    import nbformat

    path = chapters.notebook_path(chapter)
    if not path.exists():
        return "missing"
    made, fresh = nbformat.read(path, as_version=4), cells(chapter)
    if len(made.cells) != len(fresh.cells):
        return f"has {len(made.cells)} cells, its text {len(fresh.cells)}"
    for i, (old, new) in enumerate(zip(made.cells, fresh.cells, strict=True)):
        if signature(old) != signature(new):
            return f"cell {i} differs from its text or from the source it quotes"
        if old.cell_type == "code" and old.source and not old.execution_count:
            return f"cell {i} was never run"
    if not any(cell.get("outputs") for cell in made.cells):
        return "has no outputs"
    return None


def signature(cell):
    return cell.cell_type, cell.source, cell.metadata.get("tags", [])


def make(chapter, progress):
    """Runs the chapter's cells, writes its notebook; KitError names a failing cell."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    fresh = cells(chapter)
    client = NotebookClient(
        fresh,
        timeout=300,
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
        on_cell_executed=lambda **info: progress(),
    )
    try:
        client.execute(env=environ(), stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise KitError(
            f"\n{chapters.stem(chapter)} fails:\n{plain(str(error))}"
        ) from None
    for cell in fresh.cells:
        tidy(cell)
    tidy_metadata(fresh)
    refuse_paths(chapter, fresh)
    path = chapters.notebook_path(chapter)
    nbformat.validate(fresh)
    path.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8", newline="\n")


def environ():
    return {**os.environ, **ENVIRONMENT}


def tidy(cell):
    """Leaves what a reader sees of a run: joined streams, bare errors, no times."""
    cell.metadata.pop("execution", None)
    if cell.cell_type != "code":
        return
    outputs = []
    for output in cell.outputs:
        if output.output_type == "error":
            output.traceback = [f"{output.ename}: {plain(output.evalue)}"]
        joins = outputs and output.output_type == "stream" == outputs[-1].output_type
        if joins and outputs[-1].name == output.name:
            outputs[-1].text += output.text
        else:
            outputs.append(output)
    cell.outputs = outputs


def tidy_metadata(fresh):
    widgets = fresh.metadata.get("widgets")
    fresh.metadata = {**METADATA, **({"widgets": widgets} if widgets else {})}


def plain(text):
    """`text` without a terminal's colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def refuse_paths(chapter, fresh):
    """KitError where an output names a folder of this machine."""
    folders = {
        str(ROOT),
        str(Path.home()),
        tempfile.gettempdir(),
        *site.getsitepackages(),
    }
    for i, cell in enumerate(fresh.cells):
        text = str([list(output.items()) for output in cell.get("outputs", [])])
        found = [
            folder for folder in folders if f"{folder}/" in text and len(folder) > 1
        ]
        if found:
            raise KitError(
                f"{chapters.stem(chapter)}, cell {i}: its output names {found[0]}, a "
                "folder of this machine."
            )
