"""The verbs of the kit, and the way into its environment.

Called by any Python, a verb first makes the environment ready (standard library only up
to there), then runs again inside it.
"""

import argparse
import importlib
import os
import subprocess
import sys

from . import environment
from .environment import KitError

VERBS = {  # verb: (extras it needs, what it does)
    "learn": (("learn",), "open the notebooks in JupyterLab"),
    "test": (("test",), "check everything: style, layers, tests, notebooks"),
    "weave": (("learn",), "make the notebooks from book/"),
    "check": (("learn",), "check a lab: what is right, what is not, and a hint"),
    "stack": (("learn",), "train the library on the parts of labs that you passed"),
    "grade": (("learn",), "grade a class's submissions in a sandbox"),
    "release": (("learn",), "make the archive that students get, without answers"),
    "new-lab": (("learn",), "write the files of a lab to begin from"),
    "bench": (("test",), "measure against peers"),
    "book": (("book",), "build the site of the notebooks and the library"),
}
INSIDE = "MINIDL_KIT_INSIDE"


def parser():
    top = argparse.ArgumentParser(prog="python3 -m kit", description=__package__)
    top.add_argument(
        "--here",
        action="store_true",
        help="use this Python and what it has installed (conda), make no .venv",
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (_, does) in VERBS.items():
        verbs.add_parser(verb, help=does, description=does)
    add = {name: sub.add_argument for name, sub in verbs.choices.items()}
    add["learn"]("--no-browser", action="store_true", help="print the address only")
    add["learn"]("--port", type=int, help="the port to serve on (default: a free one)")
    add["test"]("--quick", action="store_true", help="under a minute: no slow tests")
    add["weave"]("chapters", nargs="*", type=int, help="numbers (default: all)")
    add["weave"]("--check", action="store_true", help="only say what is stale")
    add["weave"]("--force", action="store_true", help="run what is fresh again too")
    add["check"]("number", type=int, help="the lab's number")
    add["check"]("--part", help="one part only")
    add["check"]("--file", metavar="NOTEBOOK", help="default: the one in labs/")
    grade_options(add["grade"])
    add["release"]("--out", required=True, metavar="DIR", help="where to put it")
    add["new-lab"]("number", type=int, help="the chapter's number")
    add["bench"]("names", nargs="*", metavar="NAME", help="default: all")
    add["bench"]("--json", metavar="FILE", help="write the rows there as well")
    add["book"]("--serve", action="store_true", help="show it on this machine")
    add["book"]("--port", type=int, default=0, help="where (default: a free port)")
    add["book"]("--lite", action="store_true", help="add JupyterLite (needs a network)")
    return top


def grade_options(add):
    add("submissions", nargs="?", help="a folder, or the archive of a platform")
    add("--out", metavar="DIR", help="where grades and reports go")
    add("--roster", metavar="CSV", help="lists who did not hand in, too")
    add("--due", metavar="WHEN", help="2026-03-01 or 2026-03-01T18:00+01:00")
    add("--late-penalty", type=float, default=0, metavar="PERCENT", help="a late day")
    add("--keep", choices=("latest", "best", "first"), default="latest",
        help="which of several counts (default: the latest in time)")  # fmt: skip
    add("--seed-file", metavar="FILE", help="the hidden seed, made on first use")
    add("--workers", type=int, help="processes (default: one a core)")
    add("--executor", choices=("processes", "dask"), default="processes")
    add("--cluster", metavar="ADDRESS", help="of a dask scheduler")
    add("--why", help="the reason, where graded work is graded again")
    add("--by", metavar="NAME", help="who grades, for the record (default: you)")
    add("--history", action="store_true", help="show which grades changed, and why")
    add("--sandbox-report", action="store_true", help="say what the sandbox does here")
    add("--unsafe", action="store_true", help="grade without a sandbox")


def module_of(verb):
    return f"kit.{verb.replace('-', '_')}"


def again(command):
    """The exit status of `command`, the same verb inside; it answers Ctrl-C itself."""
    environ = {**os.environ, INSIDE: "1"}
    with subprocess.Popen(command, cwd=environment.ROOT, env=environ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()


def main(argv):
    """Runs a verb; returns the exit status. A KitError is said in one sentence."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.here or os.environ.get(INSIDE):
            return importlib.import_module(module_of(arguments.verb)).main(arguments)
        python = environment.ready(VERBS[arguments.verb][0])
        return again([python, "-m", "kit", *argv])
    except KitError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nStopped. What is done is kept; the same command goes on.",
            file=sys.stderr,
        )
        return 130
