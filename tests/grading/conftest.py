"""The small lab as a file, and tasks of grading it."""

import pytest
from smalllab import CHECKER, SEED, notebook

from kit.grading.engine import Task
from kit.grading.result import Submission


@pytest.fixture(scope="session")
def checker(tmp_path_factory):
    path = tmp_path_factory.mktemp("course") / "test_lab99_small.py"
    path.write_text(CHECKER)
    return path


@pytest.fixture
def task_of(tmp_path, checker):
    """A function from a notebook's cells to the Task of grading it."""

    def make(*sources, **options):
        path = tmp_path / "lab99_small.ipynb"
        path.write_text(notebook(*sources))
        submission = Submission("Ada", "ada", "lab99_small", path.name)
        options = {"sandboxed": True, **options}
        return Task(submission, (str(path), None), str(checker), SEED, **options)

    return make
