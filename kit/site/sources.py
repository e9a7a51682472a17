"""The folder that Sphinx reads: pages, executed notebooks, labs, what is generated.

It has the shape of the project, so that links between notebooks and labs hold in both.
A file is written only where it differs: Sphinx builds again what is new.
"""

import shutil

import nbformat
import yaml

from .. import chapters
from ..environment import ROOT, KitError
from ..labs import files, make
from . import alt, architecture, packages
from .tables import tables

BOOK = ROOT / "book"
BUILD = BOOK / "_build"
SOURCE, EXTRA, HTML = BUILD / "source", BUILD / "extra", BUILD / "html"
PARTS = {".md", ".svg", ".png", ".bib"}


def gather():
    """Makes the source folder anew, but for what has not changed."""
    made = {**pages(), **notebooks(), **generated()}
    gone = {path for path in known() if path not in made}
    if gone:  # a page that is no more must not stay in the site
        shutil.rmtree(BUILD)
    for path, content in made.items():
        write(SOURCE / path, content)
    shutil.copytree(BOOK / "_static", SOURCE / "_static", dirs_exist_ok=True)
    shutil.copytree(BOOK / "_extra", EXTRA / "vendor", dirs_exist_ok=True)
    packages.copy(EXTRA / "vendor")


def known():
    """The paths in the source folder that `gather` wrote before."""
    files = (path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_file())
    return {path.as_posix() for path in files if path.parts[0] != "_static"}


def write(path, content):
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def pages():
    """{path: content} of what is written by hand; KitError where _toc.yml lacks one."""
    found = {path.relative_to(BOOK).as_posix(): path for path in written()}
    texts = {f"{chapters.stem(c)}.md" for c in chapters.chapters()}
    found = {name: path for name, path in found.items() if name not in texts}
    named = {name.removesuffix(".md") for name in found if name.endswith(".md")}
    listed = set(entries(hand_written()))
    if unlisted := named - listed:
        raise KitError(f"book/_toc.yml does not list {', '.join(sorted(unlisted))}.")
    if absent := listed - named:
        raise KitError(
            f"book/_toc.yml lists {', '.join(sorted(absent))}, and book/ has no such "
            "page."
        )
    return {name: path.read_bytes() for name, path in found.items()}


def written():
    """The files in book/ that pages are made of."""
    for path in BOOK.rglob("*"):
        top = path.relative_to(BOOK).parts[0]
        if path.suffix in PARTS and not top.startswith(("_", "node_modules")):
            yield path


def generated():
    """{path: content} of what is made from elsewhere."""
    texts = {
        "_toc.yml": yaml.safe_dump(table_of_contents(), sort_keys=False),
        "performance_tables.md": tables(),  # which performance.md includes
        "architecture.svg": architecture.svg(),
    }
    return {path: text.encode() for path, text in texts.items()}


def hand_written():
    return yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))


def entries(toc):
    """The pages that a table of contents, or an entry of it, names itself."""
    yield from (toc[key] for key in ("root", "file") if key in toc)
    for part in ("parts", "chapters", "sections"):
        for entry in toc.get(part, ()):
            yield from entries(entry)


def table_of_contents():
    """book/_toc.yml with the pages in place that it takes `from` elsewhere."""
    sources = {
        "chapters": [
            {"file": page(chapters.notebook_path(c)), "title": titled(c)}
            for c in ready()
        ],
        "labs": [{"file": page(files.lab_path(c))} for c in files.all_labs()],
    }
    toc = hand_written()
    for part in toc["parts"]:
        if source := part.pop("from", None):
            part["chapters"] = [*part.get("chapters", ()), *sources[source]]
    return toc


def titled(chapter):
    return f"{chapter['number']:02d} {chapter['title']}"


def page(path):
    return path.relative_to(ROOT).with_suffix("").as_posix()


def ready():
    """The chapters with their notebooks; KitError where one is missing."""
    missing = [c for c in chapters.ready() if not chapters.notebook_path(c).exists()]
    if missing:
        raise KitError(
            f"notebooks/{chapters.stem(missing[0])}.ipynb is missing: python3 -m kit "
            "weave makes it."
        )
    return chapters.ready()


def notebooks():
    """{path: content} of chapters and labs, with words for their pictures."""
    found = [(path, read(path)) for path in map(chapters.notebook_path, ready())]
    found += [(files.lab_path(c), lab(c)) for c in files.all_labs()]
    return {
        path.relative_to(ROOT).as_posix(): with_words(notebook).encode()
        for path, notebook in found
    }


def read(path):
    return nbformat.read(path, as_version=4)


def lab(chapter):
    """The task as it is given out, though somebody has worked in the file."""
    path = files.lab_path(chapter)
    if files.solution_path(chapter).exists() and make.state(chapter) != "fresh":
        print(f"{path.name} is {make.state(chapter)}: the site has its text only.")
        return make.cells(chapter)
    return read(path)


def with_words(notebook):
    """The text of a notebook whose cells carry words for the pictures they drew."""
    for i, words in alt.pictures(notebook).items():
        notebook.cells[i].metadata["alt"] = words
    alt.name_frames(notebook)
    return nbformat.writes(notebook)
