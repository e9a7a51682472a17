"""Right and wrong answers to lab 09, for the gate."""

RIGHT = {
    "image_gradient": [
        """
def image_gradient(C, H, W, K, size, stride=1):
    R, S = (H - size) // stride + 1, (W - size) // stride + 1
    c, h, w, k, r, s, i, j = map(Var, "chwkrsij")
    dx, dy = Buffer("dx", (C, H, W), "float32"), Buffer("dy", (K, R, S), "float32")
    weight = Buffer("weight", (K, C, size, size), "float32")
    zero = nest({"h": H, "w": W}, Store(dx, (c, h, w), Const(0, "float32")))
    step = Store(dx, (c, r * stride + i, s * stride + j),
                 Load(weight, (k, c, i, j)) * Load(dy, (k, r, s)), "add")
    sums = nest({"i": size, "j": size, "k": K, "r": R, "s": S}, step)
    return Kernel("image_gradient", (dx,), (dy, weight),
                  body=(Loop("c", C, (zero, sums)),))
""",
        """
def image_gradient(C, H, W, K, size, stride=1):
    R, S = (H - size) // stride + 1, (W - size) // stride + 1
    dx = Buffer("dx", (C, H, W), np.float32)
    dy = Buffer("dy", (K, R, S), np.float32)
    weight = Buffer("weight", (K, C, size, size), np.float32)
    a, b = Var("a"), Var("b")
    clear = nest({"c": C, "a": H, "b": W},
                 Store(dx, (Var("c"), a, b), Const(0, np.float32)))
    rows = [
        Store(dx, (Var("c"), Var("r") * stride + i, Var("s") * stride + j),
              Load(dy, (Var("k"), Var("r"), Var("s")))
              * Load(weight, (Var("k"), Var("c"), Const(i, int), Const(j, int))), "add")
        for i in range(size) for j in range(size)
    ]
    sums = nest({"c": C, "k": K, "r": R, "s": S}, *rows)
    return Kernel("image_gradient", (dx,), (dy, weight), body=(clear, sums))
""",
    ],
    "scheduled": [
        """
def scheduled(kernel):
    channels = kernel.body[0].extent
    size = 8 if channels % 8 == 0 else 1
    kernel = tile(kernel, "k", size)
    kernel = reorder(kernel, "k_outer", "c", "r", "s", "k_inner", "i", "j")
    kernel = unroll(unroll(unroll(kernel, "j"), "i"), "k_inner")
    return vectorise(parallelise(kernel, "k_outer"), "s")
""",
        """
def scheduled(kernel):
    t = next(n for n in (4, 3, 2, 1) if kernel.body[0].extent % n == 0)
    kernel = reorder(tile(kernel, "k", t), "k_outer", "r", "c", "i", "s", "k_inner", "j")
    kernel = vectorise(unroll(unroll(kernel, "k_inner"), "j"), "s")
    return parallelise(kernel, "k_outer")
""",
    ],
    "merged": [
        """
def merged(first, second):
    if first.extent != second.extent or {first.kind, second.kind} != {"serial"}:
        raise ValueError("only serial loops over one range can be merged")
    other = tuple(substitute(s, {Var(second.var): Var(first.var)}) for s in second.body)
    loop = Loop(first.var, first.extent, first.body + other)
    if conflict(loop, reductions=True) is not None:
        raise ValueError("an iteration needs what another one leaves")
    return loop
""",
        """
def merged(first, second):
    from minidl.framework.codegen.loops import Update, walk

    if (first.extent, first.kind) != (second.extent, "serial") or second.kind != "serial":
        raise ValueError("two loops of different kinds or lengths")
    renamed = substitute(second, {Var(second.var): Var(first.var)}).body
    both = replace(first, body=(*first.body, *renamed))
    sums = {x.local for x in walk(first) if isinstance(x, Update)}
    wanted = {x for s in renamed for x in walk(s) if x in sums}
    if wanted or conflict(both, (), True):
        raise ValueError(conflict(both, (), True) or "it needs a whole sum")
    return both
""",
    ],
}

LAST = """    return parallelise(vectorise(kernel, "s"), "k_outer")
"""
TILED = """    channels = kernel.body[0].extent
    most = max(n for n in (1, 2, 3, 4) if channels % n == 0)
"""
UNROLLED = """    for var in ("k_inner", "i", "j"):
        kernel = unroll(kernel, var)
"""
ASKED = """    reason = conflict(loop, reductions=True)
    if reason:
        raise ValueError(f"{first.var} and {second.var} can't be merged: {reason}")
"""
LENGTHS = """    if first.extent != second.extent:
        raise ValueError(f"{first.extent} iterations and {second.extent}")
"""
KINDS = """    if (first.kind, second.kind) != ("serial", "serial"):
        raise ValueError(f"a {first.kind} and a {second.kind} loop: merge before that")
"""
SUMS = 'sums = {"c": C, "k": K, "r": R, "s": S, "i": size, "j": size}'
CLEAR = 'body = nest({"c": C, "h": H, "w": W}, clear), nest(sums, add)'
PLACE = "add = Store(dx, (c, r * stride + i, s * stride + j), part"

WRONG = {
    "image_gradient": [
        ("the stride is forgotten", PLACE, "add = Store(dx, (c, r + i, s + j), part"),
        ("nothing is cleared", CLEAR, "body = (nest(sums, add),)"),
        (
            "only pixels under a window are cleared",
            'nest({"c": C, "h": H, "w": W}, clear)',
            'nest({"c": C, "h": (R - 1) * stride + size, "w": (S - 1) * stride + size}, '
            "clear)",
        ),
        (
            "the sums come first",
            CLEAR,
            'body = nest(sums, add), nest({"c": C, "h": H, "w": W}, clear)',
        ),
        ("k is outermost", SUMS,
         'sums = {"k": K, "c": C, "r": R, "s": S, "i": size, "j": size}'),
        ("it overwrites instead of adding", 's * stride + j), part, "add")',
         "s * stride + j), part)"),
        ("rows and columns exchanged", PLACE,
         "add = Store(dx, (c, r * stride + j, s * stride + i), part"),
        ("the weights are turned round",
         "part = Load(dy, (k, r, s)) * Load(weight, (k, c, i, j))",
         "part = Load(dy, (k, r, s)) * Load(weight, (k, c, size - 1 - i, size - 1 - j))"),
        ("the last window is left out",
         'dx, dy = Buffer("dx", (C, H, W), "f4"), Buffer("dy", (K, R, S), "f4")',
         'R, S = max(R - 1, 1), S\n'
         '    dx, dy = Buffer("dx", (C, H, W), "f4"), Buffer("dy", (K, R, S), "f4")'),
        ("the buffers have other names", 'Buffer("dx", (C, H, W), "f4"), Buffer("dy"',
         'Buffer("grad", (C, H, W), "f4"), Buffer("dy"'),
        ("the inputs are exchanged", "(dx,), (dy, weight), body=body)",
         "(dx,), (weight, dy), body=body)"),
        ("c is not at the top", CLEAR,
         'body = (Loop("h", 1, (nest({"c": C, "a": H, "w": W},'
         ' Store(dx, (c, Var("a"), w), Const(0, "f4"))), nest(sums, add))),)'),
    ],
    "scheduled": [
        ("nothing is done", TILED, "    return kernel\n" + TILED),
        ("a tile that K need not be a multiple of", TILED, "    most = 4\n"),
        ("one channel at a time", TILED, "    most = 1\n"),
        ("nothing is parallel", LAST, '    return vectorise(kernel, "s")\n'),
        ("nothing is a vector loop", LAST, '    return parallelise(kernel, "k_outer")\n'),
        (
            "the window stays a loop, inside of s",
            UNROLLED,
            '    kernel = unroll(kernel, "k_inner")\n',
        ),
        (
            "another loop is innermost",
            UNROLLED + LAST,
            UNROLLED + '    kernel = reorder(kernel, "k_outer", "r", "s", "c")\n'
            '    return parallelise(vectorise(kernel, "c"), "k_outer")\n',
        ),
        (
            "the rows are shared among threads",
            'reorder(kernel, "k_outer", "r", "c", "s", "k_inner", "i", "j")',
            'reorder(kernel, "r", "k_outer", "c", "s", "k_inner", "i", "j")',
        ),
        (
            "only the order is changed",
            'kernel = reorder(kernel, "k_outer", "r", "c", "s", "k_inner", "i", "j")\n'
            + UNROLLED,
            'kernel = reorder(kernel, "k_outer", "k_inner", "r", "c", "i", "j", "s")\n',
        ),
        (
            "the loops that add are left out",
            LAST,
            LAST.replace("return ", "kernel = ")
            + "    return replace(kernel, body=kernel.body[:1])\n",
        ),
        (
            "the clearing is left out",
            LAST,
            LAST.replace("return ", "kernel = ")
            + "    return replace(kernel, body=kernel.body[1:])\n",
        ),
    ],
    "merged": [
        ("all is merged", ASKED, ""),
        ("sums are refused", "= conflict(loop, reductions=True)", "= conflict(loop)"),
        ("every sum that the second needs is allowed", "    if reason:\n",
         '    if reason and "touch one element" in reason:\n'),
        ("only sums are looked at", "    if reason:\n",
         '    if reason and "left" in reason:\n'),
        ("the variable stays", "*(substitute(s, same) for s in second.body)",
         "*second.body"),
        (
            "the variable stays in the extents of loops inside",
            "    loop = replace(first, body=tuple(body))\n",
            "    body = [replace(s, extent=old.extent) if isinstance(s, Loop) else s\n"
            "            for s, old in zip(body, [*first.body, *second.body])]\n"
            "    loop = replace(first, body=tuple(body))\n",
        ),
        ("the second goes first",
         "[*first.body, *(substitute(s, same) for s in second.body)]",
         "[*(substitute(s, same) for s in second.body), *first.body]"),
        ("lengths are not compared", LENGTHS, ""),
        ("shorter loops are let in", "first.extent != second.extent",
         "first.extent < second.extent"),
        ("kinds are not compared", KINDS, ""),
        ("any kind will do if both are alike",
         '(first.kind, second.kind) != ("serial", "serial")',
         "first.kind != second.kind"),
        (
            "the two loops are asked, not the merged one",
            "reason = conflict(loop, reductions=True)",
            "reason = conflict(first, reductions=True) or "
            "conflict(second, reductions=True)",
        ),
        (
            "one cell is taken for each iteration's own",
            "reason = conflict(loop, reductions=True)",
            "from minidl.framework.codegen.dependence import accesses\n"
            "    memory = [a.buffer for a in accesses(loop.body)]\n"
            "    reason = conflict(loop, memory, reductions=True)",
        ),
        ("it keeps the second's name", "loop = replace(first, body=tuple(body))",
         "loop = substitute(replace(first, var=second.var, body=tuple(body)),"
         " {Var(first.var): Var(second.var)})"),
        ("everything is refused", "    if reason:\n", "    if True:\n"),
    ],
}  # fmt: skip
