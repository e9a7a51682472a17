"""What runs elsewhere, GitHub's workflows and the containers: only what there is."""

import json
import re

import pytest
import yaml

from kit import verbs
from kit.environment import ROOT

KIT = re.compile(r"python3? -m kit ([^\n&|;]+)")
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def steps(path):
    """The steps of all jobs of a workflow."""
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def commands(path):
    return [c for step in steps(path) for c in KIT.findall(step.get("run", ""))]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_verbs_and_options_that_exist(path):
    assert commands(path)
    for command in commands(path):
        assert verbs.parser().parse_args(command.split()).verb in verbs.VERBS


def test_the_two_commands_of_the_readme_run_on_three_systems():
    (path,) = [path for path in WORKFLOWS if "learn" in path.read_text("utf-8")]
    (job,) = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    systems = {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    assert {command.split()[0] for command in commands(path)} == {"test", "learn"}


def test_the_site_is_published_from_where_it_is_built():
    from kit.site.sources import HTML

    (path,) = [path for path in WORKFLOWS if "book" in str(commands(path))]
    (upload,) = [s for s in steps(path) if "upload-pages" in s.get("uses", "")]
    assert ROOT / upload["with"]["path"] == HTML


def test_codespaces_runs_a_command_that_exists():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    (command,) = KIT.findall(json.loads(text)["postCreateCommand"])
    assert verbs.parser().parse_args(command.split()).verb in verbs.VERBS


def test_binder_installs_what_a_notebook_needs():
    wanted = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8")
    assert "-e .[learn]" in wanted.splitlines()
