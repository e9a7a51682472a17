"""Where the files of a lab are, by its chapter."""

import importlib.util

from .. import chapters
from ..environment import ROOT, KitError


def name(chapter):
    return f"lab{chapters.stem(chapter)}"


def solution_path(chapter):
    return ROOT / "solutions" / f"{name(chapter)}.py"


def lab_path(chapter):
    return ROOT / "labs" / f"{name(chapter)}.ipynb"


def checker_path(chapter):
    return ROOT / "tests" / "labs" / f"test_{name(chapter)}.py"


def answers_path(chapter):
    return ROOT / "tests" / "labs" / f"answers_{name(chapter)}.py"


def numbered(number):
    """The chapter with that number; KitError where it has no lab."""
    with_lab = {c["number"]: c for c in all_labs()}
    if number not in with_lab:
        found = ", ".join(f"{n:02d}" for n in with_lab)
        raise KitError(f"There is no lab {number:02d}; there are: {found}.")
    return with_lab[number]


def all_labs():
    """The chapters that have a lab: those with a checker."""
    return [c for c in chapters.chapters() if checker_path(c).exists()]


def load(path):
    """The module in a file, under its own name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parts(chapter):
    """The parts of a lab by name, as its checker has them."""
    return {part.name: part for part in load(checker_path(chapter)).PARTS}
