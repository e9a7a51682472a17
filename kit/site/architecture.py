"""The picture of the house as it is: layers of the import contract, imports that are.

The layers and their order come from the contract in pyproject.toml, the arrows from the
imports that grimp, the engine of the linter, finds in the source. An import that goes
up stops the drawing.
"""

import tomllib
from collections import Counter

from minidl.experience.tools.colours import INK, QUIET, TINTS
from minidl.experience.tools.layered import heads
from minidl.experience.tools.manifest import manifest
from minidl.experience.tools.stack import CHIP, GAP, HEAD, MARGIN, THERE, TO_COME
from minidl.experience.tools.svg import box, document, element, label, text_width

from ..environment import ROOT, KitError

WIDTH = 372  # of a band; arrows run to the right of it
LANE = 32  # from one arrow to the next
INSIDE = 12
SIZE = 13  # of the words in a chip


def svg():
    """The picture of minidl, as SVG."""
    return drawing("minidl", layers())


def layers():
    """The names of the layers, from the top down, as the contract has them."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (order,) = [c["layers"] for c in contracts if c["type"] == "layers"]
    return [name.strip("()") for name in order]


def drawing(package, order):
    """The SVG of a package whose layers are `order`; KitError where one imports up."""
    graph = import_graph(package)
    counts = edges(graph, package, order)
    drawn, y, ends = [], MARGIN, {}
    for name, tint in zip(order, TINTS):
        chips = list(placed(sorted(children(graph, package, name)), y + HEAD))
        height = (chips[-1][2] + CHIP + 8 if chips else y + HEAD) - y
        drawn += [*band(name, bool(chips), y, height, tint), *map(chip, chips)]
        ends[name] = y, height
        y += height + GAP
    drawn += [heads(), *arrows(counts, ends)]
    width = MARGIN + WIDTH + LANE * (len(counts) + 1)
    return document(width, y + 6, drawn, "The layers of minidl", in_words(counts))


def import_graph(package):
    """Who imports whom in `package`, by module; imports inside functions count."""
    import grimp

    return grimp.build_graph(package, cache_dir=None)


def children(graph, package, layer):
    """The modules and packages right inside a layer; none where it is not there."""
    name = f"{package}.{layer}"
    found = graph.find_children(name) if name in graph.modules else ()
    return [child.rpartition(".")[2] for child in found]


def edges(graph, package, order):
    """{(layer, layer below): how many imports}; KitError names one that goes up."""
    counts, rank = Counter(), {f"{package}.{name}": i for i, name in enumerate(order)}
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            above, below = (layer_of(name, rank) for name in (module, imported))
            if None in (above, below) or above == below:
                continue
            if rank[above] > rank[below]:
                raise KitError(f"{module} imports {imported}: imports go down only.")
            counts[above.rpartition(".")[2], below.rpartition(".")[2]] += 1
    return counts


def layer_of(module, rank):
    found = ".".join(module.split(".")[:2])
    return found if found in rank else None


def in_words(counts):
    return "; ".join(f"{a} imports {b}, {n} times" for (a, b), n in counts.items())


def placed(names, y):
    """(name, x, y, width) of a chip for each name, side by side as far as they fit."""
    x = MARGIN + INSIDE
    for name in names:
        width = text_width(name, SIZE) + 12
        if x + width > MARGIN + WIDTH - INSIDE:
            x, y = MARGIN + INSIDE, y + CHIP + GAP
        yield name, x, y, width
        x += width + GAP


def band(name, there, y, height, tint):
    """What is behind the chips of a layer: its name, and what it does."""
    look = {} if there else TO_COME
    does = {layer["name"]: layer["does"] for layer in manifest()["layer"]}.get(name, "")
    words = does if there else f"{does} (to come)"
    yield box(MARGIN, y, WIDTH, height, radius=10, **{"fill": tint, **look})
    yield label(MARGIN + INSIDE, y + 22, name, size=16, weight="600")
    yield label(MARGIN + INSIDE + 108, y + 22, words, size=13, fill=QUIET)


def chip(place):
    name, x, y, width = place
    words = label(x + width / 2, y + 18, name, size=SIZE, anchor="middle")
    return box(x, y, width, CHIP, **THERE) + words


def arrows(counts, ends):
    """An arrow for each pair of layers, in a lane of its own, with its number.

    The nearer two layers are, the nearer the lane. Arrows leave a layer at the bottom
    of its side and arrive at the top of it.
    """
    names, leave, arrive = list(ends), Counter(), Counter()
    far = sorted(counts, key=lambda e: names.index(e[1]) - names.index(e[0]))
    for lane, (above, below) in enumerate(far, 1):
        (y, height), x = ends[above], MARGIN + WIDTH + LANE * lane
        top = y + height - 12 - 9 * leave[above]
        low = ends[below][0] + 12 + 9 * arrive[below]
        leave[above] += 1
        arrive[below] += 1
        path = f"M{MARGIN + WIDTH},{top}H{x}V{low}H{MARGIN + WIDTH + 2}"
        yield element("path", d=path, fill="none", stroke=INK, marker_end="url(#plain)")
        yield label(
            x + 5, (top + low) // 2 + 5, counts[above, below], size=13, fill=INK
        )
