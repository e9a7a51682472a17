"""What the pages list, as Markdown: made from the manifest, chapters and checkers."""

import importlib
import json

from minidl.framework.op import Op

from .. import chapters
from ..environment import ROOT
from ..labs import files

WORDS, A_CELL = 200, 1.5  # read in a minute; minutes for a cell and its prediction


def labs():
    """A table for each lab: its parts, what they count, what they can stand in for."""
    return "\n\n".join(map(lab, files.all_labs()))


def lab(chapter):
    parts = files.parts(chapter).values()
    points = sum(part.points for part in parts)
    rows = [
        f"**{link(files.lab_path(chapter), chapter)}**, {points} points",
        "",
        "| part | points | properties | stands in for |",
        "|---|--:|--:|---|",
    ]
    for part in parts:
        target = ".".join(part.target.split(".")[-2:])
        target = f"`{target}`" if target else ""
        rows.append(
            f"| {part.name} | {part.points} | {len(part.properties)} | {target} |"
        )
    return "\n".join(rows)


def ready():
    """A list of the chapters that can be read now."""
    return "\n".join(f"- {chapter_link(chapter)}" for chapter in chapters.ready())


def planned():
    """The titles of the chapters to come, layer by layer."""
    titles = {}
    for chapter in chapters.chapters():
        if not chapter["ready"]:
            named = f"{chapter['title']} ({chapter['number']})"
            titles.setdefault(chapter["layer"], []).append(named)
    return "\n".join(f"- **{name}**: {', '.join(row)}" for name, row in titles.items())


def needs():
    """An entry for each chapter that is there: its layer, lab, and what it opens."""
    rows = []
    for chapter in chapters.ready():
        opens = [f"`{name.removeprefix('minidl.')}`" for name in chapter["modules"]]
        where = f"{where_of(chapter)}. Opens {', '.join(opens)}."
        rows.append(f"- **{chapter_link(chapter)}**: {where}")
    return "\n".join(rows)


def where_of(chapter):
    """A chapter's layer, and its lab with its points where it has one."""
    layer = f"layer {chapter['layer']}" if chapter["layer"] != "all" else "all layers"
    if chapter not in files.all_labs():
        return f"{layer}, no lab"
    points = sum(part.points for part in files.parts(chapter).values())
    return f"{layer}, [lab](/labs/{files.name(chapter)}.ipynb) of {points} points"


def times():
    """A row for each chapter that is there: its size, and an estimate of the time."""
    rows = ["| chapter | words | cells of code | about |", "|---|--:|--:|--:|"]
    for chapter in chapters.ready():
        words, cells = size_of(chapter)
        minutes = round((words / WORDS + cells * A_CELL) / 5) * 5
        named = chapter_link(chapter)
        rows.append(f"| {named} | {words:,} | {cells} | {minutes} minutes |")
    return "\n".join(rows)


def size_of(chapter):
    """(words of prose, cells of code) of a chapter's notebook."""
    made = json.loads(chapters.notebook_path(chapter).read_text(encoding="utf-8"))
    kinds = {"markdown": [], "code": []}
    for cell in made["cells"]:
        kinds[cell["cell_type"]].append("".join(cell["source"]))
    return sum(len(text.split()) for text in kinds["markdown"]), len(kinds["code"])


def operations():
    """A row for each operation of the framework: inputs, and what else holds of it."""
    rows = ["| operation | inputs | gradient | kind |", "|---|---|---|---|"]
    for name in ("ops", "composites", "convolution", "attention"):
        module = importlib.import_module(f"minidl.framework.{name}")
        found = {op.name: op for op in vars(module).values() if isinstance(op, Op)}
        rows += [operation(found[name]) for name in sorted(found)]
    return "\n".join(rows)


def operation(op):
    """A row: the inputs that a gradient can be asked for, and the kind of the row."""
    inputs = [
        *op.signature.inputs,
        *(f"*{rest}" for rest in [op.signature.rest] if rest),
    ]
    served = [name for name, asks in zip(inputs, op.signature.asks) if asks is not None]
    kinds = {"view": op.view, "writes": op.writes, "composition": op.composed}
    cells = (
        ", ".join(inputs),
        ", ".join(served),
        ", ".join(k for k in kinds if kinds[k]),
    )
    return f"| `{op.name}` | {' | '.join(cells)} |".replace("*", "\\*")


def policy():
    """What an AI assistant is asked, without the title of its page."""
    text = (ROOT / "labs" / "AI_POLICY.md").read_text(encoding="utf-8")
    return text.partition("\n")[2]


def chapter_link(chapter):
    return link(chapters.notebook_path(chapter), chapter)


def link(path, chapter):
    """A link, from any page, to a notebook: `02 Automatic differentiation`."""
    place = path.relative_to(ROOT).as_posix()
    return f"[{chapter['number']:02d} {chapter['title']}](/{place})"


LISTINGS = {
    f.__name__: f for f in (labs, ready, planned, needs, times, operations, policy)
}
