"""The engine: who earns what, and what a student gets to read of it."""

import json
from dataclasses import replace

import pytest
from smalllab import CHECKER, RIGHT, SEED, needs_sandbox

from kit.grading import engine, seeds
from kit.grading.engine import Task, grade
from kit.grading.result import Submission, from_json, to_json
from kit.labs import plain
from kit.labs.examine import cases_of

pytestmark = needs_sandbox


def graded(task):
    return grade(task)[0]


def earned(task):
    return [part.earned for part in graded(task).parts]


def told(result):
    """All that a student may get of a Graded."""
    parts = [(p.trouble, p.notes, [(q.message, q.hint) for q in p.properties])
             for p in result.parts]  # fmt: skip
    return json.dumps([parts, result.notes, result.submission.problems])


def test_a_right_answer_earns_all_and_comes_back_from_json(task_of):
    result = graded(task_of(RIGHT))
    assert (result.earned, result.points) == (15, 15)
    assert from_json(to_json(result)) == result


def test_points_are_shared_among_properties(task_of):
    result = graded(task_of(RIGHT.replace("raise TypeError", "return TypeError")))
    assert [p.earned for p in result.parts] == [5, 5]
    held, failed = result.parts[0].properties
    assert held.passed and "it went through" in failed.message and failed.hint


def test_what_holds_for_public_inputs_alone_earns_nothing_and_tells_nothing(task_of):
    known = "def back(text):\n    return {'ab': 'ba', 'fedcba': 1}.get(text)"
    task = task_of(RIGHT, known)
    cases = [c for _, c in cases_of(engine.parts_of(task.checker)["back"])]
    answers = {c["text"]: c["text"][::-1] for c in cases}
    task = task_of(RIGHT, f"def back(text):\n    return {answers}.get(text)")
    back = graded(task).parts[1]
    assert back.earned == 0 and back.properties[0].message == engine.HIDDEN
    assert "expected" in back.properties[0].private


@pytest.mark.parametrize(
    "back",
    [
        "raise ValueError(repr(text))",
        "raise SystemExit(text)",
        "print(text); return text",
        "open('/tmp/kept', 'a').write(text + ','); return open('/tmp/kept').read()",
        "import time; time.sleep(99) if len(text) > 2 and text not in P else 0; "
        "return text[::-1]",
    ],
)
def test_no_hidden_input_reaches_what_a_student_reads(task_of, back):
    public = [c["text"] for _, c in public_cases(task_of)]
    result = graded(task_of(RIGHT, f"P = {public}\ndef back(text):\n    {back}"))
    assert result.parts[1].earned == 0
    secret = hidden_texts(task_of)
    assert secret and not [text for text in secret if text in told(result)]
    assert SEED not in to_json(result)


def public_cases(task_of):
    return cases_of(engine.parts_of(task_of().checker)["back"])


def hidden_texts(task_of):
    part = engine.parts_of(task_of().checker)["back"]
    cases = engine.hidden_cases(task_of(), part, {})
    return [case["text"] for _, case in cases]


def test_names_and_cell_errors_carry_nothing_out_either(task_of):
    leak = (
        "import sys\nf, found = sys._getframe(), ''\nwhile f:\n"
        "    found += str(f.f_locals.get('request', {}).get('inputs', ''))\n"
        "    f = f.f_back\nglobals()['back' + found] = 1\nraise ValueError(found)"
    )
    result = graded(task_of("def double(x): return x", leak))
    assert "ab" in told(result)  # the public input, found and told, as it may be
    assert not [text for text in hidden_texts(task_of) if text in told(result)]


@pytest.mark.parametrize(
    "double, trouble",
    [
        ("while True: pass", "not done after 2 s"),
        ("import time; time.sleep(60)", "not done after 2 s"),
        ("import os; os._exit(0)", "the process died"),
        ("import os; os.kill(1, 9); os.kill(-1, 9)", ""),
        ("import ctypes; ctypes.string_at(0)", "the process died"),
    ],
)  # fmt: skip
def test_a_part_that_hangs_or_dies_loses_only_itself(task_of, double, trouble):
    result = graded(task_of(RIGHT, f"def double(x):\n    {double}"))
    assert [p.earned for p in result.parts] == [0, 5]
    assert trouble in result.parts[0].trouble


@pytest.mark.parametrize(
    "cheat",
    [
        "class Any:\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
        "def double(x): return Any()\nback = double",
        "import numpy as np\nnp.isclose = np.allclose = lambda *a, **k: True\n"
        "np.testing.assert_allclose = lambda *a, **k: None\n"
        "def double(x): return x\ndef back(text): return text",
        "import json\nreal = json.dumps\n"
        "json.dumps = lambda v, **k: real({'done': True})\n"
        "def double(x): return x\ndef back(text): return text",
        'import os\nfor fd in range(1, 20):\n    try: os.write(fd, b\'{"done": true}\\n'
        '{"ended": true}\\n\')\n    except OSError: pass\n'
        "def double(x): return x\ndef back(text): return text",
        "from kit.labs import child, plain\nplain.dumps = lambda v: '{\"passed\": 1}'\n"
        "def double(x): return x\ndef back(text): return text",
    ],
    ids=["equal-to-all", "numpy", "json", "forged-done", "plain"],
)
def test_cheats_earn_nothing(task_of, cheat):
    assert earned(task_of(cheat)) == [0, 0]


def test_all_students_get_the_same_inputs_and_another_seed_gives_others(task_of):
    part = engine.parts_of(task_of().checker)["back"]
    one, two = task_of(), replace(task_of(), seed="0" * 32)
    texts = [plain.dumps(engine.hidden_cases(t, part, {})) for t in (one, one, two)]
    assert texts[0] == texts[1] != texts[2]
    assert seeds.part_seed("a", "lab", "b") != seeds.part_seed("a", "lab", "c")
    assert not any(c in cases_of(part) for c in engine.hidden_cases(one, part, {}))


@pytest.mark.parametrize(
    "content, words",
    [
        (b"PK\x03\x04", "no notebook"),
        (b"\xff\xfe{}", "no notebook"),
        (b"[" * 200_000, "no notebook"),
        (b'{"cells": [{"cell_type": "code", "source": 7}]}', "no notebook"),
        (b'{"cells": 3}', "no notebook"),
        (b"", "no notebook"),
    ],
)
def test_what_is_no_notebook_is_named_and_earns_nothing(task_of, content, words):
    task = task_of()
    with open(task.source[0], "wb") as file:
        file.write(content)
    result = graded(task)
    assert result.earned == 0 and result.points == 15
    assert words in result.submission.problems[0]


def test_a_syntax_error_and_a_surrogate_break_their_cells_alone(task_of):
    result = graded(task_of("x = = 1", "y = '\ud800'", RIGHT, "%matplotlib inline"))
    assert result.earned == 15
    assert "SyntaxError" in result.notes[0] and json.dumps(result.cells)


def test_a_late_penalty_is_off_the_sum(task_of):
    assert graded(task_of(RIGHT, penalty=10.0)).earned == 13.5


def test_a_lab_that_is_not_known_has_no_parts():
    submission = Submission("Ada", "ada", "unknown", "x", problems=("Which lab?",))
    assert graded(Task(submission, (), "", SEED)).points == 0


def test_only_what_changed_is_asked_again(task_of, tmp_path, monkeypatch):
    first = graded(task_of(RIGHT))
    asked = []
    real = engine.ask
    monkeypatch.setattr(engine, "ask",
                        lambda c, p, part, *a: asked.append(part.name)
                        or real(c, p, part, *a))  # fmt: skip
    assert graded(task_of(RIGHT, before=first)) == first and not asked
    other = tmp_path / "test_lab99_small.py"
    other.write_text(CHECKER.replace("points=5", "points=6"))
    again = replace(task_of(RIGHT, before=first), checker=str(other))
    assert graded(again).points == 16 and set(asked) == {"back"}


# ---- the seed


def test_a_seed_is_made_once_for_its_owner_and_never_beside_the_grades(tmp_path):
    path = tmp_path / "keys" / "seed"
    made = seeds.load(path, tmp_path / "out")
    assert len(made) == 64 and seeds.load(path, tmp_path / "out") == made
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(seeds.KitError, match="inside --out"):
        seeds.load(tmp_path / "out/seed", tmp_path / "out")
    with pytest.raises(seeds.KitError, match="inside the course"):
        seeds.load(seeds.ROOT / "seed", tmp_path / "out")
    path.write_text("12345")
    with pytest.raises(seeds.KitError, match="has no seed"):
        seeds.load(path, tmp_path / "out")
