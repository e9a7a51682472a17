"""Hostile and broken submissions, graded together in the real sandbox, once.

Each earns what it must, and afterwards nothing is as they wanted it: no file, process
or connection is left of them, and no student gets to see a hidden value.
"""

import hashlib
import os
import re
import socket
import stat
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from smalllab import needs_sandbox

sys.path.insert(0, str(Path(__file__).parent / "hostile"))
import broken
import corpus

from kit import grade, verbs
from kit.environment import ROOT
from kit.grading import engine, intake, names, plan, seeds
from kit.grading.result import Places, Submission, from_json
from kit.labs.examine import cases_of

pytestmark = [needs_sandbox, pytest.mark.slow]
SEED = "0b5e55ed" * 8
EXPECTED = corpus.expected()


class Run:
    """One run of `kit grade`: its folders, and what was there before and after."""

    def __init__(self, base):
        self.base, self.submissions = base, base / "submissions"
        self.places = Places(base / "grades")
        self.instructor = base / "instructor"
        (self.instructor / "solutions").mkdir(parents=True)
        (self.instructor / "solutions" / "answers.py").write_text("k * x")
        (self.instructor / "grades.csv").write_text("student,points\n")
        (self.instructor / "seed").write_text(SEED + "\n")
        (base / "roster.csv").write_text("student\nabsentee\n")

    def grade(self, what, *options):
        self.before = state_of(self.base)
        words = ["grade", str(what), "--out", str(self.places.out), *options]
        words += ["--seed-file", str(self.instructor / "seed"), "--why", "a test"]
        self.status = grade.main(verbs.parser().parse_args(words))
        self.after = state_of(self.base)
        return self

    def graded(self):
        paths = self.places.out.glob("results/*/*.json")
        return [from_json(path.read_text("utf-8")) for path in paths]

    def of(self, student):
        """What came of a student, told by the folder that they handed in."""
        key = names.key(student)
        (found,) = [g for g in self.graded() if g.submission.key == key]
        return found

    def for_students(self):
        """The files that students get, or can see."""
        out = self.places.out
        files = [p for p in (out / "feedback").rglob("*") if p.is_file()]
        return files + [p for p in (out / "exports").rglob("*") if p.is_file()]


def state_of(folder):
    """{path: what it is and holds} of all below a folder; content of files by sum."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = ""
        if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[path.relative_to(folder).as_posix()] = (status.st_mode, content)
    return found


@pytest.fixture(scope="module")
def small_course():
    """For the length of this module the course has one lab, the small one."""
    patch = pytest.MonkeyPatch()
    patch.setattr(intake, "labs", lambda: {90: "lab90_small"})
    patch.setattr(plan, "checkers", lambda: {"lab90_small": str(corpus.CHECKER)})
    yield
    patch.undo()


@pytest.fixture(scope="module")
def listener():
    """A server on this machine that nobody must reach."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield server


@pytest.fixture(scope="module")
def run(small_course, listener, tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("hostile"))
    corpus.write(
        run.submissions,
        LISTENER=listener.getsockname()[1],
        INSTRUCTOR=run.instructor,
        SUBMISSIONS=run.submissions,
    )
    roster = str(run.base / "roster.csv")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0minidl-grading-listener")
        unix.listen()
        return run.grade(run.submissions, "--roster", roster)


def test_there_are_enough_of_them():
    assert len(corpus.attacks()) + len(broken.BROKEN) >= 44


@pytest.mark.parametrize("name", EXPECTED)
def test_it_earns_what_it_must(run, name):
    expected = EXPECTED[name]
    found = run.of(expected.student)
    earned = {part.name: part.earned for part in found.parts}
    troubles = {part.name: part.trouble for part in found.parts}
    if expected.running is None:
        earned["running"] = None
    assert earned == {"scaled": expected.scaled, "running": expected.running}, troubles
    assert expected.told in " ".join(found.submission.problems)


def test_every_one_is_graded_or_named_and_the_run_ends_well(run):
    assert run.status == 0
    assert len(run.graded()) == len(EXPECTED) + 1  # and the absentee
    assert run.of("absentee").submission.problems == ("Nothing was handed in.",)


def test_the_instructor_s_files_and_the_submissions_are_as_they_were(run):
    changed = {
        path
        for path in run.before.keys() | run.after.keys()
        if run.before.get(path) != run.after.get(path)
        and Path(path).parts[0] != run.places.out.name
    }
    assert not changed


def test_nothing_that_they_made_is_left_anywhere(run):
    for root in (Path("/tmp"), Path("/dev/shm"), Path("/etc"), Path.home(), ROOT):
        found = [
            os.path.join(folder, name)
            for folder, _, files in os.walk(root)
            for name in files
            if corpus.MARK in name and "pytest-of-" not in folder
        ]
        assert not found


def test_no_process_is_left(run):
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue
        assert not re.search(rb"minidl-hostile|\x008639[789]", words), words
        if b"kit.grading.inside" in words:
            parent = int(
                (place.parent / "stat").read_text().rpartition(")")[2].split()[1]
            )
            assert parent != 1, words  # one that nobody waits for


def test_nobody_reached_the_network(run, listener):
    with pytest.raises(BlockingIOError):
        listener.accept()


SPRING = (  # attacks that work where there is no sandbox
    "secrets_by_environment", "supervisor_by_proc", "proc_root_of_parent",
    "network_socket", "network_datagram", "network_abstract_socket",
)  # fmt: skip


@pytest.mark.parametrize("name", SPRING)
def test_without_a_sandbox_the_attack_works(name, tmp_path, listener, monkeypatch):
    """The witness that it was the sandbox that stopped it."""
    monkeypatch.setenv("MINIDL_SECRET", SEED)
    source = corpus.attacks()[name][0]
    source = source.replace("LISTENER", str(listener.getsockname()[1]))
    path = tmp_path / broken.NAME
    path.write_text(broken.notebook("import numpy as np", source))
    about = Submission("A", "a", "lab90_small", path.name)
    task = engine.Task(about, (str(path), None), str(corpus.CHECKER), SEED, False)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0minidl-grading-listener")
        unix.listen()
        graded, _ = engine.grade(task)
    assert graded.parts[0].earned == 10


def test_hard_coded_and_guessed_answers_fail_on_hidden_inputs_alone(run):
    for name in ("answers_of_the_public_seed", "seed_guessed"):
        scaled = run.of(name).parts[0]
        assert [p.message for p in scaled.properties] == [engine.HIDDEN] * 2


# ---- an archive as platforms export it


def entry(archive, name, text, mode=0o100644, **options):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    archive.writestr(info, text, zipfile.ZIP_DEFLATED, **options)


@pytest.fixture(scope="module")
def archived(small_course, tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("archived"))
    path, good = run.base / "export.zip", broken.notebook()
    with zipfile.ZipFile(path, "w") as archive:
        entry(
            archive, "Ada Lovelace_101_assignsubmission_file_/lab90_small.ipynb", good
        )
        entry(archive, "../../outside/lab90_small.ipynb", good)
        entry(archive, "/tmp/outside/lab90_small.ipynb", good)
        entry(archive, "..\\..\\outside\\lab90_small.ipynb", good)  # the same student
        entry(archive, "linker/lab90_small.ipynb", "/etc/passwd", 0o120777)
        entry(archive, "bomb/lab90_small.ipynb", bytes(1 << 30))
        entry(archive, "inner/submission.zip", b"PK")
        entry(archive, "turingalan_LATE_202_77_lab90_small-2.ipynb", good)
        entry(archive, "__MACOSX/ada/._lab90_small.ipynb", b"\0")
    return run.grade(path, "--late-penalty", "10")


def test_an_archive_is_graded_and_what_leads_out_of_it_is_named(archived):
    assert archived.status == 0
    found = {g.submission.student: g for g in archived.graded()}
    assert found["Ada Lovelace"].earned == 15
    assert found["turingalan"].earned == 13.5  # the platform says late: 10 % off
    told = [" ".join(g.submission.problems) for g in archived.graded()]
    assert sum("leads out of it" in words for words in told) == 2
    assert not any("unpack (" in words for words in told)
    assert "link" in " ".join(found["linker"].submission.problems)
    assert "larger than" in " ".join(found["bomb"].submission.problems)


def test_an_archive_writes_nothing_but_the_grades(archived):
    new = archived.after.keys() - archived.before.keys()
    assert {Path(path).parts[0] for path in new} == {"grades"}
    assert not Path("/tmp/outside").exists()
    assert not list(archived.base.parent.glob("outside*"))


def test_platforms_get_back_the_numbers_by_which_they_know_students(archived):
    exports = archived.places.exports
    assert "turingalan,202," in (exports / "canvas-lab90_small.csv").read_text()
    moodle = (exports / "moodle-lab90_small.csv").read_text()
    assert "Participant 101,Ada Lovelace,15.0,15" in moodle


# ---- what students get to see


def forms(value):
    """The ways in which a number may stand in a text."""
    value = float(value)
    return {repr(value), f"{value:.6g}", f"{value:.4f}", f"{value:.10g}"}


def numbers(*cases):
    """The numbers in cases, and in the right answers to them."""
    for case in cases:
        x, k = np.asarray(case["x"]), case.get("k")
        results = [np.cumsum(x)] if k is None else [x * k, [k]]
        yield from (n for a in (x, *results) for n in np.ravel(a))


def secrets():
    """Texts that no student may ever get: the seed, hidden inputs and answers."""
    found = {SEED, seeds.mark(SEED)}
    for part in engine.parts_of(str(corpus.CHECKER)).values():
        seed = seeds.part_seed(SEED, "lab90_small", part.name)
        hidden = [case for _, case in cases_of(part, seed)]
        public = [case for _, case in cases_of(part)]
        known = set(numbers(*public))
        values = [n for n in numbers(*hidden) if n not in known]
        found |= {str(seed)} | {form for n in values for form in forms(n)}
    return {text for text in found if len(text) > 5}


def leaks(paths):
    """(file, secret) of each that stands in a file."""
    wanted = re.compile("|".join(map(re.escape, secrets())))
    for path in paths:
        for match in wanted.finditer(path.read_text("utf-8")):
            yield path.name, match[0]


def test_a_hidden_value_that_is_planted_is_found(run, tmp_path):
    case = cases_of(
        engine.parts_of(str(corpus.CHECKER))["scaled"],
        seeds.part_seed(SEED, "lab90_small", "scaled"),
    )[1][1]
    page = run.for_students()[0].read_text("utf-8")
    for value in (case["x"][0], case["k"], case["k"] * case["x"][3]):
        planted = tmp_path / "planted.html"
        planted.write_text(page + f"expected {value:.6g}")
        assert [secret for _, secret in leaks([planted])]


def test_no_student_sees_a_hidden_input_an_expected_value_or_the_seed(run):
    files = run.for_students()
    assert len(files) >= 2 * len(EXPECTED)
    assert list(leaks(files)) == []


class Page(HTMLParser):
    """What is in a page that could run or fetch something."""

    def __init__(self, text):
        super().__init__()
        self.active = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        harmless = "html head meta title style body h1 h2 h3 p pre ul li b span strong"
        harmless += " small details summary div table tr th td figure figcaption svg"
        harmless += " rect text em"
        if tag not in harmless.split():
            self.active.append(tag)
        for name, value in attributes:
            if name.startswith("on") or name in ("href", "src", "style", "srcdoc"):
                self.active.append(f"{name}={value}")


def test_a_page_that_could_run_something_is_noticed():
    assert Page("<p onclick='x'>").active == ["onclick=x"]
    assert Page("<script>").active == ["script"]


def test_no_page_can_run_or_fetch_anything(run):
    pages = [p for p in run.places.out.rglob("*.html")]
    assert len(pages) > len(EXPECTED)
    assert [(p.name, Page(p.read_text("utf-8")).active) for p in pages
            if Page(p.read_text("utf-8")).active] == []  # fmt: skip


def test_no_text_has_characters_that_steer_a_terminal(run):
    steering = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
    for path in run.for_students() + [run.places.overview]:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        assert not steering.search(text), path


def test_no_cell_of_a_table_is_a_formula(run):
    import csv

    tables = [run.places.grades, *run.places.exports.glob("*.csv")]
    assert len(tables) >= 3
    for path in tables:
        with path.open(newline="", encoding="utf-8") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), (path, cell)


def test_the_copied_notebook_is_listed_as_alike_no_more(run):
    """Short right answers to a one-line task are no evidence, however alike."""
    text = run.places.overview.read_text("utf-8")
    assert "copy_of_classmate" not in text.partition("Alike")[2]
