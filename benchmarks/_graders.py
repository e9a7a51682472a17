"""What graders of one lab share, and minidl's; the peers' are in _peers.py.

A lab here is its parts: for each a name, points, and tests as cells of Python that
raise where the student's code is wrong. Each grader gets the same notebooks and says
what everybody earned.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

from kit.environment import ROOT


def run(words, cwd, seconds=600, **environ):
    """Whether a command came to an end in time; all that it started is ended."""
    process = subprocess.Popen(
        list(map(str, words)), cwd=cwd, env={**os.environ, **environ},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def cell(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [],
            "execution_count": None}  # fmt: skip


def notebook(cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [each | {"id": f"cell-{n}"} for n, each in enumerate(cells)]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5,
                       "metadata": {"kernelspec": kernel}})  # fmt: skip


class Minidl:
    """`kit grade` with a checker, a hidden seed and its sandbox."""

    name = "minidl"
    GRADE = """
import sys
from kit import grade, verbs
from kit.grading import intake, plan
lab, checker, *words = sys.argv[1:]
if __name__ == "__main__":
    intake.labs = lambda: {int(lab[3:5]): lab}
    plan.checkers = lambda: {lab: checker}
    sys.exit(grade.main(verbs.parser().parse_args(["grade", *words])))
"""

    def __init__(self, folder, lab, checker):
        self.folder, self.lab, self.checker = folder, lab, folder / f"{lab}.py"
        folder.mkdir(parents=True)
        shutil.copy(checker, self.checker)
        (folder / "instructor.txt").write_text("mine")
        (folder / "seed").write_text("5eed" * 16)
        (folder / "run.py").write_text(self.GRADE)

    def grade(self, submissions, seconds=600, workers=1):
        for student, sources in submissions.items():
            place = self.folder / "submitted" / student
            place.mkdir(parents=True)
            (place / f"{self.lab}.ipynb").write_text(notebook(map(cell, sources)))
        words = [sys.executable, self.folder / "run.py", self.lab, self.checker,
                 self.folder / "submitted", "--out", self.folder / "grades",
                 "--seed-file", self.folder / "seed", "--workers", workers]  # fmt: skip
        return run(words, self.folder, seconds, PYTHONPATH=str(ROOT))

    def points(self):
        found = {}
        for path in (self.folder / "grades" / "results" / self.lab).glob("*.json"):
            parts = json.loads(path.read_text())["parts"]
            shares = [sum(p["passed"] for p in part["properties"]) * part["points"] /
                      len(part["properties"]) for part in parts]  # fmt: skip
            found[path.stem] = sum(shares), sum(part["points"] for part in parts)
        return found

    def feedback(self, student):
        page = self.folder / "grades" / "feedback" / self.lab / f"{student}.html"
        return page.read_text("utf-8")


def without_solution_marks(source):
    """A source without the lines that mark regions: nbgrader takes them for its own."""
    return re.sub(r"^ *### (BEGIN|END) SOLUTION.*\n?", "", source, flags=re.MULTILINE)
