"""What was handed in: notebooks in a folder, in checkouts, or in a platform's archive.

Nothing is unpacked, no link is followed, no program of a checkout is run, and nothing
is read beyond a limit. What can't be graded is still handed on, with a sentence that
says why. A commit's time is its author's to write, so it is not believed; a file's and
an archive entry's time is.
"""

import os
import re
import stat
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ..environment import KitError
from ..labs import files
from . import names

LARGEST = 16 << 20  # bytes of a notebook
MOST_ENTRIES = 100_000  # files looked at
PASSED_BY = {".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__", ".venv"}
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_\w+?_?")
CANVAS = re.compile(
    r"(?P<name>[^_]+?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)", re.IGNORECASE
)
FLAT = re.compile(r"(?P<name>.+?)[_ -](?P<file>lab\d\d.*)", re.IGNORECASE)
BY_NAME = re.compile(r"lab[_ -]?(\d\d)(?!\d)", re.IGNORECASE)
AGAIN = re.compile(r"-(\d+)\.ipynb$|\((\d+)\)\.ipynb$")  # how often it came before
IN_TEXT = (
    re.compile(rb"checker\((\d{1,2})\)"),
    re.compile(rb'"id": ?"lab(\d\d)-'),
    re.compile(rb"# Lab (\d\d):"),
)


@dataclass(frozen=True)
class Found:
    """One notebook, or what stands in its place."""

    identity: str  # of the student, as the platform tells them apart
    student: str  # how they are called
    lab: str  # "" where it can't be told
    path: str  # below SUBMISSIONS
    source: tuple  # (file, entry of the archive or None)
    when: float = 0.0  # seconds, UTC
    again: int = 0  # the platform's count of what the same student handed in
    late: bool = False  # the platform says so
    problem: str = ""


def collect(place):
    """Every Found in a folder or an archive, in order of student, lab and time."""
    place = Path(place)
    if place.is_dir():
        found = [described(*entry) for entry in of_folder(place)]
    elif zipfile.is_zipfile(place):
        found = [described(*entry) for entry in of_archive(place)]
    else:
        raise KitError(
            f"{place} is neither a folder nor a zip archive. Give a folder with one "
            "folder a student, or the archive that your platform exports."
        )
    if not found:
        raise KitError(f"There is no notebook (.ipynb) in {place}.")
    return sorted(found, key=lambda f: (f.identity, f.lab, f.when, f.again, f.path))


def of_folder(place):
    """(path below, source, time, trouble) of each notebook in a folder."""
    seen = 0
    for folder, inside, entries in os.walk(place):
        links = [name for name in inside if os.path.islink(os.path.join(folder, name))]
        inside[:] = sorted(n for n in inside if n not in PASSED_BY and n not in links)
        for name in sorted([*entries, *links]):
            path = os.path.join(folder, name)
            seen += 1
            if seen > MOST_ENTRIES:
                raise KitError(f"{place} has more than {MOST_ENTRIES:,} files.")
            if wanted(name) or (os.path.islink(path) and name in links):
                status = os.lstat(path)
                good = stat.S_ISREG(status.st_mode)
                trouble = "" if good else "it is a link or no file; it was not opened"
                below = os.path.relpath(path, place).replace(os.sep, "/")
                yield below, (path, None), status.st_mtime, trouble


def of_archive(place):
    """The same of each notebook in a zip, whose entries are never written anywhere."""
    with zipfile.ZipFile(place) as archive:
        entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise KitError(f"{place} has more than {MOST_ENTRIES:,} entries.")
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if not wanted(PurePosixPath(name).name) or PASSED_BY & set(name.split("/")):
            continue
        trouble = ""
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            trouble = "its path in the archive leads out of it"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            trouble = "it is a link; it was not followed"
        yield name, (str(place), entry.filename), entry_time(entry), trouble


def wanted(name):
    return name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def entry_time(entry):
    try:
        return datetime(*entry.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def described(below, source, when, trouble):
    """The Found of a notebook: whose it is and of which lab, from its path and text."""
    *folders, name = [part for part in below.split("/") if part not in ("", ".", "..")]
    identity, student, file, late = owner(folders, name)
    lab = BY_NAME.search(file) or BY_NAME.search("/".join(folders[1:]))
    number = lab and int(lab[1])
    if number not in labs() and not trouble:
        number = number_in_text(source)
    again = AGAIN.search(name)
    if number not in labs() and not trouble:
        trouble = "which lab it is can't be told from its name or text"
    return Found(
        identity, names.label(student), labs().get(number, ""),
        names.label(below), source, when,
        int((again[1] or again[2])[:6]) if again else 0, late, trouble,
    )  # fmt: skip


def owner(folders, name):
    """(identity, name, rest of the file's name, late) of the student."""
    if folders:
        moodle = MOODLE.fullmatch(folders[0])
        if moodle:
            return folders[0], moodle["name"], name, False
        return folders[0], folders[0], name, False
    for shape in (CANVAS, FLAT):
        match = shape.fullmatch(name)
        if match:
            found = match.groupdict()
            mark = f"{found['name']}_{found['id']}" if "id" in found else found["name"]
            return mark, found["name"], found["file"], bool(found.get("late"))
    stem = name.partition(".")[0]
    return stem, stem, name, False


def labs():
    return {c["number"]: files.name(c) for c in files.all_labs()}


def number_in_text(source):
    """The number of the lab that a renamed notebook is of, or None."""
    try:
        content = read(source)
    except ValueError:
        return None
    for pattern in IN_TEXT:
        numbers = {int(n) for n in pattern.findall(content)}
        if len(numbers) == 1:
            return numbers.pop()
    return None


def read(source):
    """The bytes of a notebook; ValueError that says why it has none to grade."""
    path, entry = source
    try:
        content = read_entry(path, entry) if entry else read_file(path)
    except (OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise ValueError(f"it can't be read: {names.label(error)}") from None
    except zipfile.BadZipFile:
        raise ValueError("it is damaged in the archive") from None
    except Exception as error:  # zlib.error, lzma's and what else a bomb may raise
        raise ValueError(f"it can't be unpacked: {names.label(error)}") from None
    if len(content) > LARGEST:
        raise ValueError(
            f"it is larger than {LARGEST >> 20} MB. Clear its outputs and hand it in "
            "again"
        )
    return content


def read_file(path):
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no file")
        return file.read(LARGEST + 1)


def read_entry(path, entry):
    with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
        return file.read(LARGEST + 1)
