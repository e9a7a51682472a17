"""The corpus as submissions: written into a folder, and what must come of each."""

from dataclasses import dataclass
from pathlib import Path

import jupytext
from broken import BROKEN, GOOD, NAME, NAMES, notebook

HERE = Path(__file__).parent
CHECKER = HERE / "lab90_small.py"
FAMILIES = ("reading", "forging", "exhausting", "escaping", "injecting")
MARK = "minidl-hostile"  # what a submission makes is called so


@dataclass(frozen=True)
class Expected:
    student: str  # the name of the folder
    scaled: float
    running: float | None  # None: it has broken its own way of answering
    told: str = ""  # words among what is said about the submission


def attacks():
    """{name: (source, Expected)} of the cells of the families' files."""
    found = {}
    for family in FAMILIES:
        text = (HERE / f"{family}.py").read_text("utf-8")
        for cell in jupytext.reads(text, fmt="py:percent").cells:
            title = cell.metadata.get("title")
            if title:
                points = cell.metadata["scaled"], cell.metadata.get("running")
                found[title] = cell.source, Expected(title, *points)
    return found


def expected():
    """Everything that is handed in, by name."""
    made = {name: what for name, (_, what) in attacks().items()}
    made |= {n: Expected(n, *points) for n, (_, *points) in BROKEN.items()}
    return made | {f"name {n!r}": Expected(n, 10, 5) for n in NAMES}


def write(folder, **words):
    """Writes all submissions below `folder`; `words` are replaced in the attacks."""
    for name, (source, _) in attacks().items():
        for old, new in words.items():
            source = source.replace(old, str(new))
        place = student(folder, name)
        text = notebook(GOOD["imports"], GOOD["running"], source)
        (place / NAME).write_text(text, "utf-8", "surrogateescape")
    for name, (make, *_) in BROKEN.items():
        make(student(folder, name))
    for name in NAMES:
        (student(folder, name) / NAME).write_text(notebook())


def student(folder, name):
    place = folder / name
    place.mkdir(parents=True)
    return place
