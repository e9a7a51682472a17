"""grade: a class's submissions, run in a sandbox, judged outside of it, and reported.

What is done is on disk as soon as it is done: the same command goes on after a stop,
and grades again only what has changed.
"""

import getpass
import json
import os
from dataclasses import replace
from pathlib import Path

from .environment import KitError
from .grading import (
    engine,
    executors,
    exports,
    feedback,
    history,
    intake,
    late,
    overview,
    plan,
    sandbox,
    seeds,
    table,
)
from .grading.result import Places, to_json


def main(arguments):
    """0 where every submission was graded or reported."""
    if arguments.sandbox_report:
        print(sandbox.report())
        return 0
    if arguments.out is None:
        raise KitError("Where should the grades go? Give a folder: --out grades/")
    places = Places(Path(arguments.out))
    if arguments.history:
        print(history.told(places))
        return 0
    if arguments.submissions is None:
        raise KitError("What should be graded? Give a folder or an archive.")
    seed = seeds.load(arguments.seed_file, places.out)
    sandboxed = entered(arguments.unsafe)
    policy = late.Policy(
        late.deadline(arguments.due), arguments.late_penalty, arguments.keep
    )
    found = intake.collect(arguments.submissions)
    people = plan.roster(arguments.roster)
    made = plan.tasks(found, policy, seed, people, sandboxed)
    graded = run(made, places, arguments)
    write_reports(graded, places)
    print(summary(graded, places))
    return 0


def entered(unsafe):
    """Whether there is a sandbox; KitError where there is none, and no --unsafe."""
    found = sandbox.state()
    print(sandbox.report(found), flush=True)
    if "trouble" not in found:
        return True
    if not unsafe:
        raise KitError(
            "Nothing was graded. Use Linux with bubblewrap (apt install bubblewrap) or "
            "the container of kit/grading/Containerfile; or, for submissions that you "
            "have read and trust, --unsafe."
        )
    return False


def run(made, places, arguments):
    """Every Graded, each written when it is done."""
    who = arguments.by or who_am_i()
    tasks = [with_earlier(task, places) for each in made.values() for task in each]
    waiting = {key: len(each) for key, each in made.items()}
    owners = [key for key, each in made.items() for _ in each]
    again = [t for t in tasks if t.checker and is_stale(t)]
    history.require_reason(len(again), arguments.why)
    done, attempts, seconds = [], {key: [] for key in made}, read_timings(places)
    record = Record(places, who, arguments.why or "", history.now())
    execute = executors.EXECUTORS[arguments.executor]
    options = {"address": arguments.cluster} if arguments.executor == "dask" else {}
    workers = max(1, arguments.workers or executors.cores())
    for n, (graded, spent) in shown(execute(tasks, workers, **options), len(tasks)):
        key = owners[n]
        attempts[key].append((n, graded))
        about = graded.submission
        if spent:
            seconds[f"{about.lab}/{about.key}"] = spent
        waiting[key] -= 1
        if not waiting[key]:
            done.append(best(attempts.pop(key)))
            record.write(done[-1])
    record.close(len(again))
    write(places.timings, json.dumps(seconds, indent=1, sort_keys=True) + "\n")
    return sorted(done, key=lambda g: (g.submission.lab, g.submission.key))


class Record:
    """Writes results, and what changes in a grade that was there before."""

    def __init__(self, places, *run):
        self.places, self.run, self.changed = places, run, 0

    def write(self, graded):
        before = history.earlier(self.places, graded.submission)
        rows = history.changes(before, graded)
        self.changed += len(rows)
        history.append(self.places, rows, *self.run) if rows else None
        write(self.places.result(graded.submission), to_json(graded))

    def close(self, again):
        if again:
            row = {"again": again, "changed": self.changed}
            history.append(self.places, [row], *self.run)


def with_earlier(task, places):
    return replace(task, before=history.earlier(places, task.submission))


def is_stale(task):
    parts = engine.parts_of(task.checker)
    return history.stale(task, engine.digest_of, parts)


def best(attempts):
    """Of one student's graded attempts the one with the most points, the first such."""
    return max(sorted(attempts), key=lambda each: each[1].earned)[1]


def shown(results, total):
    """The same, with a bar of progress."""
    from tqdm import tqdm

    off = os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    bar = {"total": total, "unit": "submission", "disable": off, "smoothing": 0}
    return tqdm(results, **bar)


def write(path, text):
    """A file written whole; its folder is made."""
    from minidl.experience.files import write_whole

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, [text.encode()])


def read_timings(places):
    try:
        return json.loads(places.timings.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def who_am_i():
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def write_reports(graded, places):
    """The table, and what is made of the results besides."""
    write(places.grades, table.grades(graded))
    for each in graded:
        write(places.feedback(each.submission), feedback.html(each))
    write(places.overview, overview.html(graded, read_timings(places)))
    for path, text in exports.files(graded).items():
        write(places.exports / path, text)


def summary(graded, places):
    """What a run has come to, in a few lines."""
    labs, lines = sorted({g.submission.lab for g in graded}), []
    for lab in labs:
        mine = [g for g in graded if g.submission.lab == lab]
        handed = [g for g in mine if g.submission.path]
        mean = sum(g.earned for g in handed) / max(len(handed), 1)
        whole = max((g.points for g in mine), default=0)
        lines.append(
            f"{lab}: {len(handed)} handed in, {len(mine) - len(handed)} not; mean "
            f"{mean:.1f} of {whole}"
        )
    troubled = [g for g in graded if g.submission.problems and g.submission.path]
    for g in troubled[:10]:
        lines.append(f"  {g.submission.student}: {' '.join(g.submission.problems)}")
    if len(troubled) > 10:
        lines.append(f"  and {len(troubled) - 10} more; grades.csv has them")
    return "\n".join(["", *lines, f"Grades: {places.grades}"])
