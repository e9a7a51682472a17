"""Regrades: who graded again, when and why, and which grades that changed."""

import json
from datetime import UTC, datetime

from ..environment import KitError
from .result import from_json


def earlier(places, submission):
    """The Graded of an earlier run, or None where there is none that can be read."""
    try:
        return from_json(places.result(submission).read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def changes(before, after):
    """[what changed, as a dict] of a grade that there was before."""
    if before is None:
        return []
    old = {part.name: part for part in before.parts}
    rows = []
    for part in after.parts:
        was = old.pop(part.name, None)
        if was is None or was.earned != part.earned:
            rows.append(change(part.name, was, part))
    rows += [change(name, was, None) for name, was in old.items()]
    if before.penalty != after.penalty:
        row = {"part": "late penalty, percent", "before": before.penalty}
        rows.append(row | {"after": after.penalty, "checker": []})
    about = {"student": after.submission.student, "lab": after.submission.lab}
    again = before.submission.digest != after.submission.digest
    cause = "another submission" if again else "the checker or the kit"
    return [about | row | {"cause": cause} for row in rows]


def change(name, was, now):
    return {
        "part": name,
        "before": was and was.earned,
        "after": now and now.earned,
        "checker": [p and p.checker for p in (was, now)],
    }


def stale(task, digest_of, parts):
    """Whether an earlier grade of a task is by another checker than today's."""
    if task.before is None:
        return False
    return {p.name: p.checker for p in task.before.parts} != {
        name: digest_of(task, name) for name in parts
    }


def require_reason(count, why):
    if count and not why:
        raise KitError(
            f"{count} submissions were graded by an earlier checker or kit and would "
            'be graded again. Say why, for the record: --why "part 2 accepts ...".'
        )


def line(row, who, why, started):
    """One line for the file."""
    return json.dumps({"when": started, "who": who, "why": why} | row) + "\n"


def now():
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(places, rows, who, why, started):
    if rows:
        with open(places.history, "a", encoding="utf-8") as file:
            file.writelines(line(row, who, why, started) for row in rows)


def told(places):
    """The history in words, oldest first."""
    try:
        lines = places.history.read_text("utf-8").splitlines()
    except OSError:
        return "No grade of an earlier run has changed."
    words, last = [], None
    for row in map(json.loads, lines):
        run = row["when"], row["who"], row["why"]
        if run != last:
            words.append(f"\n{row['when']}, {row['who']}: {row['why']}")
            last = run
        words.append("  " + sentence(row))
    return "\n".join(words).strip()


def sentence(row):
    if "again" in row:
        return f"{row['again']} graded again, {row['changed']} grades changed"
    was, is_now = (
        "none" if v is None else f"{v:g}" for v in (row["before"], row["after"])
    )
    place = f"{row['student']}, {row['lab']}, {row['part']}"
    return f"{place}: {was} -> {is_now} ({row['cause']})"
