"""Matrix products as instructions: BLAS called where the matrices lie.

BLAS takes a matrix by its first element, and how far apart its rows are; that one is
transposed is a flag. So views of a larger array are multiplied as they are, and so is
each of many matrices. (Chapters 10 and 14.)
"""

from functools import cache

import numpy as np

from ..hardware import blas
from .build import build_entry
from .execute import Call
from .tune import tune

ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112  # of cblas.h
UNIT = 16  # rows or columns that BLAS computes at once, roughly
# BLAS first copies matrices into the order in which it reads them, unless they are
# small. A copy that few rows or columns use costs more than it saves.
SMALL, FEW = 100**3, 128

SOURCE = """\
from numba import float32, float64, int32, int64

from minidl.runtime.kernels.native import call


def product(at):
    function, outer, inner = at[0], at[1], at[2]
    order, form_x, form_y = int32(at[3]), int32(at[4]), int32(at[5])
    m, n, k, piece_m, piece_n = at[6], at[7], at[8], at[9], at[10]
    first_x, far_x, row_x = at[11], {integer}(at[12]), at[13]
    first_y, far_y, column_y = at[14], {integer}(at[15]), at[16]
    first_out, far_out, row_out = at[17], {integer}(at[18]), at[19]
    for i in range(outer):
        for j in range(inner):
            x = first_x + i * at[20] + j * at[23]
            y = first_y + i * at[21] + j * at[24]
            out = first_out + i * at[22] + j * at[25]
            for row in range(0, m, piece_m):
                for column in range(0, n, piece_n):
                    rows, columns = min(piece_m, m - row), min(piece_n, n - column)
                    call(
                        function, order, form_x, form_y,
                        {integer}(rows), {integer}(columns), {integer}(k),
                        {number}(1), x + row * row_x, far_x,
                        y + column * column_y, far_y,
                        {number}(0), out + row * row_out + column * {size}, far_out,
                    )
"""


def product_call(x, y, out):
    """The Call of out = x @ y: of two matrices, or of many, which may be broadcast."""
    if min(x.ndim, y.ndim) < 2:
        return Call(np.matmul, [x, y, out])
    x, y = (np.broadcast_to(a, out.shape[:-2] + a.shape[-2:]) for a in (x, y))
    by_blas = native(x, y, out)
    bound = native if by_blas else plain
    rows, unit, cuts = shares(x, y, out)

    def part(start, stop):
        places = cuts(slice(start, stop))
        return bound(*(a[place] for a, place in zip((x, y, out), places)))[1]

    return Call(*(by_blas or plain(x, y, out)), rows, part, unit)


def shares(x, y, out):
    """What threads share: how much, in which units, and where x, y and out are cut.

    Of many matrices some. Of one the rows, for which each thread reads all of y; or the
    columns, for which it reads all of x, and writes where the kernels after it, which
    share rows, will not look for it.
    """
    whole = slice(None)
    if out.ndim > 2:
        return len(out), 1, lambda cut: (cut, cut, cut)
    if len(out) > UNIT and y.size <= x.size + out.size / 2:
        return len(out), UNIT, lambda cut: (cut, whole, cut)
    return out.shape[1], UNIT, lambda cut: (whole, (whole, cut), (whole, cut))


def plain(x, y, out):
    return np.matmul, [x, y, out]


def native(x, y, out, pieces=None):
    """(BLAS's own function, its arguments); None where there is no way to call it."""
    function = blas.product(out.dtype.char)
    forms, loops = [form(a) for a in (x, y, out)], batches(x, y, out)
    if not (function and x.size and out.size and all(forms) and loops):
        return None
    if {x.dtype, y.dtype} != {out.dtype} or forms[2][0] != AS_IT_IS:
        return None
    (m, k), n = x.shape[-2:], y.shape[-1]
    counts, steps = zip(*loops)
    (form_x, far_x), (form_y, far_y), (_, far) = forms
    if max(m, n, k, far_x, far_y, far) > np.iinfo(function.integer).max:
        return None
    pieces = pieces or best_pieces(m, n, k, form_x, form_y, out.dtype.name)
    return entry(function, out.dtype), [
        function.address, *counts, ROW_MAJOR, form_x, form_y, m, n, k, *pieces,
        x, far_x, x.strides[-2], y, far_y, y.strides[-1], out, far, out.strides[-2],
        *steps[0], *steps[1],
    ]  # fmt: skip


def entry(function, dtype):
    words = dict(number=dtype.name, size=dtype.itemsize, integer=function.integer)
    return build_entry(SOURCE.format(**words), "product")


def form(matrices):
    """(as it is or transposed, elements from one row to the next); None for others."""
    rows, columns = matrices.shape[-2:]
    far, near = (s // matrices.itemsize for s in matrices.strides[-2:])
    far, near = far if rows > 1 else columns, near if columns > 1 else 1
    if near == 1 and far >= columns:
        return AS_IT_IS, far
    if far == 1 and near >= rows:
        return TRANSPOSED, near
    return None


def batches(x, y, out):
    """Two loops over all matrices, as (count, bytes on in x, y, out); None if not two.

    Loops that go on where one inside them ends are one loop.
    """
    loops = []
    for d, count in enumerate(out.shape[:-2]):
        steps = x.strides[d], y.strides[d], out.strides[d]
        if loops and loops[-1][1] == tuple(count * s for s in steps):
            loops[-1] = loops[-1][0] * count, steps
        elif count != 1:
            loops.append((count, steps))
    while len(loops) < 2:
        loops.insert(0, (1, (0, 0, 0)))
    return loops if len(loops) == 2 else None


# ---- products of few rows


@cache
def best_pieces(m, n, k, form_x, form_y, dtype):
    """(rows, columns) of the pieces in which one thread computes a product fastest."""
    whole = m, n
    if m * n * k <= SMALL or min(m, n) > FEW:
        return whole
    sides = [(r, SMALL // (r * k) // UNIT * UNIT) for r in (8, 16, 32, 64, FEW)]
    sides = [whole, *((r, min(c, n)) for r, c in sides if r <= m and c)]
    candidates = {f"{rows} x {columns}": (rows, columns) for rows, columns in sides}
    x = zeros(m, k, form_x, dtype)
    y, out = zeros(k, n, form_y, dtype), zeros(m, n, AS_IT_IS, dtype)

    def run(pieces):
        function, arguments = native(x, y, out, pieces)
        return function.bound(arguments)

    kinds = [getattr(library, "architecture", None) for library in blas.libraries()]
    key = f"product {m} {n} {k} {form_x} {form_y} {dtype} {kinds}"
    with blas.SingleThread():
        return candidates[tune(candidates, run, key).chosen]


def zeros(rows, columns, form, dtype):
    if form == AS_IT_IS:
        return np.zeros((rows, columns), dtype)
    return np.zeros((columns, rows), dtype).T
