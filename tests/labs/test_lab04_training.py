"""Checks lab 04: a factored root, Adafactor, one careful pass, a patient scaler."""

from math import inf, isfinite, nan
from unittest.mock import patch

import numpy as np

import minidl as dl
from kit.labs.parts import Part, Property, same
from minidl import nn


def tensor(array):
    return dl.tensor(np.asarray(array, np.float32))


def floats(*values):
    return np.array(values, np.float32)


def first(*complaints):
    """The first that is one, or None."""
    return next((words for words in complaints if words), None)


def rounded(value):
    return float(f"{value:.6g}")


# ---- 1. factored_root


def means(square):
    square = np.asarray(square, np.float64)
    return {
        "row": square.mean(1).astype(np.float32),
        "column": square.mean(0).astype(np.float32),
    }


def call_root(lab, row, column):
    return lab.factored_root(tensor(row), tensor(column)).detach().numpy()


def judge_root(found, row, column):
    """Element by element, with logarithms in float64."""
    log_row, log_column = np.log(row.astype(float)), np.log(column.astype(float))
    log_mean = np.log(sum(map(float, row)) / len(row))
    expected = np.empty((len(row), len(column)))
    for i, j in np.ndindex(expected.shape):
        expected[i, j] = np.exp((log_row[i] + log_column[j] - log_mean) / 2)
    return same(expected, found, "the root", atol=0)


def general_means(rng):
    yield means([[1, 4], [4, 16]])
    yield means([[1, 2, 3], [6, 5, 4]])
    yield means(rng.random((3, 5)))
    yield means(rng.random((1, 4)))
    yield means(rng.random((4, 1)))


def wide_means(rng):
    yield {"row": floats(1e-24, 3e-24), "column": floats(2e-24, 2e-24)}
    yield {"row": floats(1e24, 3e24), "column": floats(2e24, 2e24)}
    yield {"row": floats(1e-30, 1), "column": floats(1e-30, 1)}
    yield {"row": floats(1e-30, 1.5e6, 1.5e6), "column": floats(1e-30, 2e6)}
    yield {"row": floats(1e30, 1e30), "column": floats(1e30, 1e30)}


def rank_one(rng):
    yield {"a": floats(1, 2), "b": floats(1, 2)}
    yield {"a": rng.random(4, np.float32) + 0.1, "b": rng.random(3, np.float32) + 0.1}


def call_rank_one(lab, a, b):
    return call_root(lab, **means(np.outer(a, b) ** 2))


def judge_rank_one(found, a, b):
    return same(np.outer(a, b), found, "the root of the squares of a b'")


def call_inputs_kept(lab, row, column):
    inputs = tensor(row), tensor(column)
    out = lab.factored_root(*inputs)
    return {
        "row": inputs[0].numpy(),
        "column": inputs[1].numpy(),
        "dtype": f"{out.dtype}",
    }


def judge_inputs_kept(found, row, column):
    if found["dtype"] != "float32":
        return f"expected a float32 tensor, found {found['dtype']}"
    return first(
        same(row, found["row"], "row, afterwards"),
        same(column, found["column"], "column, afterwards"),
    )


ROOT = Part(
    "factored_root",
    ("factored_root",),
    (
        Property(
            "element i, j is the root of row[i] column[j] / mean(row)",
            general_means,
            call_root,
            judge_root,
            "work out the example by hand: which numbers meet in element 0, 1?",
        ),
        Property(
            "squares that are rows times columns come back exactly",
            rank_one,
            call_rank_one,
            judge_rank_one,
            "rows (1, 4) and (4, 16) have the roots (1, 2) and (2, 4)",
        ),
        Property(
            "means from 1e-30 to 1e30 give right roots",
            wide_means,
            call_root,
            judge_root,
            "which of your steps has a result below 1e-45 or above 1e38?",
        ),
        Property(
            "the result is float32, and the inputs stay as they are",
            lambda rng: [means([[1, 4], [4, 16]])],
            call_inputs_kept,
            judge_inputs_kept,
            "methods that end in _ write into their tensor",
        ),
    ),
)


# ---- 2. Adafactor


def parameters_with(arrays):
    return [nn.Parameter(tensor(array)) for array in arrays]


def run(lab, start, steps, lr):
    """The parameters after `steps`, each a list of gradients or None's."""
    parameters = parameters_with(start)
    optimizer = lab.Adafactor(parameters, lr=lr)
    for gradients in steps:
        take(optimizer, parameters, gradients)
    return optimizer, parameters


def take(optimizer, parameters, gradients):
    for p, g in zip(parameters, gradients):
        p.grad = None if g is None else tensor(g)
    optimizer.step()


def values(parameters):
    return [p.detach().numpy() for p in parameters]


def call_run(lab, start, gradients, lr):
    return values(run(lab, start, gradients, lr)[1])


def judge_run(found, start, gradients, lr):
    """Against the rule in float64, number by number, with sums in place of means."""
    for k, array in enumerate(start):
        expected = moved(array, [step[k] for step in gradients], lr)
        wrong = same(expected, found[k], f"parameter {k}", rtol=2e-4, atol=1e-6)
        if wrong:
            return wrong


def moved(start, gradients, lr):
    p = np.array(start, np.float64)
    kept = {}
    for t, g in enumerate(gradients, 1):
        share = t**-0.8  # of the newest
        u = np.zeros(p.shape)
        for place in np.ndindex(p.shape):
            lines = [(0, place[0]), (1, place[1])] if p.ndim == 2 else [place]
            for line in lines:
                if place == min(members(p.shape, line)):
                    new = sum(
                        float(g[at]) ** 2 + 1e-30 for at in members(p.shape, line)
                    )
                    kept[line] = kept.get(line, 0.0) * (1 - share) + new * share
        for place in np.ndindex(p.shape):
            u[place] = g[place] / np.sqrt(guess(kept, p.shape, place))
        size = np.sqrt((u**2).sum() / u.size)
        p -= lr * u / (size if size > 1 else 1)
    return p


def members(shape, line):
    """The places whose squares are summed in one kept number."""
    if len(shape) != 2:
        return [line]
    dim, index = line
    return [place for place in np.ndindex(shape) if place[dim] == index]


def guess(kept, shape, place):
    if len(shape) != 2:
        return kept[place]
    total = sum(kept[0, i] for i in range(shape[0]))
    return kept[0, place[0]] * kept[1, place[1]] / total


def runs(rng):
    """A vector by hand, then matrices, then all kinds of shapes."""
    zero = np.zeros(2, np.float32)
    for second in (floats(30, -4), floats(0.3, -0.4)):
        yield {"start": [zero], "gradients": [[floats(3, -4)], [second]], "lr": 0.1}
    square = np.array([[1, 2], [2, 4]], np.float32)
    yield {"start": [np.zeros_like(square)], "gradients": [[square]], "lr": 0.1}
    unlike = np.array([[1, 0, 2], [0, 1, -3]], np.float32)
    yield {
        "start": [np.ones_like(unlike)],
        "gradients": [[unlike], [2 * unlike]],
        "lr": 0.1,
    }
    for shapes in ([(4, 3)], [(3,), (2, 5), (1, 4)], [(2, 2, 3, 3), ()]):
        start = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
        steps = [
            [np.asarray(rng.normal(size=s) * size, np.float32) for s in shapes]
            for size in (1, 0.5, 2, 1e-3, 1, 8, 0.1, 1e-3, 1, 3)
        ]
        yield {"start": start, "gradients": steps, "lr": 0.01}


def silent_runs(rng):
    """Gradients of which whole rows and columns, or all, are zero; and tiny ones."""
    off = np.array([[0, 0], [0, 2]], np.float32)
    yield {"start": [np.ones((2, 2), np.float32)], "gradients": [[off]], "lr": 0.1}
    zero = np.zeros((2, 3), np.float32)
    yield {"start": [zero + 1], "gradients": [[zero], [zero]], "lr": 0.1}
    yield {"start": [zero[0]], "gradients": [[zero[0]], [zero[0] + 2]], "lr": 0.1}
    tiny = rng.normal(size=(2, 3)).astype(np.float32) * np.float32(1e-12)
    yield {"start": [zero], "gradients": [[tiny]] * 3, "lr": 0.1}


def spikes(rng):
    yield {"shape": [2], "sizes": [1, 1, 1, 100]}
    yield {"shape": [3, 4], "sizes": [1e-3] * 9 + [1]}


def call_spikes(lab, shape, sizes):
    rng = np.random.default_rng(1)
    (p,) = parameters = parameters_with([np.zeros(shape)])
    optimizer, found = lab.Adafactor(parameters, lr=1.0), []
    for size in sizes:
        before = p.detach().numpy().copy()
        take(optimizer, parameters, [rng.choice([-size, size], shape)])
        found.append(float(np.sqrt(np.mean((p.detach().numpy() - before) ** 2))))
    return found


def judge_spikes(found, shape, sizes):
    for t, rms in enumerate(found, 1):
        if not 0.99 < rms < 1.0001:
            return (
                f"step {t}, learning rate 1: expected an update whose rms is 1, "
                f"found {rounded(rms)}"
            )


def call_bytes(lab, shape):
    gradient = np.ones(shape, np.float32)
    optimizer, (p,) = run(lab, [gradient], [[gradient]] * 2, 0.1)
    kept = {k: v for k, v in optimizer.state[p].items() if isinstance(v, dl.Tensor)}
    return {k: int(v.nbytes) for k, v in kept.items()}


def judge_bytes(found, shape):
    expected = 4 * (sum(shape) if len(shape) == 2 else int(np.prod(shape)))
    if sum(found.values()) != expected:
        return f"expected tensors of {expected} bytes in the state, found {found}"


def call_resumed(lab, before, after):
    """Twice: from a saved state after more steps of the first, and without a stop."""
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (3,)]
    start = [rng.normal(size=shape) for shape in shapes]
    steps = [[rng.normal(size=s) for s in shapes] for _ in range(before + after)]
    optimizer, parameters = run(lab, start, steps[:before], 0.1)
    saved = optimizer.state_dict()
    others = parameters_with([p.detach().numpy().copy() for p in parameters])
    for gradients in steps[before:]:
        take(optimizer, parameters, gradients)
    other = lab.Adafactor(others, lr=0.5)
    other.load_state_dict(saved)
    for gradients in steps[before:]:
        take(other, others, gradients)
    return {"whole": values(parameters), "resumed": values(others)}


def judge_resumed(found, before, after):
    for k, (a, b) in enumerate(zip(found["whole"], found["resumed"])):
        if not np.array_equal(a, b):
            return (
                f"parameter {k}: the run that was resumed differs from the one left "
                f"alone in {(a != b).sum()} of {a.size} numbers"
            )


def call_untouched(lab, gradient):
    start = [np.ones((2, 2)), np.ones((2, 2))]
    parameters = parameters_with(start)
    places = [p.data for p in parameters]
    optimizer = lab.Adafactor(parameters, lr=0.1)
    take(optimizer, parameters, [gradient, None])
    return {
        "other": parameters[1].detach().numpy(),
        "remembered": sorted(optimizer.state[parameters[1]]),
        "gradient": parameters[0].grad.numpy(),
        "in place": bool(parameters[0].data is places[0]),
    }


def judge_untouched(found, gradient):
    if not found["in place"]:
        return "expected the parameter's own memory to be written, found another array"
    if found["remembered"]:
        return f"a parameter without a gradient has the state {found['remembered']}"
    return first(
        same(np.ones((2, 2)), found["other"], "the parameter without a gradient"),
        same(gradient, found["gradient"], "the gradient, afterwards"),
    )


ADAFACTOR = Part(
    "Adafactor",
    ("Adafactor", "factored_root"),
    (
        Property(
            "parameters go where the rule, written as loops, takes them",
            runs,
            call_run,
            judge_run,
            "take the example by hand through your lines, step by step; t begins at 1",
        ),
        Property(
            "gradients that are zero or tiny give no nan",
            silent_runs,
            call_run,
            judge_run,
            "once part 1 passes: where does 1e-30 come in, what is divided by what?",
        ),
        Property(
            "no update has an rms over d = 1, however sudden the gradient",
            spikes,
            call_spikes,
            judge_spikes,
            "step 4 of the rule; the rms is over the whole parameter",
        ),
        Property(
            "the state has n + m numbers for an (n, m) matrix, else one a weight",
            lambda rng: [{"shape": s} for s in ([3, 4], [8, 1], [6], [2, 2, 3])],
            call_bytes,
            judge_bytes,
            "what of a matrix do you keep from one step to the next?",
        ),
        Property(
            "a saved state goes on bit for bit",
            lambda rng: [{"before": 1, "after": 1}, {"before": 3, "after": 2}],
            call_resumed,
            judge_resumed,
            "all that a later step depends on must be in `state`, also the step itself",
        ),
        Property(
            "the gradient and parameters without one stay; the step is in place",
            lambda rng: [{"gradient": np.array([[1, 2], [3, 5]], np.float32)}],
            call_untouched,
            judge_untouched,
            "p.copy_(...) writes into p, as each method that ends in _ does",
        ),
    ),
    target="minidl.experience.optim.Adam",
    stand_in=lambda lab: [patch.object(dl.optim, "Adam", lab.Adafactor)],
)


# ---- 3. careful_step


def scaled_gradients(rng):
    yield case([floats(6), floats(8)], 2.0, 1.0)
    yield case([floats(6), floats(8)], 2.0, 50.0)
    yield case([floats(6), floats(8)], 2.0, 7.0)  # between the norm and the scaled norm
    yield case([floats(6), floats(8)], 0.5, 15.0)
    yield case([floats(0), floats(0)], 2.0, 1.0)
    yield case([floats(6), None, floats(8)], 2.0, 1.0)
    many = [rng.normal(size=s).astype(np.float32) for s in ((3, 4), (5,), (2, 2))]
    yield case(many, 1024.0, 1e-3)
    yield {"gradients": many, "scale": 8.0}


def case(gradients, scale, max_norm):
    return {"gradients": gradients, "scale": scale, "max_norm": max_norm}


def shape_of(gradient):
    return (2,) if gradient is None else gradient.shape


def with_gradients(gradients):
    """Parameters that are zero, with these gradients."""
    parameters = parameters_with([np.zeros(shape_of(g)) for g in gradients])
    for p, g in zip(parameters, gradients):
        p.grad = None if g is None else tensor(g)
    return parameters


def call_careful(lab, gradients, **settings):
    parameters = with_gradients(gradients)
    optimizer = dl.optim.SGD(parameters, lr=1.0)
    norm = lab.careful_step(optimizer, **settings)
    seen = [np.zeros(2) if p.grad is None else p.grad.numpy() for p in parameters]
    return {"norm": plain_number(norm), "seen": seen, "moved": values(parameters)}


def plain_number(x):
    """A number as it is, anything else as what it is called."""
    if isinstance(x, int | float | np.number) and not isinstance(x, bool):
        return float(x)
    return f"something of type {type(x).__name__}"


def judge_careful(found, gradients, scale, max_norm=inf):
    true = [np.zeros(2) if g is None else g.astype(float) / scale for g in gradients]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in true]))
    clipped = [g * (max_norm / norm) if norm > max_norm else g for g in true]
    if isinstance(found["norm"], str):
        return f"the norm that is returned: expected a number, found {found['norm']}"
    wrong = same(norm, found["norm"], "the norm that is returned")
    for k, g in enumerate(clipped):
        wrong = first(
            wrong,
            same(g, found["seen"][k], f"gradient {k}, afterwards"),
            same(-g, found["moved"][k], f"parameter {k}, from 0 by SGD with lr 1"),
        )
    return wrong


def overflows(rng):
    for bad in (inf, -inf, nan):
        for max_norm in (inf, 1.0):
            yield {"gradients": [floats(1, bad), floats(2)], "max_norm": max_norm}
    yield {"gradients": [floats(1, 1), floats(nan)], "max_norm": 1.0}
    yield {"gradients": [floats(inf, -inf), floats(1)], "max_norm": 1.0}


def call_overflow(lab, gradients, max_norm):
    """One good step of Adam, then one with the gradients."""
    parameters = with_gradients([np.ones(g.shape) for g in gradients])
    optimizer = dl.optim.Adam(parameters, lr=0.1)
    optimizer.step()
    before = kept_by(optimizer)
    for p, g in zip(parameters, gradients):
        p.grad = tensor(g)
    norm = lab.careful_step(optimizer, 2.0, max_norm)
    after = kept_by(optimizer)
    return {"norm": plain_number(norm), "before": before, "after": after}


def kept_by(optimizer):
    """Parameters and states, as arrays by name."""
    kept = {}
    for k, (p, state) in enumerate(optimizer.state.items()):
        kept[f"parameter {k}"] = p.detach().numpy().copy()
        for name, value in state.items():
            array = value.numpy() if isinstance(value, dl.Tensor) else value
            kept[f"Adam's {name} of parameter {k}"] = np.array(array)
    return kept


def judge_overflow(found, gradients, max_norm):
    for name, before in found["before"].items():
        wrong = same(before, found["after"][name], f"{name}, afterwards")
        if wrong:
            return wrong
    if isinstance(found["norm"], str) or isfinite(found["norm"]):
        return f"expected a norm that is infinite or nan, found {found['norm']}"


class Still(dl.optim.Optimizer):
    """Does nothing in its step, and counts how often it was asked."""

    asked = 0

    def step(self):
        self.asked += 1


def call_traffic(lab, sizes, max_norm):
    parameters = with_gradients([np.ones(n, np.float32) for n in sizes])
    optimizer = Still(parameters, lr=1.0)
    with dl.Ledger() as ledger:
        lab.careful_step(optimizer, 4.0, max_norm)
    return {"nbytes": ledger.nbytes, "ops": ledger.count(), "asked": optimizer.asked}


def judge_traffic(found, sizes, max_norm):
    if found["asked"] != 1:
        return f"expected one call of optimizer.step(), found {found['asked']}"
    if found["nbytes"] > 41 * sum(sizes):
        return (
            f"expected at most {40 * sum(sizes)} bytes of traffic for {sum(sizes)} "
            f"numbers, found {found['nbytes']} by {found['ops']}"
        )


SHARE = 2.0**-26  # of the loss: without a scale all its gradients are 0 in float16


def call_float16(lab, x, y, steps, scale, max_norm):
    """Least squares on a loss that is divided by 2^26, under autocast to float16."""
    w = nn.Parameter(dl.zeros((x.shape[1], 1)))
    optimizer = dl.optim.SGD([w], lr=0.25 / SHARE)
    for _ in range(steps):
        optimizer.zero_grad()
        with dl.autocast("float16"):
            loss = ((tensor(x) @ w - tensor(y)) ** 2).mean() * SHARE
        (loss * scale).backward()
        lab.careful_step(optimizer, scale, max_norm)
    return w.detach().numpy()


def judge_float16(found, x, y, steps, scale, max_norm):
    w = np.zeros((x.shape[1], 1))
    for _ in range(steps):
        g = 2 * x.T @ (x @ w - y) / len(x)
        w -= 0.25 * g * min(1, max_norm / SHARE / np.linalg.norm(g))
    return same(w, found, "the weights", rtol=0.02, atol=0.005)


def float16_cases(rng):
    x, y = floats(1, -1).reshape(2, 1), floats(0.5, -0.5).reshape(2, 1)
    yield {"x": x, "y": y, "steps": 1, "scale": 2.0**16, "max_norm": inf}
    x = rng.normal(size=(16, 3)).astype(np.float32)
    y = x @ floats(0.5, -0.25, 0.125).reshape(3, 1)
    yield {"x": x, "y": y, "steps": 4, "scale": 2.0**16, "max_norm": inf}
    yield {"x": x, "y": y, "steps": 4, "scale": 2.0**16, "max_norm": 0.4 * SHARE}


CAREFUL = Part(
    "careful_step",
    ("careful_step",),
    (
        Property(
            "the optimiser sees gradients unscaled once, clipped by their joint norm",
            scaled_gradients,
            call_careful,
            judge_careful,
            "max_norm bounds the true norm; returned is that norm, before clipping",
        ),
        Property(
            "with an infinity or a nan in any gradient nothing moves",
            overflows,
            call_overflow,
            judge_overflow,
            "look at the norm before the optimiser does anything; nan == nan is False",
        ),
        Property(
            "gradients are read once for the norm and written at most once",
            lambda rng: [
                {"sizes": [200], "max_norm": 1.0},
                {"sizes": [200, 300], "max_norm": inf},
                {"sizes": [200, 300], "max_norm": 1.0},
            ],
            call_traffic,
            judge_traffic,
            "two factors can be multiplied before they meet a gradient",
        ),
        Property(
            "gradients too small for float16 arrive, as in float32",
            float16_cases,
            call_float16,
            judge_float16,
            "this trains a small model; the properties above say more where they fail",
        ),
    ),
)


# ---- 4. PatientScaler


def path(scaler, steps):
    """The factor after each of `steps`: "o" an overflow, "." a good one."""
    found = []
    for step in steps:
        scaler.overflow = step == "o"
        scaler.update()
        found.append(float(scaler.factor))
    return found


def call_path(lab, steps, start, **settings):
    return path(lab.PatientScaler(start, **settings), steps)


def judge_path(found, steps, start, patience, interval):
    """From the whole past of each step, not from counts."""
    factor, since, expected = start, 0, []
    for t, step in enumerate(steps, 1):
        past = steps[:t]
        overflows = t - len(past.rstrip("o"))
        if overflows >= patience:
            factor = max(factor / 2, 1.0)
        since = t if step == "o" else since  # where the row of good ones begins
        if t - since == interval:
            factor, since = factor * 2, t
        expected.append(factor)
    return differing(expected, found, steps)


def differing(expected, found, steps):
    for t, (a, b) in enumerate(zip(expected, found), 1):
        if a != b:
            return f"after {steps[:t]!r}: expected {a:g}, found {b:g}"


def by_hand(rng):
    yield {"steps": "o.ooo....o.", "start": 16.0, "patience": 2, "interval": 3}


def judge_by_hand(found, steps, **settings):
    return differing([16, 16, 16, 8, 4, 4, 4, 8, 8, 8, 8], found, steps)


def paths(rng):
    yield {"steps": "oo", "start": 16.0, "patience": 2, "interval": 3}
    yield {"steps": "o.o.o.", "start": 16.0, "patience": 2, "interval": 5}
    yield {"steps": "oooooo", "start": 256.0, "patience": 3, "interval": 3}
    yield {"steps": "..o...", "start": 4.0, "patience": 2, "interval": 3}
    yield {"steps": "......", "start": 4.0, "patience": 2, "interval": 2}
    for patience, interval in ((1, 1), (2, 4), (3, 2)):
        steps = "".join(rng.choice(["o", "."], 60))
        rule = {"patience": patience, "interval": interval}
        yield {"steps": steps, "start": 2.0**16, **rule}


def library_path(rng):
    yield {"steps": "o..o....", "interval": 3}
    yield {"steps": "".join(rng.choice(["o", ".", "."], 60)), "interval": 4}


def call_library(lab, steps, interval):
    return path(lab.PatientScaler(2.0**40, patience=1, interval=interval), steps)


def judge_library(found, steps, interval):
    expected, scaler = [], dl.optim.GradScaler(2.0**40, growth_interval=interval)
    for step in steps:
        scaler.overflow = {"an optimiser": step == "o"}
        scaler.update()
        expected.append(scaler.get_scale())
    return differing(expected, found, steps)


def low_paths(rng):
    yield {"steps": "ooo", "start": 2.0, "patience": 1, "interval": 3}
    yield {"steps": "oooo..", "start": 4.0, "patience": 2, "interval": 2}
    yield {"steps": "oo", "start": 1.5, "patience": 1, "interval": 2}


def interrupted(rng):
    yield {"before": "o", "after": "o", "patience": 2, "interval": 3}
    yield {"before": "..", "after": ".", "patience": 2, "interval": 3}
    yield {"before": "o.ooo..", "after": "..oo...", "patience": 2, "interval": 3}


def call_interrupted(lab, before, after, **settings):
    """The path of one that is saved after `before`, and goes on in another."""
    scaler, other = (lab.PatientScaler(64.0, **settings) for _ in range(2))
    head = path(scaler, before)
    other.load_state_dict(scaler.state_dict())
    return head + path(other, after)


def judge_interrupted(found, before, after, patience, interval):
    return judge_path(found, before + after, 64.0, patience, interval)


PATIENT = Part(
    "PatientScaler",
    ("PatientScaler",),
    (
        Property(
            "the scale takes the path of the example worked by hand",
            by_hand,
            call_path,
            judge_by_hand,
            "which rows does this step end, and which does it make longer?",
        ),
        Property(
            "the scale follows the rule for any row of steps",
            paths,
            call_path,
            judge_path,
            "say what an overflow does to each of the two counts, and a good step",
        ),
        Property(
            "with a patience of 1 it is the library's scaler",
            library_path,
            call_library,
            judge_library,
            "the library's update is in chapter 4; what does it do to its streak?",
        ),
        Property(
            "the scale does not fall below 1",
            low_paths,
            call_path,
            judge_path,
            "what should become of a scale of 1.5?",
        ),
        Property(
            "saved and loaded in the middle of a row, it goes on",
            interrupted,
            call_interrupted,
            judge_interrupted,
            "only factor, good and bad are saved",
        ),
    ),
    target="minidl.experience.optim.GradScaler",
    stand_in=lambda lab: [patch.object(dl.optim, "GradScaler", lab.PatientScaler)],
)

PARTS = [ROOT, ADAFACTOR, CAREFUL, PATIENT]
