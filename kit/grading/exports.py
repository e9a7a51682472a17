"""Grades in the forms that other systems read: Gradescope, Canvas, Moodle.

Of a submission only what its student may see goes out. The forms are the documented
ones: Gradescope's results.json (one file a submission), and what the gradebooks of
Canvas and Moodle take in as CSV.
"""

import csv
import io
import json

from .intake import CANVAS, MOODLE
from .names import cell

GRADESCOPE = "gradescope/{lab}/{key}/results.json"


def files(gradeds):
    """{path below exports/: text}, for every lab."""
    made = {}
    for lab in sorted({g.submission.lab for g in gradeds}):
        mine = [g for g in gradeds if g.submission.lab == lab]
        mine.sort(key=lambda g: g.submission.key)
        made[f"canvas-{lab}.csv"] = canvas(lab, mine)
        made[f"moodle-{lab}.csv"] = moodle(mine)
        for graded in mine:
            path = GRADESCOPE.format(lab=lab, key=graded.submission.key)
            made[path] = json.dumps(gradescope(graded), indent=1) + "\n"
    return made


def gradescope(graded):
    """The results of an autograder: points of each part, and what is said to it."""
    about = " ".join(graded.submission.problems) or "Graded part by part."
    return {
        "score": graded.earned,  # with the penalty; without this the tests' sum counts
        "output": about,
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [of_part(part) for part in graded.parts],
    }


def of_part(part):
    return {
        "name": part.name,
        "score": part.earned,
        "max_score": part.points,
        "status": "passed" if part.passed else "failed",
        "output": said(part),
        "visibility": "visible",
    }


def said(part):
    """What a student reads of a part, as text."""
    lines = [part.trouble] * bool(part.trouble)
    for rule in part.properties:
        lines.append(f"{'ok  ' if rule.passed else 'FAIL'}  {rule.says}")
        lines += [rule.message] * bool(rule.message)
        lines += [f"hint: {rule.hint}"] * bool(rule.hint)
    return "\n".join(lines)


def canvas(lab, gradeds):
    """A gradebook: the columns that Canvas wants first, and the lab's.

    Canvas tells students by ID, which it writes into the names of what it exports.
    """
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", lab]
    possible = ["    Points Possible", "", "", "", "", gradeds[0].points]
    rows = [
        [g.submission.student, platform_id(g.submission), "", "", "", g.earned]
        for g in gradeds
    ]
    return table([head, possible, *rows])


def moodle(gradeds):
    """A grading worksheet; Moodle tells students by `Participant ID`."""
    head = ["Identifier", "Full name", "Grade", "Maximum grade",
            "Last modified (grade)", "Feedback comments"]  # fmt: skip
    rows = []
    for graded in gradeds:
        about, number = graded.submission, platform_id(graded.submission)
        who = f"Participant {number}" if number else about.key
        said = " ".join(about.problems)
        rows.append([who, about.student, graded.earned, graded.points, "", said])
    return table([head, *rows])


def platform_id(submission):
    """The number of the student in the name of what a platform exported, or ""."""
    folder, _, file = submission.path.partition("/")
    found = MOODLE.fullmatch(folder) if file else CANVAS.fullmatch(folder)
    return found["id"] if found else ""


def table(rows):
    """CSV in which no cell is a formula."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\r\n")
    out.writerows([list(map(cell, row)) for row in rows])
    return file.getvalue()
