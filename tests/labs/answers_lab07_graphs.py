"""Right and wrong answers to lab 07, for the gate."""

RIGHT = {
    "live_before": [
        """
def live_before(statements, after):
    if not statements:
        return set(after)
    *others, s = statements
    if isinstance(s, Set):
        if s.name not in after:
            return live_before(tuple(others), after)
        kept = {n for n in after if n != s.name}
        return live_before(tuple(others), kept.union(reads(s.value)))
    place, start = None, set()
    while place != start.union(after, reads(s.test)):
        place = start.union(after, reads(s.test))
        start = live_before(s.body, place)
    return live_before(tuple(others), place if isinstance(s, While) else start)
""",
        """
def exposed(s, live):
    if isinstance(s, Set):
        return reads(s.value) | (live - {s.name}) if s.name in live else live
    ends = live | reads(s.test)
    for name in sorted(sets(s.body) | names_in(s.body)):
        ends = ends | live_before(s.body, ends)
    return ends if isinstance(s, While) else live_before(s.body, ends)

def names_in(statements):
    found = set()
    for s in statements:
        found |= reads(s.value) if isinstance(s, Set) else (
            reads(s.test) | names_in(s.body))
    return found

def live_before(statements, after):
    live = frozenset(after)
    for s in statements[::-1]:
        live = frozenset(exposed(s, live))
    return live
""",
    ],
    "lower_while": [
        """
def lower_while(loop, names, after):
    head, written = live_before((loop,), after), sets(loop.body)
    own = live_before(loop.body, head & written) | reads(loop.test)
    order = sorted(head & written) + sorted(own - (head & written))
    count = len(head & written)
    for name in order:
        if name not in names:
            raise ValueError(f"`{name}` has no value before the loop")
    stand_ins = [input_node(n, names[n].shape, names[n].dtype) for n in order]
    view = dict(zip(order, stand_ins))
    going = node_of(loop.test, view)
    end = lower(loop.body, dict(view), head)
    test = Graph(tuple(stand_ins), (going,))
    body = Graph(tuple(stand_ins), tuple(end[n] for n in order[:count]))
    whole = make(WHILE, [names[n] for n in order],
                 dict(test=test, body=body, max_steps=None))
    after_it = dict(names)
    for i in range(count):
        after_it[order[i]] = make(ITEM, [whole], {"index": i})
    return after_it
""",
        """
def lower_while(loop, names, after):
    live = live_before((loop,), after)
    state = sorted(n for n in live if n in sets(loop.body))
    if not state:
        return names
    fixed = sorted(n for n in reads(loop.test) | live_before(loop.body, set(state))
                   if n not in state)
    outer = tuple(node_of(n, names) for n in state + fixed)
    ins = tuple(input_node(n, x.shape, x.dtype) for n, x in zip(state + fixed, outer))
    inner = dict(zip(state + fixed, ins))
    parts = {}
    parts["body"] = Graph(
        ins, tuple(map(lower(loop.body, inner, live).__getitem__, state)))
    parts["test"] = Graph(ins, (node_of(loop.test, inner),))
    node = make(WHILE, outer, parts | {"max_steps": None})
    return names | {n: make(ITEM, (node,), {"index": state.index(n)}) for n in state}
""",
    ],
    "settled": [
        """
def settled(loop, names, after):
    live = live_before((loop,), after)
    state = set(live) & sets(loop.body) & set(names)
    dtypes, changed = {n: x.dtype for n, x in names.items()}, True
    while changed:
        changed = False
        ins = {n: input_node(n, x.shape, dtypes[n]) for n, x in names.items()}
        end = lower(loop.body, ins, live)
        for n in state:
            if end[n].shape != ins[n].shape:
                raise ValueError(f"the shape of `{n}` changes")
            if wider(dtypes[n], end[n].dtype) != dtypes[n]:
                dtypes[n], changed = wider(dtypes[n], end[n].dtype), True
    return {n: as_dtype(x, dtypes[n]) for n, x in names.items()}
""",
        """
def settled(loop, names, after):
    live = live_before((loop,), after)
    stand_ins = {n: input_node(n, x.shape, x.dtype) for n, x in names.items()}
    end = lower(loop.body, stand_ins, live)
    for n in sorted(live & sets(loop.body) & set(names)):
        x, y = names[n], end[n]
        if tuple(x.shape) != tuple(y.shape):
            raise ValueError(f"`{n}` has another shape after a round")
        if wider(x.dtype, y.dtype) != x.dtype:
            cast = as_dtype(x, wider(x.dtype, y.dtype))
            return settled(loop, {**names, n: cast}, after)
    return names
""",
    ],
}

LINE = "live = live - {s.name} | reads(s.value)"
IF_LIVE = "            if s.name in live:\n    "
TESTED = "tested = live | reads(s.test)"
AROUND = "start = live_before(s.body, tested)\n"
FOUND = "live = tested if isinstance(s, While) else start"
STATE = "state = sorted(live & sets(loop.body))"
NEEDED = "needed = live_before(loop.body, set(state)) | reads(loop.test)"
GIVEN = "given = {n: node_of(n, names) for n in (*state, *fixed)}"
END = "end = lower(loop.body, inputs, set(state))\n"
OUTS = "tuple(end[n] for n in state)"
ITEMS = 'items = {n: make(ITEM, (node,), {"index": i}) for i, n in enumerate(state)}'
KEPT = "state = [n for n in sorted(live & sets(loop.body)) if n in names]"
WIDE = "wide[n] = as_dtype(x, wider(x.dtype, y.dtype))"

WRONG = {
    "live_before": [
        ("added, then taken away", LINE, "live = (live | reads(s.value)) - {s.name}"),
        ("a line that sets nothing live", IF_LIVE, ""),
        ("what is set stays live", LINE, "live = live | reads(s.value)"),
        ("what a line sets is live", LINE, "live = live | reads(s.value) | {s.name}"),
        ("from the first line to the last", "for s in reversed(statements):",
         "for s in statements:"),
        ("the test forgotten", TESTED, "tested = set(live)"),
        ("what comes after forgotten", TESTED, "tested = reads(s.test)"),
        ("round the loop once", "if start <= tested:",
         "if tested := tested | start:"),
        ("never round the loop", AROUND, AROUND + "            break\n"),
        ("the body sees nothing behind it", AROUND,
         "start = live_before(s.body, reads(s.test))\n"),
        ("an until may run no round", FOUND, "live = tested"),
        ("a while runs one round at least", FOUND, "live = start"),
        ("what a loop sets was not live", FOUND, FOUND +
         "\n        live = live - sets(s.body)"),
        ("an until tests first", FOUND, "live = (tested if isinstance(s, While) else "
         "start | reads(s.test))"),
        ("all that is read", "            continue\n        tested = live",
         "            continue\n        live = live | {n for t in s.body "
         "if isinstance(t, Set) for n in reads(t.value)}\n        tested = live"),
    ],
    "lower_while": [
        ("all that the body sets", STATE, "state = sorted(sets(loop.body))"),
        ("all that is live", STATE, "state = sorted(live)"),
        ("what is set and had a value", STATE,
         "state = sorted(sets(loop.body) & set(names))"),
        ("what is read afterwards only", STATE,
         "state = sorted(set(after) & sets(loop.body))"),
        ("what the loop itself reads only", STATE,
         "state = sorted(live_before((loop,), set()) & sets(loop.body))"),
        ("all live variables handed in", NEEDED, "needed = set(live)"),
        ("all variables handed in", NEEDED, "needed = set(names)"),
        ("what the test reads forgotten", NEEDED,
         "needed = live_before(loop.body, set(state))"),
        ("what the state needs forgotten", NEEDED,
         "needed = live_before(loop.body, set()) | reads(loop.test)"),
        ("results in another order", ITEMS, ITEMS.replace(
            "enumerate(state)", "enumerate(state[::-1])")),
        ("the body's results in another order", OUTS,
         "tuple(end[n] for n in state[::-1])"),
        ("the state does not change", OUTS, "tuple(inputs[n] for n in state)"),
        ("the body's end taken for dead", END, "end = lower(loop.body, inputs, after)\n"),
        ("the test of the state after a round", "(node_of(loop.test, inputs),)",
         "(node_of(loop.test, end),)"),
        ("the test turned round", "(node_of(loop.test, inputs),)",
         "(node_of(f'no({loop.test})', inputs),)"),
        ("the graphs read outside", END, "end = lower(loop.body, {**names, "
         "**{n: inputs[n] for n in state}}, set(state))\n"),
        ("the loop's results forgotten", "return {**names, **items}",
         "return dict(names)"),
        ("only the state is left", "return {**names, **items}", "return items"),
        ("one round in front", GIVEN,
         "names = lower(loop.body, names, live)\n    " + GIVEN),
        ("zero for what may be unset", GIVEN,
         "given = {n: names[n] if n in names else node_of('0.0', {}) "
         "for n in (*state, *fixed)}"),
        ("no more than three rounds", '{**parts, "max_steps": None}',
         '{**parts, "max_steps": 3}'),
    ],
    "settled": [
        ("one pass", "if wide == names:", "if names := wide:"),
        ("two passes", "        if wide == names:\n",
         "        loop_count = locals().get('loop_count', 0) + 1\n"
         "        if wide == names or loop_count == 2:\n"),
        ("what comes out", WIDE, "wide[n] = as_dtype(x, y.dtype) "
         "if y.dtype.kind == 'f' else x"),
        ("everything a double", WIDE, "wide[n] = as_dtype(x, WIDTHS[-1])"),
        ("everything a float", WIDE, "wide[n] = as_dtype(x, "
         "wider(WIDTHS[2], wider(x.dtype, y.dtype)))"),
        ("nothing is cast", WIDE, "wide[n] = x"),
        ("all that the body sets is cast", KEPT,
         "state = [n for n in sorted(sets(loop.body)) if n in names]"),
        ("all that is live is cast", WIDE, WIDE + "\n            wide = {m: "
         "as_dtype(z, wider(z.dtype, x.dtype)) for m, z in wide.items()}"),
        ("what is read afterwards only", KEPT,
         "state = [n for n in sorted(set(after) & sets(loop.body)) if n in names]"),
        ("shapes not looked at", "if x.shape != y.shape:", "if False:"),
        ("only the number of dimensions", "if x.shape != y.shape:",
         "if len(x.shape) != len(y.shape):"),
        ("an assertion", 'raise ValueError(f"`{n}` goes', 'raise TypeError(f"`{n}` goes'),
        ("refused without a name", '`{n}` goes from', 'a variable goes from'),
        ("what a round computes in its place", WIDE,
         "wide[n] = x if x.dtype == wider(x.dtype, y.dtype) else "
         "lower(loop.body, names, live)[n]"),
    ],
}  # fmt: skip
