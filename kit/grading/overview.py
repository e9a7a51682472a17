"""The class at a glance, for the instructor: one page, from what was graded."""

from collections import Counter, defaultdict
from statistics import mean, median

from ..environment import ROOT
from ..labs.examine import cells_of
from .pages import Html, element, page, points, table
from .similar import THRESHOLD, pairs

MOST = 5  # slowest and commonest to list
MOST_PAIRS = 20


def html(gradeds, timings):
    """The page. `timings` is {"<lab>/<key>": {part: seconds}}."""
    labs = defaultdict(list)
    for graded in gradeds:
        labs[graded.submission.lab].append(graded)
    content = [element("h1", "Overview")]
    content += [of_lab(lab, labs[lab], timings) for lab in sorted(labs)]
    return page("Overview", *content)


def of_lab(lab, gradeds, timings):
    there = [g for g in gradeds if g.submission.path]
    blocks = [
        element("h2", lab), summary(gradeds, there),
        element("h3", "Submissions by how many properties of a part hold"),
        '<div class="charts">', *map(distribution, columns(there)), "</div>",
        element("h3", "The commonest failures"), failures(there),
        element("h3", "The slowest"), slowest(lab, there, timings),
        element("h3", "Not handed in"), absent(gradeds),
        element("h3", "To look at"), remarks(there),
        element("h3", "Alike"), alike(there, given(lab)),
    ]  # fmt: skip
    return "\n".join(blocks)


def summary(gradeds, there):
    """How many handed in, and what they earned."""
    said = f"{len(there)} of {len(gradeds)} handed in."
    if there:
        earned = [g.earned for g in there]
        full = sum(g.earned == g.points for g in there)
        said += (
            f" Of {points(there[0].points)} points the mean is {points(mean(earned))}, "
            f"the median {points(median(earned))}; {full} have all."
        )
    return element("p", said)


def columns(there):
    """The results of each part, over all who handed in."""
    return zip(*(graded.parts for graded in there))


def distribution(results):
    """How many hold 0, 1, ... of a part's properties, as bars."""
    part, most = results[0], len(results[0].properties)
    counts = Counter(sum(p.passed for p in result.properties) for result in results)
    labels = [f"{k} of {most}" for k in range(most + 1)]
    bars = chart(labels, [counts[k] for k in range(most + 1)])
    average = points(mean(result.earned for result in results))
    said = f"{part.name}: mean {average} of {points(part.points)}"
    return f"<figure>{element('figcaption', said)}{bars}</figure>"


def chart(labels, counts):
    """Bars that lie, with their label before and their count behind, as SVG."""
    widest, rows = max([*counts, 1]), []
    for n, (label, count) in enumerate(zip(labels, counts)):
        y, width = 20 * n, 220 * count / widest
        rows.append(f'<text x="58" y="{y + 14}" text-anchor="end">{label}</text>')
        rows.append(f'<rect x="66" y="{y + 3}" width="{width:.1f}" height="14"></rect>')
        rows.append(f'<text x="{72 + width:.1f}" y="{y + 14}">{count}</text>')
    height = 20 * len(labels)
    size = f'width="330" height="{height}" viewBox="0 0 330 {height}"'
    said = ", ".join(f"{label}: {count}" for label, count in zip(labels, counts))
    return (
        f'<svg {size} role="img" aria-label="properties that hold: {said} submissions" '
        f'font-size="13">{"".join(rows)}</svg>'
    )


def failures(there):
    """The properties that fail most often."""
    failed = Counter()
    for graded in there:
        for part in graded.parts:
            if part.trouble:
                failed[part.name, "(it comes to no end, or lacks a name)"] += 1
            elif part.unwritten:
                failed[part.name, "(nothing is written)"] += 1
            else:
                wrong = [p.says for p in part.properties if not p.passed]
                failed.update((part.name, says) for says in wrong)
    rows = [(name, says, n) for (name, says), n in failed.most_common(MOST)]
    return listed(["part", "what fails", "submissions"], rows)


def slowest(lab, there, timings):
    """Who took longest, and in which part."""
    rows = []
    for graded in there:
        spent = timings.get(f"{lab}/{graded.submission.key}")
        if spent:
            part = max(spent, key=spent.get)
            rows.append((graded.submission.student, part, sum(spent.values())))
    rows.sort(key=lambda row: -row[2])
    return listed(["student", "longest part", "seconds, start included"], rows[:MOST])


def absent(gradeds):
    names = [g.submission.student for g in gradeds if not g.submission.path]
    return element("p", ", ".join(names)) if names else nobody()


def remarks(there):
    """What was wrong with submissions as files, or had to be decided about them."""
    rows = [
        (g.submission.student, g.submission.path, " ".join(g.submission.problems))
        for g in there
        if g.submission.problems
    ]
    return listed(["student", "file", "what"], rows)


def listed(head, rows):
    return table(head, rows) if rows else nobody()


def nobody():
    return element("p", "None.", "soft")


def given(lab):
    """The sources of the lab as all students got it."""
    try:
        return [source for _, source in cells_of(ROOT / "labs" / f"{lab}.ipynb")]
    except ValueError:
        return []


def alike(there, sources):
    """Pairs that share code, side by side, for a person to look at."""
    found = pairs(there, sources)
    if not found:
        return nobody()
    shown = [compared(pair) for pair in found[:MOST_PAIRS]]
    note = (
        f"{len(found)} pairs share at least {THRESHOLD:.0%} of what the smaller of the "
        f"two has beyond the given code; the {len(shown)} most alike are here. Names, "
        "numbers, strings, comments and layout don't count. Similarity isn't proof: "
        "short answers to one question resemble each other. Look, and ask."
    )
    return "\n".join([element("p", note), *shown])


def compared(pair):
    names = [g.submission.student for g in (pair.first, pair.second)]
    title = f"{names[0]} and {names[1]}: {pair.shared:.0%} shared"
    columns = "".join(
        f"<div>{element('p', f'{name}, code cell {number}', 'soft')}"
        f"{element('pre', source)}</div>"
        for cells in pair.cells
        for name, (number, source) in zip(names, cells)
    )
    opened = f"<details>{element('summary', title)}"
    return Html(f'{opened}<div class="beside">{columns}</div></details>')
