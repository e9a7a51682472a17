"""check: a lab's notebook examined part by part, offline, with no answer shown."""

import inspect
import textwrap

from .environment import KitError
from .labs import files
from .labs.examine import cells_of, examine

GOOD, BAD = "ok  ", "FAIL"


def main(arguments):
    """0 where all that was asked for passes."""
    chapter = files.numbered(arguments.number)
    path = arguments.file or files.lab_path(chapter)
    try:
        verdicts = check(chapter, path, arguments.part)
    except ValueError as error:
        raise KitError(str(error)) from None
    passed = sum(verdict.passed for verdict in verdicts)
    print(f"\nLab {arguments.number:02d}: {passed} of {len(verdicts)} parts pass.")
    return 0 if passed == len(verdicts) else 1


def check(chapter, path, only=None, seed=0):
    """The verdicts on the parts of a lab, or on the one called `only`; printed."""
    parts = files.parts(chapter)
    if only is not None and only not in parts:
        raise KitError(f"This lab has no part {only!r}; it has: {', '.join(parts)}.")
    cells, verdicts = cells_of(path), []
    for part in parts.values() if only is None else [parts[only]]:
        verdicts.append(examine(files.checker_path(chapter), part, cells, seed))
        print(report(verdicts[-1]), flush=True)
    return verdicts


def report(verdict):
    """What a student reads of one part."""
    part, lines = verdict.part, [f"\n{verdict.part.name}"]
    if verdict.unwritten:
        blanks = sorted({words.splitlines()[-1] for words in verdict.failed.values()})
        return "\n  ".join([*lines, *blanks])
    for i, rule in enumerate(part.properties):
        if i in verdict.failed:
            lines += [f"  {BAD}  {rule.says}", indented(verdict.failed[i])]
            lines.append(indented(f"hint: {rule.hint}"))
        elif not verdict.trouble:
            lines.append(f"  {GOOD}  {rule.says}")
    if verdict.trouble:
        lines.append(indented(verdict.trouble, 2))
    if not verdict.passed and verdict.notes and not verdict.trouble:
        lines.append(indented("\n".join(verdict.notes), 2))
    return "\n".join(lines)


def indented(text, by=8):
    wide = [textwrap.fill(line, 88 - by) for line in text.splitlines()]
    return textwrap.indent("\n".join(wide), " " * by)


def checker(number):
    """For a lab: `check(part)` examines what is saved of the notebook, run afresh."""
    chapter = files.numbered(number)

    def check_part(part):
        unsaved = not_as_saved(files.lab_path(chapter), files.parts(chapter)[part])
        if unsaved:
            print(
                f"`{unsaved}` as you ran it is not what the notebook's file has. Save "
                "the notebook (Ctrl-S), then check again: what is saved is checked."
            )
            return
        check(chapter, files.lab_path(chapter), part)

    return check_part


def not_as_saved(path, part):
    """The first of the part's names whose live source is not in the saved cells."""
    import __main__

    saved = "\n".join(source for _, source in cells_of(path))
    for name in part.defines:
        try:
            live = inspect.getsource(vars(__main__)[name])
        except (KeyError, OSError, TypeError):
            continue
        if live.strip() not in saved:
            return name
    return None
