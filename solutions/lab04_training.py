# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lab 04: training algorithms
#
# Chapter 4 showed what Adam remembers of each weight, and how a scaler finds the factor
# that float16 needs. Here you build their siblings for large models: **Adafactor**,
# which remembers $n + m$ numbers of an $n \times m$ matrix where Adam remembers $2nm$;
# one pass over the gradients that unscales and clips them together; and a scaler that
# isn't upset by a single odd batch. In the end they train a network on photographs, in
# float16.
#
# You may use all of `minidl` except `dl.optim.GradScaler` and
# `dl.optim.clip_grad_norm_`, whose places you take. Write what a cell asks for, run it,
# save the notebook, and run the check below it: what is saved is what is checked. The
# parts build on each other, so go in order.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(4)

# %%
from math import inf, isfinite

import numpy as np

import minidl as dl
from minidl import functional as F
from minidl import nn

# %% [markdown]
# ## 1. A matrix from its rows and columns
#
# Adam divides a gradient by the root of its mean square $V$, one number for each
# weight. Adafactor keeps of $V$ only the mean of each row and the mean of each column,
# and guesses the rest: where a row is twice as large as the average row, so is its
# share in every column,
#
# $$V_{ij} \approx \frac{r_i}{\bar r}\, c_j, \qquad \bar r = \text{the mean of } r.$$
#
# **By hand.** Rows $(1, 4)$ and $(4, 16)$: the row means are $r = (2.5, 10)$, so are
# the column means, and $\bar r = 6.25$. So $V_{00} \approx 2.5 / 6.25 \cdot 2.5 = 1$
# and $V_{11} \approx 10 / 6.25 \cdot 10 = 16$: this one comes back exactly, for its
# second row is a multiple of the first. Of rows $(1, 0)$ and $(0, 1)$ all four guesses
# are $1/2$.
#
# The picture has the roots of a real gradient's squares, in the first layer of the
# chapter's network and for the middle row of its pixels. Is it more like the first
# example or like the second?

# %% tags=["picture"]
plt = dl.tools.pyplot()
train, test = dl.data.load("fashion")


def network():
    dl.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.ReLU(),
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))  # fmt: skip


model = network()
x, y = train[:500]
F.cross_entropy(model(x), y).backward()
square = model[1].weight.grad.numpy().reshape(64, 28, 28)[:32, 14] ** 2
figure, (left, right) = plt.subplots(1, 2, width_ratios=(3, 1), sharey=True)
left.imshow(np.sqrt(square), aspect="auto")
left.set(xlabel="pixel", ylabel="unit")
left.set_title("Whole rows and columns are large or small")
right.barh(range(32), square.mean(1) * 1e6)
_ = right.set(xlabel="mean square (1e-6)")

# %% [markdown]
# What Adafactor divides by is the root of $V$: $(1, 2)$ and $(2, 4)$ in the first
# example. There is one thing to look out for. The picture has units that are off and
# pixels without ink. Where the two meet, $r_i$ and $c_j$ may be $10^{-30}$ each, so
# that $V_{ij}$ is $10^{-60}$; float32 ends at $10^{-45}$. The root of $10^{-60}$ is no
# trouble.


# %%
def factored_root(row, column):
    """The root, (n, m), of the matrix with these means of rows and of columns.

    `row` is (n,), `column` (m,), both positive and float32. Element i, j is the root of
    row[i] column[j] / mean(row). The inputs stay as they are. Where they lie between
    1e-30 and 1e30 and float32 can hold the root, nothing on the way leaves its range.
    """
    ### BEGIN SOLUTION (about 2 lines)
    share = row.sqrt() / row.mean().sqrt()
    return share.reshape(-1, 1) * column.sqrt()
    ### END SOLUTION


# %% tags=["try"]
check("factored_root")

# %% [markdown]
# ## 2. Adafactor
#
# Shazeer and Stern's rule (2018) keeps no momentum. This is all of it but their own
# step size; ours is fixed. At step $t = 1, 2, \dots$ of a parameter with gradient $g$,
# all elementwise but for the means:
#
# 1. $\beta = 1 - t^{-0.8}$ and $s = g^2 + \varepsilon$, where $\varepsilon = 10^{-30}$.
# 2. A matrix, a parameter of two dimensions: $r \leftarrow \beta r + (1 - \beta) \cdot$
#    row means of $s$, likewise $c$ with column means, and $u = g / R$, where $R$ is
#    their `factored_root`.
# 3. Any other parameter: $v \leftarrow \beta v + (1 - \beta) s$, kept whole, and $u = g
#    / \sqrt{v}$.
# 4. $u \leftarrow u / \max(1, \text{rms}(u) / d)$, where $\text{rms}(u)$ is the root of
#    the mean of $u^2$ over the parameter, and $d = 1$.
# 5. $p \leftarrow p - \eta u$.
#
# **By hand.** A vector with $\eta = 0.1$. At step 1, $\beta = 0$: nothing is left of
# the zeros at the start, and so there is no bias to take out. A gradient of $(3, -4)$
# gives $v = (9, 16)$, $u = (1, -1)$ and a step of $(-0.1, 0.1)$. At step 2, $\beta = 1
# - 2^{-0.8} = 0.426$. A gradient of $(30, -4)$ gives $v = (0.426 \cdot 9 + 0.574 \cdot
# 900, 16) = (521, 16)$ and $u = (1.31, -1)$. Its rms is $1.17$, so $u$ becomes $(1.12,
# -0.86)$.
#
# Step 4 is for spikes: $v$ remembers what gradients were like, and a batch that is
# quite unlike the last ones would move far.

# %% tags=["picture"]
steps = np.arange(1, 20001)
plt.plot(steps, steps**0.8, label="Adafactor")
plt.plot(steps, (1 - 0.999**steps) / (1 - 0.999), label="Adam")
plt.xlim(0, 24000)
plt.title("Adafactor looks further back the longer it runs")
plt.xlabel("step")
plt.ylabel("steps in the average")
dl.tools.label_ends(plt.gca())


# %%
class Adafactor(dl.optim.Optimizer):
    """A gradient over the root of its factored mean square (arXiv 1804.04235)."""

    def __init__(self, params, lr=1e-2, limit=1.0, eps=1e-30):
        super().__init__(params, lr=lr, limit=limit, eps=eps)

    def update(self, p, g, state, group):
        """Moves `p` in place by its gradient `g`; `g` stays as it is.

        `group` has "lr", "limit" (the d of step 4) and "eps". `state` is a dict, empty
        at first, that is this parameter's own and is saved with the run. All that must
        be remembered goes there: "step", and "row" and "column", or "square".
        """
        ### BEGIN SOLUTION (about 14 lines)
        step = state["step"] = state.get("step", 0) + 1
        beta = 1 - step**-0.8

        def average(name, new):
            state[name] = state.get(name, 0) * beta + new * (1 - beta)
            return state[name]

        square = g * g + group["eps"]
        if p.ndim == 2:
            row = average("row", square.mean(1))
            root = factored_root(row, average("column", square.mean(0)))
        else:
            root = average("square", square).sqrt()
        u = g / root
        rms = (u * u).mean().item() ** 0.5
        p.copy_(p - u * (group["lr"] / max(1, rms / group["limit"])))
        ### END SOLUTION


# %% tags=["try"]
check("Adafactor")

# %% [markdown]
# What it saves, on the chapter's network: Adam's 440,400 bytes, and yours.

# %% tags=["try"]
model = network()
for make in (dl.optim.Adam, Adafactor):
    optimizer = make(model.parameters(), lr=0.001)
    dl.train.train_step(model, optimizer, F.cross_entropy, *train[:50])
    kept = [s for state in optimizer.state.values() for s in state.values()]
    nbytes = sum(s.nbytes for s in kept if isinstance(s, dl.Tensor))
    print(f"{make.__name__:<10} {nbytes:>7,} bytes")

# %% [markdown]
# ## 3. Unscaled and clipped in one pass
#
# In float16 the loss is multiplied by a scale, and so is every gradient. Before the
# optimiser may see them they are divided by it, and clipped: held to a largest joint
# norm. The library reads all gradients and writes them for the first, looks through
# them for an infinity, reads them for their norm, and reads and writes them again to
# clip. A large model's gradients are gigabytes, and that is a lot of traffic.
#
# One look is enough. The norm of the *scaled* gradients, divided by the scale, is the
# norm. Where one element is infinite or no number (nan), so is the norm. And unscaling
# and clipping are two factors, which can be multiplied before they meet a gradient.
#
# **By hand.** A scale of 2; scaled gradients $(6)$ and $(8)$ of two parameters. Their
# joint norm is $\sqrt{36 + 64} = 10$, so the true norm is 5. With a largest norm of 1
# both are multiplied by $1/2 \cdot 1/5$: the optimiser sees $0.6$ and $0.8$. With a
# largest norm of 50, or none, it sees 3 and 4.
#
# The picture has the gradients of the chapter's experiment, a batch that counts for
# 1/65,536 of a large one. What float16 can hold lies between the lines.

# %% tags=["picture"]
x, y = train[:50]
model = network()
(F.cross_entropy(model(x), y) / 65536).backward()
sizes = np.abs(np.concatenate([p.grad.numpy().ravel() for p in model.parameters()]))
sizes = np.log2(sizes[sizes > 0])
bins = np.arange(-45, 18)
plt.hist(sizes, bins, histtype="step", linewidth=2, label="as they are")
plt.hist(sizes + 16, bins, histtype="stepfilled", alpha=0.6, label="times 65,536")
for edge in (-24, 16):
    plt.axvline(edge, linestyle=":", color="#50606e")
plt.legend(frameon=False)
plt.title("A scale moves the gradients to where float16 has numbers")
plt.xlabel("log2 of a gradient's size")
_ = plt.ylabel("gradients")


# %%
def careful_step(optimizer, scale, max_norm=inf):
    """Steps with gradients that are `scale` times too large; the norm they truly have.

    Each `p.grad`, of the `p` in `optimizer.state` that have one, is unscaled, and times
    max_norm / norm where the norm of all together is larger than `max_norm`; then the
    optimiser steps. Returned is the norm, a number, unscaled, before clipping. Where it
    is infinite or nan there is no step. A gradient of n numbers is read once for the
    norm and written at most once: `dl.Ledger` counts at most 40 n bytes of traffic.
    """
    ### BEGIN SOLUTION (about 8 lines)
    gradients = [p.grad for p in optimizer.state if p.grad is not None]
    with dl.no_grad():
        norm = sum((g * g).sum().item() for g in gradients) ** 0.5 / scale
        if isfinite(norm):
            factor = min(1, max_norm / norm) if norm else 1
            for g in gradients:
                g.mul_(factor / scale)
            optimizer.step()
    return norm
    ### END SOLUTION


# %% tags=["try"]
check("careful_step")

# %% [markdown]
# ## 4. A scaler with patience
#
# The library's scaler halves its scale at each overflow, and waits for 2,000 good steps
# to double it. A single odd batch, a broken image say, has it run at half the scale for
# 2,000 steps. Large trainers wait for a second overflow before they believe the first.
#
# The rule, for a patience of $k$ and an interval of $m$:
#
# - An overflow ends a row of good steps, and a good step ends a row of overflows.
# - The $k$-th overflow in a row halves the scale, and so does each that follows it in
#   that row. The scale does not fall below 1.
# - After $m$ good steps in a row the scale doubles, and a new row of good steps begins.
#
# **By hand.** A patience of 2, an interval of 3, a scale of 16; `o` is an overflow, `.`
# a good step.
#
#     step     o   .   o   o   o   .   .   .   .   o   .
#     scale   16  16  16   8   4   4   4   8   8   8   8
#
# The picture has what the library's scaler does with two odd batches.

# %% tags=["picture"]
scaler = dl.optim.GradScaler(2.0**16, growth_interval=200)
path = [scaler.get_scale()]
for step in range(600):
    scaler.overflow = {"the optimiser": step in (50, 150)}
    scaler.update()
    path.append(scaler.get_scale())
plt.step(range(601), np.log2(path), where="post")
plt.plot([50, 150], [16.2, 15.2], "v")
plt.ylim(13, 17)
plt.title("Two odd batches cost the library 500 steps at a low scale")
plt.xlabel("step (may double after 200 good ones)")
_ = plt.ylabel("log2 of the loss scale")


# %%
class PatientScaler:
    """A loss scale that falls only after `patience` overflows in a row."""

    def __init__(self, init_scale=2.0**16, patience=2, interval=2000, max_norm=inf):
        self.factor, self.patience, self.interval = init_scale, patience, interval
        self.max_norm = max_norm
        self.good, self.bad = 0, 0  # good steps in a row, overflows in a row
        self.overflow = False  # of the last step

    def scale(self, loss):
        return loss * self.factor

    def step(self, optimizer):
        norm = careful_step(optimizer, self.factor, self.max_norm)
        self.overflow = not isfinite(norm)

    def update(self):
        """Moves `factor` by the rule, after a step that had an `overflow` or not.

        Only `good` and `bad` remember what was before: they are saved with the run.
        """
        ### BEGIN SOLUTION (about 9 lines)
        if self.overflow:
            self.good, self.bad = 0, self.bad + 1
            if self.bad >= self.patience:
                self.factor = max(1.0, self.factor / 2)
        else:
            self.good, self.bad = self.good + 1, 0
            if self.good == self.interval:
                self.factor, self.good = self.factor * 2, 0
        ### END SOLUTION

    def state_dict(self):
        return {"factor": self.factor, "good": self.good, "bad": self.bad}

    def load_state_dict(self, saved):
        self.factor, self.good, self.bad = (saved[k] for k in ("factor", "good", "bad"))


# %% tags=["try"]
check("PatientScaler")

# %% [markdown]
# ## All of it, on photographs
#
# The chapter's network and its 5,000 photographs of clothes, three passes. The loss is
# divided by 65,536 again, so that float16 loses its gradients unless they are scaled;
# and every 40th batch has pixels 100,000 times too large, more than float16 can hold.
#
# **Predict.** Adafactor's steps don't depend on the size of the gradients, so in
# float32 the division does nothing, while the odd batches do some harm. How far behind
# is float16 without a scale? What does skipping the odd batches do for the other two?
# And at which scale does the library's scaler end, at which yours? Both begin at
# $2^{24}$.

# %% tags=["try"]
batches = dl.data.DataLoader(train, batch_size=50, shuffle=True)


def odd(loader):
    """The batches of `loader`, every 40th of them broken."""
    for i, (x, y) in enumerate(loader, 1):
        yield (x * 1e5 if i % 40 == 0 else x), y


def part(logits, y):
    return F.cross_entropy(logits, y) / 65536


scalers = {
    "float32": None,
    "float16, scale 1": PatientScaler(1.0),
    "float16, the library's": dl.optim.GradScaler(2.0**24),
    "float16, yours": PatientScaler(2.0**24, max_norm=5 / 65536),
}
for name, scaler in scalers.items():
    step = dl.train.Step("float16" if scaler else None, scaler=scaler)
    model = network()
    optimizer = Adafactor(model.parameters(), lr=0.003)
    for _ in range(3):  # train
        losses = [step(model, optimizer, part, *batch) for batch in odd(batches)]
    usual = np.nanmedian(losses) * 65536
    scale = f"scale 2^{np.log2(scaler.factor):.0f}" if scaler else ""
    accuracy = dl.train.evaluate(model, test)
    print(f"{name:<23} loss {usual:.2f}, right {accuracy:.0%}  {scale}")

# %% [markdown]
# ## Beyond
#
# 1. Give the second moment of a convolution's kernel $(C, D, h, w)$ to `factored_root`.
#    Which two of its dimensions make good rows and columns, and what of the others?
# 2. Shazeer and Stern's own step size grows with the parameter: $\eta$ times the larger
#    of $10^{-3}$ and $\text{rms}(p)$. Add it. Does one $\eta$ now serve more networks?
# 3. A language model's embedding has a row for each token, and most rows have a
#    gradient of zero at each step. What does `factored_root` make of a rare token?
#    Measure how far it is off on the shipped text.
# 4. Warm-up, stable, decay: write that schedule as a function from the step to a
#    factor, for `dl.optim.LambdaLR`. How short may the decay be?
# 5. Patience has a price: where the scale is too high, each fall comes late. Find a
#    training in which a patience of 1 is better.
#
# Chapter 16 divides what an optimiser remembers among machines, instead of leaving it
# out.
