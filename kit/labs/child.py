"""The process in which a student's code runs: python -m kit.labs.child.

It gets one line of plain data, the notebook's cells and the inputs of one part, and
answers with one line for each thing that begins or ends, so that whoever waits knows
where it stands when it stands still. It never sees an expected value.
"""

import linecache
import os
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

from . import plain


def main():
    request = plain.loads(sys.stdin.readline())
    say = answering()
    names = run_cells(request["cells"], say)
    from .files import load

    part = next(
        part
        for part in load(Path(request["checker"])).PARTS
        if part.name == request["part"]
    )
    missing = [name for name in part.defines if name not in names]
    if missing:
        say(missing=missing, defined=[n for n in names if not n.startswith("_")])
        return
    lab = SimpleNamespace(**names)
    for i, (rule, cases) in enumerate(zip(part.properties, request["cases"])):
        for k, case in enumerate(cases):
            say(begun=[i, k])
            try:
                say(result=rule.call(lab, **case))
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
        except TypeError as error:
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
