"""Intake: whatever a class or a platform hands in is taken up, or named."""

import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalllab import RIGHT, SEED, notebook

from kit.environment import KitError
from kit.grading import intake, late, names, plan

GOOD = notebook(RIGHT)


def found_in(place):
    return {f.path: f for f in intake.collect(place)}


def put(folder, name, content=GOOD):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(tmp_path, **entries):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name, student, lab",
    [
        ("ada/lab02_autodiff.ipynb", "ada", "lab02_autodiff"),
        ("ada/work/Lab 2 no Lab-02 (1).ipynb", "ada", "lab02_autodiff"),
        ("ada_lab01_tensors.ipynb", "ada", "lab01_tensors"),
        ("lovelaceada_123_4567_lab02_autodiff-1.ipynb", "lovelaceada",
         "lab02_autodiff"),
        ("lovelaceada_LATE_123_4567_lab02.ipynb", "lovelaceada", "lab02_autodiff"),
        ("Ada K. Lovelace_77_assignsubmission_file_/lab03_models.ipynb",
         "Ada K. Lovelace", "lab03_models"),
    ],
)  # fmt: skip
def test_platforms_names_give_student_and_lab(tmp_path, name, student, lab):
    put(tmp_path / "all", name)
    (f,) = intake.collect(tmp_path / "all")
    assert (f.student, f.lab, f.late) == (student, lab, "LATE" in name)
    archive = zipped(tmp_path, **{name: GOOD})
    (z,) = intake.collect(archive)
    assert (z.student, z.lab, z.identity) == (f.student, f.lab, f.identity)
    assert intake.read(z.source) == intake.read(f.source) == GOOD.encode()


def test_a_renamed_notebook_is_known_by_what_it_checks(tmp_path):
    put(tmp_path, "ada/final FINAL.ipynb", notebook("check = checker(2)"))
    (f,) = intake.collect(tmp_path)
    assert f.lab == "lab02_autodiff" and not f.problem
    put(tmp_path, "bob/what.ipynb", notebook("x = 1"))
    assert "can't be told" in found_in(tmp_path)["bob/what.ipynb"].problem


def test_links_pipes_and_checkpoints_are_not_opened(tmp_path):
    secret = put(tmp_path, "secret.ipynb", notebook("the course"))
    all_ = tmp_path / "all"
    put(all_, "ada/.ipynb_checkpoints/lab02_autodiff.ipynb")
    put(all_, "bob/.git/lab02_autodiff.ipynb")
    put(all_, "eve/lab01_tensors.ipynb")
    (all_ / "eve/lab02_autodiff.ipynb").symlink_to(secret)
    (all_ / "eve/folder").symlink_to(tmp_path)
    os.mkfifo(all_ / "eve/lab03_models.ipynb")
    found = found_in(all_)
    assert set(found) == {f"eve/{n}" for n in (
        "lab01_tensors.ipynb", "lab02_autodiff.ipynb", "lab03_models.ipynb", "folder")
    }  # fmt: skip
    assert not found["eve/lab01_tensors.ipynb"].problem
    for name in ("lab02_autodiff", "lab03_models"):
        f = found[f"eve/{name}.ipynb"]
        assert "not opened" in f.problem
        with pytest.raises(ValueError, match="can't be read"):
            intake.read(f.source)


def test_entries_that_lead_out_of_an_archive_are_named_and_nothing_is_written(
    tmp_path,
):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    place = zipped(inner, **{
        "../../evil_lab02.ipynb": GOOD, "/etc/lab02.ipynb": GOOD,
        "C:\\lab02.ipynb": GOOD, "..\\lab02.ipynb": GOOD, "ada/lab02_x.ipynb": GOOD,
    })  # fmt: skip
    with zipfile.ZipFile(place, "a") as archive:
        link = zipfile.ZipInfo("eve/lab02_x.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    found = intake.collect(place)
    assert [f.student for f in found if not f.problem] == ["ada"]
    assert len([f for f in found if f.problem]) == 5
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_and_a_huge_notebook_are_read_no_further_than_the_limit(tmp_path):
    bomb = zipped(tmp_path, **{"ada/lab02_x.ipynb": b" " * (300 << 20)})
    (f,) = intake.collect(bomb)
    with pytest.raises(ValueError, match="larger than 16 MB"):
        intake.read(f.source)
    huge = tmp_path / "all/bob/lab02_x.ipynb"
    huge.parent.mkdir(parents=True)
    with open(huge, "wb") as file:
        file.truncate(200 << 20)
    (f,) = intake.collect(tmp_path / "all")
    with pytest.raises(ValueError, match="larger than 16 MB"):
        intake.read(f.source)


def test_a_damaged_entry_is_a_sentence(tmp_path):
    place = zipped(
        tmp_path, **{"ada/lab02_x.ipynb": GOOD * 9, "bob/lab02_x.ipynb": "a"}
    )
    raw = bytearray(place.read_bytes())
    raw[60:90] = b"\xff" * 30
    place.write_bytes(raw)
    ada, _ = intake.collect(place)
    with pytest.raises(ValueError, match="it (is damaged|can't be)"):
        intake.read(ada.source)


def test_what_is_no_place_is_said(tmp_path):
    with pytest.raises(KitError, match="neither a folder nor a zip"):
        intake.collect(put(tmp_path, "x.rar", "Rar!"))
    with pytest.raises(KitError, match="There is no notebook"):
        intake.collect(tmp_path)


# ---- names


HOSTILE = ["../../x", "a/b", "=cmd|' /C calc'!A0", "a\nb", "CON", "nul", "", ".",
           "..", "Zoë", "Zoe\u0308", "張偉", "\u202eada", "ada ", "Ada",
           "x" * 300]  # fmt: skip


def test_no_two_names_meet_in_one_file_and_none_leaves_its_folder():
    keys = [names.key(name) for name in HOSTILE]
    assert len({key.casefold() for key in keys}) == len(HOSTILE)
    assert all(key.isascii() and key.replace("-", "").isalnum() for key in keys)
    assert max(map(len, keys)) < 60 and not {"con", "nul"} & set(keys)
    assert names.key("ada") == "ada"


@given(st.text(), st.text())
def test_names_are_told_apart_by_their_keys(a, b):
    assert (names.key(a) == names.key(b)) == (a == b)
    assert "\n" not in names.label(a) and "\x1b" not in names.label(a)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_formula_is_text_in_a_table(text):
    assert names.cell(text) == f"'{text}"
    assert names.cell("ada") == "ada" and names.cell(-1.5) == -1.5


# ---- deadlines and several submissions

DUE = late.deadline("2026-03-01")


def attempt(hours, path="a", **options):
    return intake.Found("ada", "Ada", "lab02_autodiff", path, (path, None),
                        DUE + 3600 * hours, **options)  # fmt: skip


def test_a_day_is_late_from_its_first_second():
    policy = late.Policy(DUE, penalty=10)
    for hours, days in [(-1, 0), (0, 0), (0.001, 1), (24, 1), (24.1, 2), (2400, 100)]:
        assert policy.days(attempt(hours)) == days
        assert policy.percent(attempt(hours)) == min(100, 10 * days)
    assert late.Policy().days(attempt(5)) == 0
    assert late.Policy().days(attempt(-5, late=True)) == 1


@pytest.mark.parametrize(
    "keep, hours, kept",
    [
        ("latest", [-5, -1, 9], [-1]),
        ("latest", [3, 9], [9]),
        ("first", [-5, -1], [-5]),
        ("best", [-5, 9], [-5, 9]),
    ],
)
def test_which_of_several_counts(keep, hours, kept):
    policy = late.Policy(DUE, 10, keep)
    attempts = [attempt(h) for h in hours]
    assert policy.candidates(attempts) == [attempt(h) for h in kept]


def test_a_deadline_is_a_date_or_a_time_anywhere():
    assert late.deadline("2026-03-02T01:00+01:00") == late.deadline("2026-03-02T00:00")
    assert late.deadline("2026-03-02T00:00") - DUE == 1
    with pytest.raises(KitError, match="expected a date"):
        late.deadline("tomorrow")
    with pytest.raises(KitError, match="expected 0 to 100 percent"):
        late.Policy(DUE, penalty=-5)


def test_two_handed_in_are_named_and_the_absent_have_tasks(tmp_path):
    found = [attempt(-5, "a"), attempt(-1, "b")]
    (tmp_path / "r.csv").write_text("\ufeffname,student\nx,ADA\ny,=Bob\ny,=Bob\n")
    roster = plan.roster(tmp_path / "r.csv")
    made = plan.tasks(found, late.Policy(), SEED, roster)
    (ada,), (bob,) = made["ada", "lab02_autodiff"], made["=Bob", "lab02_autodiff"]
    assert ada.submission.problems == ("2 were handed in; this is b.",)
    assert bob.submission.problems == ("Nothing was handed in.",) and len(made) == 2


def test_students_of_one_name_are_told_apart(tmp_path):
    for number in (1, 2):
        put(tmp_path, f"A B_{number}_assignsubmission_file_/lab02_x.ipynb")
    made = plan.tasks(intake.collect(tmp_path), late.Policy(), SEED)
    students = [each[0].submission for each in made.values()]
    assert len({s.student for s in students}) == len({s.key for s in students}) == 2
