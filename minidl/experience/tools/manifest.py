"""The manifest of layers and chapters, minidl/chapters.toml, read once."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def manifest():
    """{"layer": [...], "chapter": [...]} as the file has it."""
    return tomllib.loads((files("minidl") / "chapters.toml").read_text("utf-8"))


def ready_chapters():
    """The numbers of the chapters that are there."""
    return {c["number"] for c in manifest()["chapter"] if c["ready"]}
