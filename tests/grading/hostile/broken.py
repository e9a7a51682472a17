"""Submissions that are no notebooks, or are handed in strangely: files, made here.

Each maker gets an empty folder, the student's, and writes into it. Beside it stands
what `scaled` (of 10) and `running` (of 5) must earn, and words of what is said.
"""

import json
import os
import shutil

GOOD = {
    "imports": "import numpy as np",
    "running": "def running(x):\n    return np.cumsum(x)",
    "scaled": "def scaled(x, k):\n    return k * x",
}
NAME = "lab90_small.ipynb"


def notebook(*sources):
    """The text of a notebook with these code cells, or the right ones."""
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for source in sources or GOOD.values()
    ]  # fmt: skip
    made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made)


def holding(content, name=NAME):
    """A maker of one file with that content."""

    def make(folder):
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)

    return make


def of_cells(*sources):
    return holding(notebook(*sources))


def of_cell(**parts):
    """The right cells, but for these."""
    return of_cells(*(GOOD | parts).values())


def sparse(folder):
    with open(folder / NAME, "wb") as file:
        file.truncate(200 << 20)


def large_but_valid(folder):
    (folder / NAME).write_text(notebook(*GOOD.values(), "# " + "x" * (20 << 20)))


def link_to(target):
    return lambda folder: os.symlink(target, folder / NAME)


def link_of_a_folder(folder):
    os.symlink("/etc", folder / "lab90_small")
    (folder / NAME).write_text(notebook())


def pipe(folder):
    os.mkfifo(folder / NAME)


def folder_called_notebook(folder):
    (folder / NAME).mkdir()
    (folder / "lab90_mine.ipynb").write_text(notebook())


def two_attempts(folder):
    for n, k in enumerate(["0", "k"]):
        path = folder / f"lab90_small-{n}.ipynb"
        sources = GOOD | {"scaled": f"scaled = lambda x, k: {k} * x"}
        path.write_text(notebook(*sources.values()))
        os.utime(path, (1_700_000_000 + n, 1_700_000_000 + n))


def checkout(folder):
    """A git checkout, whose hooks and settings want to be run."""
    for name in ("hooks", "objects"):
        (folder / ".git" / name).mkdir(parents=True)
    (folder / ".git" / "config").write_text(
        "[core]\n\tfsmonitor = touch /tmp/minidl-hostile-git\n\tpager = false\n"
    )
    hook = folder / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\ntouch /tmp/minidl-hostile-git\n")
    hook.chmod(0o755)
    shutil.copy(hook, folder / ".git" / "lab90_small.ipynb")
    (folder / "labs").mkdir()
    (folder / "labs" / NAME).write_text(notebook())


def modules_beside(folder):
    """Files beside the notebook that would be imported in place of the real ones."""
    for name in ("numpy", "json", "minidl", "sitecustomize", "lab90_small"):
        (folder / f"{name}.py").write_text(
            "open('/tmp/minidl-hostile-import', 'w').close()\n"
        )
    (folder / NAME).write_text(notebook())


NO_NOTEBOOK = "no notebook"
BROKEN = {  # name: (maker, points of scaled, of running, words of what is said)
    "text": (holding("I did it on paper."), 0, 0, NO_NOTEBOOK),
    "empty_file": (holding(""), 0, 0, NO_NOTEBOOK),
    "half_a_notebook": (holding(notebook()[:200]), 0, 0, NO_NOTEBOOK),
    "json_list": (holding("[]"), 0, 0, NO_NOTEBOOK),
    "cells_are_a_number": (holding('{"cells": 3}'), 0, 0, NO_NOTEBOOK),
    "cells_are_numbers": (holding('{"cells": [1, 2]}'), 0, 0, NO_NOTEBOOK),
    "source_is_a_number": (
        holding('{"cells": [{"cell_type": "code", "source": 3}]}'), 0, 0, NO_NOTEBOOK,
    ),
    "tags_are_a_number": (
        holding(
            '{"cells": [{"cell_type": "code", "source": "x", "metadata": {"tags": 3}}]}'
        ), 0, 0, "",
    ),
    "nested_too_deeply": (holding("[" * 200_000), 0, 0, NO_NOTEBOOK),
    "number_too_long": (
        holding('{"cells": ' + "9" * 1_000_000 + "}"), 0, 0, NO_NOTEBOOK,
    ),
    "latin_1": (holding(b'{"cells": ["caf\xe9"]}'), 0, 0, NO_NOTEBOOK),
    "utf_16": (holding(notebook().encode("utf-16")), 0, 0, ""),
    "zip_called_notebook": (holding(b"PK\x03\x04" + bytes(100)), 0, 0, NO_NOTEBOOK),
    "null_bytes_in_a_cell": (
        of_cell(scaled="def scaled(x, k):\n    return '\0'"), 0, 5, "",
    ),
    "lone_surrogate_in_a_cell": (
        holding(notebook().replace("return k * x", "return '\\ud800'")), 0, 5, "",
    ),
    "200_megabytes": (sparse, 0, 0, "larger than"),
    "20_megabytes_of_comment": (large_but_valid, 0, 0, "larger than"),
    "no_cells": (holding('{"cells": [], "metadata": {}}'), 0, 0, ""),
    "only_text_cells": (
        holding('{"cells": [{"cell_type": "markdown", "source": "done"}]}'), 0, 0, "",
    ),
    "untouched": (of_cell(
        scaled='def scaled(x, k):\n    raise NotImplementedError("scaled: write your '
        'code here, about 1 line")'), 0, 5, "",
    ),
    "syntax_error": (of_cell(scaled="def scaled(x, k):\n    return k *"), 0, 5, ""),
    "syntax_error_elsewhere": (of_cells(*GOOD.values(), "x = = 1"), 10, 5, ""),
    "function_renamed": (
        of_cell(scaled="def scale(x, k):\n    return k * x"), 0, 5, "",
    ),
    "cells_in_another_order": (of_cells(*list(GOOD.values())[::-1]), 10, 5, ""),
    "cell_missing": (of_cells(GOOD["imports"], GOOD["scaled"]), 10, 0, ""),
    "cell_twice": (
        of_cells("def scaled(x, k):\n    return 0", *GOOD.values()), 10, 5, "",
    ),
    "magic_lines": (
        of_cells("%matplotlib inline\n!rm -rf /tmp", *GOOD.values()), 10, 5, "",
    ),
    "link_to_a_secret": (link_to("/etc/passwd"), 0, 0, "link"),
    "link_to_nothing": (link_to("nowhere"), 0, 0, "link"),
    "link_to_itself": (link_to(NAME), 0, 0, "link"),
    "link_of_a_folder": (link_of_a_folder, 10, 5, ""),
    "pipe": (pipe, 0, 0, "no file"),
    "folder_called_notebook": (folder_called_notebook, 10, 5, ""),
    "two_attempts": (two_attempts, 10, 5, "2 were handed in"),
    "checkout": (checkout, 10, 5, ""),
    "modules_beside": (modules_beside, 10, 5, ""),
    "classmate": (of_cells(*GOOD.values()), 10, 5, ""),
    "copy_of_classmate": (of_cells(*GOOD.values()), 10, 5, ""),
}  # fmt: skip

NAMES = [  # of students, each with a right notebook: all must be graded
    "con", "aux.txt", "nul", "-rf", "--help", "=cmd|' (C calc)'!A0", "+1+1", "@SUM(1)",
    "<script>alert(1)<", "a\nb", "a\tb", "\x1b[31mred", "\u202eevil", "José",
    "Jose\u0301", "王小明", "🙂", "x" * 200, "a,b;c\"d'e", "%2e%2e%2f", "~root",
    "$(touch x)", "`touch x`", "{{7*7}}", "LPT1", "UPPER", "upper", ". .", "…",
]  # fmt: skip
