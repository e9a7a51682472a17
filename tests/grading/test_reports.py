"""Pages, exports and similarity, from results that are made here by hand."""

import csv
import io
import json
import re
from dataclasses import replace

import jupytext
import pytest

from kit.grading import exports, feedback, overview, similar
from kit.grading.result import Graded, PartResult, PropertyResult, Submission
from kit.labs import files, make, nbgrader

SECRET = "31.41592"
HOSTILE = "<script>alert(1)</script>\"'&"


def graded(student="Ada", held=(True, False), cells=(), **about):
    message = f"on x = [1.]\n{HOSTILE}"
    rules = tuple(
        PropertyResult(f"rule {n}", ok, "" if ok else message, "a hint", SECRET)
        for n, ok in enumerate(held)
    )
    part = PartResult("double", 10, rules, "digest", private=SECRET)
    about = {"path": "Ada/lab02.ipynb", **about}
    submission = Submission(student, student.lower(), "lab02_autodiff", **about)
    return Graded(submission, (part,), cells=cells)


# ---- feedback


def test_the_feedback_says_points_what_fails_on_which_input_and_a_hint():
    cells = ((1, "import numpy"), (4, "def double(x):\n    return x"))
    page = feedback.html(graded(cells=cells))
    for words in ("5 of 10 points", "rule 0", "on x = [1.]", "Hint: a hint"):
        assert words in page
    shown, _, folded = page.partition("<details>")
    assert "def double" in shown and "import numpy" in folded


def test_what_is_private_is_on_no_page_and_in_no_export():
    all_graded = [graded()]
    texts = [feedback.html(all_graded[0]), *exports.files(all_graded).values()]
    assert not any(SECRET in text for text in texts)


def test_what_comes_from_a_submission_is_escaped_everywhere():
    evil = graded(HOSTILE, cells=((1, f"def double(x):  # {HOSTILE}"),),
                  problems=(HOSTILE,))  # fmt: skip
    for page in (feedback.html(evil), overview.html([evil], {})):
        assert "<script" not in page and "&lt;script&gt;" in page


def test_a_late_submission_is_told_what_that_costs():
    late = replace(graded(held=(True,), late_days=2), penalty=20.0)
    assert "8 of 10 points" in feedback.html(late)
    assert "20 % off for 2 days late" in feedback.html(late)


def test_a_blank_is_called_a_blank_and_no_list_of_failures():
    one = graded(held=(False,))
    blank = replace(one, parts=(replace(one.parts[0], unwritten=True),))
    page = feedback.html(blank)
    assert "Nothing is written here yet." in page and "rule 0" not in page


# ---- overview


def test_the_overview_counts_who_holds_how_much_and_names_who_is_missing():
    there = [graded(f"s{n}", held) for n, held in
             enumerate([(True, True), (True, True), (True, False)])]  # fmt: skip
    absent = graded("missing", (False, False), path="")
    page = overview.html([*there, absent], {"lab02_autodiff/s1": {"double": 1.25}})
    assert "3 of 4 handed in" in page
    assert "0 of 2: 0, 1 of 2: 1, 2 of 2: 2 submissions" in page
    assert re.search(r"Not handed in</h3>\s*<p>missing</p>", page)
    assert re.search(r"<td>s1</td><td>double</td><td class=\"number\">1.25</td>", page)
    assert re.search(r"rule 1</td><td class=\"number\">1</td>", page)


def test_the_overview_of_nobody_is_a_page_too():
    assert "0 of 1 handed in" in overview.html([graded(path="")], {})


# ---- similarity


def whole(chapter, text, *extra):
    """The Graded of a notebook's text, not graded at all."""
    made = jupytext.reads(text, fmt="py:percent").cells
    cells = [c.source for c in made if c.cell_type == "code"] + list(extra)
    return graded(cells=tuple(enumerate(cells, 1)))


def handed_out(chapter):
    text = make.stubbed(files.solution_path(chapter).read_text("utf-8"))
    cells = jupytext.reads(text, fmt="py:percent").cells
    return [c.source for c in cells if c.cell_type == "code"]


LABS = files.all_labs()


def renamed(text):
    """The text with every local name changed, other numbers, and comments added."""
    names = set(re.findall(r"^ +(\w+) = ", text, re.MULTILINE))
    for name in names:
        text = re.sub(rf"\b{name}\b(?!\s*=\s*[\w.]+[,)])", f"my_{name}", text)
    return re.sub(r"^( +)(return)", r"\1# mine\n\1\2", text, flags=re.MULTILINE)


@pytest.mark.parametrize("chapter", LABS, ids=files.name)
def test_a_copy_with_other_names_is_found(chapter):
    text = files.solution_path(chapter).read_text("utf-8")
    assert renamed(text) != text
    first, second = whole(chapter, text), whole(chapter, renamed(text))
    (pair,) = similar.pairs([first, second], handed_out(chapter))
    assert pair.shared > 0.9 and pair.cells


@pytest.mark.parametrize("chapter", LABS, ids=files.name)
def test_right_answers_that_were_written_independently_are_not(chapter):
    text = files.solution_path(chapter).read_text("utf-8")
    right = files.load(files.answers_path(chapter)).RIGHT.values()
    others = [
        whole(chapter, make.stubbed(text), *(answers[n] for answers in right))
        for n in range(2)
    ]
    assert similar.pairs([whole(chapter, text), *others], handed_out(chapter)) == []


@pytest.mark.parametrize("chapter", LABS, ids=files.name)
def test_the_given_code_alone_makes_nobody_alike(chapter):
    blank = whole(
        chapter, make.stubbed(files.solution_path(chapter).read_text("utf-8"))
    )
    assert similar.pairs([blank, blank], handed_out(chapter)) == []
    assert similar.pairs([blank, blank]) != []  # it is the subtraction that does it


def test_a_source_that_is_no_python_has_the_tokens_before_it_breaks():
    assert similar.tokens("x = 3\ny = '")[:4] == ["name", "=", "number", "\n"]


# ---- exports: the documented forms, stated here by hand

GRADESCOPE = {
    "score": float, "output": str, "output_format": str, "test_output_format": str,
    "visibility": str, "stdout_visibility": str, "tests": list,
}  # fmt: skip
GRADESCOPE_TEST = {
    "name": str, "score": float, "max_score": int, "status": str, "output": str,
    "visibility": str,
}  # fmt: skip


def test_gradescope_gets_the_fields_of_its_results_json():
    (path,) = [p for p in exports.files([graded()]) if p.endswith("results.json")]
    result = json.loads(exports.files([graded()])[path])
    assert {k: type(v) for k, v in result.items()} == GRADESCOPE
    (test,) = result["tests"]
    assert {k: type(v) for k, v in test.items()} == GRADESCOPE_TEST
    assert result["visibility"] in ("hidden", "after_due_date", "after_published",
                                    "visible")  # fmt: skip
    assert test["status"] in ("passed", "failed") and test["score"] == 5
    assert result["output_format"] in ("text", "html", "simple_format", "md", "ansi")


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_canvas_gets_a_gradebook_with_points_possible():
    name = "o-malley_LATE_4711_99_lab02_autodiff.ipynb"
    made = exports.files([graded("O'Malley", path=name)])
    head, possible, student = rows(made["canvas-lab02_autodiff.csv"])
    assert head[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert possible[0].strip() == "Points Possible" and possible[5] == "10"
    assert student == ["O'Malley", "4711", "", "", "", "5.0"]


def test_moodle_gets_a_grading_worksheet():
    path = "Ada Lovelace_33_assignsubmission_file_/lab02_autodiff.ipynb"
    made = exports.files([graded("Ada Lovelace", path=path)])
    head, student = rows(made["moodle-lab02_autodiff.csv"])
    assert head[:4] == ["Identifier", "Full name", "Grade", "Maximum grade"]
    assert student[:4] == ["Participant 33", "Ada Lovelace", "5.0", "10"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_is_a_formula_is_a_text_in_tables(start):
    made = exports.files([graded(f"{start}HYPERLINK(1)")])
    for path in ("canvas-lab02_autodiff.csv", "moodle-lab02_autodiff.csv"):
        cells = [cell for row in rows(made[path]) for cell in row]
        assert f"'{start}HYPERLINK(1)" in cells


# ---- nbgrader: its metadata, schema 3, stated by hand

FIELDS = {"schema_version": int, "grade_id": str, "grade": bool, "solution": bool,
          "locked": bool, "points": int, "task": bool}  # fmt: skip


@pytest.mark.parametrize("chapter", LABS, ids=files.name)
def test_each_part_has_one_cell_for_nbgrader_where_its_blank_is(chapter):
    parts, marked = files.parts(chapter), {}
    for cell in make.cells(chapter).cells:
        found = cell.metadata.get("nbgrader")
        if found:
            assert {k: type(v) for k, v in found.items()} == FIELDS
            assert found["schema_version"] == 3 and found["solution"]
            assert "raise NotImplementedError" in cell.source
            marked[found["grade_id"]] = found["points"]
    assert marked == {part.name: part.points for part in parts.values()}


def test_a_lab_whose_marks_are_old_is_stale_and_a_checksum_of_nbgrader_s_is_not():
    import nbformat

    lab = nbformat.read(files.lab_path(LABS[0]), as_version=4)
    fresh = nbgrader.marked(lab)
    for cell in lab.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["checksum"] = "5eed"
    assert nbgrader.marked(lab) == fresh == nbgrader.marked(make.cells(LABS[0]))
    for cell in lab.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["points"] = 999
    assert nbgrader.marked(lab) != fresh
