"""What comes of grading, as plain frozen data: the seam between engine and reports.

A Graded is one student's one lab. It is written to results/<lab>/<key>.json, which is
the instructor's. Fields named `private` may hold hidden inputs and expected values and
must never reach a student; all else may. Every text here was cleaned of control
characters and cut to a bounded length, but not escaped: whoever writes HTML or CSV
escapes it for that.

Points of a part are shared equally by its properties: earned is points times passed
over all, rounded half up to a hundredth. A late penalty is taken off a lab's sum.
"""

import json
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path


@dataclass(frozen=True)
class Submission:
    student: str  # the name as it came, control characters taken out
    key: str  # a file name that is safe everywhere, and this student's alone
    lab: str  # "lab02_autodiff"
    path: str  # where it was found, below SUBMISSIONS; "" where nothing was handed in
    digest: str = ""  # SHA-256 of the notebook's bytes
    submitted: str = ""  # ISO time, UTC; "" where the platform does not say
    late_days: int = 0  # begun days after --due
    problems: tuple = ()  # sentences for the student: no notebook, two handed in, ...


@dataclass(frozen=True)
class PropertyResult:
    says: str  # what should hold
    passed: bool
    message: str = ""  # for the student: what failed on which public input
    hint: str = ""  # shown where it failed
    private: str = ""  # for the instructor: the hidden input, expected, found


@dataclass(frozen=True)
class PartResult:
    name: str
    points: int
    properties: tuple  # of PropertyResult, in the checker's order
    checker: str = ""  # digest of what this result depends on besides the submission
    unwritten: bool = False  # nobody has filled in the blank
    trouble: str = ""  # for the student: a time limit, a missing name, a dead process
    private: str = ""  # for the instructor: the same, with the hidden input
    notes: tuple = ()  # for the student: cells that failed while this part was run

    @property
    def earned(self):
        passed = sum(p.passed for p in self.properties)
        share = Decimal(self.points) * passed / max(len(self.properties), 1)
        return float(share.quantize(Decimal("0.01"), ROUND_HALF_UP))

    @property
    def passed(self):
        return all(p.passed for p in self.properties) and not self.trouble


@dataclass(frozen=True)
class Graded:
    submission: Submission
    parts: tuple  # of PartResult, in the checker's order
    penalty: float = 0.0  # percent off the sum, for being late
    notes: tuple = ()  # for the student: the parts' notes, each once
    cells: tuple = ()  # of (number, source): the student's code that was run

    @property
    def points(self):
        return sum(part.points for part in self.parts)

    @property
    def earned(self):
        """The sum of the parts, less the penalty."""
        whole = sum(Decimal(str(part.earned)) for part in self.parts)
        kept = whole * (100 - Decimal(str(self.penalty))) / 100
        return float(kept.quantize(Decimal("0.01"), ROUND_HALF_UP))


def to_json(graded):
    """One text for one Graded: the same bytes for the same grading."""
    return json.dumps(asdict(graded), indent=1, sort_keys=True) + "\n"


def from_json(text):
    """The Graded of a text. ValueError, KeyError or TypeError where it is none."""
    data = json.loads(text)
    parts = tuple(map(part_of, data["parts"]))
    submission = data["submission"]
    submission["problems"] = tuple(submission["problems"])
    cells = tuple((number, source) for number, source in data["cells"])
    return Graded(
        Submission(**submission), parts, data["penalty"], tuple(data["notes"]), cells
    )


def part_of(data):
    properties = tuple(PropertyResult(**p) for p in data["properties"])
    notes = tuple(data["notes"])
    return PartResult(**data | {"properties": properties, "notes": notes})


@dataclass(frozen=True)
class Places:
    """Where each file lies below --out. Only the feedback is for students."""

    out: Path

    @property
    def grades(self):
        """One row a student: each part, late days and sum of each lab; the sum."""
        return self.out / "grades.csv"

    def result(self, submission):
        return self.out / "results" / submission.lab / f"{submission.key}.json"

    def feedback(self, submission):
        return self.out / "feedback" / submission.lab / f"{submission.key}.html"

    @property
    def overview(self):
        """For the instructor; it shows seconds, so that a re-run gives another."""
        return self.out / "overview.html"

    @property
    def exports(self):
        return self.out / "exports"

    @property
    def timings(self):
        """{"<lab>/<key>": {part: seconds}}; no part of what a re-run repeats."""
        return self.out / "timings.json"

    @property
    def history(self):
        """One line of JSON a change: when, who, why, student, lab, part, before, after,
        checker (its digest before and after)."""
        return self.out / "history.jsonl"


def read_all(places):
    """Every Graded below --out, by lab and key."""
    paths = sorted((places.out / "results").glob("*/*.json"))
    return [from_json(path.read_text("utf-8")) for path in paths]
