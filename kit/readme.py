"""The README's table of chapters, made from the manifest between two markers."""

import re

from . import chapters
from .environment import ROOT
from .labs import files

TABLE = re.compile(r"(<!-- chapters -->\n).*?(<!-- /chapters -->)", re.DOTALL)


def readme():
    """The README with its table as the manifest has it now."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return TABLE.sub(lambda match: match[1] + table() + match[2], text)


def table():
    rows = ["| | chapter | layer | status | lab |", "|---|---|---|---|---|"]
    for chapter in chapters.chapters():
        title, status = chapter["title"], "planned"
        if chapter["ready"]:
            status = "ready"
            title = f"[{title}](notebooks/{chapters.stem(chapter)}.ipynb)"
        lab = ""
        if files.checker_path(chapter).exists():
            lab = f"[{files.name(chapter)[:5]}](labs/{files.name(chapter)}.ipynb)"
        number, layer = chapter["number"], chapter["layer"]
        rows.append(f"| {number:02d} | {title} | {layer} | {status} | {lab} |")
    return "\n".join(rows) + "\n"
