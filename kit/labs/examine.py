"""Examining one part of a lab: its code in a process of its own, judged here.

A property holds only where each of its cases was asked once and answered right; what
is not answered, answered twice or out of turn counts for nothing.
"""

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import excerpt, plain
from .run import Child

UNWRITTEN = "nothing is written yet"
SKIPPED = {"try", "picture"}  # tags of cells that a check does not run
MOST_NOTES = 20
JUDGING = 10  # seconds, for one result


@dataclass
class Verdict:
    """What came of one part: a complaint for each property that fails."""

    part: object
    failed: dict = field(default_factory=dict)  # property number: complaint
    trouble: str = ""  # what kept properties from being looked at
    notes: list = field(default_factory=list)  # cells of the notebook that failed

    @property
    def passed(self):
        return not self.failed and not self.trouble

    @property
    def unwritten(self):
        """Whether every property met a blank that nobody has filled in."""
        found = [UNWRITTEN in words for words in self.failed.values()]
        return len(found) == len(self.part.properties) and all(found)


def cells_of(path):
    """[(number, source)] of the code cells that a check runs, numbered from 1.

    ValueError that says what is wrong with the file.
    """
    try:
        return cells_in(Path(path).read_bytes())
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is no notebook") from None


def cells_in(content):
    """The same of a notebook's bytes."""
    try:
        cells = json.loads(content.decode("utf-8"))["cells"]
        code = [c for c in cells if c["cell_type"] == "code"]
        sources = ["".join(c["source"]) for c in code]
        tags = [set(c.get("metadata", {}).get("tags", ())) for c in code]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("it is no notebook") from None
    return [
        (number, without_magics(source))
        for number, (source, tags) in enumerate(zip(sources, tags), 1)
        if source.strip() and not tags & SKIPPED
    ]


def without_magics(source):
    """`source` without lines for IPython alone; empty ones stand in, so lines count.

    What Python itself reads stays as it is: there a line may begin with %.
    """
    try:
        compile(source, "cell", "exec")
        return source
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        pass
    lines = source.split("\n")
    return "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)


def examine(checker, part, cells, seed=0):
    """The Verdict on one part, of the notebook whose code cells are `cells`."""
    with Child() as child:
        return ask(child, checker, part, cells, cases_of(part, seed))


def cases_of(part, seed=0):
    """[(property number, case)] in the order in which they are asked."""
    rng = np.random.default_rng(seed)
    return [(i, c) for i, rule in enumerate(part.properties) for c in rule.cases(rng)]


def ask(child, checker, part, cells, cases):
    """The Verdict on the properties of which there are `cases`, by a child's answers.

    The request has inputs in it, and nothing else of a case.
    """
    source, calls = excerpt.calls(checker, part)
    inputs = [[i, excerpt.inputs(part.properties[i], case)] for i, case in cases]
    request = {
        "cells": cells, "defines": list(part.defines), "source": source,
        "calls": calls, "inputs": inputs, "seconds": part.seconds,
    }  # fmt: skip
    hearing = Hearing(part, cells, cases, [case for _, case in inputs])
    for event in child.answers(request):
        hearing.take(event)
    hearing.close()
    return hearing.verdict


class Hearing:
    """Takes a child's answers, and believes none of them."""

    def __init__(self, part, cells, cases, inputs):
        self.part, self.cases, self.inputs = part, cases, inputs
        self.cells, self.broken = dict(cells), {}
        self.verdict, self.at = Verdict(part), "the start of the process"
        self.begun, self.asked, self.answered, self.over = None, set(), set(), False

    def take(self, event):
        """One event goes to the method that is named after its first known key."""
        kind = next((k for k in EVENTS if k in event), None)
        if kind is None or (self.over and kind not in ENDS):
            return
        if self.verdict.trouble and kind not in ENDS:
            return
        EVENTS[kind](self, event)

    def cell(self, event):
        if is_in(event["cell"], self.cells) and not self.asked:
            self.at = f"cell {event['cell']}"

    def failed_cell(self, event):
        number, words = event["failed"], plain.clean(event.get("error", ""))
        known = is_in(number, self.cells) and number not in self.broken
        if known and len(self.broken) < MOST_NOTES and not self.asked:
            self.verdict.notes.append(words)
            self.broken[number] = words

    def missing(self, event):
        said = event["missing"] if isinstance(event["missing"], list) else []
        names = [name for name in self.part.defines if name in said]
        there = event.get("defined")
        there = [n for n in there if isinstance(n, str)] if type(there) is list else []
        words = missing_words(names, there[:1000], self.cells, self.broken)
        self.verdict.trouble = words or "the notebook's names can't be told"

    def begin(self, event):
        n = event["begun"]
        if type(n) is int and 0 <= n < len(self.cases) and n not in self.asked:
            self.begun = self.at = n
            self.asked.add(n)

    def result(self, event):
        if self.begun is not None:
            i, case = self.cases[self.begun]
            self.answer(judged(self.part.properties[i], event["result"], case))

    def raised(self, event):
        if self.begun is not None:
            stub = plain.clean(event.get("stub") or "", 80)
            words = plain.clean(event["raised"]) or "an error without words"
            self.answer(f"{UNWRITTEN} in `{stub}`" if stub else words)

    def answer(self, wrong):
        """The answer to the case that has begun: None where it is right."""
        i, n = self.cases[self.begun][0], self.begun
        if wrong is not None and i not in self.verdict.failed:
            wrong = plain.clean(wrong, 1200) or "it is wrong"
            self.verdict.failed[i] = f"on {shown(self.inputs[n])}\n{wrong}"
        self.answered.add(n)
        self.begun = None

    def done(self, event):
        self.over = True

    def stop(self, words):
        """The run ends early, unless it has said already that it is done."""
        if not self.verdict.trouble and not self.complete:
            self.verdict.trouble = f"{words} in {self.place()}"

    def place(self):
        """Where it stands: words, or a case by its number."""
        if isinstance(self.at, str):
            return self.at
        says = self.part.properties[self.cases[self.at][0]].says
        return f"“{says}”, on {shown(self.inputs[self.at])}"

    def died(self, event):
        code = event["died"]
        slow = type(code) is int and -code in TIME_IS_UP
        self.stop(f"not done after {self.part.seconds:g} s," if slow else DIED)

    @property
    def complete(self):
        return len(self.answered) == len(self.cases)

    def close(self):
        self.stop(DIED)


DIED = "the process died"
TIME_IS_UP = {24, 9}  # SIGXCPU, and SIGKILL a second later
EVENTS = {
    "cell": Hearing.cell,
    "failed": Hearing.failed_cell,
    "missing": Hearing.missing,
    "begun": Hearing.begin,
    "result": Hearing.result,
    "raised": Hearing.raised,
    "done": Hearing.done,
    "died": Hearing.died,
    "timeout": lambda self, event: self.stop(
        f"not done after {self.part.seconds:g} s,"
    ),
    "flood": lambda self, event: self.stop("more output than any answer has"),
    "ended": lambda self, event: None,
}
ENDS = {"died", "timeout", "flood", "ended"}


def is_in(number, known):
    return type(number) is int and number in known


def judged(rule, result, case):
    try:
        with time_limit(JUDGING):
            return rule.judge(result, **case)
    except Exception as error:  # a result of a kind that the judge did not foresee
        return f"the result has the wrong kind: {error} (found {shown(result)})"


@contextmanager
def time_limit(seconds):
    """TimeoutError in the block after `seconds`, where signals can do that."""
    import signal

    here = threading.current_thread() is threading.main_thread()
    if not here or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number, frame):
        raise TimeoutError(f"not judged in {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def missing_words(names, there, cells, broken):
    """Which names are not there, and why: a cell that failed, or another name."""
    import difflib

    words = []
    for name in names:
        here = re.compile(rf"^ *(def|class) +{name}\b", re.MULTILINE)
        why = [error for number, error in broken.items() if here.search(cells[number])]
        near = difflib.get_close_matches(name, [n[:80] for n in there], 1)
        near = [plain.clean(n, 80) for n in near]
        guess = f"; is it the one called `{near[0]}`?" if near and not why else ""
        words += [*why, f"the notebook defines no `{name}`{guess}"]
    return "\n".join(words)


def shown(value, width=300):
    """An input in words: small arrays whole, others by their shape."""
    if isinstance(value, dict):
        return ", ".join(f"{k} = {shown(v)}" for k, v in value.items()) or "no input"
    if isinstance(value, np.ndarray) and value.size > 24:
        return f"an array {value.shape} of {value.dtype}"
    if isinstance(value, np.ndarray):
        return np.array2string(value, separator=", ", precision=4).replace("\n", "")
    if isinstance(value, list | tuple):
        inside = ", ".join(map(shown, value[:50])) + ", ..." * (len(value) > 50)
        if isinstance(value, list):
            text = f"[{inside}]"
        else:
            text = f"({inside}{',' * (len(value) == 1)})"
    else:
        text = repr(value)
    return text if len(text) <= width else text[: width - 3] + "..."
