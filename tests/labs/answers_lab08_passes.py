"""Right and wrong answers to lab 08, for the gate."""

RIGHT = {
    "cheaper_order": [
        """
def cheaper_order(node, x, y, z):
    def multiply(a, b):
        return make(ops.matmul, (a, b), where=node.where)

    xy, yz = multiply(x, y), multiply(y, z)
    left, right = multiply(xy, z), multiply(x, yz)
    cost = {"left": flops(xy) + flops(left), "right": flops(yz) + flops(right)}
    is_right = node.inputs[0] is x
    if is_right and cost["left"] < cost["right"]:
        return left
    if not is_right and cost["right"] < cost["left"]:
        return right
""",
        """
def cheaper_order(node, x, y, z):
    from minidl.framework.graph import Graph
    inner = next(n for n in node.inputs if n.op is ops.matmul and n not in (x, z))
    pair, turned = ((y, z), False) if inner is node.inputs[0] else ((x, y), True)
    new = make(ops.matmul, pair, {}, node.where)
    other = make(ops.matmul, (new, z) if turned else (x, new), {}, node.where)
    old = flops(inner) + flops(node)
    return None if flops(new) + flops(other) >= old else other
""",
    ],
    "mates": [
        """
def mates(graph):
    groups = {}
    for node in graph.nodes:
        if node.op is ops.matmul and len(node.inputs[1].shape) == 2:
            group = groups.setdefault(node.inputs[0], [])
            if not any(depends(node.inputs[1], other) for other in group):
                group.append(node)
    for x in graph.nodes:
        if len(groups.get(x, ())) >= 2:
            return groups[x]
    return []
""",
        """
def mates(graph):
    def fits(node, x):
        return (node.op is ops.matmul and node.inputs[0] is x
                and node.inputs[1].dtype == x.dtype and len(node.inputs[1].shape) == 2)

    for x in graph.nodes:
        taken = ()
        for node in graph.nodes:
            if fits(node, x) and not any(depends(node.inputs[1], t) for t in taken):
                taken += (node,)
        if taken[1:]:
            return taken
    return ()
""",
    ],
    "side_by_side": [
        """
def side_by_side(products):
    x = products[0].inputs[0]
    weights = tuple(p.inputs[1] for p in products)
    whole = make(ops.matmul, (x, make(ops.cat, weights, {"dim": 1})))
    ends = np.cumsum([w.shape[1] for w in weights]).tolist()
    lead = [(0, n, 1) for n in whole.shape[:-1]]
    return {
        p: make(ops.slice_, (whole,), {"index": (*lead, (end - p.shape[-1], end, 1))})
        for p, end in zip(products, ends)
    }
""",
        """
def side_by_side(products):
    from minidl.framework.trace.recorder import record

    def joined(x, *weights):
        whole, parts, start = x @ dl.cat(list(weights), 1), [], 0
        for w in weights:
            parts.append(whole[..., start : start + w.shape[1]])
            start += w.shape[1]
        return parts

    nodes = products[0].inputs[0], *[p.inputs[1] for p in products]
    return dict(zip(products, record(joined, nodes)))
""",
    ],
    "cheapest": [
        """
def cheapest(drops, needed):
    best, kept = (min(0, needed), 0), []
    for mask in range(2 ** len(drops)):
        chosen = [d for i, d in enumerate(drops) if mask >> i & 1]
        gone = {d.value for d in chosen}
        if any(s in gone for d in chosen for s in d.sources):
            continue
        freed = min(needed, sum(d.value.nbytes for d in chosen))
        merit = freed, -sum(d.flops for d in chosen)
        if merit > best:
            best, kept = merit, chosen
    return kept
""",
        """
def cheapest(drops, needed):
    drops = list(drops)

    def search(i, chosen, freed, spent):
        if i == len(drops) or freed >= needed:
            return (min(freed, needed), -spent), chosen
        without = search(i + 1, chosen, freed, spent)
        d = drops[i]
        if any(d.value in c.sources or c.value in d.sources for c in chosen):
            return without
        size = d.value.nbytes
        with_it = search(i + 1, [*chosen, d], freed + size, spent + d.flops)
        return max(without, with_it, key=lambda pair: pair[0])

    return search(0, [], 0, 0)[1]
""",
    ],
}

CHEAPER = "cheaper = flops(inner) + flops(outer) < flops(before) + flops(node)"
TO_LEFT = """inner = make(ops.matmul, (x, y), where=node.where)
        outer = make(ops.matmul, (inner, z), where=node.where)"""
TO_RIGHT = """inner = make(ops.matmul, (y, z), where=node.where)
        outer = make(ops.matmul, (x, inner), where=node.where)"""
FITS = "if node.op is not ops.matmul or node.inputs[0] is not x:"
BETWEEN = "between = any(depends(right, other) for other in found)"
USERS = "for node in dict.fromkeys(graph.users[x]):"
INDEX = "index = (*((0, n, 1) for n in node.shape[:-1]), (start, stop, 1))"
MERIT = "return min(freed, needed), -sum(drop.flops for drop in chosen)"
SETS = "sets = [c for n in sizes for c in combinations(drops, n) if allowed(c)]"
CLASH = "return not any(drop.sources & gone for drop in chosen)"

WRONG = {
    "cheaper_order": [
        ("always the other order", "return outer if cheaper else None",
         "return outer"),
        ("also where both take the same", CHEAPER, CHEAPER.replace("<", "<=")),
        ("the dearer one", CHEAPER, CHEAPER.replace("<", ">")),
        ("only the outer product counted", CHEAPER,
         "cheaper = flops(outer) < flops(node)"),
        ("only the inner product counted", CHEAPER,
         "cheaper = flops(inner) < flops(before)"),
        ("the old inner product forgotten", CHEAPER,
         "cheaper = flops(inner) + flops(outer) < flops(node)"),
        ("sizes without batches", CHEAPER,
         "n, k, m, p = *x.shape[-2:], *z.shape[-2:]\n"
         "    costs = [n * m * (k + p), k * p * (m + n)]\n"
         "    cheaper = costs[node.inputs[0] is not x] < "
         "costs[node.inputs[0] is x]"),
        ("bytes for FLOPs", CHEAPER, "cheaper = inner.nbytes < before.nbytes"),
        ("factors exchanged", TO_LEFT, TO_LEFT.replace("(inner, z)", "(z, inner)")),
        ("the same order again", TO_RIGHT,
         TO_RIGHT.replace("(y, z)", "(x, y)").replace("(x, inner)", "(inner, z)")),
        ("which order it is, mistaken", "if node.inputs[0] is x:",
         "if node.inputs[0] is not x:"),
        ("one order only", "return outer if cheaper else None",
         "return outer if cheaper and node.inputs[0] is x else None"),
        ("without the line", TO_RIGHT, TO_RIGHT.replace(", where=node.where", "")),
    ],
    "mates": [
        ("what stands between forgotten", BETWEEN, "between = False"),
        ("only what reads a product directly", BETWEEN,
         "between = right in found"),
        ("only the first looked at", BETWEEN,
         "between = bool(found) and depends(right, found[0])"),
        ("dependence the wrong way round", BETWEEN,
         "between = any(depends(other, right) for other in found)"),
        ("one that needs x's product stops the search", BETWEEN,
         BETWEEN + "\n            if between:\n                break"),
        ("batches at the right", "len(right.shape) == 2", "len(right.shape) >= 2"),
        ("no batches at the left either", "len(right.shape) == 2",
         "len(right.shape) == len(x.shape) == 2"),
        ("any operation", FITS, "if node.inputs[0] is not x or len(node.inputs) < 2:"),
        ("x at either side", FITS,
         "if node.op is not ops.matmul or x not in node.inputs:"),
        ("x x taken twice", USERS, "for node in graph.users[x]:"),
        ("a group of one", "if len(found) > 1:", "if found:"),
        ("the last group", "for x in graph.nodes:\n        found",
         "for x in graph.nodes[::-1]:\n        found"),
        ("only inputs at the left", "for x in graph.nodes:\n        found",
         "for x in graph.inputs:\n        found"),
        ("two at most", "if len(found) > 1:\n            return found",
         "if len(found) > 1:\n            return found[:2]"),
        ("only inputs at the right", "if len(right.shape) == 2 and not between:",
         "if len(right.shape) == 2 and right in graph.inputs:"),
    ],
    "side_by_side": [
        ("one below the other", '{"dim": 1}', '{"dim": 0}'),
        ("all from the start", "        start = stop\n", ""),
        ("all as wide as the first", "stop = start + node.shape[-1]",
         "stop = start + products[0].shape[-1]"),
        ("the width of x", "stop = start + node.shape[-1]",
         "stop = start + x.shape[-1]"),
        ("matrices only", INDEX,
         "index = ((0, node.shape[0], 1), (start, stop, 1))"),
        ("the last but one dimension", INDEX,
         "index = ((start, stop, 1), *((0, n, 1) for n in node.shape[1:]))"),
        ("stop as a length", INDEX, INDEX.replace("(start, stop, 1)",
         "(start, node.shape[-1], 1)")),
        ("in the order turned round", "for node in products], {",
         "for node in products[::-1]], {"),
        ("a product for each", "slices[node] = make(ops.slice_, (whole,)",
         "slices[node] = make(ops.slice_, (make(ops.matmul, (x, wide)),)"),
        ("the products themselves", "    return slices\n",
         "    return {node: node for node in products}\n"),
        ("the first left as it was", "    return slices\n",
         "    return {**slices, products[0]: products[0]}\n"),
    ],
    "cheapest": [
        ("greedy by bytes for a FLOP", SETS, SETS + "\n"
         "    order = sorted(drops, key=lambda d: -d.value.nbytes / (1 + d.flops))\n"
         "    chosen = []\n"
         "    for d in order:\n"
         "        if sum(c.value.nbytes for c in chosen) < needed "
         "and allowed([*chosen, d]):\n"
         "            chosen.append(d)\n"
         "    return chosen"),
        ("the most bytes", MERIT, "return freed, -sum(d.flops for d in chosen)"),
        ("the fewest FLOPs, whatever is freed", MERIT,
         "return -sum(d.flops for d in chosen), freed"),
        ("the fewest values", MERIT, "return min(freed, needed), -len(chosen)"),
        ("the least too much", MERIT,
         "return min(freed, needed), -freed, -sum(d.flops for d in chosen)"),
        ("bytes for a FLOP", MERIT,
         "return min(freed, needed), freed / (1 + sum(d.flops for d in chosen))"),
        ("sources forgotten", CLASH, "return True"),
        ("only one source looked at", CLASH,
         "return not any(set(list(drop.sources)[:1]) & gone for drop in chosen)"),
        ("what shares a source is out", CLASH,
         "return len(set().union(*[d.sources for d in chosen])) == "
         "sum(len(d.sources) for d in chosen)"),
        ("only the first checked", CLASH,
         "return not chosen or not chosen[0].sources & gone"),
        ("no more than two", SETS, SETS.replace("for n in sizes", "for n in sizes[:3]")),
        ("never none", "sizes = range(len(drops) + 1)",
         "sizes = range(1, len(drops) + 1)"),
        ("never all", "sizes = range(len(drops) + 1)", "sizes = range(len(drops))"),
        ("nothing where it is not enough", "return list(max(sets, key=merit))",
         "best = list(max(sets, key=merit))\n"
         "    return best if merit(best)[0] >= needed else []"),
    ],
}  # fmt: skip
