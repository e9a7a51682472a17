"""Where a traced program stands: the user's line, for nodes and for errors."""

import contextlib
import linecache
import sys
from pathlib import Path

NO_VALUE = "needs the elements of a tensor while the program is traced"
INSTEAD = (
    "compute with tensors (where, maximum), keep the decision out of the compiled "
    "function, or script it"
)

DECORATORS = contextlib.__file__
PACKAGE = str(Path(__file__).parents[2])


class TraceError(RuntimeError):
    """The traced program does what a graph can't hold; the message names the line."""


def user_frame():
    """The innermost frame outside this library and Python's decorators."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith((PACKAGE, DECORATORS)):
        frame = frame.f_back
    return frame


def place():
    """The line of the user's program that runs now, as "file.py:12"."""
    frame = user_frame()
    return f"{file_name(frame.f_code.co_filename)}:{frame.f_lineno}"


def file_name(path):
    """The last part of a source file's path; "cell" for a notebook's cell."""
    return "cell" if "ipykernel_" in path else Path(path).name


def refuse(problem, remedy):
    """Raises the TraceError of the user's line that runs now."""
    frame = user_frame()
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    raise TraceError(f"{place()}: `{line}` {problem}; {remedy}")
