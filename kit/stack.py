"""stack: your own stack, the library running on the parts of labs that you passed.

Each lab is checked; what passed, and can stand in for something of the library, is put
in its place by `dl.replace`, and a small CNN learns MNIST on it. The page that is
written shows which layers run on your code.
"""

import html
from contextlib import ExitStack
from types import SimpleNamespace

from .check import report
from .environment import ROOT
from .labs import files
from .labs.child import run_cells
from .labs.examine import cells_of, examine

PAGE = ROOT / "labs" / "your_stack.html"


def main(arguments):
    """Writes labs/your_stack.html; 0 also where no part has passed yet."""
    rows = [row for chapter in files.all_labs() for row in checked(chapter)]
    calls = {part.name: 0 for _, part, lab in rows if lab and part.stand_in}
    blocks = [
        block
        for _, part, lab in rows
        if part.name in calls
        for block in part.stand_in(counted(lab, part, calls))
    ]
    print("\nThe library, with what you passed in its place:")
    history = train(blocks)
    PAGE.write_text(page(rows, calls, history), encoding="utf-8")
    ran = sum(map(bool, calls.values()))
    print(f"{ran} parts of the library ran on your code. The page: {PAGE}")
    return 0


def counted(lab, part, calls):
    """`lab`, where calls of the part's own function or class are counted."""
    own = getattr(lab, part.defines[0])

    def count(*args, **kwargs):
        calls[part.name] += 1
        return own(*args, **kwargs)

    return SimpleNamespace(**vars(lab) | {part.defines[0]: count})


def checked(chapter):
    """(chapter, part, what the notebook defines, or None where the part fails)."""
    path = files.lab_path(chapter)
    if not path.exists():
        return
    cells, lab = cells_of(path), None
    for part in files.parts(chapter).values():
        verdict = examine(files.checker_path(chapter), part, cells)
        print(report(verdict), flush=True)
        if verdict.passed and lab is None:
            lab = SimpleNamespace(**run_cells(cells, say=lambda **event: None))
        yield chapter, part, lab if verdict.passed else None


def train(blocks):
    """The epochs of a CNN that learns MNIST inside all `blocks`, by parts and in 16
    bits, so that nothing of the stack is passed by."""
    import minidl as dl
    from minidl import nn

    dl.manual_seed(0)
    with ExitStack() as stack:
        for block in [*blocks, dl.composed()]:
            stack.enter_context(block)
        train, test = dl.data.load("mnist")
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2), nn.GroupNorm(2, 8), nn.ReLU(),
            nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(8 * 12 * 12, 10),
        )  # fmt: skip
        optimizer = dl.optim.Adam(model.parameters(), lr=5e-3)
        step = dl.train.Step("float16", scaler=dl.optim.GradScaler())
        loader = dl.data.DataLoader(train, 64, shuffle=True)
        return dl.train.fit(model, optimizer, loader, test, epochs=2, step=step)


def page(rows, calls, history):
    """The page: the stack with the student's parts marked, the labs, the training."""
    from minidl.experience.tools.stack import stack_svg

    ran = [part for _, part, _ in rows if calls.get(part.name)]
    parts = sorted({part_of(part.target) for part in ran})
    lines = "".join(
        f"<tr><td>{c['number']:02d} {html.escape(c['title'])}<td>{part.name}"
        f"<td>{'passed' if lab else 'not yet'}<td>{place(part, calls)}"
        for c, part, lab in rows
    )
    epochs = "".join(f"<li>{html.escape(repr(epoch))}</li>" for epoch in history)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Your stack</title>
<style>body {{ font: 16px system-ui, sans-serif; max-width: 760px; margin: 2em auto;
padding: 0 1em; color: #1f2d3a; }} svg {{ max-width: 100%; height: auto; }}
td, th {{ padding: 4px 14px 4px 0; border-bottom: 1px solid #b8c4ce; }}
th {{ text-align: left; }}
td:last-child {{ overflow-wrap: anywhere; }}</style>
<h1>Your stack</h1>
<p>{len(ran)} parts of the library ran on your code while a small CNN learned to read
digits. Marked: where in the stack they are.</p>
{stack_svg(parts=parts)}
<table><tr><th>lab<th>part<th>check<th>ran in place of{lines}</table>
<h2>The training</h2><ul>{epochs}</ul>
"""


def place(part, calls):
    if part.name not in calls:
        return ""
    return f"{part.target.removeprefix('minidl.')}, {calls[part.name]:,} calls"


PLACES = {"autodiff": "autodiff", "nn": "nn", "ops": "ops", "optim": "optim"}


def part_of(target):
    """The part of the stack picture to which a name of the library belongs."""
    return next(PLACES[name] for name in target.split(".") if name in PLACES)
