"""Right and wrong answers to every lab, graded as a class's are, with a hidden seed."""

import jupytext
import pytest
from smalllab import needs_sandbox, notebook

from kit.grading import executors
from kit.grading.engine import Task
from kit.grading.result import Submission
from kit.labs import files, make
from kit.labs.examine import SKIPPED

pytestmark = [needs_sandbox, pytest.mark.slow]
SEED = "feed5eed" * 8
MOST_WRONG = 5  # of each part; the gate tries all of them with the public seed
LABS = files.all_labs()


def cells(text):
    """The sources of the code cells that grading runs."""
    made = jupytext.reads(text, fmt="py:percent")
    return [
        cell.source
        for cell in made.cells
        if cell.cell_type == "code" and not set(cell.metadata.get("tags", [])) & SKIPPED
    ]


def right_answers(chapter):
    """(name, sources) of notebooks that are right in all parts, each written anew."""
    text = files.solution_path(chapter).read_text("utf-8")
    others = files.load(files.answers_path(chapter)).RIGHT
    yield "solution", cells(text)
    for n in range(max(map(len, others.values()))):
        written = [each[min(n, len(each) - 1)] for each in others.values()]
        yield f"right {n}", cells(make.stubbed(text)) + written


def wrong_answers(chapter, most):
    """((part, mistake), sources) of notebooks with one mistake."""
    text = files.solution_path(chapter).read_text("utf-8")
    for part, mistakes in files.load(files.answers_path(chapter)).WRONG.items():
        for what, old, new in mistakes[:most]:
            yield (part, what), cells(text.replace(old, new))


def graded(answers, folder, seed=SEED):
    """[(name, Graded)] of (chapter, name, sources), in one run."""
    tasks = []
    for n, (chapter, _, sources) in enumerate(answers):
        path = folder / f"{n}.ipynb"
        path.write_text(notebook(*sources), "utf-8")
        about = Submission(
            f"student {n}", f"student-{n}", files.name(chapter), path.name
        )
        checker = str(files.checker_path(chapter))
        tasks.append(Task(about, (str(path), None), checker, seed))
    found = dict(executors.processes(tasks, executors.cores()))
    return [(answers[n][1], found[n][0]) for n in range(len(answers))]


def test_no_right_answer_loses_a_point(tmp_path):
    answers = [(c, *each) for c in LABS for each in right_answers(c)]
    written = [len(each) for c in LABS for each in answers_of(c).RIGHT.values()]
    assert sum(written) >= 12
    for name, result in graded(answers, tmp_path):
        assert result.earned == result.points, (name, told(result))


def test_every_wrong_answer_loses_points_of_its_part_and_of_none_before(tmp_path):
    answers = [(c, *each) for c in LABS for each in wrong_answers(c, MOST_WRONG)]
    assert len(answers) >= 60
    for (part, what), result in graded(answers, tmp_path):
        earned = {p.name: p for p in result.parts}
        assert earned[part].earned < earned[part].points, (part, what)
        before = [p.name for p in result.parts][: list(earned).index(part)]
        assert all(earned[p].passed for p in before), (part, what, told(result))


def answers_of(chapter):
    return files.load(files.answers_path(chapter))


def told(result):
    """What is said about the parts that fail."""
    return [part for part in result.parts if not part.passed]
