"""What a student gets back: one page, their code part by part, and what failed.

It is written from the fields of a Graded that are for students alone: a failure is
told on an input that they can see themselves, or without any.
"""

import re

from .pages import element, page, points


def html(graded):
    """The page of one submission."""
    submission = graded.submission
    title = f"{submission.lab}: {submission.student}"
    sections = [section(part, graded.cells) for part in graded.parts]
    return page(title, *head(graded), *sections, *rest(graded))


def head(graded):
    submission, late = graded.submission, ""
    yield element("h1", f"{submission.lab}: {submission.student}")
    if graded.penalty:
        days = f"{submission.late_days} day{'s' * (submission.late_days != 1)}"
        late = f", after {graded.penalty:g} % off for {days} late"
    sums = f"{points(graded.earned)} of {points(graded.points)} points"
    yield f"<p><strong>{sums}</strong>{late}.</p>"
    yield from (element("p", problem, "bad") for problem in submission.problems)
    if any(not part.passed for part in graded.parts) and graded.cells:
        yield element(
            "p",
            "Each part was run with inputs that you have too, and with others. What "
            "fails is shown on an input of the first kind, where it fails there; "
            f"python3 -m kit check {int(submission.lab[3:5])} shows the same.",
            "soft",
        )


def section(part, cells):
    """One part: its points, what holds and what doesn't, and the code."""
    lines = [
        f"<h2>{heading(part)}</h2>",
        *([element("pre", part.trouble, "said")] if part.trouble else []),
        '<ul class="rules">',
        *([] if part.unwritten else map(rule, part.properties)),
        "</ul>",
        element("p", "Nothing is written here yet.", "bad") if part.unwritten else "",
        *(code(cell) for cell in cells_of(part.name, cells)),
    ]
    return "\n".join(filter(None, lines))


def heading(part):
    earned = f"{points(part.earned)} of {points(part.points)} points"
    return element("span", part.name) + " " + element("small", earned)


def rule(result):
    word, kind = ("holds", "good") if result.passed else ("fails", "bad")
    mark = element("b", word, kind)
    said = element("pre", result.message, "said") if result.message else ""
    hint = element("p", f"Hint: {result.hint}") if result.hint else ""
    return f"<li>{mark} {element('span', result.says)}{said}{hint}</li>"


def cells_of(name, cells):
    """The cells that define a name."""
    defined = re.compile(rf"^(?:(?:def|class) +{name}\b|{name} *=)", re.MULTILINE)
    return [cell for cell in cells if defined.search(cell[1])]


def code(cell):
    number, source = cell
    return element("p", f"Code cell {number}:", "soft") + element("pre", source)


def rest(graded):
    """What else there is to say: cells that failed, and the code of no part."""
    if graded.notes:
        yield element("h2", "Cells that failed")
        yield from (element("pre", note, "said") for note in graded.notes)
    shown = [c for part in graded.parts for c in cells_of(part.name, graded.cells)]
    others = [cell for cell in graded.cells if cell not in shown]
    if others:
        yield "<details><summary>The other cells that were run</summary>"
        yield from map(code, others)
        yield "</details>"
