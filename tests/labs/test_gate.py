"""The gate: a checker passes every right answer, and no wrong one.

Beside a checker stands a file of answers, `answers_labNN_name.py`: RIGHT has, for each
part, other ways to write it; WRONG has mistakes, each a few characters of the solution
replaced. A checker that passes one of those fails here.
"""

import jupytext
import pytest

from kit.labs import files, make, plain
from kit.labs.examine import SKIPPED, cases_of, examine

LABS = files.all_labs()
PARTS = [
    pytest.param(chapter, part, id=f"{files.name(chapter)}-{part.name}")
    for chapter in LABS
    for part in files.parts(chapter).values()
]


def cells(text):
    """The code cells of a solution that a check runs."""
    made = jupytext.reads(text, fmt="py:percent")
    return [
        (number, cell.source)
        for number, cell in enumerate(made.cells, 1)
        if cell.cell_type == "code" and not set(cell.metadata.get("tags", [])) & SKIPPED
    ]


def solution(chapter):
    return files.solution_path(chapter).read_text(encoding="utf-8")


def answers(chapter):
    return files.load(files.answers_path(chapter))


def verdict(chapter, part, code):
    return examine(files.checker_path(chapter), part, code)


@pytest.mark.parametrize("chapter, part", PARTS)
def test_the_solution_and_other_right_answers_pass(chapter, part):
    code = cells(solution(chapter))
    others = answers(chapter).RIGHT[part.name]
    assert len(others) >= 2
    for other in [None, *others]:
        extra = [] if other is None else [(99, other)]
        found = verdict(chapter, part, code + extra)
        assert found.passed, (other, found.failed, found.trouble)


@pytest.mark.parametrize("chapter, part", PARTS)
def test_an_untouched_stub_fails_and_is_told_so(chapter, part):
    found = verdict(chapter, part, cells(make.stubbed(solution(chapter))))
    assert len(found.failed) == len(part.properties) and not found.trouble
    assert all("nothing is written yet" in words for words in found.failed.values())


@pytest.mark.parametrize("chapter, part", PARTS)
def test_every_wrong_answer_fails(chapter, part):
    text, wrong = solution(chapter), answers(chapter).WRONG[part.name]
    assert len(wrong) >= 4
    for what, old, new in wrong:
        assert text.count(old) == 1, f"{what}: {old!r} is there {text.count(old)} times"
        found = verdict(chapter, part, cells(text.replace(old, new)))
        assert not found.passed, f"{what} passes"
        complaints = "\n".join([*found.failed.values(), found.trouble])
        assert "wrong kind" not in complaints, (what, complaints)


@pytest.mark.parametrize("chapter, part", PARTS)
def test_another_seed_asks_of_every_part_what_nobody_can_know(chapter, part):
    """Or else its answers could be written down from the checker, unsolved."""
    known = {(i, plain.dumps(case)) for i, case in cases_of(part)}
    fresh = [(i, plain.dumps(case)) for i, case in cases_of(part, 2**200 + 1)]
    assert set(fresh) - known


@pytest.mark.parametrize("chapter", LABS, ids=files.name)
def test_a_lab_has_two_to_four_blanks_each_checked_pictured_and_trained(chapter):
    made = make.cells(chapter)
    code = [c.source for c in made.cells if c.cell_type == "code"]
    tags = [set(c.metadata.get("tags", [])) for c in made.cells]
    assert 2 <= sum(text.count("raise NotImplementedError") for text in code) <= 4
    assert sum("picture" in t for t in tags) >= len(files.parts(chapter))
    text = "\n".join(c.source for c in made.cells)
    for part in files.parts(chapter).values():
        assert f'check("{part.name}")' in text
        assert all(rule.hint and rule.says for rule in part.properties)
    assert "train" in made.cells[-2].source + made.cells[-1].source
