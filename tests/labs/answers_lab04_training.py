"""Answers to lab 04 that its checker must pass, and mistakes that it must not."""

RIGHT = {
    "factored_root": [
        """
def factored_root(row, column):
    r, c = row.numpy(), column.numpy()
    logs = np.log(r)[:, None] + np.log(c)[None] - np.log(r.mean())
    return dl.tensor(np.exp(logs / 2))
""",
        """
def factored_root(row, column):
    outer = row.sqrt().reshape(len(row), 1) @ column.sqrt().reshape(1, len(column))
    return outer / column.mean().sqrt()
""",
        """
def factored_root(row, column):
    n, m = len(row), len(column)
    out = dl.zeros((n, m))
    for i in range(n):
        for j in range(m):
            out[i, j] = (row[i].item() * column[j].item() / row.mean().item()) ** 0.5
    return out
""",
    ],
    "Adafactor": [
        """
class Adafactor(dl.optim.Optimizer):
    def __init__(self, params, lr=1e-2, limit=1.0, eps=1e-30):
        super().__init__(params, lr=lr, limit=limit, eps=eps)

    def update(self, p, g, state, group):
        if not state:
            state["step"] = 0
            if len(p.shape) == 2:
                state["row"] = dl.zeros(p.shape[0])
                state["column"] = dl.zeros(p.shape[1])
            else:
                state["square"] = dl.zeros(p.shape)
        state["step"] += 1
        new = state["step"] ** -0.8
        square = g**2 + group["eps"]
        if "row" in state:
            state["row"].mul_(1 - new).add_(square.mean(dim=1) * new)
            state["column"].mul_(1 - new).add_(square.mean(dim=0) * new)
            u = g / factored_root(state["row"], state["column"])
        else:
            state["square"].mul_(1 - new).add_(square * new)
            u = g / state["square"].sqrt()
        rms = (u**2).mean().sqrt().item()
        if rms > group["limit"]:
            u = u * (group["limit"] / rms)
        p.sub_(u * group["lr"])
""",
        """
def numpy_update(self, p, g, state, group):
    g = g.numpy()
    t = state["t"] = state.get("t", 0) + 1
    beta = 1 - 1 / t**0.8
    s = g * g + np.float32(group["eps"])
    dims = (1, 0) if g.ndim == 2 else (None,)
    for k, dim in enumerate(dims):
        mean = s if dim is None else s.mean(dim)
        old = state[f"v{k}"].numpy() if t > 1 else np.zeros_like(mean)
        state[f"v{k}"] = dl.tensor(np.asarray(beta * old + (1 - beta) * mean, g.dtype))
    if g.ndim == 2:
        u = g / factored_root(state["v0"], state["v1"]).numpy()
    else:
        u = g / np.sqrt(state["v0"].numpy())
    u = u / max(1, np.linalg.norm(u) / np.sqrt(u.size) / group["limit"])
    p.copy_(dl.tensor(np.asarray(p.detach().numpy() - group["lr"] * u, g.dtype)))


Adafactor.update = numpy_update
""",
    ],
    "careful_step": [
        """
def careful_step(optimizer, scale, max_norm=inf):
    with dl.no_grad():
        have = [p for p in optimizer.state if p.grad is not None]
        squares = [float((p.grad * p.grad).sum()) for p in have]
        norm = float(np.sqrt(np.sum(squares))) / scale
        if np.isinf(norm) or np.isnan(norm):
            return norm
        factor = 1 / scale
        if norm > max_norm:
            factor = factor * max_norm / norm
        for p in have:
            p.grad = p.grad * factor
    optimizer.step()
    return norm
""",
        """
@dl.no_grad()
def careful_step(optimizer, scale, max_norm=inf):
    total = 0.0
    for p in optimizer.state:
        if p.grad is not None:
            flat = p.grad.reshape(-1)
            total += (flat @ flat).item()
    norm = total**0.5 / scale
    if not norm < inf:
        return norm
    for p in optimizer.state:
        if p.grad is not None:
            p.grad.div_(scale * max(1, norm / max_norm))
    optimizer.step()
    return norm
""",
    ],
    "PatientScaler": [
        """
def update(self):
    if not self.overflow:
        self.bad = 0
        self.good += 1
        if self.good % self.interval == 0:
            self.factor *= 2
        return
    self.good = 0
    self.bad += 1
    if not self.bad < self.patience:
        self.factor *= 0.5
    if self.factor < 1:
        self.factor = 1.0


PatientScaler.update = update
""",
        """
def update(self):
    self.good = 0 if self.overflow else self.good + 1
    self.bad = self.bad + 1 if self.overflow else 0
    if self.bad and self.bad > self.patience - 1:
        self.factor = self.factor / 2 if self.factor > 2 else 1.0
    if self.good >= self.interval:
        self.good = 0
        self.factor = self.factor + self.factor


PatientScaler.update = update
""",
    ],
}

WRONG = {
    "factored_root": [
        ("no mean", "share = row.sqrt() / row.mean().sqrt()", "share = row.sqrt()"),
        ("a sum for a mean", "row.mean().sqrt()", "row.sum().sqrt()"),
        ("transposed", "share.reshape(-1, 1) * column.sqrt()",
         "share * column.sqrt().reshape(-1, 1)"),
        ("the square", "share.reshape(-1, 1) * column.sqrt()",
         "(share.reshape(-1, 1) * column.sqrt()) ** 2"),
        ("the product first", "share = row.sqrt() / row.mean().sqrt()\n"
         "    return share.reshape(-1, 1) * column.sqrt()",
         "return (row.reshape(-1, 1) * column / row.mean()).sqrt()"),
        ("divided first, one root", "share = row.sqrt() / row.mean().sqrt()\n"
         "    return share.reshape(-1, 1) * column.sqrt()",
         "return (row.reshape(-1, 1) / row.mean() * column).sqrt()"),
        ("the mean of the roots", "row.mean().sqrt()", "row.sqrt().mean()"),
        ("in place", "share = row.sqrt() / row.mean().sqrt()",
         "share = row.div_(row.mean()).sqrt()"),
        ("float64", "column.sqrt()", 'column.sqrt().to("float64")'),
        ("a 1 for safety", "column.sqrt()", "(column + 1e-8).sqrt()"),
    ],
    "Adafactor": [
        ("steps from 2", 'state.get("step", 0) + 1', 'state.get("step", 1) + 1'),
        ("Adam's decay", "1 - step**-0.8", "0.999"),
        ("another power", "step**-0.8", "step**-0.5"),
        ("weights swapped", "* beta + new * (1 - beta)", "* (1 - beta) + new * beta"),
        ("a sum, no average", "* beta + new * (1 - beta)", "+ new"),
        ("no memory", "state.get(name, 0) * beta", "0 * beta"),
        ("two means of rows", "square.mean(0)", "square.mean(1)"),
        ("two means of columns", '"row", square.mean(1)', '"row", square.mean(0)'),
        ("both kept under one name", 'average("column"', 'average("row"'),
        ("no eps", 'g * g + group["eps"]', "g * g"),
        ("eps too large", 'g * g + group["eps"]', "g * g + 1e-8"),
        ("no clipping", 'max(1, rms / group["limit"])', "1"),
        ("always of rms 1", 'max(1, rms / group["limit"])', "rms"),
        ("clipped the wrong way", "max(1, rms", "min(1, rms"),
        ("a norm, no rms", "(u * u).mean()", "(u * u).sum()"),
        ("the largest for the rms", "(u * u).mean()", "(u * u).max()"),
        ("rms of the gradient", "(u * u).mean()", "(g * g).mean()"),
        ("upwards", "p.copy_(p - u", "p.copy_(p + u"),
        ("a new parameter", "p.copy_(p - u", "p = (p - u"),
        ("new memory", "p.copy_(p - u * (group[\"lr\"] / "
         "max(1, rms / group[\"limit\"])))", "p.data = (p - u * (group[\"lr\"] / "
         "max(1, rms / group[\"limit\"]))).data"),
        ("the whole square kept", "square = g * g",
         'square = state["whole"] = g * g'),
        ("kept as a matrix", 'if p.ndim == 2:', "if p.ndim == 3:"),
        ("vectors get no root", 'average("square", square).sqrt()',
         'average("square", square)'),
        ("one step count for all", 'step = state["step"] = state.get("step", 0) + 1',
         'step = self.count = getattr(self, "count", 0) + 1'),
        ("steps counted in the optimiser",
         'step = state["step"] = state.get("step", 0) + 1',
         'self.counts = getattr(self, "counts", {})\n'
         "        step = self.counts[p] = self.counts.get(p, 0) + 1"),
        ("the gradient overwritten", "u = g / root", "u = g.div_(root)"),
    ],
    "careful_step": [
        ("the norm stays scaled", "** 0.5 / scale", "** 0.5"),
        ("unscaled twice", "g.mul_(factor / scale)", "g.mul_(factor / scale / scale)"),
        ("not unscaled", "g.mul_(factor / scale)", "g.mul_(factor)"),
        ("always clipped", "min(1, max_norm / norm) if norm else 1",
         "max_norm / norm if norm and max_norm < inf else 1"),
        ("clipped as scaled", "min(1, max_norm / norm)",
         "min(1, max_norm / norm / scale)"),
        ("an epsilon larger than the norm", "min(1, max_norm / norm)",
         "min(1, max_norm / (norm + 1e-6))"),
        ("never clipped", "min(1, max_norm / norm)", "max(1, 1)"),
        ("divided by zero", "min(1, max_norm / norm) if norm else 1",
         "min(1, max_norm / norm)"),
        ("a norm of norms", "sum((g * g).sum().item() for g in gradients) ** 0.5",
         "sum((g * g).sum().item() ** 0.5 for g in gradients)"),
        ("the norm of the first", "(g * g).sum().item() for g in gradients)",
         "(g * g).sum().item() for g in gradients[:1])"),
        ("steps all the same", "if isfinite(norm):", "if True:"),
        ("nan goes through", "if isfinite(norm):", "if norm != inf:"),
        ("no step", "            optimizer.step()\n    return norm", "    return norm"),
        ("only clipped gradients are unscaled", "for g in gradients:\n",
         "for g in gradients if factor < 1 else ():\n"),
        ("two passes", "g.mul_(factor / scale)",
         "g.mul_(1 / scale)\n                g.mul_(factor)"),
        ("copies", "g.mul_(factor / scale)", "g = g * (factor / scale)"),
        ("the clipped norm comes back", "    return norm\n",
         "    return min(norm, max_norm)\n"),
        ("parameters without a gradient", " if p.grad is not None]\n    with",
         "]\n    with"),
        ("a tensor comes back", "    return norm\n", "    return dl.tensor(norm)\n"),
        ("an extra look for infinities", "            optimizer.step()",
         "            if all(isfinite((g * 0).sum().item()) for g in gradients):\n"
         "                optimizer.step()"),
    ],
    "PatientScaler": [
        ("each overflow halves", "self.bad >= self.patience", "self.bad >= 1"),
        ("one too patient", "self.bad >= self.patience", "self.bad > self.patience"),
        ("halves once a row", "self.bad >= self.patience", "self.bad == self.patience"),
        ("a new row after each halving", "self.factor = max(1.0, self.factor / 2)",
         "self.factor, self.bad = max(1.0, self.factor / 2), 0"),
        ("overflows need not be in a row", "self.good + 1, 0",
         "self.good + 1, self.bad"),
        ("good steps need not be in a row", "= 0, self.bad + 1",
         "= self.good, self.bad + 1"),
        ("no floor", "max(1.0, self.factor / 2)", "self.factor / 2"),
        ("a floor of 2", "max(1.0, self.factor / 2)",
         "self.factor / 2 if self.factor > 2 else self.factor"),
        ("doubles for ever", "self.factor * 2, 0", "self.factor * 2, self.good - 1"),
        ("doubles a step late", "self.good == self.interval",
         "self.good == self.interval + 1"),
        ("doubles once a row", "self.factor * 2, 0", "self.factor * 2, self.good"),
        ("only halving ends a good row", "= 0, self.bad + 1\n",
         "= self.good if self.bad + 1 < self.patience else 0, self.bad + 1\n"),
        ("remembers elsewhere", "self.good, self.bad = 0, self.bad + 1\n"
         "            if self.bad >= self.patience:\n"
         "                self.factor = max(1.0, self.factor / 2)\n"
         "        else:\n            self.good, self.bad = self.good + 1, 0",
         "self.good, self.row = 0, getattr(self, 'row', 0) + 1\n"
         "            if self.row >= self.patience:\n"
         "                self.factor = max(1.0, self.factor / 2)\n"
         "        else:\n            self.good, self.row = self.good + 1, 0"),
    ],
}  # fmt: skip
