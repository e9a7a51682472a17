"""Labs around the checkers: what a student is told, what is kept, what is released."""

import ast
import json
import shutil
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import check, new_lab, release, stack, weave
from kit.environment import ROOT, KitError
from kit.labs import excerpt, files, make, plain
from kit.labs.examine import Hearing, cases_of, cells_of, examine
from kit.labs.parts import Part, Property, same

CHECKER = """
from kit.labs.parts import Part, Property, same
import numpy as np

def rule(says):
    return Property(
        says,
        cases=lambda rng: [{"x": np.arange(3.0)}, {"x": rng.random(40)}],
        call=lambda lab, x: lab.double(x),
        judge=lambda result, x: same(2 * x, result),
        hint="two times",
    )

PARTS = [Part("double", ("double",), (rule("it doubles"), rule("again")), seconds=2.5)]
"""


@pytest.fixture
def examined(tmp_path):
    """A function from the sources of cells to the verdict on the part `double`."""
    path = tmp_path / "test_lab99_double.py"
    path.write_text(CHECKER)
    part = files.load(path).PARTS[0]

    def run(*sources):
        cells = list(enumerate(sources, 1))
        return examine(path, part, cells)

    return run


def words(verdict):
    return check.report(verdict)


def test_a_right_answer_passes(examined):
    verdict = examined("import numpy as np", "def double(x):\n    return x * 2")
    assert verdict.passed and words(verdict).count("ok  ") == 2


@pytest.mark.parametrize(
    "source, told",
    [
        ("def double(x):\n    return x", ["[1]: expected 2, found 1", "hint: two times",
                                          "on x = [0., 1., 2.]"]),
        ("def double(x):\n    return x[1:] * 2", ["expected shape (3,), found (2,)"]),
        ("def double(x):\n    return x / nought", ["line 2, `return x / nought`",
                                                    "NameError"]),
        ("def double(x):\n  return x *", ["defines no `double`", "in cell 1, line 2",
                                          "SyntaxError"]),
        ("def doubled(x):\n    return 2 * x", ["no `double`", "called `doubled`?"]),
        ("def double(x):\n    return {1}", ["set is no plain data"]),
        ("def double(x):\n    return 'twice'", ["it doubles"]),
        ("def double(x):\n    raise NotImplementedError('write your code here')",
         ["nothing is written yet"]),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told_what_is_wrong(examined, source, told):
    verdict = examined(source)
    assert not verdict.passed
    text = " ".join(words(verdict).split())
    assert all(part in text for part in told), text


@pytest.mark.parametrize(
    "sources, told",
    [
        (["def double(x):\n    while True: pass"], "after 2.5 s, in “it doubles”"),
        (["while True: pass"], "not done after 2.5 s, in cell 1"),
        (["import os\ndef double(x):\n    os._exit(0)"], "died in “it doubles”"),
        (["import os\nos._exit(3)"], "the process died in cell 1"),
    ],
)  # fmt: skip
def test_code_that_hangs_or_dies_is_said_plainly(examined, sources, told):
    verdict = examined(*sources)
    assert not verdict.passed and told in verdict.trouble


def test_a_cell_that_fails_does_not_stop_the_others(examined):
    verdict = examined("1 / 0", "def double(x):\n    return 2 * x")
    assert verdict.passed and "ZeroDivisionError" in verdict.notes[0]


def test_a_missing_name_is_not_blamed_on_another_cell(examined):
    told = examined("x = = 1", "def doubled(x):\n    return 2 * x").trouble
    assert told == "the notebook defines no `double`; is it the one called `doubled`?"


def test_what_the_code_prints_is_no_answer(examined):
    loud = "def double(x):\n    print('{\"result\": 1}', flush=True)\n    return 2 * x"
    assert examined(loud).passed


def test_an_input_that_the_student_changes_does_not_change_what_is_expected(examined):
    assert examined("def double(x):\n    x *= 2\n    return x").passed  # allowed here
    assert not examined("def double(x):\n    x *= 0\n    return x").passed


@pytest.mark.parametrize("chapter", files.all_labs(), ids=files.name)
def test_the_child_gets_no_judge_no_witness_and_no_number_by_hand(chapter):
    path = files.checker_path(chapter)
    for part in files.parts(chapter).values():
        sent, calls = excerpt.calls(path, part)
        given = excerpt.names_in(ast.parse(sent)) | set(calls)
        given |= {name for s in ast.parse(sent).body for name in excerpt.bound(s)}
        judges = {rule.judge.__name__ for rule in part.properties}
        assert not given & (judges | {"same", "Part", "Property", "PARTS"})
        assert not [name for name in given if name.endswith("BY_HAND")]
        for i, case in cases_of(part):
            told = excerpt.inputs(part.properties[i], case)
            assert not set(told) & {"by_hand", "slopes", "expected"}


def test_a_call_made_inside_another_function_is_refused(tmp_path):
    path = tmp_path / "test_lab99_double.py"
    path.write_text(CHECKER.replace("lab.double(x)", "lab.double(x) or says"))
    with pytest.raises(ValueError, match="uses no variable of a function around it"):
        excerpt.calls(path, files.load(path).PARTS[0])


def test_silence_lies_and_answers_out_of_turn_pass_nothing(tmp_path):
    path = tmp_path / "test_lab99_double.py"
    path.write_text(CHECKER)
    part = files.load(path).PARTS[0]
    cases = cases_of(part)
    right = [{"result": 2 * case["x"]} for _, case in cases]
    begun = [{"begun": n} for n in range(len(cases))]
    honest = [event for pair in zip(begun, right) for event in pair]
    assert heard(part, cases, [*honest, {"done": True}, {"ended": True}]).passed
    for lies in (
        [],
        [{"done": True}, *honest],
        [{"ended": True}],
        right,
        honest[:-1],
        [*begun, *right],
        [*honest[:-2], begun[0], right[0]],
        [{"missing": []}, *honest],
        [{"begun": True}, {"begun": -1}, {"begun": 10**9}, {"begun": "0"}],
        [{"result": None}, {"raised": ["\ud800\x00"], "stub": {}}],
    ):
        verdict = heard(part, cases, lies)
        assert not verdict.passed and verdict.trouble, lies


def heard(part, cases, events):
    hearing = Hearing(part, [(1, "x = 1")], cases, [case for _, case in cases])
    for event in events:
        hearing.take(event)
    hearing.close()
    return hearing.verdict


def test_magics_and_tagged_cells_are_left_out(tmp_path):
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("%matplotlib inline\nx = 1\n!ls"),
        nbformat.v4.new_code_cell("long()", metadata={"tags": ["try"]}),
        nbformat.v4.new_markdown_cell("text"),
        nbformat.v4.new_code_cell("y = 2"),
    ]
    nbformat.write(made, tmp_path / "a.ipynb")
    assert cells_of(tmp_path / "a.ipynb") == [(1, "\nx = 1\n"), (3, "y = 2")]


def test_a_line_of_python_that_begins_with_a_percent_sign_is_kept():
    from kit.labs.examine import without_magics

    source = "total = (17\n    % 5)\ntext = '''a\n%b\n'''"
    assert without_magics(source) == source


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no notebook"):
        cells_of(path)
    with pytest.raises(ValueError, match="can't be read"):
        cells_of(tmp_path / "none.ipynb")


# ---- plain data

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
)


@given(plain_values)
def test_plain_data_comes_back(value):
    assert plain.loads(plain.dumps(value)) == value


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int64", "bool", "uint8", ">i2"]
)
def test_arrays_come_back_bit_for_bit(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    back = plain.loads(plain.dumps({"a": [array[:, ::-1]]}))["a"][0]
    assert back.dtype == array.dtype and (back == array[:, ::-1]).all()


@pytest.mark.parametrize("value", [{1}, object(), np.array([object()]), print])
def test_what_is_no_plain_data_is_refused(value):
    with pytest.raises(TypeError, match="no plain data"):
        plain.dumps(value)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"$array": ["<f8", [1000000000000], ""]}',
        '{"$array": ["<f8", [1000000000000, 0], ""]}',
        '{"$array": ["<f8", [-1], "AAAAAAAAAAA="]}',
        '{"$array": ["<f8", [true], "AAAAAAAAAAA="]}',
        '{"$array": ["O", [1], "AAAAAAAAAAA="]}',
        '{"$array": ["(9,)f8", [1], "AAAAAAAAAAA="]}',
        '{"$array": ["<f8", [1], "no base64"]}',
        '{"$array": ["<f8", [1], 7]}',
        '{"$array": 3}',
        "[" + "0," * 100_000 + "0]",
        '"' + "a" * 30_000 + '"',
        "1" * 5000,
        "\x00",
    ],
)
def test_what_is_too_large_deep_or_twisted_is_a_value_error(line):
    with pytest.raises(ValueError):
        plain.loads(line)


def test_control_characters_and_lone_surrogates_are_taken_out():
    assert plain.clean("a\x1b[31m\x00\ud800\u202eb\nc") == "a?[31m???b\nc"
    assert len(plain.clean("x" * 10**6, 100)) == 100


def test_same_names_the_first_difference():
    assert same([1.0, 2.0], np.array([1.0, 2.0])) is None
    assert "at [1]: expected 2, found 3 (1 of 2 differ)" in same([1.0, 2.0], [1.0, 3.0])
    assert "expected numbers" in same([1.0], np.array(["a"]))


# ---- from a solution to a lab, which is the student's from then on

LABS = files.all_labs()


def test_a_region_becomes_an_error_that_says_what_to_do():
    source = (
        "def f(x):\n    '''Doc.'''\n    ### BEGIN SOLUTION (about 2 lines)\n"
        "    secret()\n    ### END SOLUTION\n\n\nclass A:\n    def g(self):\n"
        "        ### BEGIN SOLUTION (about 1 line)\n        other()\n"
        "        ### END SOLUTION\n"
    )
    text = make.stubbed(source)
    assert "secret" not in text and "other" not in text
    assert (
        '    raise NotImplementedError("f: write your code here, about 2 lines")'
        in text
    )
    assert '        raise NotImplementedError("g: write' in text
    compile(text, "lab", "exec")


@pytest.mark.parametrize("marker", ["### BEGIN SOLUTION", "### END SOLUTION"])
def test_a_marker_without_its_other_is_an_error_not_a_leak(marker):
    with pytest.raises(KitError, match="must read"):
        make.stubbed(f"def f():\n    {marker}\n    secret()\n")


@pytest.fixture
def own_lab(tmp_path, monkeypatch):
    """The first lab, copied to where a student may work in it."""
    path = tmp_path / "lab.ipynb"
    shutil.copy(files.lab_path(LABS[0]), path)
    monkeypatch.setattr(files, "lab_path", lambda chapter: path)
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(weave, "ROOT", tmp_path)
    return LABS[0], path


def test_a_lab_that_was_worked_in_is_kept_and_said(own_lab):
    chapter, path = own_lab
    made = json.loads(path.read_text("utf-8"))
    made["cells"][3]["source"] = ["my work"]
    path.write_text(json.dumps(made))
    before = path.read_bytes()
    assert "you have worked in" in weave.weave_lab(chapter, force=True)
    assert make.state(chapter) == "edited" and path.read_bytes() == before


def test_running_cells_is_no_edit(own_lab):
    chapter, path = own_lab
    made = json.loads(path.read_text("utf-8"))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = 7, []
    path.write_text(json.dumps(made))
    assert make.state(chapter) == "fresh"


def test_a_broken_file_is_kept_too(own_lab):
    chapter, path = own_lab
    path.write_text("half a noteb")
    assert "it is kept" in weave.weave_lab(chapter, force=False)
    assert path.read_text() == "half a noteb"


# ---- what is released


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    path = release.archive(folder)
    with zipfile.ZipFile(path) as file:
        file.extractall(folder)
    return folder / "minidl"


def answer_lines():
    """The lines of all answers that are long enough to be told from others."""
    for chapter in LABS:
        text = files.solution_path(chapter).read_text("utf-8")
        for region in make.REGION.finditer(text):
            for line in region[0].splitlines():
                line = " ".join(line.split())
                if len(line) > 36 and not line.startswith(("#", "raise ", 'f"', '"')):
                    yield chapter, line


def test_no_answer_and_nothing_made_from_one_is_released(released):
    names = [p.relative_to(released).as_posix() for p in released.rglob("*")]
    assert not [n for n in names if "solution" in n or "answers_" in n or "gate" in n]
    library = " ".join(
        " ".join(p.read_text("utf-8").split())
        for p in (ROOT / "minidl").rglob("*")
        if p.suffix in (".py", ".cu")
    )
    texts = {
        p: " ".join(p.read_text("utf-8", errors="replace").split())
        for p in released.rglob("*")
        if p.suffix in (".py", ".ipynb", ".md", ".toml")
        and "minidl/minidl" not in str(p)
    }
    leaks = [
        (files.name(chapter), line, path.name)
        for chapter, line in answer_lines()
        if line not in library
        for path, text in texts.items()
        if line in text or json.dumps(line)[1:-1] in text
    ]
    assert not leaks


def test_what_lies_beside_the_labs_is_not_released():
    first = files.lab_path(LABS[0])
    beside = [first.with_suffix(".py"), first.with_suffix(".html")]
    beside += [first.parent / "mine.md", files.answers_path(LABS[0])]
    beside += [files.checker_path(LABS[0]).with_name("test_lab01_tensors_answers.py")]
    shown = {first, files.checker_path(LABS[0])}
    assert not [path for path in beside if release.belongs(path, shown)]
    assert all(release.belongs(path, shown) for path in shown)


def run(folder, *words):
    command = [sys.executable, "-m", "kit", "--here", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_check_works_in_the_archive_and_finds_the_stubs(released):
    found = run(released, "check", str(LABS[0]["number"]))
    assert found.returncode == 1 and "nothing is written yet" in found.stdout, found
    assert ": 0 of " in found.stdout


def test_check_works_in_the_archive_and_passes_a_right_lab(released, tmp_path):
    import jupytext

    number = LABS[0]["number"]
    made = jupytext.read(files.solution_path(LABS[0]), fmt="py:percent")
    nbformat.write(made, tmp_path / "mine.ipynb")
    found = run(released, "check", str(number), "--file", str(tmp_path / "mine.ipynb"))
    assert found.returncode == 0, found.stdout + found.stderr


def test_two_releases_are_the_same_bytes(tmp_path):
    first, second = (release.archive(tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_an_unknown_lab_or_part_is_named(capsys):
    with pytest.raises(KitError, match="There is no lab 26; there are: 01"):
        files.numbered(26)
    with pytest.raises(KitError, match="has no part 'x'; it has: "):
        check.check(LABS[0], files.lab_path(LABS[0]), "x")


# ---- your stack


def stacked(folder, monkeypatch, text_of):
    """What `kit stack` prints and writes, where the labs have these texts."""
    import jupytext

    for chapter in LABS:
        made = jupytext.reads(text_of(chapter), fmt="py:percent")
        nbformat.write(made, folder / f"{files.name(chapter)}.ipynb")
    monkeypatch.setattr(files, "lab_path", lambda c: folder / f"{files.name(c)}.ipynb")
    monkeypatch.setattr(stack, "PAGE", folder / "page.html")
    assert stack.main(None) == 0
    return (folder / "page.html").read_text("utf-8")


def solution(chapter):
    return files.solution_path(chapter).read_text("utf-8")


@pytest.mark.slow
def test_the_library_trains_on_what_a_student_passed(tmp_path, monkeypatch, capsys):
    page = stacked(tmp_path, monkeypatch, solution)
    ran = sum(
        part.stand_in is not None for c in LABS for part in files.parts(c).values()
    )
    told = capsys.readouterr().out
    assert ran >= 6 and f"{ran} parts of the library ran on your code" in told
    assert ", 0 calls" not in page and page.count(" calls") == ran
    accuracies = [float(line.split()[-1]) for line in told.splitlines()
                  if line.startswith("epoch 2")]  # fmt: skip
    assert accuracies[0] > 0.8


@pytest.mark.slow
def test_the_library_stands_in_for_what_is_not_passed(tmp_path, monkeypatch, capsys):
    first = LABS[0]["number"]

    def begun(chapter):
        text = solution(chapter)
        return text if chapter["number"] == first else make.stubbed(text)

    page = stacked(tmp_path, monkeypatch, begun)
    assert "not yet" in page and "passed" in page
    assert "propagate" in page and "autodiff.propagate," not in page


# ---- new labs


def test_a_new_lab_can_be_woven_checked_and_gated(tmp_path, monkeypatch):
    chapter = {"number": 26, "name": "capstone", "title": "Capstone"}
    for kind in ("solution", "checker", "answers"):
        name = f"test_lab26_{kind}.py" if kind == "checker" else f"{kind}.py"
        monkeypatch.setattr(
            files, f"{kind}_path", lambda chapter, name=name: tmp_path / name
        )
    monkeypatch.setattr(new_lab, "ROOT", tmp_path)
    monkeypatch.setattr(new_lab.chapters, "chapters", lambda: [chapter])
    arguments = type("Arguments", (), {"number": 26})
    assert new_lab.main(arguments) == 0
    part = files.parts(chapter)["double"]
    answers = files.load(files.answers_path(chapter))
    code = make.cells(chapter)
    assert any("double: write your code here" in c.source for c in code.cells)
    for right in answers.RIGHT["double"]:
        assert examine(files.checker_path(chapter), part, [(1, right)]).passed
    with pytest.raises(KitError, match="is there already"):
        new_lab.main(arguments)


def test_parts_and_properties_are_plain_to_write():
    rule = Property("it holds", list, print, print, "look")
    assert Part("a", ("a",), (rule,)).seconds == 20
