"""weave: from the text of a chapter to its notebook, executed, and other derived files.

book/NN_name.md is written by hand; notebooks/NN_name.ipynb is made from it: source
quoted by name put in, cells run, outputs kept. `--check` says what is stale and runs
nothing.
"""

import sys
import time

from . import chapters, notebook
from .environment import ROOT, KitError
from .labs import files
from .labs import make as make_lab
from .readme import readme


def stack_picture():
    from minidl.experience.tools.stack import stack_svg

    return stack_svg()


DERIVED = {"README.md": readme, "book/stack.svg": stack_picture}  # path: its content


def main(arguments):
    """Makes what is stale; with --check only names it, and fails if there is any."""
    wanted = [
        chapter
        for chapter in chapters.ready()
        if not arguments.chapters or chapter["number"] in arguments.chapters
    ]
    unknown = set(arguments.chapters) - {chapter["number"] for chapter in wanted}
    if unknown:
        raise KitError(f"No ready chapter {', '.join(map(str, sorted(unknown)))}.")
    return check(wanted) if arguments.check else make(wanted, arguments.force)


def check(wanted):
    complaints = [f"{path}: {why}" for path, why in stale_files()]
    for chapter in wanted:
        why = notebook.stale(chapter)
        if why:
            complaints.append(f"notebooks/{chapters.stem(chapter)}.ipynb: {why}")
    for chapter in labs(wanted):
        why = make_lab.state(chapter)
        if why != "fresh":
            complaints.append(f"labs/{files.name(chapter)}.ipynb: {why}")
    for line in complaints + orphans():
        print(line, file=sys.stderr)
    if complaints or orphans():
        print("Stale. python3 -m kit weave makes them anew.", file=sys.stderr)
        return 1
    print(
        f"{len(wanted)} notebooks, {len(labs(wanted))} labs and {len(DERIVED)} other "
        "files are fresh."
    )
    return 0


def make(wanted, force):
    for path, _ in stale_files():
        (ROOT / path).write_text(DERIVED[path](), encoding="utf-8", newline="\n")
        print(f"{path}: written")
    for chapter in wanted:
        name = chapters.stem(chapter)
        if not force and not notebook.stale(chapter):
            print(f"{name}: fresh")
            continue
        print(f"{name}: running", end="", flush=True)
        start = time.monotonic()
        notebook.make(chapter, lambda: print(".", end="", flush=True))
        print(f" {time.monotonic() - start:.0f} s")
    for chapter in labs(wanted):
        print(f"{files.name(chapter)}: {weave_lab(chapter, force)}", flush=True)
    return 0


def labs(wanted):
    """The chapters among `wanted` that have a lab and its solution."""
    return [c for c in wanted if files.solution_path(c).exists()]


def weave_lab(chapter, force):
    """Makes a lab that is stale; never one that somebody has worked in."""
    state = make_lab.state(chapter)
    if state == "edited":
        path = files.lab_path(chapter).relative_to(ROOT)
        return f"you have worked in {path}; it is kept. Move it away for a new one"
    if state == "fresh" and not force:
        return "fresh"
    make_lab.make(chapter)
    return "made"


def stale_files():
    """(path, why) for each derived file that is not what it should be."""
    for path, content in DERIVED.items():
        file = ROOT / path
        if not file.exists():
            yield path, "missing"
        elif file.read_text(encoding="utf-8") != content():
            yield path, "differs from what it is made from"


def orphans():
    """Notebooks that no ready chapter stands behind."""
    known = {chapters.notebook_path(chapter) for chapter in chapters.ready()}
    found = sorted((ROOT / "notebooks").glob("*.ipynb"))
    return [f"notebooks/{path.name}: no chapter" for path in found if path not in known]
