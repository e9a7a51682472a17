"""nbgrader and otter-grader as graders of a lab, in environments of their own."""

import json
import os
import sqlite3
import subprocess
import venv
import zipfile
from pathlib import Path

from _graders import cell, notebook, run

from kit.environment import ROOT

PEERS = {  # what is installed, and the variable that names a Python that has it
    "nbgrader": ("nbgrader==0.9.6", "MINIDL_NBGRADER_PYTHON"),
    "otter-grader": ("otter-grader==7.0.0", "MINIDL_OTTER_PYTHON"),
}
NEEDS = ("ipykernel", "numpy", "ml_dtypes", "tqdm", "numba", "matplotlib")


def environment(peer):
    """The Python of a peer's environment, made where it is missing; None without."""
    requirement, variable = PEERS[peer]
    if os.environ.get(variable):
        return os.environ[variable]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "minidl" / "peers" / requirement.replace("==", "-")
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "-q", requirement, *NEEDS]
        if subprocess.run(install, stdout=subprocess.DEVNULL).returncode:
            return None
        done.touch()
    return str(python)


class Nbgrader:
    """A course in a folder; hidden tests are cells with a marked region."""

    name = "nbgrader 0.9.6"
    tests = {"begin": "### BEGIN HIDDEN TESTS\n", "end": "\n### END HIDDEN TESTS"}

    def __init__(self, folder, parts, python):
        self.folder, self.parts, self.python = folder, parts, python
        (folder / "source" / "lab").mkdir(parents=True)
        (folder / "nbgrader_config.py").write_text("c = get_config()\n")
        (folder / "instructor.txt").write_text("mine")
        source = folder / "source" / "lab" / "lab.ipynb"
        source.write_text(self.written(["# YOUR CODE"], hidden=True))
        self.command("generate_assignment", "lab", "--create", "--force")

    def written(self, sources, hidden=False):
        cells = [cell(source) for source in sources]
        for name, (points, test) in self.parts.items():
            marks = {"schema_version": 3, "grade": True, "solution": False,
                     "locked": True, "points": points, "grade_id": name,
                     "task": False}  # fmt: skip
            body = test.join(self.tests.values()) if hidden else ""
            cells.append(cell(body, nbgrader=marks))
        return notebook(cells)

    def command(self, *words, seconds=600):
        words = [self.python, "-m", "nbgrader", *words]
        path = f"{Path(self.python).parent}:{os.environ['PATH']}"
        return run(words, self.folder, seconds, PATH=path, PYTHONPATH=str(ROOT))

    def grade(self, submissions, seconds=600):
        """Whether it came to an end; grades and feedback lie in the folder then."""
        for student, sources in submissions.items():
            place = self.folder / "submitted" / student / "lab"
            place.mkdir(parents=True)
            (place / "lab.ipynb").write_text(self.written(sources))
        ended = self.command("autograde", "lab", seconds=seconds)
        return ended and self.command("generate_feedback", "lab")

    def points(self):
        """{student: (earned, of)}"""
        question = (
            "select sn.student_id, sum(coalesce(g.auto_score, 0)), sum(c.max_score) "
            "from grade g join submitted_notebook n on g.notebook_id = n.id "
            "join submitted_assignment sn on n.assignment_id = sn.id "
            "join grade_cells c on g.cell_id = c.id group by sn.student_id"
        )
        with sqlite3.connect(self.folder / "gradebook.db") as book:
            return {who: (got, of) for who, got, of in book.execute(question)}

    def feedback(self, student):
        pages = (self.folder / "feedback" / student).rglob("*.html")
        return "\n".join(page.read_text() for page in pages)


class Otter:
    """`otter run`, its way without containers; hidden tests are doctests in a zip."""

    name = "otter-grader 7.0.0"

    def __init__(self, folder, parts, python):
        self.folder, self.python, self.results = folder, python, {}
        folder.mkdir(parents=True)
        (folder / "instructor.txt").write_text("mine")
        with zipfile.ZipFile(folder / "autograder.zip", "w") as archive:
            archive.writestr("otter_config.json", '{"lang": "python"}')
            for name, (points, test) in parts.items():
                archive.writestr(f"tests/{name}.py", self.test(name, points, test))

    @staticmethod
    def test(name, points, test):
        first, *rest = test.splitlines()
        lines = [f">>> {first}"]
        for line in rest:
            lines.append(f"... {line}" if line[:1] in (" ", "") else f">>> {line}")
        case = {"code": "\n".join(lines), "hidden": True, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "",
                 "type": "doctest"}  # fmt: skip
        made = {"name": name, "points": points, "suites": [suite]}
        return f"OK_FORMAT = True\n\ntest = {made!r}\n"

    def grade(self, submissions, seconds=600):
        ended = True
        path = f"{Path(self.python).parent}:{os.environ['PATH']}"
        for student, sources in submissions.items():
            place = self.folder / "submitted" / student
            place.mkdir(parents=True)
            (place / "lab.ipynb").write_text(notebook(map(cell, sources)))
            words = [self.python, "-m", "otter", "run", place / "lab.ipynb", "-a",
                     self.folder / "autograder.zip", "-o", place]  # fmt: skip
            ended &= run(words, place, seconds, PATH=path, PYTHONPATH=str(ROOT))
        return ended

    def result(self, student):
        path = self.folder / "submitted" / student / "results.json"
        return json.loads(path.read_text()) if path.exists() else {"tests": []}

    def points(self):
        return {
            place.name: tuple(
                sum(test.get(key, 0) for test in self.result(place.name)["tests"])
                for key in ("score", "max_score")
            )
            for place in (self.folder / "submitted").iterdir()
        }

    def feedback(self, student):
        shown = [t for t in self.result(student)["tests"] if
                 t.get("visibility", "visible") == "visible"]  # fmt: skip
        return json.dumps(shown)
