"""Whole runs of `kit grade`: repeated, stopped, resumed, and after a checker's fix."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from smalllab import CHECKER, RIGHT, needs_sandbox, notebook

from kit import grade
from kit.environment import ROOT, KitError
from kit.grading import executors, history
from kit.grading.result import Places, read_all
from kit.labs import files
from kit.verbs import parser

pytestmark = needs_sandbox

STUDENTS = {
    "ada": [RIGHT],
    "bob": [RIGHT, "def back(text):\n    return text"],
    "=eve()": [RIGHT.replace("x * 2", "x * 3")],
    "mallory": ["x = = 1"],
}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A class with the small lab; a function that grades it, and its checker."""
    chapter = {"number": 99, "name": "small", "title": "Small"}
    checker = tmp_path / "course" / "test_lab99_small.py"
    checker.parent.mkdir()
    checker.write_text(CHECKER)
    monkeypatch.setattr(files, "all_labs", lambda: [chapter])
    monkeypatch.setattr(files, "checker_path", lambda chapter: checker)
    # Workers are other processes, in which this lab is not known by name; a task has
    # its checker's path, so that they need not.
    for student, sources in STUDENTS.items():
        path = tmp_path / "all" / student / "lab99_small.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook(*sources))

    def run(*words, out="out"):
        place, seed = str(tmp_path / out), str(tmp_path / "seed")
        command = ["grade", str(tmp_path / "all"), "--out", place, "--workers", "2",
                   "--seed-file", seed, "--by", "prof", *words]  # fmt: skip
        assert grade.main(parser().parse_args(command)) == 0
        return Places(tmp_path / out)

    return run, checker


def everything(places):
    """{name: bytes} of all that a re-run repeats: what tells of seconds does not."""
    return {
        path.relative_to(places.out).as_posix(): path.read_bytes()
        for path in sorted(places.out.rglob("*"))
        if path.is_file() and path not in (places.timings, places.overview)
    }


def rows(places):
    with open(places.grades, newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_run_again_gives_the_same_bytes_and_runs_nothing(course, monkeypatch):
    run, _ = course
    first = run()
    before = everything(first)
    sums = {name: row["sum"] for name, row in rows(first).items()}
    assert sums == {"ada": "15.0", "bob": "10.0", "'=eve()": "10.0", "mallory": "0.0"}
    assert everything(run(out="other")) == before
    (first.out / "grades.csv").unlink()
    assert everything(run()) == before
    assert not any(str(first.out.parent).encode() in b for b in before.values())


def test_a_run_that_is_stopped_goes_on_where_it_was(course):
    run, _ = course
    places = run()
    before = everything(places)
    gone = sorted(places.out.rglob("results/*/*.json"))[:2]
    for path in gone:
        path.unlink()
    kept = {p: p.stat().st_mtime_ns for p in places.out.rglob("results/*/*.json")}
    (gone[0].parent / f"{gone[0].name}.partial").write_text("half")
    run()
    (gone[0].parent / f"{gone[0].name}.partial").unlink(missing_ok=True)
    assert everything(places) == before and kept
    gone[0].write_text("half a result")
    run()
    assert everything(places) == before


def test_a_fix_of_the_checker_needs_a_reason_and_is_recorded(course, capsys):
    run, checker = course
    places = run()
    checker.write_text(CHECKER.replace("return same(2 * x, result)", "return None"))
    with pytest.raises(KitError, match="4 submissions were graded by an earlier"):
        run()
    run("--why", "part double was too strict")
    lines = [json.loads(line) for line in places.history.read_text().splitlines()]
    (change,), (whole,) = [
        [row for row in lines if ("again" in row) is whole] for whole in (False, True)
    ]
    assert (change["student"], change["part"]) == ("=eve()", "double")
    assert (change["before"], change["after"]) == (5.0, 10.0)
    assert change["who"] == "prof" and "too strict" in change["why"]
    assert change["checker"][0] != change["checker"][1]
    assert (whole["again"], whole["changed"]) == (4, 1)
    assert grade.main(parser().parse_args(["grade", "--history", "--out",
                                           str(places.out)])) == 0  # fmt: skip
    told = capsys.readouterr().out
    assert "=eve(), lab99_small, double: 5 -> 10" in told and "prof" in told
    back = [p for g in read_all(places) for p in g.parts if p.name == "back"]
    assert len(back) == 4


def test_another_hand_in_is_graded_without_a_reason(course, tmp_path):
    run, _ = course
    run()
    (tmp_path / "all/bob/lab99_small.ipynb").write_text(notebook(RIGHT))
    places = run()
    assert rows(places)["bob"]["sum"] == "15.0"
    (row,) = map(json.loads, places.history.read_text().splitlines())
    assert row["cause"] == "another submission" and row["before"] == 0


def test_who_is_only_on_the_roster_has_nothing(course, tmp_path):
    run, _ = course
    (tmp_path / "roster.csv").write_text("student\nADA\nzoe\n")
    places = run("--roster", str(tmp_path / "roster.csv"))
    assert rows(places)["zoe"]["sum"] == "0.0" and len(rows(places)) == 5


def test_the_best_of_several_counts_where_that_is_asked(course, tmp_path):
    run, _ = course
    again = tmp_path / "all/bob/lab99_small-1.ipynb"
    again.write_text(notebook("nothing = 1"))
    late = time.time() + 9
    os.utime(again, (late, late))
    assert rows(run())["bob"]["sum"] == "0.0"
    assert rows(run("--keep", "best", out="best"))["bob"]["sum"] == "10.0"
    assert rows(run("--keep", "first", out="first"))["bob"]["sum"] == "10.0"


def test_a_worker_that_dies_costs_nobody_a_grade(tmp_path, monkeypatch):
    """The pool is made anew, and what it left is done."""
    flag = tmp_path / "died"
    monkeypatch.setattr(executors, "grade", Once(str(flag)))
    found = dict(executors.processes([1, 2, 3, 4], 2))
    assert found == {0: 1, 1: 2, 2: 3, 3: 4} and flag.exists()


class Once:
    """Ends its process the first time that it is called anywhere."""

    def __init__(self, flag):
        self.flag = flag

    def __call__(self, task):
        try:
            os.close(os.open(self.flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return task
        os._exit(1)


@pytest.mark.slow
def test_dask_gives_the_same_results(course):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    run, _ = course
    one = everything(run())
    assert everything(run("--executor", "dask", out="dask")) == one


def test_a_class_of_real_labs_is_graded_by_its_verb(tmp_path):
    chapter = files.all_labs()[0]
    folder = tmp_path / "all" / "ada"
    folder.mkdir(parents=True)
    shutil.copy(files.lab_path(chapter), folder)
    command = [
        sys.executable,
        "-m",
        "kit",
        "--here",
        "grade",
        str(tmp_path / "all"),
        "--out",
        str(tmp_path / "out"),
        "--seed-file",
        str(tmp_path / "seed"),
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    (only,) = read_all(Places(tmp_path / "out"))
    assert only.points == 40 and all(part.unwritten for part in only.parts)
    assert "1 handed in, 0 not; mean 0.0 of 40" in found.stdout


def test_a_change_is_a_sentence():
    row = {"student": "a", "lab": "b", "part": "c", "before": None, "after": 2.5}
    assert history.sentence(row | {"cause": "d"}) == "a, b, c: none -> 2.5 (d)"
