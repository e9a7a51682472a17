"""Grading one submission: a Task in, a Graded out.

First every part is asked with the inputs that students can see for themselves, and all
that a student will read comes from there. Only then hidden inputs go in, and nothing
comes out of it for the student but whether they held: what code sees second can't tell
by what was said first. A property holds where both hold. A part that comes to no end,
or has an end that is none, earns nothing; the others are graded.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import monotonic

import numpy as np

from ..environment import ROOT
from ..labs import excerpt, files, plain
from ..labs.examine import ask, cases_of, cells_in
from ..labs.run import Child, Here
from . import sandbox
from .intake import read
from .result import Graded, PartResult, PropertyResult, Submission
from .seeds import mark, part_seed

PATIENCE = 3  # waits so many times the seconds that a part may compute
HIDDEN = "It holds for the public inputs, and fails for a hidden one."
HIDDEN_TROUBLE = "It holds for the public inputs, and comes to no end on a hidden one."
ENGINE = ("kit/labs/[cepr]*.py", "kit/grading/engine.py", "kit/grading/sandbox.py",
          "kit/grading/template.py", "kit/grading/cage.py", "kit/grading/inside.py",
          "kit/grading/confine.py", "kit/grading/seccomp.py",
          "minidl/**/*.py")  # fmt: skip
MOST_CODE = 100_000  # characters of a student's code that are kept


@dataclass(frozen=True)
class Task:
    """All that grading one submission needs, as data that can go to other machines."""

    submission: Submission
    source: tuple  # where its notebook is read from
    checker: str  # the checker's file
    seed: str
    sandboxed: bool = True
    before: Graded | None = None  # of an earlier run: what still holds is taken
    penalty: float = 0.0


def grade(task):
    """(the Graded, {part: seconds}); it raises nothing that a submission causes."""
    submission, cells = opened(task)
    parts = list(parts_of(task.checker).values())
    kept = still_valid(task, submission)
    todo = [part for part in parts if part.name not in kept]
    if not cells:
        found = {part.name: (nothing(task, part), 0.0) for part in todo}
    else:
        found = examined(task, todo, cells)
    seconds = {name: spent for name, (_, spent) in found.items() if spent}
    results = [kept.get(p.name) or found[p.name][0] for p in parts]
    notes = dict.fromkeys(note for part in results for note in part.notes)
    found = submission, tuple(results), task.penalty, tuple(notes), shortened(cells)
    return Graded(*found), seconds


def opened(task):
    """(the submission with its digest, its cells), or with what is wrong with it."""
    submission = task.submission
    if not submission.path or not task.source:
        return submission, []
    try:
        content = read(task.source)
        digest = hashlib.sha256(content).hexdigest()
        submission = replace(submission, digest=digest)
        return submission, cells_in(content)
    except ValueError as error:
        words = f"It was not graded: {error}."
        return replace(submission, problems=(*submission.problems, words)), []


def still_valid(task, submission):
    """{part: its earlier result}, of the parts that nothing has changed for."""
    before = task.before
    if before is None or before.submission.digest != submission.digest:
        return {}
    if before.submission.problems != submission.problems:
        return {}
    now = {name: digest_of(task, name) for name in parts_of(task.checker)}
    return {p.name: p for p in before.parts if p.checker == now.get(p.name)}


def digest_of(task, name):
    """A sum of what a part's result depends on besides the submission."""
    part = parts_of(task.checker)[name]
    said = excerpt.digest(task.checker, part) + engine_digest() + mark(task.seed)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


@cache
def engine_digest():
    """A sum of the kit's and the library's files that grading runs."""
    total = hashlib.sha256()
    for pattern in ENGINE:
        for path in sorted(ROOT.glob(pattern)):
            total.update(path.relative_to(ROOT).as_posix().encode())
            total.update(path.read_bytes())
    return total.hexdigest()


def parts_of(checker):
    """The parts of a checker by name; none where the lab is not known."""
    if not checker:
        return {}
    return loaded(checker, Path(checker).read_bytes())


@cache
def loaded(checker, content):
    return {part.name: part for part in files.load(Path(checker)).PARTS}


def examined(task, parts, cells):
    """{part: (its result, seconds)}: all parts in public first, then hidden."""
    started, spent = {}, {part.name: 0.0 for part in parts}
    warm = any("simt" in excerpt.calls(task.checker, part)[0] for part in parts)
    launch = partial(sandbox.launch, warm=warm) if task.sandboxed else Here
    with Child(launch, PATIENCE) as child:
        for stage in (public, hidden):
            for part in parts:
                start = monotonic()
                stage(child, task, part, cells, started)
                spent[part.name] += monotonic() - start
    return {p.name: (merged(task, p, *started[p.name]), spent[p.name]) for p in parts}


def public(child, task, part, cells, verdicts):
    cases = cases_of(part)
    verdicts[part.name] = [ask(child, task.checker, part, cells, cases), None]


def hidden(child, task, part, cells, verdicts):
    seen = verdicts[part.name][0]
    cases = [] if seen.trouble else hidden_cases(task, part, seen.failed)
    if cases:
        found = ask(child, task.checker, part, cells, cases)
        verdicts[part.name][1] = found


def hidden_cases(task, part, failed):
    """The cases by the instructor's seed that no one can know, in no telling order."""
    known = {(i, plain.dumps(case)) for i, case in cases_of(part)}
    seed = part_seed(task.seed, task.submission.lab, part.name)
    fresh = [(i, case) for i, case in cases_of(part, seed)
             if i not in failed and (i, plain.dumps(case)) not in known]  # fmt: skip
    np.random.default_rng(seed + 1).shuffle(fresh)
    return fresh


def merged(task, part, seen, unseen):
    """The PartResult of the verdicts on public inputs and on hidden ones."""
    trouble, private = seen.trouble, ""
    if unseen is not None and unseen.trouble:
        trouble, private = HIDDEN_TROUBLE, unseen.trouble
    told, secret = seen.failed, unseen.failed if unseen else {}
    properties = tuple(
        PropertyResult(
            rule.says,
            passed=not trouble and i not in told and i not in secret,
            message=told.get(i, HIDDEN if i in secret else ""),
            hint=rule.hint if i in told or i in secret else "",
            private=plain.clean(secret.get(i, ""), 2000),
        )
        for i, rule in enumerate(part.properties)
    )
    return PartResult(
        part.name, part.points, properties, digest_of(task, part.name),
        seen.unwritten, plain.clean(trouble, 2000), plain.clean(private, 2000),
        tuple(seen.notes),
    )  # fmt: skip


def nothing(task, part):
    """The result of a part of which there is nothing to run."""
    properties = tuple(PropertyResult(r.says, False) for r in part.properties)
    digest = digest_of(task, part.name)
    return PartResult(part.name, part.points, properties, digest)


def shortened(cells):
    """The cells to show, up to a bound."""
    kept, length = [], 0
    for number, source in cells:
        source = plain.clean(source, 20_000)
        length += len(source)
        if length > MOST_CODE:
            break
        kept.append((number, source))
    return tuple(kept)
