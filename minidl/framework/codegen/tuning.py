"""The autotuner for kernels: what a schedule should cost, and the search. (Chapter 9.)

The model counts what a nest of loops does to one cache. Loops inside, from the
innermost out, share the cache as long as all that they touch fits; that much is fetched
once, and again for each iteration of the loops outside. Added are the instructions, a
vector at a time where the innermost loop runs through memory one by one; an unrolled
body shares its loads. Left out: other levels of cache, prefetching, how many numbers
fit the registers. It is good for a ranking, not for a forecast.
"""

import math

import numpy as np

from ...runtime.build import build
from ...runtime.tune import tune
from .dependence import accesses, affine, most_rounds
from .loops import INT, Call, Loop, text, walk
from .python import signature, source, splits

LINE, CACHE = 64, 32 * 1024  # bytes
BANDWIDTH, INSTRUCTIONS, LANES = 20e9, 6e9, 8  # a second, a second, floats in a vector


def modelled(kernel):
    """Seconds by the model, of which the order matters."""
    return sum(nest_seconds(s, ()) for s in kernel.body)


def nest_seconds(statement, loops):
    if isinstance(statement, Loop):
        return sum(nest_seconds(s, (*loops, statement)) for s in statement.body)
    found = accesses((statement,))
    rolled = [x for x in loops if x.kind != "unroll"]
    unit = rolled and all(steps(a, rolled[-1]) in (0, 1) for a in found)
    rounds = times(rolled[:-1]) * vectors(rolled[-1]) if unit else times(rolled)
    seconds = rounds * instructions(statement, found, loops) / INSTRUCTIONS
    return seconds + fetched(found, loops) * LINE / BANDWIDTH


def vectors(loop):
    """How many vectors a loop takes: one for a few rounds as for all that fit."""
    return max(most_rounds(loop) / LANES, 1)


def instructions(statement, found, loops):
    """Of one round: an unrolled body loads only once what its parts share."""
    unrolled = [x for x in loops if x.kind == "unroll"]
    calls = sum(isinstance(x, Call) and x.dtype != INT for x in walk(statement))
    calls += getattr(statement, "fn", None) is not None
    own = [times(x for x in unrolled if steps(a, x)) for a in found]
    return calls * times(unrolled) + sum(own)


def times(loops):
    return math.prod(most_rounds(x) for x in loops)


def steps(access, loop):
    """How many elements an access moves on with each iteration of a loop."""
    if not access.index:
        return 0
    *lead, last = (affine(i) or {} for i in access.index)
    far = any(terms.get(loop.var) for terms in lead)
    return LINE if far else abs(last.get(loop.var, 0))


def fetched(found, loops):
    """Cache lines brought in by the accesses of one statement inside `loops`."""
    for first in range(len(loops) + 1):
        inner = loops[first:]
        lines = sum(touched(a, inner) for a in found)
        if lines * LINE <= CACHE:
            return times(loops[:first]) * lines
    return math.inf


def touched(access, loops):
    """Cache lines that an access touches as `loops` run."""
    lines = 1
    for loop in loops:
        step = min(steps(access, loop) * access.buffer.dtype.itemsize / LINE, 1)
        lines *= max(most_rounds(loop) * step, 1)
    return lines


def tuned(kernel, schedules, most=6, repeats=5):
    """(the kernel by the best of `schedules`, the Report of the search).

    `schedules` is {name: function from Kernel to Kernel}; one that raises ValueError
    is left out. It is timed on arrays of zeros.
    """
    arrays = arguments(kernel)

    def run(schedule):
        made = schedule(kernel)
        function = build(source(made), made.name, signature(made))
        bounds = (0, made.body[-1].extent) if splits(made) else ()
        return lambda: function(*arrays, *bounds)

    report = tune(
        schedules, run, text(kernel), lambda s: modelled(s(kernel)), most, repeats
    )
    return schedules[report.chosen](kernel), report


def arguments(kernel):
    """Arrays and scalars to run a kernel on."""
    buffers = *kernel.outputs, *kernel.inputs
    scalars = [p.dtype.type(1) for p in kernel.params]
    return [*(np.zeros(b.shape, b.dtype) for b in buffers), *scalars]
