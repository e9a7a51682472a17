"""Other right answers to lab 01, and mistakes that its checker must find."""

RIGHT = {
    "broadcast_shapes": [
        '''
def broadcast_shapes(*shapes):
    """Two by two, from the right."""
    result = ()
    for shape in shapes:
        a, b = tuple(result)[::-1], tuple(shape)[::-1]
        longest = max(len(a), len(b))
        a += (1,) * (longest - len(a))
        b += (1,) * (longest - len(b))
        both = []
        for i, (m, n) in enumerate(zip(a, b)):
            if m != n and 1 not in (m, n):
                raise ValueError(f"{m} meets {n} in dimension {-i - 1}")
            both.append(n if m == 1 else m)
        result = tuple(both[::-1])
    return result
''',
        '''
import itertools


def broadcast_shapes(*shapes):
    """Column by column, by zip_longest on the reversed shapes."""
    columns = itertools.zip_longest(*[s[::-1] for s in shapes], fillvalue=1)
    found = []
    for number, column in enumerate(columns, 1):
        size = 1
        for other in column:
            if size != 1 and other != 1 and size != other:
                raise ValueError(
                    f"dimension {-number}: expected {size} or 1, found {other}"
                )
            size = other if size == 1 else size
        found.insert(0, size)
    return tuple(found)
''',
    ],
    "stretch": [
        '''
def stretch(x, shape):
    """The strides worked out one dimension at a time, without part 1."""
    lead = len(shape) - len(x.shape)
    if lead < 0:
        raise ValueError(f"{x.shape} has more dimensions than {shape}")
    strides = []
    for i, wanted in enumerate(shape):
        if i < lead:
            strides.append(0)
        elif x.shape[i - lead] == wanted:
            strides.append(x.strides[i - lead])
        elif x.shape[i - lead] == 1:
            strides.append(0)
        else:
            raise ValueError(f"can't stretch {x.shape} to {shape}")
    return view(x, shape, strides)
''',
        '''
def stretch(x, shape):
    """New dimensions first, by indexing; then the strides of those of size 1."""
    if x.ndim > len(shape):
        raise ValueError(f"{shape} has fewer dimensions than {x.shape}")
    wide = x[(None,) * (len(shape) - x.ndim)]
    strides = list(wide.strides)
    for i, (found, wanted) in enumerate(zip(wide.shape, shape)):
        if found != wanted:
            if found != 1:
                raise ValueError(f"{x.shape} is not to be had as {shape}")
            strides[i] = 0
    return np.lib.stride_tricks.as_strided(wide, shape, strides)
''',
    ],
    "unfold": [
        '''
def unfold(x, dim, size, step):
    """The dimension moved to the end, unfolded there, and the places moved back."""
    n = x.shape[dim]
    if size < 1 or step < 1 or size > n:
        raise ValueError(f"size {size} and step {step} for {n} elements")
    if dim < 0:
        dim += x.ndim
    last = np.moveaxis(x, dim, -1)
    inner = last.strides[-1]
    shape = last.shape[:-1] + (len(range(0, n - size + 1, step)), size)
    out = view(last, shape, last.strides[:-1] + (inner * step, inner))
    return np.moveaxis(out, -2, dim)
''',
        '''
def unfold(x, dim, size, step):
    """By slices: all starts along dim, and beside them what follows each."""
    n = x.shape[dim]
    if not (0 < size <= n and step > 0):
        raise ValueError(f"no window of size {size}, step {step} in {n}")
    where = dim if dim >= 0 else dim + x.ndim
    starts = x[(slice(None),) * where + (slice(0, n - size + 1, step),)]
    shape = starts.shape + (size,)
    strides = starts.strides + x.strides[where : where + 1]
    strides = strides[:where] + (x.strides[where] * step,) + strides[where + 1 :]
    return np.lib.stride_tricks.as_strided(starts, shape, strides, writeable=False)
''',
    ],
    "fold": [
        '''
def fold(g, dim, n, step):
    """The windows in groups whose members don't overlap, each group added at once."""
    dim = dim if dim >= 0 else dim + g.ndim - 1
    rows = np.moveaxis(g, dim, -2)
    count, size = rows.shape[-2:]
    out = np.zeros((*rows.shape[:-2], n), g.dtype)
    starts = np.arange(count) * step
    groups = -(-size // step)
    for first in range(groups):
        cells = starts[first::groups, None] + np.arange(size)
        out[..., cells] += rows[..., first::groups, :]
    return np.moveaxis(out, -1, dim)
''',
        '''
def fold(g, dim, n, step):
    """No loop: np.add.at adds up what goes to the same place."""
    shape = list(g.shape[:-1])
    dim = range(len(shape))[dim]
    count, size = shape[dim], g.shape[-1]
    shape[dim] = n
    out = np.zeros(shape, dtype=g.dtype)
    cells = np.arange(count)[:, None] * step + np.arange(size)[None, :]
    np.add.at(np.swapaxes(out, 0, dim), cells, np.moveaxis(
        np.swapaxes(g, 0, dim), -1, 1))
    return out
''',
        '''
def fold(g, dim, n, step):
    """One matrix product: row k, j of the matrix has its 1 in column k * step + j."""
    dim %= g.ndim - 1
    count, size = g.shape[dim], g.shape[-1]
    cells = np.arange(count)[:, None] * step + np.arange(size)
    goes = (cells[:, :, None] == np.arange(n)).astype(g.dtype)
    out = np.tensordot(g, goes, axes=((dim, g.ndim - 1), (0, 1)))
    return np.moveaxis(out, -1, dim)
''',
    ],
}

WRONG = {
    "broadcast_shapes": [
        (
            "aligned at the left",
            "sizes = {shape[dim] for shape in shapes if len(shape) >= -dim}",
            "most = max(map(len, shapes))\n"
            "        sizes = {(*s, *[1] * (most - len(s)))[dim] for s in shapes}",
        ),
        (
            "the largest size wins",
            "wide = sorted(sizes - {1})",
            "wide = sorted(sizes)[-1:]",
        ),
        (
            "a size of 0 stretches",
            "wide = sorted(sizes - {1})",
            "wide = sorted(sizes - {0, 1})",
        ),
        (
            "0 is lost beside 1",
            "wide[0] if wide else 1)",
            "(wide and wide[0]) or 1)",
        ),
        (
            "no shapes at all",
            "max(map(len, shapes), default=0)",
            "max(map(len, shapes))",
        ),
        (
            "as long as the first shape",
            "-max(map(len, shapes), default=0)",
            "-len((*shapes, ())[0])",
        ),
        (
            "the dimension from the front",
            "in dimension {dim} don't",
            "in dimension {dim + max(map(len, shapes))} don't",
        ),
        ("the dimension off by one", "in dimension {dim} don't", "in {dim - 1} don't"),
        ("one size named", 'f"sizes {wide} in', 'f"size {wide[0]} in'),
        ("a list", "return tuple(common)", "return common"),
        ("backwards", "return tuple(common)", "return tuple(common[::-1])"),
        (
            "another kind of error",
            'raise ValueError(f"sizes {wide}',
            'raise IndexError(f"sizes {wide}',
        ),
        (
            "three sizes that differ are needed",
            "if len(wide) > 1:",
            "if len(wide) > 2:",
        ),
        (
            "only the first two shapes compared",
            "for shape in shapes if len(shape)",
            "for shape in shapes[:2] if len(shape)",
        ),
        (
            "NumPy's own",
            "    common = []\n",
            "    return np.broadcast_shapes(*shapes)\n    common = []\n",
        ),
    ],
    "stretch": [
        (
            "a copy",
            "return view(x, shape, [0] * lead + kept)",
            "return np.zeros(shape, x.dtype) + x",
        ),
        (
            "a copy of a view",
            "return view(x, shape, [0] * lead + kept)",
            "return view(np.ascontiguousarray(x), shape, [0] * lead + kept)",
        ),
        (
            "a view copied before it is stretched",
            "    lead = len(shape) - x.ndim\n",
            "    lead = len(shape) - x.ndim\n"
            "    x = x if x.flags.c_contiguous else np.ascontiguousarray(x)\n",
        ),
        ("new dimensions at the end", "[0] * lead + kept)", "kept + [0] * lead)"),
        (
            "strides from the shape",
            "zip(x.shape, x.strides)]",
            "zip(x.shape, np.empty(x.shape, x.dtype).strides)]",
        ),
        ("strides kept at size 1", "[0 if size == 1 else step for", "[step for"),
        ("stretched by one element", "[0 if size == 1", "[x.itemsize if size == 1"),
        (
            "any size stretches",
            "    if broadcast_shapes(x.shape, shape) != tuple(shape):\n",
            "    if x.ndim > len(shape):\n",
        ),
        (
            "the common shape instead of the one asked",
            "    if broadcast_shapes(x.shape, shape) != tuple(shape):\n",
            "    if not (shape := broadcast_shapes(x.shape, shape)) and x.ndim:\n",
        ),
        (
            "an error without the shapes",
            'f"an array of shape {x.shape} doesn\'t stretch to {shape}"',
            '"this doesn\'t stretch"',
        ),
        (
            "one stretched dimension at most",
            "    lead = len(shape) - x.ndim\n",
            "    lead = min(len(shape) - x.ndim, 1)\n",
        ),
        (
            "all that differs in size has stride 0, also at 0",
            "return view(x, shape, [0] * lead + kept)",
            "return view(x, [max(n, 1) for n in shape], [0] * lead + kept)",
        ),
        (
            "NumPy's own",
            "return view(x, shape, [0] * lead + kept)",
            "return np.broadcast_to(x, shape)",
        ),
    ],
    "unfold": [
        ("a window too few", "(n - size) // step + 1", "(n - size) // step"),
        ("a window too many", "(n - size) // step + 1", "n // step"),
        ("windows that don't fit whole", "(n - size) // step + 1", "-(-n // step)"),
        (
            "counted up",
            "(n - size) // step + 1",
            "-(-(n - size) // step) + 1",
        ),
        ("step not in the stride", "    strides[dim] *= step\n", ""),
        (
            "step in both strides",
            "(*strides, x.strides[dim])",
            "(*strides, strides[dim])",
        ),
        (
            "inside of a window first",
            "(*shape, size), (*strides, x.strides[dim])",
            "(size, *shape), (x.strides[dim], *strides)",
        ),
        (
            "negative dim counted in the result",
            "    n = x.shape[dim]\n",
            "    dim = min(dim % (x.ndim + 1), x.ndim - 1)\n    n = x.shape[dim]\n",
        ),
        (
            "negative dim used in the strides of the result",
            "    strides[dim] *= step\n",
            "    shape.append(size)\n    strides.append(strides[dim])\n"
            "    strides[dim] *= step\n    return view(x, shape, strides)\n",
        ),
        (
            "negative dim on the way back",
            "    n = x.shape[dim]\n",
            "    dim = abs(dim) - (dim < 0)\n    n = x.shape[dim]\n",
        ),
        (
            "one element is the stride inside",
            "(*strides, x.strides[dim])",
            "(*strides, x.itemsize)",
        ),
        (
            "a copy",
            "return view(x, (*shape, size), (*strides, x.strides[dim]))",
            "return view(x, (*shape, size), (*strides, x.strides[dim])).copy()",
        ),
        (
            "strides of a contiguous array",
            "shape, strides = list(x.shape), list(x.strides)",
            "x = np.ascontiguousarray(x)\n"
            "    shape, strides = list(x.shape), list(x.strides)",
        ),
        (
            "the memory below the view",
            "shape, strides = list(x.shape), list(x.strides)",
            "x = x.base if x.base is not None and x.base.ndim == x.ndim else x\n"
            "    shape, strides = list(x.shape), list(x.strides)",
        ),
        ("a window of all refused", "not 1 <= size <= n or", "not 1 <= size < n or"),
        ("windows too large allowed", "not 1 <= size <= n or", "size < 1 or"),
        ("size 0 allowed", "not 1 <= size <= n or", "size > n or"),
        ("step 0 and less allowed", "<= n or step < 1:", "<= n:"),
        ("steps below 0 allowed", "<= n or step < 1:", "<= n or step == 0:"),
        (
            "an error without numbers",
            'f"windows of {size}, {step} apart, don\'t fit into size {n}"',
            '"these windows don\'t fit"',
        ),
        (
            "NumPy's own",
            "return view(x, (*shape, size), (*strides, x.strides[dim]))",
            "tricks = np.lib.stride_tricks\n"
            "    every = tricks.sliding_window_view(x, size, dim)\n"
            "    return np.moveaxis(np.moveaxis(every, dim, 0)[::step], 0, dim)",
        ),
    ],
    "fold": [
        (
            "the last one wins",
            "step * count : step] += windows",
            "step * count : step] = windows",
        ),
        ("step left out", "cells[j : j + step * count : step]", "cells[j : j + count]"),
        (
            "a window less",
            "cells[j : j + step * count : step] += windows[..., j]",
            "cells[j : j + step * (count - 1) : step] += windows[:-1, ..., j]",
        ),
        ("an element less", "for j in range(size):", "for j in range(size - 1):"),
        ("float64", "np.zeros(shape, g.dtype)", "np.zeros(shape)"),
        ("ones to begin with", "np.zeros(shape, g.dtype)", "np.ones(shape, g.dtype)"),
        (
            "the first element of all windows",
            "+= windows[..., j]",
            "+= windows[..., 0]",
        ),
        ("negative dim counted in g", "dim %= len(shape)", "dim %= g.ndim"),
        (
            "only the first dimension",
            "np.moveaxis(out, dim, 0)",
            "np.moveaxis(out, 0, 0)",
        ),
        (
            "as long as the windows reach",
            "count, shape[dim] = shape[dim], n",
            "count = shape[dim]\n    n = shape[dim] = step * (count - 1) + size",
        ),
        (
            "nothing at the end is 0",
            "    return out\n    ### END SOLUTION",
            "    cells[step * (count - 1) + size :] = 1\n"
            "    return out\n    ### END SOLUTION",
        ),
        (
            "the mean",
            "    return out\n    ### END SOLUTION",
            "    return (out / size).astype(g.dtype)\n    ### END SOLUTION",
        ),
        (
            "a loop over the windows",
            "    for j in range(size):\n"
            "        cells[j : j + step * count : step] += windows[..., j]",
            "    for k in range(count):\n"
            "        place = slice(k * step, k * step + size)\n"
            "        cells[place] += np.moveaxis(windows[k], -1, 0)",
        ),
        (
            "g written into",
            "    out = np.zeros(shape, g.dtype)\n",
            "    out = np.zeros(shape, g.dtype)\n    if size > 1: g *= 2\n",
        ),
        (
            "g handed back where windows have one element",
            "    out = np.zeros(shape, g.dtype)\n",
            "    if size == 1: return g[..., 0]\n    out = np.zeros(shape, g.dtype)\n",
        ),
        (
            "indices that repeat, added once",
            "    for j in range(size):\n"
            "        cells[j : j + step * count : step] += windows[..., j]",
            "    places = np.arange(count)[:, None] * step + np.arange(size)\n"
            "    cells[places] += np.moveaxis(windows, -1, 1)",
        ),
    ],
}
