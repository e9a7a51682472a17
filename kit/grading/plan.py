"""From what was found to what is graded: one Task for each student's each attempt."""

import csv
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

from ..environment import KitError
from ..labs import files
from . import names
from .engine import Task
from .intake import Found
from .result import Submission

MOST_ATTEMPTS = 20  # of one student at one lab, with --keep best


def tasks(found, policy, seed, roster=(), sandboxed=True):
    """{(identity, lab): [a Task for each attempt that is graded]}.

    Every student has an entry for every lab that anybody handed in; with a roster also
    who is only there.
    """
    attempts = defaultdict(list)
    for each in sorted(found, key=lambda f: (f.when, f.again, f.path)):
        attempts[each.identity, each.lab].append(each)
    people = called(found, roster)
    made = {}
    for lab in sorted({f.lab for f in found}):
        for identity, student in sorted(people.items()):
            mine = attempts.get((identity, lab), [])
            if lab or mine:
                chosen = policy.candidates(mine) if mine else [absent(identity, lab)]
                made[identity, lab] = [
                    task(each, student, policy, seed, mine, sandboxed)
                    for each in chosen[-MOST_ATTEMPTS:]
                ]
    return made


def called(found, roster):
    """{identity: name}: where two have one name, the identity stands with it."""
    people = {f.identity: f.student for f in found}
    known = {names.folded(n) for n in people.values()} | set(map(names.folded, people))
    people |= {n: names.label(n) for n in roster if names.folded(n) not in known}
    count = Counter(map(names.folded, people.values()))
    return {
        who: name if count[names.folded(name)] == 1 else f"{name} [{names.label(who)}]"
        for who, name in people.items()
    }


def absent(identity, lab):
    return Found(identity, identity, lab, "", ("", None))


def task(each, student, policy, seed, mine, sandboxed):
    """The Task of one attempt, with what the student should know about it."""
    problems = []
    if not each.path:
        problems.append("Nothing was handed in.")
    if each.problem:
        problems.append(f"It was not graded: {each.problem}.")
    if len(mine) > 1:
        problems.append(f"{len(mine)} were handed in; this is {each.path}.")
    days = policy.days(each)
    timed = policy.due is not None and each.when
    submission = Submission(
        student, names.key(each.identity), each.lab or "unknown", each.path, "",
        datetime.fromtimestamp(each.when, UTC).isoformat() if timed else "",
        days, tuple(problems),
    )  # fmt: skip
    checker = checkers().get(each.lab, "")
    return Task(submission, () if each.problem else each.source, checker, seed,
                sandboxed, None, policy.percent(each))  # fmt: skip


def checkers():
    return {files.name(c): str(files.checker_path(c)) for c in files.all_labs()}


def roster(path):
    """The students of a CSV: its column `student`, or else its first."""
    if path is None:
        return []
    try:
        text = Path(path).read_text("utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise KitError(f"The roster {path} can't be read: {error}") from None
    heads = [head.strip().lower() for head in rows[0]] if rows else []
    column = heads.index("student") if "student" in heads else 0
    body = rows[1:] if "student" in heads else rows
    return list(dict.fromkeys(r[column].strip() for r in body if r[column:] and
                              r[column].strip()))  # fmt: skip
