"""The manifest of chapters, minidl/chapters.toml, as the kit reads it."""

import tomllib

from .environment import ROOT


def chapters():
    """Every chapter, ready or not, in order: a dict of the manifest's fields."""
    text = (ROOT / "minidl" / "chapters.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["chapter"]


def ready():
    return [chapter for chapter in chapters() if chapter["ready"]]


def stem(chapter):
    """The file name of a chapter's text, notebook and lab, `02_autodiff`."""
    return f"{chapter['number']:02d}_{chapter['name']}"


def book_path(chapter):
    return ROOT / "book" / f"{stem(chapter)}.md"


def notebook_path(chapter):
    return ROOT / "notebooks" / f"{stem(chapter)}.ipynb"
