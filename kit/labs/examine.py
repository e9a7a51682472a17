"""Examining one part of a lab: its code in a process of its own, judged here."""

import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from time import monotonic

import numpy as np

from ..environment import ROOT
from . import plain

UNWRITTEN = "nothing is written yet"
SKIPPED = {"try", "picture"}  # tags of cells that a check does not run


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
        content = json.loads(Path(path).read_text("utf-8"))
        cells = content["cells"]
        code = [c for c in cells if c["cell_type"] == "code"]
        sources = ["".join(c["source"]) for c in code]
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is no notebook") from None
    tags = [set(c.get("metadata", {}).get("tags", ())) for c in code]
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
    except (SyntaxError, ValueError):
        pass
    lines = source.split("\n")
    return "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)


def examine(checker, part, cells, seed=0):
    """The Verdict on one part, of the notebook whose code cells are `cells`."""
    rng = np.random.default_rng(seed)
    cases = [list(rule.cases(rng)) for rule in part.properties]
    request = {
        "cells": cells, "checker": str(checker), "part": part.name, "cases": cases,
    }  # fmt: skip
    verdict = Verdict(part)
    place = {"at": "the start of the process", "cells": dict(cells), "broken": {}}
    for event in answers(request, part.seconds):
        follow(event, part, cases, verdict, place)
    return verdict


def follow(event, part, cases, verdict, place):
    """Takes one answer of the child into the verdict; `place` is where it stands."""
    if "cell" in event:
        place["at"] = f"cell {event['cell']}"
    elif "failed" in event:
        verdict.notes.append(event["error"])
        place["broken"][event["failed"]] = event["error"]
    elif "missing" in event:
        verdict.trouble = missing_words(event, place["cells"], place["broken"])
    elif "begun" in event:
        i, k = place["begun"] = event["begun"]
        place["at"] = f"“{part.properties[i].says}”, on {shown(cases[i][k])}"
    elif "result" in event or "raised" in event:
        complain(event, part, cases, verdict, *place["begun"])
    elif "timeout" in event:
        verdict.trouble = f"not done after {part.seconds:g} s, in {place['at']}"
    elif "died" in event and not verdict.trouble:
        verdict.trouble = f"the process died in {place['at']}"


def complain(event, part, cases, verdict, i, k):
    if "raised" in event:
        blank = f"{UNWRITTEN} in `{event['stub']}`"
        wrong = blank if event["stub"] else event["raised"]
    else:
        wrong = judged(part.properties[i], event["result"], cases[i][k])
    if wrong and i not in verdict.failed:
        verdict.failed[i] = f"on {shown(cases[i][k])}\n{wrong}"


def judged(rule, result, case):
    try:
        return rule.judge(result, **case)
    except Exception as error:  # a result of a kind that the judge did not foresee
        return f"the result has the wrong kind: {error} (found {shown(result)})"


def answers(request, seconds):
    """The child's answers one by one; last {"done"}, {"died"} or {"timeout"}."""
    command = [sys.executable, "-m", "kit.labs.child"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip
    lines, deadline = Queue(), monotonic() + seconds

    def read():
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    try:
        process.stdin.write(plain.dumps(request) + "\n")
        process.stdin.close()
        while (line := lines.get(timeout=max(0, deadline - monotonic()))) is not None:
            event = plain.loads(line)
            yield event
            if "done" in event:
                return
        yield {"died": True}
    except Empty:
        yield {"timeout": True}
    except OSError:
        yield {"died": True}
    finally:
        process.kill()
        process.wait()


def missing_words(event, cells, broken):
    """Which names are not there, and why: a cell that failed, or another name."""
    import difflib

    words = []
    for name in event["missing"]:
        here = re.compile(rf"^ *(def|class) +{name}\b", re.MULTILINE)
        why = [error for number, error in broken.items() if here.search(cells[number])]
        near = difflib.get_close_matches(name, event["defined"], 1)
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
    if isinstance(value, list):
        text = f"[{', '.join(map(shown, value))}]"
    elif isinstance(value, tuple):
        text = f"({', '.join(map(shown, value))}{',' * (len(value) == 1)})"
    else:
        text = repr(value)
    return text if len(text) <= width else text[: width - 3] + "..."
