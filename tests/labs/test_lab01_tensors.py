"""Checks of lab 01: broadcasting, stretched views, windows and their sum."""

import re
import sys
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

import minidl as dl
from kit.labs.parts import Part, Property, same

# ---- calling


@contextmanager
def by_hand():
    """In the block, what the lab asks for is not to be had from NumPy."""
    asked = ["broadcast_shapes", "broadcast_to", "broadcast_arrays"]
    tricks = np.lib.stride_tricks
    places = [(np, name) for name in asked] + [(tricks, "sliding_window_view")]
    patches = [patch.object(place, name, refusal(name)) for place, name in places]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def refusal(name):
    def refuse(*args, **kwargs):
        raise RuntimeError(f"{name} of NumPy is not allowed: it is what is asked for")

    return refuse


def outcome(function, *args):
    """What comes of a call that should end in an error, as plain data."""
    try:
        with by_hand():
            result = function(*args)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"error": type(error).__name__, "words": str(error)}
    found = result.shape if isinstance(result, np.ndarray) else result
    return {"error": "no error", "words": f"the result is {found}"}


def described(result, x):
    """What is to be seen of an array that should be a view of `x`."""
    if not isinstance(result, np.ndarray):
        return {"kind": type(result).__name__}
    return {
        "kind": "ndarray",
        "values": np.array(result),
        "strides": [step // x.itemsize for step in result.strides],
        "at": address(result) - address(x),
    }


def address(array):
    return array.__array_interface__["data"][0]


def lines_run(function, *args):
    """(the result, how many lines of the notebook's cells ran for it)."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith("cell "):
            return None
        count += event == "line"
        return trace

    outside = sys.gettrace()
    sys.settrace(trace)
    try:
        return function(*args), count
    finally:
        sys.settrace(outside)


GIVEN = {
    "x": lambda x: x,
    "x.T": lambda x: x.T,
    "x[1:]": lambda x: x[1:],
    "x[:, ::-2]": lambda x: x[:, ::-2],
}

# ---- judging


def is_array(result):
    if result["kind"] != "ndarray":
        return f"expected a NumPy array, found {result['kind']}"
    return None


def refused(result, *numbers):
    """None where a ValueError came that has these numbers in its words."""
    if result["error"] != "ValueError":
        return f"expected a ValueError, found {result['error']}: {result['words']}"
    written = {int(number) for number in re.findall(r"-?\d+", result["words"])}
    lacking = [number for number in numbers if number not in written]
    if lacking:
        names = " and ".join(map(str, lacking))
        return f"expected an error that names {names}, found: {result['words']}"
    return None


def is_view(result, strides, free=()):
    """None where the array begins where x does and has `strides`, in elements.

    Those of the dimensions in `free` may be any.
    """
    if (wrong := is_array(result)) is not None:
        return wrong
    if len(result["strides"]) != len(strides):
        return f"expected {len(strides)} dimensions, found {len(result['strides'])}"
    if result["at"] != 0:
        return "expected the memory of x from its first element on, found other memory"
    if any(
        a != b
        for i, (a, b) in enumerate(zip(result["strides"], strides))
        if i not in free
    ):
        return f"expected strides {strides} in elements, found {result['strides']}"
    return None


# ---- part 1


def call_shapes(lab, shapes):
    with by_hand():
        result = lab.broadcast_shapes(*map(tuple, shapes))
    if not isinstance(result, tuple):
        return {"kind": type(result).__name__}
    return {"kind": "tuple", "sizes": [int(size) for size in result]}


def judge_shapes(result, shapes):
    expected = np.broadcast_shapes(*shapes)
    if result["kind"] != "tuple":
        return f"expected the tuple {expected}, found a {result['kind']}"
    found = tuple(result["sizes"])
    return None if found == expected else f"expected {expected}, found {found}"


def fitting(rng):
    """By hand, then drawn: a shape, of which each one has the end, 1 here and there."""
    yield {"shapes": [(3,), (1,)]}
    yield {"shapes": [(3, 1), (1, 4)]}
    yield {"shapes": [(2, 3), (3,)]}
    yield {"shapes": [(4,), (2, 1, 1)]}
    yield {"shapes": [(28,), (64, 1, 28, 28), (10, 1, 1)]}
    yield {"shapes": [(1, 1), (1,)]}
    for count in (2, 3, 4):
        whole = rng.integers(2, 99, 4)
        starts = rng.integers(0, 4, count)
        ones = rng.random((count, 4)) < 0.5
        rows = [np.where(o, 1, whole)[k:] for o, k in zip(ones, starts)]
        yield {"shapes": [tuple(row.tolist()) for row in rows]}


def clashing(rng):
    yield {"shapes": [(2,), (3,)]}
    yield {"shapes": [(64, 10), (64,)]}
    yield {"shapes": [(4, 1), (5, 6)]}
    yield {"shapes": [(7, 1), (1, 9), (8, 9)]}
    yield {"shapes": [(0, 3), (2, 3)]}
    whole, place = rng.integers(2, 99, 4), int(rng.integers(4))
    other = whole.copy()
    other[place] += 1
    starts = rng.integers(0, place + 1, 2)
    yield {"shapes": [tuple(w[k:].tolist()) for w, k in zip((whole, other), starts)]}


def call_clash(lab, shapes):
    return outcome(lab.broadcast_shapes, *map(tuple, shapes))


def judge_clash(result, shapes):
    return refused(result)


def judge_named(result, shapes):
    ndim = max(map(len, shapes))
    padded = np.array([(1,) * (ndim - len(shape)) + shape for shape in shapes])
    for dim in range(-ndim, 0):
        wide = set(padded[:, dim].tolist()) - {1}
        if len(wide) > 1:
            return refused(result, *sorted(wide), dim)


broadcast_shapes = Part(
    "broadcast_shapes",
    defines=("broadcast_shapes",),
    properties=(
        Property(
            says="sizes are aligned at the right, and a size of 1 is stretched",
            cases=fitting,
            call=call_shapes,
            judge=judge_shapes,
            hint="Count dimensions from the end: -1 exists for all that have one.",
        ),
        Property(
            says="no shape at all and () give (), and () goes with every shape",
            cases=lambda rng: [
                {"shapes": []},
                {"shapes": [()]},
                {"shapes": [(), (5,)]},
                {"shapes": [(2, 3)]},
            ],
            call=call_shapes,
            judge=judge_shapes,
            hint="() has no dimension, and without shapes there is none to look at.",
        ),
        Property(
            says="a size of 0 is a size like any other",
            cases=lambda rng: [
                {"shapes": [(0,), (1,)]},
                {"shapes": [(1, 3), (0, 1)]},
                {"shapes": [(5, 0), ()]},
            ],
            call=call_shapes,
            judge=judge_shapes,
            hint="The size that is not 1 wins, and it need not be the larger one.",
        ),
        Property(
            says="sizes that differ, neither of them 1, are a ValueError",
            cases=clashing,
            call=call_clash,
            judge=judge_clash,
            hint="Compare each dimension over all shapes, also with the third one.",
        ),
        Property(
            says="the error names both sizes, and the dimension from the end",
            cases=clashing,
            call=call_clash,
            judge=judge_named,
            hint="Three numbers: both sizes and the dimension. The last one is -1.",
        ),
    ),
)

# ---- part 2


def call_stretch(lab, x, given, shape):
    x = GIVEN[given](x)
    with by_hand():
        result = lab.stretch(x, tuple(shape))
    return described(result, x)


def stretches(given="x"):
    def case(x, *shape):
        return {"x": x, "given": given, "shape": shape}

    return case


def flat_stretches(rng):
    case = stretches()
    yield case(np.arange(3), 2, 3)
    yield case(np.arange(3).reshape(3, 1), 3, 4)
    yield case(np.arange(2).reshape(1, 2, 1), 3, 2, 4)
    yield case(np.array(7.0), 2, 2)
    yield case(rng.standard_normal((2, 1, 3)), 5, 2, 4, 3)
    yield case(np.arange(4, dtype=np.uint8), 4)


def laid_out_stretches(rng):
    x = np.arange(12).reshape(3, 4)
    yield stretches("x.T")(x, 2, 4, 3)
    yield stretches("x[1:]")(x, 3, 2, 4)
    yield stretches("x[:, ::-2]")(x, 2, 3, 2)


def judge_stretch(result, x, given, shape):
    seen = GIVEN[given](x)
    if (wrong := is_array(result)) is not None:
        return wrong
    expected = np.zeros(shape, seen.dtype) + seen
    return same(expected, result["values"])


def judge_stretched_strides(result, x, given, shape):
    seen = GIVEN[given](x)
    lead, item = len(shape) - seen.ndim, seen.itemsize
    strides, free = [0] * lead, []
    for i, (size, step) in enumerate(zip(seen.shape, seen.strides)):
        if size == shape[i + lead] == 1:
            free.append(i + lead)
        strides.append(0 if size == 1 else step // item)
    return is_view(result, strides, free)


def judge_stretched(result, **case):
    return judge_stretch(result, **case) or judge_stretched_strides(result, **case)


stretch = Part(
    "stretch",
    defines=("stretch",),
    target="minidl.framework.ops.expand",
    stand_in=lambda lab: [dl.replace(dl.ops.expand, eval=expanded_by(lab))],
    properties=(
        Property(
            says="every element is that of x with the stretched dimensions left out",
            cases=flat_stretches,
            call=call_stretch,
            judge=judge_stretch,
            hint="New dimensions stand in front, so x's own come last.",
        ),
        Property(
            says="it reads the memory of x, with stride 0 where it repeats",
            cases=flat_stretches,
            call=call_stretch,
            judge=judge_stretched_strides,
            hint="One further along a repeated dimension is how many bytes further?",
        ),
        Property(
            says="a view of x is stretched by the strides that it has, uncopied",
            cases=laid_out_stretches,
            call=call_stretch,
            judge=judge_stretched,
            hint="x.strides says how x lies in memory; its shape does not.",
        ),
        Property(
            says="a stretch to a size of 0 is empty",
            cases=lambda rng: [stretches()(np.arange(1), 0)],
            call=call_stretch,
            judge=judge_stretch,
            hint="1 stretches to every size, and 0 is one.",
        ),
        Property(
            says="what can't be stretched is a ValueError that names both shapes",
            cases=lambda rng: [
                {"x": np.zeros(3), "shape": (4,)},
                {"x": np.zeros(3), "shape": (1,)},
                {"x": np.zeros(2), "shape": (2, 5)},
                {"x": np.zeros((6, 3)), "shape": (3,)},
                {"x": np.zeros((1, 3)), "shape": (3,)},
            ],
            call=lambda lab, x, shape: outcome(lab.stretch, x, tuple(shape)),
            judge=lambda result, x, shape: refused(result, *x.shape, *shape),
            hint="The common shape of the two must be the one that is asked for.",
        ),
    ),
)

# ---- part 3


def call_unfold(lab, x, given, dim, size, step):
    x = GIVEN[given](x)
    with by_hand():
        result = lab.unfold(x, dim, size, step)
    return described(result, x)


def windows_of(x, dim, size, step):
    """The windows, copied out of x one by one."""
    starts = range(0, x.shape[dim] - size + 1, step)
    taken = [np.take(x, range(i, i + size), dim) for i in starts]
    return np.stack([np.moveaxis(window, dim, -1) for window in taken], dim % x.ndim)


def unfolds(x, dim, size, step, given="x"):
    return {"x": x, "given": given, "dim": dim, "size": size, "step": step}


def plain_unfolds(rng):
    yield unfolds(np.arange(5), 0, 3, 1)
    yield unfolds(np.arange(8), 0, 3, 2)
    yield unfolds(np.arange(6), 0, 2, 3)
    yield unfolds(np.arange(12).reshape(3, 4), 0, 2, 1)
    yield unfolds(rng.standard_normal((2, 7, 3)), 1, 3, 2)


def edge_unfolds(rng):
    yield unfolds(np.arange(3), 0, 3, 1)
    yield unfolds(np.arange(3), 0, 3, 5)
    yield unfolds(np.arange(3), 0, 1, 1)


def backward_unfolds(rng):
    x = np.arange(12).reshape(3, 4)
    yield unfolds(x, -1, 2, 1)
    yield unfolds(x, -2, 2, 1)
    yield unfolds(np.arange(10).reshape(2, 5), -1, 3, 2)
    yield unfolds(np.arange(24).reshape(2, 3, 4), -3, 2, 1)


def laid_out_unfolds(rng):
    x = np.arange(12).reshape(3, 4)
    yield unfolds(x, 0, 2, 2, "x.T")
    yield unfolds(x, 1, 2, 1, "x[1:]")
    yield unfolds(np.arange(18).reshape(3, 6), 1, 2, 1, "x[:, ::-2]")


def judge_unfold(result, x, given, dim, size, step):
    wrong = is_array(result)
    expected = windows_of(GIVEN[given](x), dim, size, step)
    return wrong or same(expected, result["values"])


def judge_unfolded_strides(result, x, given, dim, size, step):
    seen = GIVEN[given](x)
    strides = [s // x.itemsize for s in seen.strides]
    free = [] if (seen.shape[dim] - size) // step else [dim]
    inside = strides[dim]
    strides[dim] *= step
    return is_view(result, [*strides, inside], free)


def judge_unfolded(result, **case):
    return judge_unfold(result, **case) or judge_unfolded_strides(result, **case)


def call_twice(lab, x, size, step):
    with by_hand():
        rows = lab.unfold(x, 0, size, step)
        return described(lab.unfold(rows, 1, size, step), x)


def judge_twice(result, x, size, step):
    rows = windows_of(x, 0, size, step)
    return is_array(result) or same(windows_of(rows, 1, size, step), result["values"])


unfold = Part(
    "unfold",
    defines=("unfold",),
    target="minidl.framework.ops.windows",
    stand_in=lambda lab: [dl.replace(dl.ops.windows, eval=windows_by(lab))],
    properties=(
        Property(
            says="window k has the elements from k * step on; its inside comes last",
            cases=plain_unfolds,
            call=call_unfold,
            judge=judge_unfold,
            hint="How far is it from a window to the next, and from an element to the "
            "next? These are two of the strides.",
        ),
        Property(
            says="it reads the memory of x: no element is copied",
            cases=plain_unfolds,
            call=call_unfold,
            judge=judge_unfolded_strides,
            hint="Work out shape and strides, and let `view` do the rest.",
        ),
        Property(
            says="a window may be as large as the dimension, or have one element",
            cases=edge_unfolds,
            call=call_unfold,
            judge=judge_unfold,
            hint="Where n = size there is one window, whatever the step is.",
        ),
        Property(
            says="a negative dim counts from the end of x",
            cases=backward_unfolds,
            call=call_unfold,
            judge=judge_unfold,
            hint="The result has one dimension more than x: there, -1 is another one.",
        ),
        Property(
            says="windows of a view go by the strides that it has, uncopied",
            cases=laid_out_unfolds,
            call=call_unfold,
            judge=judge_unfolded,
            hint="x may be transposed, or read backwards: take its strides, whatever "
            "they are.",
        ),
        Property(
            says="windows of windows are the patches of an image",
            cases=lambda rng: [
                {"x": np.arange(16).reshape(4, 4), "size": 2, "step": 2},
                {"x": rng.standard_normal((6, 5)), "size": 3, "step": 1},
            ],
            call=call_twice,
            judge=judge_twice,
            hint="The second call gets a view whose strides don't fall in order.",
        ),
        Property(
            says="windows that don't fit are a ValueError that says which",
            cases=lambda rng: [
                {"n": 3, "size": 4, "step": 1},
                {"n": 2, "size": 9, "step": 3},
                {"n": 5, "size": 0, "step": 1},
                {"n": 5, "size": 2, "step": 0},
                {"n": 5, "size": 2, "step": -1},
            ],
            call=lambda lab, n, size, step: outcome(
                lab.unfold, np.zeros((1, n)), 1, size, step
            ),
            judge=lambda result, n, size, step: refused(result, n, size, step),
            hint="Compare `size` and `step` with what they may be before you divide.",
        ),
    ),
)

# ---- part 4


def call_fold(lab, g, dim, n, step):
    before = g.copy()
    result = lab.fold(g, dim, n, step)
    changed = not np.array_equal(before, g)
    if not isinstance(result, np.ndarray):
        return {"kind": type(result).__name__}
    shared = np.may_share_memory(result, g)
    return {
        "kind": "ndarray", "values": np.array(result), "dtype": str(result.dtype),
        "changed": changed, "shared": shared,
    }  # fmt: skip


def folds(g, dim, n, step):
    return {"g": g, "dim": dim, "n": n, "step": step}


def summed(g, dim, n, step):
    """Every element of g added by itself to the place that it was read from."""
    *shape, _ = g.shape
    dim %= len(shape)
    shape[dim] = n
    out = np.zeros(shape, g.dtype)
    for *place, j in np.ndindex(*g.shape):
        target = list(place)
        target[dim] = place[dim] * step + j
        out[tuple(target)] += g[(*place, j)]
    return out


def judge_fold(result, g, dim, n, step):
    return is_array(result) or same(summed(g, dim, n, step), result["values"])


def judge_new(result, g, **_):
    if (wrong := is_array(result)) is not None:
        return wrong
    if result["dtype"] != str(g.dtype):
        return f"expected dtype {g.dtype}, found {result['dtype']}"
    if result["changed"] or result["shared"]:
        return "expected g as it was, found that it was written into or handed back"
    return None


def call_lines(lab, size, counts):
    found = []
    for count in counts:
        g = np.ones((count, size))
        result, lines = lines_run(lab.fold, g, 0, count + size - 1, 1)
        if not isinstance(result, np.ndarray):
            return {"kind": type(result).__name__}
        found.append(lines)
    return {"kind": "ndarray", "lines": found}


def judge_lines(result, size, counts):
    if (wrong := is_array(result)) is not None:
        return wrong
    few, many = result["lines"]
    if many > 2 * few + 10:
        return (
            f"expected as many lines for {counts[1]} windows as for {counts[0]}, "
            f"found that {many} lines ran, and {few}"
        )
    return None


fold = Part(
    "fold",
    defines=("fold",),
    target="minidl.framework.ops.fold",
    stand_in=lambda lab: [dl.replace(dl.ops.fold, eval=folded_by(lab))],
    properties=(
        Property(
            says="where windows overlap, what they have is added up",
            cases=lambda rng: [
                folds(np.arange(1, 5).reshape(2, 2), 0, 3, 1),
                folds(np.arange(1, 10).reshape(3, 3), 0, 7, 2),
                folds(np.ones((3, 3)), 0, 5, 1),
                folds(rng.standard_normal((6, 4)), 0, 9, 1),
            ],
            call=call_fold,
            judge=judge_fold,
            hint="Element j of window k belongs to cell k * step + j.",
        ),
        Property(
            says="what no window reads is 0",
            cases=lambda rng: [
                folds(np.arange(1, 7).reshape(2, 3), 0, 6, 2),
                folds(np.arange(1, 5).reshape(2, 2), 0, 5, 3),
                folds(np.arange(1, 4).reshape(1, 3), 0, 7, 9),
            ],
            call=call_fold,
            judge=judge_fold,
            hint="The result has n places, though the windows may end before.",
        ),
        Property(
            says="any dimension is folded, also one counted from the end of the result",
            cases=lambda rng: [
                folds(np.arange(1, 9).reshape(2, 2, 2), 0, 3, 1),
                folds(np.arange(1, 9).reshape(2, 2, 2), 1, 3, 1),
                folds(np.arange(1, 9).reshape(2, 2, 2), -1, 3, 1),
                folds(np.arange(1, 9).reshape(2, 2, 2), -2, 3, 1),
                folds(rng.standard_normal((2, 3, 4, 3)), 1, 8, 2),
            ],
            call=call_fold,
            judge=judge_fold,
            hint="g has one dimension more than the result, and it is the last.",
        ),
        Property(
            says="the result is new memory of the dtype of g, and g stays as it was",
            cases=lambda rng: [
                folds(np.ones((2, 1), np.float32), 0, 2, 1),
                folds(np.arange(4).reshape(2, 2), 0, 3, 1),
                folds(np.ones((2, 3), np.float32), 0, 4, 1),
            ],
            call=call_fold,
            judge=judge_new,
            hint="Begin with zeros, and say of which dtype.",
        ),
        Property(
            says="more windows take no more lines",
            cases=lambda rng: [{"size": 3, "counts": [10, 1000]}],
            call=call_lines,
            judge=judge_lines,
            hint="A slice with a step has the cells of element j of all windows.",
        ),
    ),
)

# ---- the student's functions as rows of the library's table


def expanded_by(lab):
    return lambda xp, x, *, shape: lab.stretch(x, shape)


def windows_by(lab):
    def windows(xp, x, *, size, stride):
        lead = x.ndim - len(size)
        for i, (n, step) in enumerate(zip(size, stride)):
            x = lab.unfold(x, lead + i, n, step)
        return x

    return windows


def folded_by(lab):
    def fold(xp, x, *, shape, size, stride):
        lead = len(shape) - len(size)
        for i in reversed(range(len(size))):
            x = lab.fold(x, lead + i, shape[lead + i], stride[i])
        return x

    return fold


PARTS = [broadcast_shapes, stretch, unfold, fold]
