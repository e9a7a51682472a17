"""Autotuning: of several ways to compute one thing, the fastest on this machine.

A model ranks the candidates, since to build and time all of them takes long; the best
of its ranking are measured; the median decides. The choice is kept on disk under what
was computed and on which machine, so that it is made once. A candidate can be anything:
the caller says how it runs, and what it should cost. (Chapter 9.)
"""

import hashlib
import json
import os
import platform
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from statistics import median

from .build import folder, write

LEAST_SECONDS = 1e-3  # of one measurement; shorter runs are repeated within it


@dataclass(frozen=True)
class Trial:
    """One candidate: seconds by the model, and measured here unless left out."""

    name: str
    modelled: float | None = None
    measured: float | None = None
    note: str = ""  # why it was not measured


@dataclass(frozen=True)
class Report:
    trials: tuple  # as the model ranks them
    remembered: bool = False  # whether it was read from disk

    @property
    def chosen(self):
        """The name of the candidate with the least measured time."""
        return self.best.name

    @property
    def best(self):
        measured = [trial for trial in self.trials if trial.measured is not None]
        return min(measured, key=lambda trial: trial.measured)

    def __repr__(self):
        width = max(len(n) for n in ("candidate", *(t.name for t in self.trials))) + 2
        lines = [f"{'candidate':<{width}}{'modelled':>10}{'measured':>10}"]
        for t in self.trials:
            times = f"{seconds_text(t.modelled):>10}{seconds_text(t.measured):>10}"
            note = "chosen" if t.name == self.chosen else t.note
            lines.append(f"{t.name:<{width}}{times}  {note}".rstrip())
        return "\n".join(lines)


def seconds_text(seconds):
    """`1.25 ms`, with the unit that leaves the least zeros."""
    if seconds is None:
        return "-"
    unit, scale = next(
        (u for u in (("s", 1), ("ms", 1e3), ("us", 1e6)) if seconds * u[1] >= 1),
        ("us", 1e6),
    )
    return f"{seconds * scale:.3g} {unit}"


def space(**choices):
    """{text: choice} of all combinations: space(size=(8, 16), unrolled=(1, 4))."""
    combined = (dict(zip(choices, values)) for values in product(*choices.values()))
    return {", ".join(f"{k}={v}" for k, v in c.items()): c for c in combined}


def tune(candidates, run, key, model=None, most=6, repeats=5):
    """A Report on `candidates`, {name: anything}.

    `run(candidate)` gives a function without arguments to be timed, `model(candidate)`
    seconds; either may raise ValueError where a candidate can't be done. The `most`
    best by the model are measured. `key` is a text that says what is computed. Raises
    ValueError where no candidate can be done.
    """
    path = folder() / f"tuned_{digest(key, machine(), *candidates, str(most))}.json"
    known = remembered(path)
    if known is not None:
        return known
    trials = [ranked(name, c, model) for name, c in candidates.items()]
    trials.sort(key=lambda t: (bool(t.note), t.modelled or 0))
    report = Report(tuple(measured(trials, candidates, run, most, repeats)))
    if all(trial.measured is None for trial in report.trials):
        reasons = "; ".join(f"{t.name}: {t.note}" for t in report.trials)
        raise ValueError(f"no candidate can be done: {reasons or 'there is none'}")
    write(path, json.dumps([asdict(trial) for trial in report.trials], indent=1))
    return report


def ranked(name, candidate, model):
    try:
        return Trial(name, model(candidate) if model else None)
    except ValueError as error:
        return Trial(name, note=str(error))


def measured(trials, candidates, run, most, repeats):
    """The trials, the `most` first of those that can be done with their times."""
    done, runs = {}, {}
    for trial in trials:
        if trial.note or len(runs) >= most:
            done[trial.name] = replace(trial, note=trial.note or "not measured")
            continue
        try:
            runs[trial.name] = run(candidates[trial.name])
        except ValueError as error:
            done[trial.name] = replace(trial, note=str(error))
    times = medians(runs, repeats)
    return [done.get(t.name) or replace(t, measured=times[t.name]) for t in trials]


def medians(runs, repeats):
    """{name: median seconds}. All take turns, so that a busy moment hits all alike."""
    rounds = {name: rounds_for(function) for name, function in runs.items()}
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, function in runs.items():
            times[name].append(timed(function, rounds[name]))
    return {name: median(values) for name, values in times.items()}


def rounds_for(function):
    """How many calls a measurement needs; the first call, which compiles, is not it."""
    function()
    return max(1, int(LEAST_SECONDS / max(timed(function, 1), 1e-7)))


def timed(function, rounds):
    """Seconds a call."""
    start = time.perf_counter()
    for _ in range(rounds):
        function()
    return (time.perf_counter() - start) / rounds


# ---- what is kept


def remembered(path):
    """The Report kept at `path`, or None if there is none that can be read."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return Report(tuple(Trial(**row) for row in rows), remembered=True)
    except (OSError, ValueError, TypeError):
        return None


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@cache
def machine():
    """What a choice depends on beside the kernel: the processor, and its cores."""
    try:
        rows = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [row.partition(":")[2].strip() for row in rows if "model name" in row]
    except OSError:
        names = [platform.processor()]
    return f"{(names or [platform.machine()])[0]}, {os.cpu_count()} cores"
