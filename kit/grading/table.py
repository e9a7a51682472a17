"""grades.csv: one row a student, one column a part, and sums."""

import csv
import io
from collections import defaultdict

from . import names


def grades(all_graded):
    """The text of the table. Columns of a part read `lab02_autodiff propagate (20)`."""
    heads, rows, names_of = {}, defaultdict(dict), {}
    for graded in sorted(all_graded, key=lambda g: g.submission.lab):
        about = graded.submission
        names_of[about.key] = about.student
        for head, value in columns(graded):
            heads[head] = None
            rows[about.key][head] = value
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["student", "key", *heads, "sum"])
    for key in sorted(rows):
        total = sum(v for h, v in rows[key].items() if h.endswith(" sum"))
        values = [rows[key].get(head, "") for head in heads]
        cells = [names_of[key], key, *values, round(total, 2)]
        out.writerow(map(names.cell, cells))
    return file.getvalue()


def columns(graded):
    lab = graded.submission.lab
    for part in graded.parts:
        yield f"{lab} {part.name} ({part.points})", part.earned
    yield f"{lab} late days", graded.submission.late_days
    yield f"{lab} penalty %", graded.penalty
    yield f"{lab} sum", graded.earned
    yield f"{lab} notes", " ".join(graded.submission.problems)
