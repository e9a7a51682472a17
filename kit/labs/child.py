"""The process in which a student's code runs: python -m kit.labs.child.

It reads requests, a line of plain data each: the notebook's cells, the source of what
is to be called, and inputs. Each request is run in a fork, so that what it breaks is
gone with it. For each thing that begins or ends it answers one line, so that whoever
waits knows where it stands when it stands still.

It never gets a judge, a witness or an expected value: it may do what it likes, and
the only way to pass is to answer right.
"""

import linecache
import os
import sys
import traceback
from types import SimpleNamespace

import numpy as np  # noqa: F401  imported once, before the forks

import minidl as dl  # noqa: F401

from . import plain

FORKS = sys.platform == "linux"  # elsewhere a process serves one request


def main():
    say = answering()
    for line in sys.stdin:
        request = plain.json.loads(line)
        if not FORKS:
            return run(request, say)
        serve(request, say)


def serve(request, say):
    """Runs a request in a fork, and says how it ended."""
    pid = os.fork()
    if pid == 0:
        try:
            nowhere = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nowhere, 0)
            limit_time(request["seconds"])
            run(request, say)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    reap()
    if os.waitstatus_to_exitcode(status):
        say(died=os.waitstatus_to_exitcode(status))
    say(ended=True)


def reap():
    """Takes note of the end of processes that were left to this one."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def limit_time(seconds):
    """Ends this process when it has computed for as long."""
    import resource

    whole = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))


def run(request, say):
    names = run_cells(request["cells"], say)
    missing = [name for name in request["defines"] if name not in names]
    if missing:
        say(missing=missing, defined=[n for n in names if not n.startswith("_")])
        return
    lab, calls = SimpleNamespace(**names), {"__name__": "calls"}
    exec(compile(request["source"], "calls", "exec"), calls)
    functions = [eval(expression, calls) for expression in request["calls"]]
    for number, (which, inputs) in enumerate(request["inputs"]):
        say(begun=number)
        try:
            say(result=functions[which](lab, **plain.unpacked(inputs)))
        except BaseException as error:
            say(raised=described(error), stub=stub_name(error))
            if isinstance(error, KeyboardInterrupt):
                raise
    say(done=True)


def answering():
    """A function that answers; what the student's code prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

    def say(**event):
        try:
            line = plain.dumps(event)
        except (TypeError, ValueError, RecursionError) as error:
            line = plain.dumps({"raised": f"the result: {error}", "stub": ""})
        answers.write(line + "\n")
        answers.flush()

    return say


def run_cells(cells, say):
    """What the cells define, each run as far as it goes."""
    names = {"__name__": "__main__"}
    for number, source in cells:
        say(cell=number)
        file = f"cell {number}"
        linecache.cache[file] = len(source), None, source.splitlines(True), file
        try:
            exec(compile(source, file, "exec"), names)
        except BaseException as error:
            say(failed=number, error=described(error))
            if isinstance(error, KeyboardInterrupt):
                raise
    return {k: v for k, v in names.items() if not k.startswith("__")}


def described(error):
    """The error and where in the student's cells it came from."""
    where = ""
    if isinstance(error, SyntaxError) and (error.filename or "").startswith("cell "):
        where = f"in {error.filename}, line {error.lineno}: "
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith("cell "):
            where = f"in {frame.filename}, line {frame.lineno}, `{frame.line}`: "
            break
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{where}{type(error).__name__}: {words}"[:600]


def stub_name(error):
    """Whose blank this is, if nobody has filled it in; else the empty string."""
    blank = isinstance(error, NotImplementedError) and "write your code" in str(error)
    return str(error).partition(":")[0] if blank else ""


if __name__ == "__main__":
    main()
