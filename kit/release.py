"""release: the archive that students get, with every lab and no answer.

It is made of what is named here and nothing else, so a new file of answers can't slip
in. A lab that somebody has worked in, or that its solution has left behind, stops it.
"""

import zipfile
from pathlib import Path

from . import chapters
from .environment import ROOT, KitError
from .labs import files, make

PARTS = (
    "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "environment.yml",
    "kit/**/*", "minidl/**/*", "book/**/*", "notebooks/*.ipynb", "labs/*",
    "benchmarks/results/*", "tests/labs/test_lab*.py",
)  # fmt: skip
TEXTS = ("AI_POLICY.md", "CHANGELOG.md")
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", "_build", "node_modules"}
WHEN = (2020, 1, 1, 0, 0, 0)  # the same files make the same archive


def main(arguments):
    out = Path(arguments.out)
    for chapter in files.all_labs():
        state = make.state(chapter)
        if state != "fresh":
            name = files.lab_path(chapter).relative_to(ROOT)
            raise KitError(
                f"{name} is {state}: python3 -m kit weave makes a stale one; put an "
                "edited one aside first. Nothing was released."
            )
    path = archive(out)
    print(f"{path}: {len(contents())} files, {path.stat().st_size / 1e6:.1f} MB")
    return 0


def contents():
    """The files of the archive, as paths below the project."""
    found = {path for pattern in PARTS for path in ROOT.glob(pattern) if path.is_file()}
    labs = [c for c in chapters.chapters() if files.checker_path(c).exists()]
    shown = {files.lab_path(c) for c in labs} | {files.checker_path(c) for c in labs}
    shown |= {ROOT / "labs" / name for name in TEXTS}
    return sorted(
        path.relative_to(ROOT)
        for path in found
        if not LEFT_OUT & set(path.parts) and belongs(path, shown)
    )


def belongs(path, shown):
    """Of labs and checkers just the files themselves: nothing that lies beside them."""
    return path in shown or path.parts[len(ROOT.parts)] not in ("labs", "tests")


def archive(out):
    """Writes the archive into the folder `out`; its path."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "minidl-labs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in contents():
            entry = zipfile.ZipInfo(f"minidl/{name.as_posix()}", WHEN)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, (ROOT / name).read_bytes())
    return path
