"""Checks of lab 03: a norm over groups, attention with one key, the layer around it.

The witnesses are loops over groups, heads and positions in NumPy's float64, slopes of
these by differences, and the library's multi-head attention. (Chapter 3.)
"""

import numpy as np

import minidl as dl
from kit.labs.parts import Part, Property, same
from minidl import nn


def refusal(function, *args):
    """(the name of the error that a call raises, its words)."""
    try:
        function(*args)
        return ["no error", ""]
    except NotImplementedError:
        raise
    except Exception as error:
        return [type(error).__name__, str(error)]


def judge_refusal(result, names, wanted):
    """A ValueError is wanted, with the numbers `names` in its words."""
    kind, words = result
    if kind != "ValueError":
        found = f"{kind}: {words}" if words else kind
        return f"expected ValueError, as {wanted}; found {found}"
    absent = [n for n in names if str(n) not in words]
    if absent:
        return f"expected words that name {names}, found {words!r}"
    return None


def array_of(out):
    """The elements of a tensor that a student's function has returned."""
    if not isinstance(out, dl.Tensor):
        raise TypeError(f"expected a tensor as the result, found {type(out).__name__}")
    return out.detach().numpy()


def send_back(out, shape):
    """backward() from a result that should have this shape, by the judges' seed."""
    if array_of(out).shape != tuple(shape):
        raise ValueError(f"expected shape {tuple(shape)}, found {tuple(out.shape)}")
    out.backward(dl.tensor(seed_of(shape)))


def seed_of(shape):
    return np.cos(np.arange(np.prod(shape))).reshape(shape)


def random(rng, *shape):
    """Normal numbers of one digit, which are readable in a complaint."""
    return rng.normal(size=shape).round(1) + 0.0  # no -0


def slopes(function, arrays, seed, eps=1e-6):
    """The gradient of the sum of `seed` times function(*arrays), by differences."""
    found = []
    for array in arrays:
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            here, ends = array[place], []
            for step in (eps, -eps):
                array[place] = here + step
                ends.append((function(*arrays) * seed).sum())
            array[place] = here
            slope[place] = (ends[0] - ends[1]) / (2 * eps)
        found.append(slope)
    return found


def first(*complaints):
    return next((c for c in complaints if c), None)


# ---- group_norm


def by_group(x, groups, weight, bias, eps):
    """Group norm, one group after the other."""
    out = np.zeros(x.shape)
    size = x.shape[1] // groups
    for n in range(x.shape[0]):
        for start in range(0, x.shape[1], size):
            group = x[n, start : start + size].astype(float)
            spread = ((group - group.mean()) ** 2).mean()
            for c in range(start, start + size):
                unit = (x[n, c] - group.mean()) / np.sqrt(spread + eps)
                out[n, c] = unit * weight[c] + bias[c]
    return out


def norm_case(rng, shape, groups, eps=1e-5, dtype="float32", plain=False):
    C = shape[1]
    weight, bias = rng.uniform(0.5, 2, C).round(1), random(rng, C)
    if plain:
        weight, bias = np.ones(C), np.zeros(C)
    arrays = {"x": 2 * random(rng, *shape) + 1, "weight": weight, "bias": bias}
    arrays = {name: a.astype(dtype) for name, a in arrays.items()}
    return {**arrays, "groups": groups, "eps": eps}


def normed(lab, x, weight, bias, groups, eps):
    x, weight, bias = map(dl.tensor, (x, weight, bias))
    return lab.group_norm(x, groups, weight, bias, eps)


def norm_values(rng):
    x = np.array([[1, 3, 10, 50]], "float32")
    weight, bias = np.array([1, 1, 1, 5.0]), np.array([0, 0, 0, 2.0])
    hand = {"weight": weight.astype("float32"), "bias": bias.astype("float32")}
    yield {"x": x, **hand, "groups": 2, "eps": 0.0}
    yield norm_case(rng, (2, 4, 3), 2)
    yield norm_case(rng, (2, 6, 3, 2), 3, eps=0.5)
    yield norm_case(rng, (3, 4), 1)
    yield norm_case(rng, (2, 3, 2, 2, 2), 3, dtype="float64")


def norm_call(lab, **case):
    out = array_of(normed(lab, **case))
    return {"out": out, "dtype": str(out.dtype)}


def judge_norm(result, **case):
    wanted = str(case["x"].dtype)
    wrong = same(by_group(**case), result["out"], rtol=1e-4, atol=1e-5)
    if not wrong and result["dtype"] != wanted:
        wrong = f"expected dtype {wanted}, found {result['dtype']}"
    return wrong


def norm_statistics(rng):
    for shape, groups, centre in [
        ((1, 2, 8), 1, 0),
        ((2, 4, 5, 5), 2, 3),
        ((2, 6, 30), 3, 1000),
    ]:
        case = norm_case(rng, shape, groups, plain=True)
        case["x"] += np.float32(centre)
        yield case


def judge_statistics(result, **case):
    N, groups = case["x"].shape[0], case["groups"]
    grouped = result["out"].reshape(N, groups, -1).astype(float)
    zeros, ones = np.zeros((N, groups)), np.ones((N, groups))
    return first(
        same(case["x"].shape, result["out"].shape, "the shape"),
        same(zeros, grouped.mean(-1), "the mean of [sample, group]", atol=2e-3),
        same(ones, grouped.var(-1), "the variance of [sample, group]", rtol=5e-3),
    )


def norm_leaks(rng):
    yield norm_case(rng, (2, 4, 2), 2) | {"at": [0, 1]}
    yield norm_case(rng, (3, 6, 2, 2), 3) | {"at": [2, 4]}
    yield norm_case(rng, (3, 4), 2) | {"at": [1, 0]}


def leak_call(lab, at, x, **case):
    other = x.copy()
    other[tuple(at)] += 100
    results = [array_of(normed(lab, x=a, **case)) for a in (x, other)]
    return {"before": results[0], "after": results[1]}


def judge_leak(result, at, x, groups, **case):
    before, after = result["before"], result["after"]
    if before.shape != x.shape:
        return f"expected shape {x.shape}, found {before.shape}"
    size = x.shape[1] // groups
    first_channel = at[1] // size * size
    inside = slice(first_channel, first_channel + size)
    outside = np.ones(x.shape, bool)
    outside[at[0], inside] = False
    leaked = outside & (before != after)
    if leaked.any():
        n, c = (int(i) for i in np.argwhere(leaked)[0][:2])
        return (
            f"sample {at[0]}, channel {at[1]} was changed; expected that sample {n}, "
            f"channel {c} stays as it was, bit for bit, found that it moves"
        )
    if (before == after).all():
        return f"sample {at[0]}, channel {at[1]} was changed, and no result moves"
    return None


def norm_slopes(rng):
    yield norm_case(rng, (1, 2, 2), 1, eps=0.1, dtype="float64")
    yield norm_case(rng, (2, 4, 3), 2, dtype="float64")


def norm_slope_call(lab, x, weight, bias, groups, eps):
    leaves = [dl.tensor(a).requires_grad_() for a in (x, weight, bias)]
    out = lab.group_norm(leaves[0], groups, *leaves[1:], eps)
    send_back(out, x.shape)
    return [None if p.grad is None else p.grad.numpy() for p in leaves]


def judge_slopes(names, function, arrays, shape, found):
    """The gradients `found` of arrays called `names` against differences."""
    seed = seed_of(shape)
    for name, slope, mine in zip(names, slopes(function, arrays, seed), found):
        if mine is None:
            return f"expected a gradient of {name}, found none"
        wrong = same(slope, mine, f"the gradient of {name}", rtol=1e-4, atol=1e-6)
        if wrong:
            return wrong
    return None


def judge_norm_slopes(result, x, weight, bias, groups, eps):
    return judge_slopes(
        ("x", "weight", "bias"),
        lambda x, weight, bias: by_group(x, groups, weight, bias, eps),
        [x, weight, bias],
        x.shape,
        result,
    )


def norm_refusals(rng):
    yield {"shape": [1, 6, 2], "groups": 4}
    yield {"shape": [2, 3], "groups": 6}
    yield {"shape": [2, 4, 2], "groups": 0}


def norm_refusal_call(lab, shape, groups):
    C = shape[1]
    args = dl.ones(*shape), groups, dl.ones(C), dl.zeros(C), 1e-5
    return refusal(lab.group_norm, *args)


def judge_norm_refusal(result, shape, groups):
    wanted = f"{shape[1]} channels don't make {groups} equal groups"
    return judge_refusal(result, [shape[1], groups], wanted)


def norm_work(rng):
    yield {"shapes": [[2, 4, 3], [5, 12, 3]], "groups": [2, 6]}


def ramp(*shape):
    return dl.arange(int(np.prod(shape))).float().reshape(*shape)


def norm_work_call(lab, shapes, groups):
    counts, changed = [], []
    for shape, number in zip(shapes, groups):
        inputs = {"x": ramp(*shape), "weight": ramp(shape[1]), "bias": ramp(shape[1])}
        before = {name: a.numpy().copy() for name, a in inputs.items()}
        with dl.Ledger() as ledger:
            weight, bias = inputs["weight"], inputs["bias"]
            array_of(lab.group_norm(inputs["x"], number, weight, bias, 0.1))
        counts.append(ledger.count())
        for name, a in inputs.items():
            if a.shape != before[name].shape or (a.numpy() != before[name]).any():
                changed.append(name)
    return {"counts": counts, "changed": changed}


def judge_norm_work(result, shapes, groups):
    few, many = result["counts"]
    if result["changed"]:
        return f"expected {result['changed'][0]} as it was, found other numbers in it"
    if "normalise" in few:
        return "expected mean, var and arithmetic; found the library's norm at work"
    if sum(many.values()) > sum(few.values()):
        return (
            f"expected as many operations for {groups[1]} groups as for {groups[0]}, "
            f"found {sum(many.values())} and {sum(few.values())}"
        )
    return None


GROUP_NORM = Part(
    "group_norm",
    ("group_norm",),
    (
        Property(
            "It is what a loop over samples and groups finds, in the dtype of x",
            norm_values,
            norm_call,
            judge_norm,
            "Bring x into a shape in which a group is one dimension. Weight and bias "
            "belong to channels, so they come after the shape is back.",
        ),
        Property(
            "Each group has mean 0 and variance 1, also of numbers near 1000",
            norm_statistics,
            norm_call,
            judge_statistics,
            "Take the mean off before you square, and divide by the root.",
        ),
        Property(
            "A group depends on no other group and no other sample",
            norm_leaks,
            leak_call,
            judge_leak,
            "Which dimensions do mean and variance still have? Samples and groups.",
        ),
        Property(
            "The gradients of x, weight and bias agree with differences",
            norm_slopes,
            norm_slope_call,
            judge_norm_slopes,
            "Mean and variance depend on x too: leave them on the tape.",
        ),
        Property(
            "A number of groups that doesn't divide the channels is refused",
            norm_refusals,
            norm_refusal_call,
            judge_norm_refusal,
            "Look at C % groups, and at groups below 1 before it, first of all.",
        ),
        Property(
            "It loops over nothing, leaves its inputs alone and asks no other norm",
            norm_work,
            norm_work_call,
            judge_norm_work,
            "One reshape makes all groups of all samples rows of the same tensor. What "
            "writes in place, such as -=, also writes into x: a reshape is a view.",
        ),
    ),
    target="minidl.experience.nn.functional.group_norm",
    stand_in=lambda lab: [dl.replace(nn.functional.group_norm, lab.group_norm)],
)


# ---- multi_query_attention


def by_head(q, k, v):
    """Multi-query attention, one head, one query after the other."""
    B, h, T, d = q.shape
    S = k.shape[2]
    out = np.zeros((B, h, T, v.shape[3]))
    for b, head, t in np.ndindex(B, h, T):
        seen = S - T + t + 1
        scores = [np.dot(q[b, head, t], k[b, 0, j]) / d**0.5 for j in range(seen)]
        powers = [np.exp(score - max(scores)) for score in scores]
        for j, power in enumerate(powers):
            out[b, head, t] += power / sum(powers) * v[b, 0, j]
    return out


def heads_case(rng, B, h, T, S, d, dtype="float32"):
    shapes = {"q": (B, h, T, d), "k": (B, 1, S, d), "v": (B, 1, S, d)}
    return {name: random(rng, *s).astype(dtype) for name, s in shapes.items()}


def asked(lab, q, k, v):
    return lab.multi_query_attention(dl.tensor(q), dl.tensor(k), dl.tensor(v))


def hand_case(T):
    """The lab's example by hand, its last T queries."""
    q = np.array([[1, 1], [-1, -1]], "float32").reshape(1, 2, 2, 1)[:, :, :T]
    k, v = (
        np.array(a, "float32").reshape(1, 1, 2, 1) for a in ([0, np.log(3)], [8, 4])
    )
    return {"q": q, "k": k, "v": v}


def heads_values(rng):
    yield hand_case(2)
    yield hand_case(1)
    yield heads_case(rng, 1, 2, 3, 3, 4)
    yield heads_case(rng, 2, 3, 4, 4, 2, "float64")
    yield heads_case(rng, 2, 3, 2, 6, 5)
    loud = heads_case(rng, 1, 2, 3, 3, 4)
    yield loud | {"q": 100 * loud["q"], "k": 100 * loud["k"]}


def heads_call(lab, **case):
    out = array_of(asked(lab, **case))
    return {"out": out, "dtype": str(out.dtype)}


def judge_heads(result, q, k, v):
    wrong = same(by_head(q, k, v), result["out"], rtol=1e-3, atol=1e-4)
    if not wrong and result["dtype"] != str(q.dtype):
        wrong = f"expected dtype {q.dtype}, found {result['dtype']}"
    return wrong


def futures(rng):
    yield heads_case(rng, 1, 2, 3, 3, 2) | {"at": 1}
    yield heads_case(rng, 2, 3, 6, 6, 4) | {"at": 5}
    yield heads_case(rng, 1, 2, 3, 6, 2) | {"at": 4}


def future_call(lab, q, k, v, at):
    before = array_of(asked(lab, q, k, v))
    past = q.shape[2] - k.shape[2] + at  # the queries before position `at`
    q, k, v = q.copy(), k.copy(), v.copy()
    for array, start in ((q, past), (k, at), (v, at)):
        array[:, :, start:] = -50 * array[:, :, start:] + 3
    return {"before": before, "after": array_of(asked(lab, q, k, v))}


def judge_future(result, q, k, v, at):
    before, after = result["before"], result["after"]
    if before.shape != q.shape:
        return f"expected shape {q.shape}, found {before.shape}"
    T, S = q.shape[2], k.shape[2]
    moved = [bool((before[:, :, t] != after[:, :, t]).any()) for t in range(T)]
    wanted = [S - T + t >= at for t in range(T)]
    for t in range(T):
        if moved[t] != wanted[t]:
            verb = "moves" if wanted[t] else "stays as it was, bit for bit"
            found = "moves" if moved[t] else "stays"
            return (
                f"positions from {at} on were changed; expected that the result at "
                f"position {S - T + t} {verb}, found that it {found}"
            )
    return None


def alike(rng):
    for B, h, T, S, d in [(1, 1, 1, 2, 1), (2, 3, 4, 4, 2), (1, 2, 2, 5, 3)]:
        case = heads_case(rng, B, h, T, S, d)
        case["v"][:] = random(rng, B, 1, 1, d)
        yield case


def judge_alike(result, q, k, v):
    wanted = np.broadcast_to(v[:, :, :1], q.shape)
    return same(wanted, result["out"], rtol=1e-4, atol=1e-5)


def heads_slopes(rng):
    yield heads_case(rng, 1, 2, 2, 2, 1, "float64")
    yield heads_case(rng, 2, 3, 2, 4, 2, "float64")


def heads_slope_call(lab, q, k, v):
    leaves = [dl.tensor(a).requires_grad_() for a in (q, k, v)]
    out = lab.multi_query_attention(*leaves)
    send_back(out, q.shape)
    return [None if p.grad is None else p.grad.numpy() for p in leaves]


def judge_heads_slopes(result, q, k, v):
    return judge_slopes(("q", "k", "v"), by_head, [q, k, v], q.shape, result)


def heads_refusals(rng):
    yield {"q": [1, 2, 4, 3], "k": [1, 1, 3, 3], "v": [1, 1, 3, 3]}
    yield {"q": [1, 2, 3, 3], "k": [1, 2, 3, 3], "v": [1, 1, 3, 3]}
    yield {"q": [1, 2, 3, 3], "k": [1, 1, 3, 3], "v": [1, 2, 3, 3]}


def heads_refusal_call(lab, q, k, v):
    return refusal(lab.multi_query_attention, *[dl.ones(*shape) for shape in (q, k, v)])


def judge_heads_refusal(result, q, k, v):
    wanted = f"k and v have {k[1]} and {v[1]} heads, not 1 and 1"
    if q[2] > k[2]:
        wanted = f"{q[2]} queries can't be the last of {k[2]}"
    return judge_refusal(result, [], wanted)


def heads_work(rng):
    yield {"B": 1, "h": 8, "S": 64, "d": 64}


def heads_work_call(lab, B, h, S, d):
    counts, nbytes = [], 0
    for heads, T in ((h, 1), (2, 5)):
        q, k, v = dl.ones(B, heads, T, d), dl.ones(B, 1, S, d), dl.ones(B, 1, S, d)
        with dl.no_grad(), dl.Ledger() as ledger:
            array_of(lab.multi_query_attention(q, k, v))
        counts.append(ledger.count())
        nbytes = nbytes or ledger.nbytes
    return {"counts": counts, "nbytes": nbytes}


def judge_heads_work(result, B, h, S, d):
    one, five = (sum(count.values()) for count in result["counts"])
    if any("attention" in count for count in result["counts"]):
        return "expected products and a softmax; found the library's attention at work"
    if one != five:
        return (
            f"expected as many operations for {h} heads and 1 query as for 2 heads and "
            f"5 queries, found {one} and {five}"
        )
    least = 2 * S * d * 4
    if result["nbytes"] > 4 * least:
        return (
            f"the keys and values are {least:,} bytes, and all that {h} heads move "
            f"beside them is less; expected at most {4 * least:,} bytes, found "
            f"{result['nbytes']:,}"
        )
    return None


ATTENTION = Part(
    "multi_query_attention",
    ("multi_query_attention",),
    (
        Property(
            "It is what a loop over heads and queries finds, also for large scores",
            heads_values,
            heads_call,
            judge_heads,
            "At which position is query t, if the T queries are the last of S? Large "
            "scores need a softmax that takes their largest off first.",
        ),
        Property(
            "What comes later changes nothing before it, not by a bit",
            futures,
            future_call,
            judge_future,
            "Hide the future before the softmax, by a score of which exp is 0.",
        ),
        Property(
            "Shares add up to 1: values that are all alike come back",
            alike,
            heads_call,
            judge_alike,
            "The softmax goes over what a query sees: along the last dimension of the "
            "scores, with hidden ones out already.",
        ),
        Property(
            "The gradients of q, k and v agree with differences",
            heads_slopes,
            heads_slope_call,
            judge_heads_slopes,
            "All heads add to the gradient of the one key. A tensor made of arrays or "
            "detached has lost its way back.",
        ),
        Property(
            "More queries than positions, and more than one key head, are refused",
            heads_refusals,
            heads_refusal_call,
            judge_heads_refusal,
            "Compare q.shape[2] with k.shape[2]; look at dimension 1 of k and of v.",
        ),
        Property(
            "It loops over nothing and reads the key once, not once for each head",
            heads_work,
            heads_work_call,
            judge_heads_work,
            "A matrix product broadcasts its leading dimensions by itself; a stretched "
            "or repeated key is read in full for each head.",
        ),
    ),
)


# ---- MultiQueryAttention


def layer_arrays(rng, dim, heads):
    """Parameters of a layer by name, as the lab's contract has them."""
    d = dim // heads
    rows = {"query": dim, "key": d, "value": d, "out": dim}
    arrays = {f"{name}.weight": random(rng, n, dim) for name, n in rows.items()}
    return arrays | {f"{name}.bias": random(rng, n) for name, n in rows.items()}


def given(dim, heads, B, T, seed):
    """(x, parameters) of a case: too many numbers for a complaint, so it has a seed."""
    rng = np.random.default_rng(seed)
    return random(rng, B, T, dim), layer_arrays(rng, dim, heads)


def layer_case(rng, dim, heads, B, T):
    seed = int(rng.integers(1000))
    return {"dim": dim, "heads": heads, "B": B, "T": T, "seed": seed}


def made(lab, dim, heads, parameters):
    """The student's layer with these parameters, in float64."""
    layer = lab.MultiQueryAttention(dim, heads).to("float64")
    return layer.load_state_dict(parameters)


def parted(answer):
    """(out, kept), kept of two, as forward should return them."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise TypeError(
            f"forward returns two things, (out, (k, v)), not {kind(answer)}"
        )
    out, kept = answer
    if not isinstance(kept, tuple | list) or len(kept) != 2:
        raise TypeError(f"what is kept is a pair, (k, v), not {kind(kept)}")
    return out, kept


def kind(value):
    name = type(value).__name__
    return f"{name} of {len(value)}" if isinstance(value, tuple | list) else name


def layer_shapes(rng):
    yield {"dim": 4, "heads": 2}
    yield {"dim": 6, "heads": 1}
    yield {"dim": 64, "heads": 4}


def layer_shapes_call(lab, dim, heads):
    layer = lab.MultiQueryAttention(dim, heads)
    return {name: list(p.shape) for name, p in layer.named_parameters()}


def judge_layer_shapes(result, dim, heads):
    wanted = layer_arrays(np.random.default_rng(0), dim, heads)
    for name, array in wanted.items():
        if name not in result:
            return f"expected a parameter {name}, found {', '.join(result) or 'none'}"
        if tuple(result[name]) != array.shape:
            return f"{name}: expected {array.shape}, found {tuple(result[name])}"
    more = [name for name in result if name not in wanted]
    if more:
        return f"expected no other parameters, found {', '.join(more)}"
    return None


def layer_values(rng):
    yield layer_case(rng, 2, 1, 1, 2)
    yield layer_case(rng, 6, 3, 2, 4)
    yield layer_case(rng, 8, 2, 3, 1)


def layer_call(lab, dim, heads, **case):
    x, parameters = given(dim, heads, **case)
    out, kept = parted(made(lab, dim, heads, parameters)(dl.tensor(x)))
    return {"out": array_of(out), "kept": [array_of(a) for a in kept]}


def as_multi_head(x, heads, parameters):
    """The library's attention whose heads all have the same key and value."""
    layer = nn.MultiheadAttention(x.shape[-1], heads).to("float64")
    rows = {}
    for part in "weight", "bias":
        copies = [parameters[f"query.{part}"]]
        copies += [parameters[f"key.{part}"]] * heads
        copies += [parameters[f"value.{part}"]] * heads
        rows[f"in_proj.{part}"] = np.concatenate(copies)
        rows[f"out_proj.{part}"] = parameters[f"out.{part}"]
    layer.load_state_dict(rows)
    hidden = ~nn.functional.causal_mask(x.shape[1])
    return layer(dl.tensor(x), attn_mask=hidden).detach().numpy()


def judge_layer(result, dim, heads, **case):
    x, parameters = given(dim, heads, **case)
    return same(as_multi_head(x, heads, parameters), result["out"], "out")


def judge_kept(result, dim, heads, **case):
    x, parameters = given(dim, heads, **case)
    for name, found in zip(("key", "value"), result["kept"]):
        wanted = x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]
        if wrong := same(wanted[:, None], found, f"the kept {name}"):
            return wrong
    return None


def layer_pieces(rng):
    yield layer_case(rng, 2, 1, 1, 2) | {"pieces": [1, 1]}
    yield layer_case(rng, 4, 2, 2, 5) | {"pieces": [3, 1, 1]}
    yield layer_case(rng, 6, 3, 1, 7) | {"pieces": [2, 5]}


def pieces_call(lab, dim, heads, pieces, **case):
    x, parameters = given(dim, heads, **case)
    layer, past, found = made(lab, dim, heads, parameters), None, []
    for piece in np.split(x, np.cumsum(pieces)[:-1], 1):
        out, past = parted(layer(dl.tensor(piece), past))
        found.append(array_of(out))
    return {"out": found, "kept": [array_of(a) for a in past]}


def judge_pieces(result, dim, heads, pieces, **case):
    x, parameters = given(dim, heads, **case)
    wanted = np.split(as_multi_head(x, heads, parameters), np.cumsum(pieces)[:-1], 1)
    for number, (part, out) in enumerate(zip(wanted, result["out"])):
        if wrong := same(part, out, f"out of piece {number}"):
            return wrong
    return judge_kept(result, dim, heads, **case)


def by_layer(x, heads, parameters):
    """The whole layer, the heads by loops."""
    B, T, dim = x.shape
    made = {
        name: x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]
        for name in ("query", "key", "value")
    }
    d = dim // heads
    parts = [made["query"][..., h * d : (h + 1) * d] for h in range(heads)]
    found = by_head(np.stack(parts, 1), made["key"][:, None], made["value"][:, None])
    joined = np.concatenate([found[:, h] for h in range(heads)], -1)
    return joined @ parameters["out.weight"].T + parameters["out.bias"]


def layer_slopes(rng):
    yield layer_case(rng, 4, 2, 2, 3)


def layer_slope_call(lab, dim, heads, **case):
    x, parameters = given(dim, heads, **case)
    layer, x = made(lab, dim, heads, parameters), dl.tensor(x).requires_grad_()
    out, _ = parted(layer(x))
    send_back(out, x.shape)
    grads = {name: p.grad for name, p in layer.named_parameters()} | {"x": x.grad}
    return {name: None if g is None else g.numpy() for name, g in grads.items()}


def judge_layer_slopes(result, dim, heads, **case):
    x, parameters = given(dim, heads, **case)
    names = [*parameters, "x"]

    def function(*arrays):
        return by_layer(arrays[-1], heads, dict(zip(names, arrays)))

    arrays = [*parameters.values(), x]
    return judge_slopes(names, function, arrays, x.shape, [result[n] for n in names])


def layer_refusals(rng):
    yield {"dim": 4, "heads": 3}
    yield {"dim": 2, "heads": 4}


def layer_refusal_call(lab, dim, heads):
    return refusal(lab.MultiQueryAttention, dim, heads)


def judge_layer_refusal(result, dim, heads):
    wanted = f"{dim} channels don't make {heads} equal heads"
    return judge_refusal(result, [dim, heads], wanted)


LAYER = Part(
    "MultiQueryAttention",
    ("MultiQueryAttention", "multi_query_attention"),
    (
        Property(
            "It has the parameters of the contract, and no others",
            layer_shapes,
            layer_shapes_call,
            judge_layer_shapes,
            "A linear layer's weight is (out, in). How many numbers has one key?",
        ),
        Property(
            "It is multi-head attention whose heads have the same key and value",
            layer_values,
            layer_call,
            judge_layer,
            "Is part 2 right? After `query`, the dim numbers of a token are heads of d."
            " First a shape with both, then heads before tokens, and all of it back "
            "before `out`.",
        ),
        Property(
            "It keeps one key and one value of d numbers for each token",
            layer_values,
            layer_call,
            judge_kept,
            "The kept pair is what `key` and `value` make, (B, T, d), with one head.",
        ),
        Property(
            "Read in pieces, a text gives what it gives at once",
            layer_pieces,
            pieces_call,
            judge_pieces,
            "What is kept comes before what is new, along the positions; queries are "
            "made of the new tokens alone.",
        ),
        Property(
            "The gradients of x and all parameters agree with differences",
            layer_slopes,
            layer_slope_call,
            judge_layer_slopes,
            "Nothing on the way may be detached, nor made anew from an array.",
        ),
        Property(
            "Heads that don't divide the channels are refused",
            layer_refusals,
            layer_refusal_call,
            judge_layer_refusal,
            "Look at dim % heads before a layer is made.",
        ),
    ),
    points=15,
)

PARTS = [GROUP_NORM, ATTENTION, LAYER]
