"""Grading against nbgrader and otter-grader: seconds a submission, attacks stopped.

Speed: lab 02 with the same checks of every part, the same notebooks, one worker. The
peers get the cells that we run too, without pictures and training. Attacks: a lab of
two functions, its tests written as each grader's users write them, settings as they
come. otter-grader runs as `otter run`, without a container; with Docker it would keep
the files outside of it from a submission.
"""

import tempfile
import time
from itertools import count
from pathlib import Path

import jupytext
from _attacks import ATTACKS, SECRETS, TESTS, TOKEN, got_through
from _graders import Minidl, without_solution_marks
from _measure import row
from _peers import Nbgrader, Otter, environment

from kit.environment import ROOT
from kit.grading import engine, seeds
from kit.labs import files
from kit.labs.examine import SKIPPED, cases_of

SUBMISSIONS = 6
PATIENCE = 60  # seconds in which an attacker and an honest student must be graded
MINI, LAB = "lab91_mini", "lab02_autodiff"
TEST = """
import sys
from types import SimpleNamespace
sys.path.insert(0, {folder!r})
from {module} import PARTS
from kit.labs.excerpt import inputs
from kit.labs.examine import cases_of
part = [each for each in PARTS if each.name == {name!r}][0]
for number, case in cases_of(part, 1):
    rule = part.properties[number]
    given = inputs(rule, case)
    wrong = rule.judge(rule.call(SimpleNamespace(**globals()), **given), **case)
    assert not wrong, wrong
"""
TABLE = {}  # filled by main: which attacks got through


def main():
    peers = {"nbgrader": Nbgrader, "otter-grader": Otter}
    pythons = {peer: environment(peer) for peer in peers}
    for peer, python in pythons.items():
        if python is None:
            print(f"{peer} can't be installed here; its rows are left out")
    peers = {kind: pythons[peer] for peer, kind in peers.items() if pythons[peer]}
    with tempfile.TemporaryDirectory(
        prefix="grading-", ignore_cleanup_errors=True
    ) as t:
        folders = (Path(t) / str(n) for n in count())
        return speeds(peers, folders) + attacks(peers, folders)


def speeds(peers, folders):
    chapter = files.numbered(2)
    checker = files.checker_path(chapter)
    submitted = {f"s{n}": sources for n, sources in enumerate(written(chapter))}
    ours = seconds(Minidl(next(folders), LAB, checker), submitted)
    place = {"folder": str(checker.parent), "module": checker.stem}
    tests = {
        name: (part.points, TEST.format(name=name, **place).strip())
        for name, part in files.parts(chapter).items()
    }
    rows = []
    for kind, python in peers.items():
        theirs = seconds(kind(next(folders), tests, python), submitted)
        rows.append(row("lab 02, a submission", ours, theirs, kind.name, "s", 1.0))
    return rows


def written(chapter):
    """The sources of the cells of right and wrong notebooks."""
    text = files.solution_path(chapter).read_text("utf-8")
    mistakes = files.load(files.answers_path(chapter)).WRONG
    texts = [text] * 2
    for part in list(mistakes)[: SUBMISSIONS - 2]:
        _, old, new = mistakes[part][0]
        texts.append(text.replace(old, new))
    for text in texts:
        cells = jupytext.reads(text, fmt="py:percent").cells
        yield [
            without_solution_marks(c.source)
            for c in cells
            if c.cell_type == "code" and not set(c.metadata.get("tags", [])) & SKIPPED
        ]


def seconds(grader, submitted):
    """Seconds a submission; RuntimeError where the right ones don't get all points."""
    start = time.perf_counter()
    grader.grade(submitted)
    spent = (time.perf_counter() - start) / len(submitted)
    points = grader.points()
    full = [who for who, (got, of) in points.items() if got == of > 0]
    if sorted(full) != ["s0", "s1"]:
        raise RuntimeError(f"{grader.name} graded lab 02 like this: {points}")
    return spent


def attacks(peers, folders):
    """Rows of how many attacks each stops; TABLE gets which."""
    contestants = {"minidl": lambda: Minidl(next(folders), MINI, checker())}
    for kind, python in peers.items():
        contestants[kind.name] = lambda kind=kind, python=python: kind(
            next(folders), TESTS, python
        )
    hidden = {"minidl": drawn()}
    stopped, lines = dict.fromkeys(contestants, 0), []
    for attack in ATTACKS:
        line = [attack]
        for name, fresh in contestants.items():
            through = got_through(attack, fresh(), hidden.get(name, [TOKEN]), PATIENCE)
            stopped[name] += not through
            line.append("got through" if through else "stopped")
        print("  " + ", ".join(line), flush=True)
        lines.append(line)
    note = " ".join(__doc__.split("Attacks: ")[1].split())
    note = f"Measured by the effect of each. {note[0].upper()}{note[1:]}"
    TABLE.update(head=["a submission", *contestants], rows=lines, note=note)
    name, unit = "attacks stopped", f"of {len(ATTACKS)}"
    return [
        of_attacks(name, stopped["minidl"], stopped[kind.name], kind.name, unit)
        for kind in peers
    ]


def of_attacks(name, ours, theirs, peer, unit):
    """A row in which more is better."""
    made = {"name": name, "ours": ours, "peer": theirs, "peer_name": peer, "unit": unit}
    return made | {"ratio": ours / max(theirs, 1), "bar": 1.0, "met": ours >= theirs}


def checker():
    return ROOT / "benchmarks" / "_mini_lab.py"


def drawn():
    """The texts of the hidden inputs of the small lab, and of the answers to them."""
    parts = engine.parts_of(str(checker()))
    seed = seeds.part_seed(SECRETS["minidl"], MINI, "whole")
    numbers = [case["n"] for _, case in cases_of(parts["whole"], seed)][1:]
    return [str(k * n) for n in numbers for k in (1, 2)] + [SECRETS["minidl"]]
