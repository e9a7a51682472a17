# %% [markdown]
# # Lab 09: A schedule for convolution
#
# Chapter 09 wrote a matrix product as loops, scheduled it, and let the library refuse
# what would change the result. Here you do the same for a convolution: you write the
# loops of its gradient, find a schedule for its forward pass, and add a function to the
# schedules that the library doesn't have: it merges two loops into one. In the end a
# network learns digits on your loops.
#
# Fill in the three cells that say "write your code here". All of minidl may be used.
# Nothing needs to be compiled for a check: generated Python runs as it is. Save the
# notebook before you check: what is saved is checked.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(9)

# %%
from dataclasses import replace

import numpy as np

import minidl as dl
from minidl.framework.codegen import python
from minidl.framework.codegen.dependence import conflict
from minidl.framework.codegen.loops import (
    Buffer,
    Const,
    Kernel,
    Load,
    Loop,
    Store,
    Var,
    substitute,
    text,
)
from minidl.framework.codegen.loops import check as checked
from minidl.framework.codegen.schedule import (
    parallelise,
    reorder,
    tile,
    unroll,
    vectorise,
)
from minidl.framework.codegen.tuning import modelled


def nest(sizes, *body):
    """`body` in loops, {variable: size}, the first outermost."""
    for var, size in reversed(sizes.items()):
        body = (Loop(var, size, tuple(body)),)
    return body[0]


def run(kernel, *arrays):
    """Runs the generated Python, uncompiled."""
    names = {}
    exec(python.source(kernel), names)
    whole = (0, kernel.body[0].extent) if python.splits(kernel) else ()
    names[kernel.name](*arrays, *whole)


# %% [markdown]
# ## The forward pass, as given
#
# An image has C channels of H by W pixels, the result K channels of R by S. Every
# window of `size` by `size` pixels gives one number for each of the K channels:
#
# $$\text{out}_{krs} = \sum_{cij} x_{c,\, r t + i,\, s t + j}\; w_{kcij}$$
#
# with the stride $t$. As loops, written for the reader and not for the machine:


# %%
def convolution(C, H, W, K, size, stride=1):
    """The naive Kernel of a convolution of one image."""
    R, S = (H - size) // stride + 1, (W - size) // stride + 1
    x, weight = Buffer("x", (C, H, W), "f4"), Buffer("weight", (K, C, size, size), "f4")
    out = Buffer("out", (K, R, S), "f4")
    k, r, s, c, i, j = map(Var, "krscij")
    pixel = Load(x, (c, r * stride + i, s * stride + j))
    clear = Store(out, (k, r, s), Const(0, "f4"))
    add = Store(out, (k, r, s), pixel * Load(weight, (k, c, i, j)), "add")
    whole = {"k": K, "r": R, "s": S}
    window = {"c": C, "i": size, "j": size}
    body = nest(whole, clear), nest({**whole, **window}, add)
    return Kernel("convolution", (out,), (x, weight), body=body)


# %% tags=["try"]
print(text(convolution(3, 8, 8, 4, 3)))

# %% [markdown]
# ## 1. The way back, as loops
#
# The backward pass has `dy`, the gradient of the result, and wants `dx`, that of the
# image. A pixel went into every window that covers it. From each of these it gets back
# what that window's number gets, times the weight it had there.
#
# **By hand**, in one dimension: 5 pixels, windows of 3, weights (1, 2, 4). The three
# windows get back (10, 0, 100). Pixel 0 is in window 0 only, with weight 1: it gets 10.
# Pixel 2 is in all three, with weights 4, 2, 1: $4 \cdot 10 + 0 + 100 = 140$. What
# do pixels 1, 3 and 4 get? And with a stride of 2, which windows cover pixel 2?
#
# **Predict**, before you look: with windows of 3 at a stride of 2 on 8 by 8 pixels, in
# how many windows is each pixel?

# %% tags=["picture"]
plt = dl.tools.pyplot()
_, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
for ax, stride in zip(axes, (1, 2)):
    covered = np.zeros((8, 8), int)
    for r in range(0, 8 - 3 + 1, stride):
        for s in range(0, 8 - 3 + 1, stride):
            covered[r : r + 3, s : s + 3] += 1
    ax.imshow(covered, cmap="Blues", vmin=0, vmax=14)
    for (r, s), count in np.ndenumerate(covered):
        ax.text(s, r, count, ha="center", va="center")
    ax.set(title=f"stride {stride}", xlabel="column", ylabel="row")
_ = axes[0].figure.suptitle(
    "A pixel is in up to nine windows; with a stride, some are in none",
    x=0, ha="left", fontsize=12, fontweight="bold",
)  # fmt: skip

# %% [markdown]
# Write it as sums into `dx`, which are right in any order: for each number of `dy` and
# each weight, one `Store(..., "add")`. Nobody has cleared `dx` before.
#
# Threads shall share the channels of the image. So all that stands at the top of the
# kernel are loops over `c`.


# %%
def image_gradient(C, H, W, K, size, stride=1):
    """The Kernel "image_gradient" of `convolution(C, H, W, K, size, stride)`.

    Its output is dx (C, H, W), its inputs dy (K, R, S) and weight (K, C, size, size),
    all float32. dx is overwritten; pixels that no window covers get 0. The loops at the
    top, one or more, go over `c`, and `parallelise(kernel, "c")` is allowed.
    """
    ### BEGIN SOLUTION (about 12 lines)
    R = 1 + (H - size) // stride
    S = 1 + (W - size) // stride
    dx, dy = Buffer("dx", (C, H, W), "f4"), Buffer("dy", (K, R, S), "f4")
    weight = Buffer("weight", (K, C, size, size), "f4")
    c, h, w, k, r, s, i, j = map(Var, "chwkrsij")
    clear = Store(dx, (c, h, w), Const(0, "f4"))
    part = Load(dy, (k, r, s)) * Load(weight, (k, c, i, j))
    add = Store(dx, (c, r * stride + i, s * stride + j), part, "add")
    sums = {"c": C, "k": K, "r": R, "s": S, "i": size, "j": size}
    body = nest({"c": C, "h": H, "w": W}, clear), nest(sums, add)
    return Kernel("image_gradient", (dx,), (dy, weight), body=body)
    ### END SOLUTION


# %% tags=["try"]
dx, dy = np.zeros((1, 3, 3), "f4"), np.ones((1, 2, 2), "f4")
made = image_gradient(1, 3, 3, 1, 2)
print(text(made))
run(made, dx, dy, np.ones((1, 1, 2, 2), "f4"))
print(dx)

# %% tags=["try"]
check("image_gradient")

# %% [markdown]
# ## 2. A schedule
#
# Back to the forward pass. Which loop should be innermost? **Predict**, then look: the
# model of chapter 09 on a convolution of 16 channels to 16.

# %% tags=["picture"]
naive = convolution(16, 10, 66, 16, 3)
seconds = {"j innermost, as written": modelled(naive)}
for last in "krsci":
    order = [v for v in "krscij" if v != last] + [last]
    seconds[f"{last} innermost"] = modelled(reorder(naive, *order))
_, ax = plt.subplots(figsize=(6.4, 2.8))
ax.barh(list(seconds)[::-1], [t * 1e3 for t in list(seconds.values())[::-1]],
        color="#7d97ac")  # fmt: skip
ax.set_title("Only along a row does every load stand beside the last")
_ = ax.set_xlabel("modelled (ms)")

# %% [markdown]
# Along `s` the pixels and the results stand side by side, and the weight stays the
# same. Then there is what was loaded and could serve again:
#
# - A pixel serves all K channels, if several of them are computed in one go: cut `k`,
#   and unroll the inner part.
# - A partial sum stays where it is for all windows' elements that are unrolled.
#
# **By hand.** One step of the innermost loop, with nothing unrolled, is a product and
# a sum, and loads 3 numbers. How many for 4 channels and 9 elements of a window
# unrolled, 36 products? 9 pixels, 36 weights, 4 partial sums: 49 for 36 rather than
# 108.
#
# `unroll` takes a loop of fixed length. `tile(kernel, "k", 4)` makes one if 4 divides
# K; else the last tile is shorter, and `unroll` refuses. K may be 7. And both nests of
# the kernel have a loop over `k`: `tile` cuts both. `vectorise` has its own condition:
# what is inside of such a loop must be unrolled.


# %%
def scheduled(kernel):
    """`kernel`, made by `convolution` with a stride of 1, under a better schedule.

    It computes the same for all sizes. The loops at the top are parallel, over (tiles
    of) the output channels. In the nest that adds, the innermost loop that is not
    unrolled is a vector loop along a row. By the model it takes at most 2/5 of the
    naive nest's time for 8 channels or more in and 16, 32, ... out, rows of 64 and
    windows of 3.
    """
    ### BEGIN SOLUTION (about 7 lines)
    channels = kernel.body[0].extent
    most = max(n for n in (1, 2, 3, 4) if channels % n == 0)
    kernel = tile(kernel, "k", most)
    kernel = reorder(kernel, "k_outer", "r", "c", "s", "k_inner", "i", "j")
    for var in ("k_inner", "i", "j"):
        kernel = unroll(kernel, var)
    return parallelise(vectorise(kernel, "s"), "k_outer")
    ### END SOLUTION


# %% tags=["try"]
made = scheduled(naive)
print(text(made))
print(f"modelled {modelled(made) / modelled(naive):.2f} of the naive nest")

# %% tags=["try"]
check("scheduled")

# %% [markdown]
# ## 3. A function that the library lacks
#
# Two loops stand one after the other, and go over the same range:
#
#     serial j < n                     serial j < n
#       y[j] = x[j] * 2                  y[j] = x[j] * 2
#     serial k < n            ->         z[j] = y[j] + x[j]
#       z[k] = y[k] + x[k]
#
# As one, `y[j]` is read when it has just been written, and `x[j]` is loaded once. This
# is **loop fusion**, and it's what chapter 08 does to operations. Here it is a function
# from loops to loops. When is it allowed?
#
# On the left all of the first loop has run when the second begins. On the right,
# iteration $k$ of the second finds only iterations up to $k$ of the first. **Predict**
# which of the three in the picture may be merged: a dot is an iteration, a line goes
# from what is written to who needs it.

# %% tags=["picture"]
needs = {
    "z[k] = y[k]": lambda k: [k],
    "z[k] = y[k + 1]": lambda k: [k + 1][: 5 - k],
    "z[k] = sum of y": lambda k: range(6),
}
_, axes = plt.subplots(1, 3, figsize=(6.4, 2.4), sharey=True)
for ax, (name, needed) in zip(axes, needs.items()):
    for k in range(6):
        for j in needed(k):
            late = j > k
            colour, style = ("#d9622b", "--") if late else ("#7d97ac", "-")
            ax.plot([j, k], [1, 0], style, color=colour, linewidth=1)
        ax.plot([k, k], [1, 0], "o", color="#1f2d3a", markersize=4)
    ax.set_title(name, fontsize=11)
    ax.set(xlabel="iteration", xticks=range(6))
axes[0].set_yticks([0, 1], ["second loop", "first loop"])
_ = axes[0].figure.suptitle(
    "A dashed line comes from an iteration that is still to come",
    x=0, ha="left", fontsize=12, fontweight="bold",
)  # fmt: skip

# %% [markdown]
# The library has the test that you need: `conflict(loop, reductions=True)` says why the
# iterations of a loop can't run at the same time, or None. If nothing passes between
# *different* iterations of the merged loop, then nothing does between an iteration of
# the second loop and a later one of the first. That refuses more than it must, and
# never too little.
#
# `conflict` has another parameter, `scratch`: memory that each thread would have for
# itself. Merged loops share theirs, so leave it alone.
#
# `substitute(statement, {Var("k"): Var("j")})` is a statement with another variable.


# %%
def merged(first, second):
    """One Loop that does what Loops `first` and `second` do one after the other.

    It has the variable of `first`, and the statements of both, those of `first` before
    those of `second`. Raises ValueError where they run a different number of times,
    where one of them isn't serial, or where an iteration would find something else than
    before.
    """
    ### BEGIN SOLUTION (about 11 lines)
    if first.extent != second.extent:
        raise ValueError(f"{first.extent} iterations and {second.extent}")
    if (first.kind, second.kind) != ("serial", "serial"):
        raise ValueError(f"a {first.kind} and a {second.kind} loop: merge before that")
    same = {Var(second.var): Var(first.var)}
    body = [*first.body, *(substitute(s, same) for s in second.body)]
    loop = replace(first, body=tuple(body))
    reason = conflict(loop, reductions=True)
    if reason:
        raise ValueError(f"{first.var} and {second.var} can't be merged: {reason}")
    return loop
    ### END SOLUTION


# %%
def merge(kernel, first, second):
    """`kernel` with two neighbouring loops at its top, by their names, as one."""
    names = [getattr(s, "var", None) for s in kernel.body]
    for n, pair in enumerate(zip(names, names[1:])):
        if pair == (first, second):
            loop = merged(*kernel.body[n : n + 2])
            body = (*kernel.body[:n], loop, *kernel.body[n + 2 :])
            return checked(replace(kernel, body=body))
    raise ValueError(f"no loops {first} and {second} next to each other")


# %% tags=["try"]
print(text(merge(image_gradient(3, 8, 8, 4, 3), "c", "c")))

# %% tags=["try"]
check("merged")

# %% [markdown]
# ## Train on them
#
# The forward pass is your schedule of the given loops, the backward pass your loops
# with the clearing merged in, so that a channel is cleared just before it is summed
# into. Numba compiles both. The gradient of the weights is a convolution too, and the
# library's.

# %% tags=["try"]
from minidl import nn
from minidl.runtime.build import build

F = nn.functional


def compiled(kernel):
    function = build(python.source(kernel), kernel.name, python.signature(kernel))
    whole = (0, kernel.body[0].extent) if python.splits(kernel) else ()

    def over_images(xp, images, weight):
        out = np.empty((len(images), *kernel.outputs[0].shape), "f4")
        for image, result in zip(np.ascontiguousarray(images), out):
            function(result, image, weight, *whole)
        return out

    return over_images


sizes = 1, 28, 28, 8, 5
forward = compiled(scheduled(convolution(*sizes)))
back = compiled(parallelise(merge(image_gradient(*sizes), "c", "c"), "c"))


def weight_gradient(g, x):
    """The images seen as channels, convolved with what their windows get."""
    return F.conv2d(x.permute(1, 0, 2, 3), g.permute(1, 0, 2, 3)).permute(1, 0, 2, 3)


backward = dl.Op("to_image", back, shape=lambda images, weight: (images[0], 1, 28, 28))
convolve = dl.Op(
    "convolve", forward, shape=lambda images, weight: (images[0], 8, 24, 24),
    vjp=(lambda g, weight: backward(g, weight),
         lambda g, images: weight_gradient(g, images)),
)  # fmt: skip

# %% [markdown]
# **Predict** the first loss, before anything is learned: ten classes, all alike.


# %% tags=["try"]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(dl.randn(8, 1, 5, 5) * 0.2)
        self.last = nn.Linear(8 * 6 * 6, 10)

    def forward(self, x):
        h = F.max_pool2d(convolve(x, self.weight).relu(), 4)
        return self.last(h.flatten(1))


train, test = dl.data.load("mnist")
dl.manual_seed(0)
model = Net()
optimizer = dl.optim.Adam(model.parameters(), lr=3e-3)
batches = dl.data.DataLoader(train, batch_size=50, shuffle=True)
losses = [dl.train.train_step(model, optimizer, F.cross_entropy, x, y)
          for epoch in range(2) for x, y in batches]  # fmt: skip
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}")
print(f"accuracy {dl.train.evaluate(model, test):.3f}")

# %% [markdown]
# ## What to look at next
#
# You can now train on loops of your own.
#
# - Time your schedule, the naive nest and the library's `convolve.py` on one image with
#   `tuned`. Does the model rank them as the clock does?
# - The clearing is a pass of its own. Let a local hold the sum instead: which loops
#   must then be innermost, and what does that cost?
# - `merged` refuses `z[k] = y[k - 1]`, which would be right. What would `conflict` have
#   to tell for it to know?
# - Split a loop in two, the way back from `merged`. When is that allowed?
