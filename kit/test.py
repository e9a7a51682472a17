"""test: every check there is, each under its heading; all run though one fails."""

import os
import subprocess
import sys
import time

from .environment import ROOT

PYTEST = [
    "-m",
    "pytest",
    "-q",
    "--dist=loadscope",
    "-n",
    str(min(2, os.cpu_count() or 1)),
]
NBVAL = ["--nbval-lax", "--nbval-sanitize-with=kit/sanitize.cfg", "notebooks"]


def steps(quick):
    """(heading, arguments of Python) for each check."""
    yield "style (ruff)", ["-m", "ruff", "check"]
    yield (
        "layers (import-linter)",
        ["-c", "from importlinter.cli import *; lint_imports_command()"],
    )
    yield "derived files (weave --check)", ["-m", "kit", "weave", "--check"]
    if quick:
        few = ["-m", "not slow", "--hypothesis-profile=quick"]
        yield "tests (pytest)", [*PYTEST, *few, "tests"]
    else:
        yield "notebooks (nbval)", [*PYTEST, *NBVAL]
        yield "tests (pytest)", [*PYTEST, "tests"]


def main(arguments):
    """0 if every check passes."""
    # One thread each: two workers share two cores.
    environ = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        **os.environ,
    }
    failed = []
    for heading, command in steps(arguments.quick):
        print(f"\n== {heading}", flush=True)
        start = time.monotonic()
        code = subprocess.call([sys.executable, *command], cwd=ROOT, env=environ)
        print(f"-- {heading}: {time.monotonic() - start:.0f} s", flush=True)
        if code:
            failed.append(heading)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.")
    return 1 if failed else 0
