"""The environment: the same for pip and conda, and failures told in a sentence."""

import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from kit import environment, verbs
from kit.environment import ROOT, KitError

CONDA_NAMES = {
    "cupy-cuda12x": "cupy",
    "torch": "pytorch-cpu",
    "nvidia-cuda-nvrtc-cu12": "cuda-nvrtc",
    "nvidia-cuda-runtime-cu12": "cuda-cudart",
    "playwright": "playwright-python",
}


def requirements():
    """{conda name: lower bound} of all that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    found = {"python": project["requires-python"].removeprefix(">=")}
    for text in (text for part in lists for text in part):
        name, bound = re.match(r"([\w-]+)(?:\[\w+\])?(?:>=([\d.]+))?", text).groups()
        if name != "minidl":
            found[CONDA_NAMES.get(name, name)] = bound
    return found


def test_conda_and_pip_ask_for_the_same():
    text = (ROOT / "environment.yml").read_text("utf-8")
    conda = dict(re.findall(r"^  - ([\w-]+)>=([\d.]+)", text, re.MULTILINE))
    assert conda == requirements()


def test_no_version_is_pinned():
    assert "==" not in re.sub(r"sys_platform == '\w+'", "", str(requirements()))
    assert None not in requirements().values()


@pytest.mark.parametrize("old", ["python3.6", "python3.8", "python3.10"])
def test_an_old_python_is_told_so_in_one_sentence(old):
    found = shutil.which(old)
    if (
        not found
        or subprocess.run([found, "--version"], capture_output=True).returncode
    ):
        pytest.skip(f"{old} is not on this machine")
    answer = subprocess.run(
        [found, "-m", "kit", "learn"], cwd=ROOT, capture_output=True, text=True
    )
    lines = answer.stderr.strip().splitlines()
    assert answer.returncode == 1 and len(lines) == 1
    assert lines[0].startswith("minidl needs Python 3.11 or newer and this is 3.")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The kit with its environment in a temporary folder."""
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    return tmp_path / ".venv"


@pytest.mark.slow
def test_no_network_is_a_sentence(elsewhere, monkeypatch):
    elsewhere.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(KitError, match="reaches no package index"):
        environment.pip(sys.executable, "--target", elsewhere / "t", "minidl-no-such")
    assert "minidl-no-such" in (elsewhere / "install.log").read_text("utf-8")


@pytest.mark.slow
def test_another_failure_of_pip_is_quoted(elsewhere):
    elsewhere.mkdir()
    with pytest.raises(KitError, match="Installing failed: .*not a valid wheel"):
        environment.pip(sys.executable, "--no-index", "./no-such-file.whl")


@pytest.mark.parametrize(
    "output, words",
    [
        ("ERROR: [Errno 28] No space left on device", "The disk is full"),
        ("Temporary failure in name resolution", "reaches no package index"),
        ("Error: ensurepip is not available", "install its venv module"),
        ("something else", None),
    ],
)
def test_known_failures_have_their_sentence(output, words):
    sentence = environment.sentence_for(output)
    assert (sentence is None) if words is None else words in sentence


def test_a_full_disk_is_a_sentence(elsewhere, monkeypatch, capsys):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.delenv(verbs.INSIDE, raising=False)
    monkeypatch.setattr(environment, "usable", full)
    assert verbs.main(["learn"]) == 1
    assert capsys.readouterr().err.strip().startswith("The disk is full")


def test_a_folder_that_is_no_environment_is_left_alone(elsewhere):
    elsewhere.mkdir()
    (elsewhere / "thesis.txt").write_text("precious")
    with pytest.raises(KitError, match="move it away"):
        environment.make()
    assert (elsewhere / "thesis.txt").read_text() == "precious"


@pytest.mark.slow
def test_a_broken_environment_is_made_anew_and_then_kept(elsewhere, capsys):
    environment.make()
    python = environment.python_path()
    assert environment.usable() == python
    python.unlink()
    assert environment.usable() is None
    environment.make()
    assert "making it anew" in capsys.readouterr().out
    assert environment.usable() == python


def test_a_fresh_environment_is_not_installed_again(elsewhere, monkeypatch):
    calls = []
    elsewhere.mkdir()
    monkeypatch.setattr(environment, "usable", lambda: sys.executable)
    monkeypatch.setattr(environment, "install", lambda *a: calls.append(a))
    environment.ready(("learn",))
    environment.ready(("learn",))
    assert len(calls) == 1
    environment.ready(("test",))
    environment.ready(("learn",))  # what is installed stays counted
    assert len(calls) == 2


def test_an_interrupted_install_goes_on_next_time(elsewhere, monkeypatch, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    elsewhere.mkdir()
    monkeypatch.delenv(verbs.INSIDE, raising=False)
    monkeypatch.setattr(environment, "usable", lambda: sys.executable)
    monkeypatch.setattr(environment, "install", interrupted)
    assert verbs.main(["learn"]) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert environment.installed() is None


def test_a_taken_port_is_a_sentence():
    import socket

    from kit.learn import refuse_taken

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(KitError, match="taken by another program"):
            refuse_taken(taken.getsockname()[1])


def test_jupyter_trusts_the_notebooks_after_learn(monkeypatch, tmp_path):
    import nbformat
    from nbformat.sign import NotebookNotary

    from kit.learn import TOUR, trust_notebooks

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    tour = nbformat.read(ROOT / TOUR, as_version=4)

    def trusted():
        notary = NotebookNotary()
        answer = notary.check_signature(tour)
        notary.store.close()
        return answer

    assert not trusted()
    trust_notebooks()
    assert trusted()
