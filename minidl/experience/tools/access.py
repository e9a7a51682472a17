"""Which thread touches which address: one warp's accesses, to step through.

A step is one load or store of a warp, as `simt.watch` saw it. Its lanes stand above,
the memory that they ask for below. Global memory comes in sectors of 32 bytes, each
moved whole: what is pale is moved for nothing. Shared memory stands in 32 banks, each
serving one word in a pass: every lower row is one more pass. (Chapter 11.)
"""

from dataclasses import dataclass

from .colours import ACCENT, EDGE, INK, PALE, PAPER, QUIET
from .player import player
from .svg import box, document, element, label

LANES, SECTOR, WORD = 32, 32, 4  # lanes of a warp; bytes
WIDTH, MARGIN, CELL = 668, 14, 20  # pixels
TOP, FALL, ROW = 66, 110, 10  # of the lanes; from lanes to memory; of a row of banks


@dataclass(frozen=True)
class Place:
    """Where a lane's bytes are drawn."""

    lane: int
    x: float
    y: float
    width: float
    height: float


def access(steps, start=0):
    """A widget with a slider over `steps`, which are what `simt.watch` returns.

    Those of several kernels come as {name: steps}. Where no widget runs, step `start`
    stands still. ValueError where there is no step.
    """
    named = steps if isinstance(steps, dict) else {"": steps}
    shown = [(name, step) for name, own in named.items() for step in own]
    if not shown:
        raise ValueError(
            "access shows one step or more, got none: did the warp run this line?"
        )
    frames = [picture(step, name) for name, step in shown]
    return player(frames, [caption(step) for _, step in shown], start)


def picture(step, name=""):
    """One step as SVG: lanes, lines down, memory, and the count in the title."""
    places, below, above, foot = (banks if step.space == "shared" else sectors)(step)
    title = headline(step, name)
    shapes = [
        label(MARGIN, 26, title, 15, weight="600"),
        label(MARGIN, TOP - 8, "the 32 threads of a warp", 12, QUIET),
        *lanes(step),
        *below,
        *(line(place) for place in places),
        *(block(place) for place in places),
        *above,
    ]
    return document(WIDTH, foot + MARGIN, shapes, title, caption(step))


WAYS = {"load": "load from", "store": "store to", "atomic": "atomic on"}
UNITS = {"global": ("sector", "sectors"), "shared": ("pass", "passes")}


def headline(step, name=""):
    """The claim: "naive: store to out, line 7: 32 sectors"."""
    unit = UNITS[step.space][step.parts != 1]
    words = f"{WAYS[step.what]} {step.name}, line {step.line}: {step.parts} {unit}"
    return f"{name}: {words}" if name else words


def caption(step):
    """Which bytes the lanes ask for, and what it costs."""
    there = [(lane, b) for lane, b in enumerate(step.nbytes) if b is not None]
    words = [f"thread {lane} at byte {byte:,}" for lane, byte in there]
    asked = ", ".join(words if len(words) < 4 else [*words[:2], "...", words[-1]])
    if step.space == "shared":
        return f"{asked}. {step.parts} {UNITS['shared'][step.parts != 1]}."
    wanted = len({byte + i for _, byte in there for i in range(step.size)})
    return f"{asked}. {wanted:,} bytes asked for, {SECTOR * step.parts:,} moved."


def lanes(step):
    """The row of threads; those that take no part are hollow."""
    for lane, byte in enumerate(step.nbytes):
        x, away = MARGIN + lane * CELL, byte is None
        yield box(
            x + 1, TOP, CELL - 2, CELL - 2, 3, fill=PAPER if away else EDGE,
            stroke=EDGE, stroke_dasharray="2 2" if away else "none",
        )  # fmt: skip
        if lane % 4 == 0 or lane == LANES - 1:
            yield label(x + CELL / 2, TOP + 13, lane, 10, anchor="middle")


def line(place):
    """From a lane down to its bytes."""
    x, y = MARGIN + (place.lane + 0.5) * CELL, TOP + CELL
    end = place.x + place.width / 2
    way = f"C{x:.1f},{y + 50} {end:.1f},{place.y - 60:.1f} {end:.1f},{place.y:.1f}"
    path = f"M{x:.1f},{y}{way}"
    return element("path", d=path, fill="none", stroke=QUIET, stroke_width=0.8)


def block(place):
    x, y, w, h = (round(v, 1) for v in (place.x, place.y, place.width, place.height))
    return box(x, y, max(w - 0.6, 2), h, 0, fill=ACCENT)


# ---- global memory: the sectors that are touched, side by side


def sectors(step):
    """(a Place for each lane, SVG below them, SVG above them, the picture's foot)."""
    touched = sorted({s for b in step.nbytes if b is not None for s in within(b, step)})
    wide = min(8 * CELL, LANES * CELL / len(touched))
    left = {s: MARGIN + i * wide for i, s in enumerate(touched)}
    y, tall = TOP + CELL + FALL, 2 * ROW
    words = "sectors of 32 bytes; what is pale is moved and not used"
    parts, edges = [label(MARGIN, y + tall + 32, words, 12, QUIET)], []
    for i, sector in enumerate(touched):
        apart = i + 1 < len(touched) and touched[i + 1] != sector + 1
        shape = left[sector], y, round(wide - 1.5 * apart, 1), tall, 0
        parts.append(box(*shape, fill=PALE))
        edges.append(box(*shape, fill="none", stroke=INK, stroke_width=1.2))
    for i in sorted({0, len(touched) // 2, len(touched) - 1}):
        last = i == len(touched) - 1 and i > 0
        x = left[touched[i]] + (wide if last else 0)
        parts.append(label(x, y + tall + 14, f"byte {touched[i] * SECTOR:,}", 11,
                           anchor="end" if last else "start"))  # fmt: skip
    scale = wide / SECTOR
    places = [
        Place(lane, left[b // SECTOR] + b % SECTOR * scale, y, step.size * scale, tall)
        for lane, b in enumerate(step.nbytes)
        if b is not None
    ]
    return places, parts, edges, y + tall + 36


def within(byte, step):
    """The sectors that an access at `byte` lies in."""
    return range(byte // SECTOR, (byte + step.size - 1) // SECTOR + 1)


# ---- shared memory: 32 banks, a row for each pass


def banks(step):
    """The same, for the banks."""
    y = TOP + CELL + FALL
    rows = passes(step)
    places = []
    for lane, byte in enumerate(step.nbytes):
        for word in () if byte is None else words_of(byte, step):
            row = rows[group_of(lane, step), word]
            x = MARGIN + word % LANES * CELL
            places.append(Place(lane, x, y + row * ROW, CELL - 1, ROW - 0.6))
    foot = y + step.parts * ROW
    words = "the 32 banks; each lower row takes one more pass"
    parts = [label(MARGIN, foot + 32, words, 12, QUIET)]
    for bank in range(LANES):
        x = MARGIN + bank * CELL
        parts.append(box(x, y, CELL - 1, step.parts * ROW, 1, fill=PALE))
        if bank % 4 == 0 or bank == LANES - 1:
            parts.append(label(x + CELL / 2, foot + 14, bank, 10, anchor="middle"))
    return places, parts, [], foot + 36


def passes(step):
    """{(group of lanes, word): the pass in which it is served}, counted from 0.

    Accesses of 8 and 16 bytes are served in halves and quarters of a warp.
    """
    rows, first = {}, 0
    for group in range(group_of(LANES - 1, step) + 1):
        taken = {}
        for lane, byte in enumerate(step.nbytes):
            if byte is not None and group_of(lane, step) == group:
                for word in words_of(byte, step):
                    waiting = taken.setdefault(word % LANES, [])
                    waiting += [] if word in waiting else [word]
        for waiting in taken.values():
            rows |= {(group, word): first + i for i, word in enumerate(waiting)}
        first += max(map(len, taken.values()), default=0)
    return rows


def words_of(byte, step):
    return range(byte // WORD, (byte + step.size - 1) // WORD + 1)


def group_of(lane, step):
    return lane // (LANES // max(1, step.size // WORD))
