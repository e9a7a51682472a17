# %% [markdown]
# # Lab 02: Automatic differentiation
#
# Chapter 02 showed the tape, its rules and the walk back. Here you write their
# siblings: the rules of two operations that the table doesn't have, a walk that hands
# each gradient on as early as it can, and the product of a Hessian with a vector. In
# the end a network learns digits on your rules and your walk, and you measure how steep
# its loss is.
#
# Fill in the four cells that say "write your code here". All of minidl may be used; a
# rule must be written in its operations, so that it can be differentiated again. Save
# the notebook before you check: what is saved is checked.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(2)

# %%
import numpy as np

import minidl as dl
from minidl import nn
from minidl.framework import shapes
from minidl.framework.tape import Node

# %% [markdown]
# ## 1. A rule where shapes change
#
# `logsumexp` is the logarithm of a sum of exponentials, taken along some dimensions. It
# is what a classifier's loss subtracts: $-\log p_t = \text{logsumexp}(s) - s_t$ for the
# scores $s$ and the right class $t$. Its row has an evaluation and a shape, and no rule
# yet.


# %%
def log_of_sum(xp, x, *, dims, keepdim):
    top = x.max(axis=dims, keepdims=True)
    out = top + xp.log(xp.exp(x - top).sum(axis=dims, keepdims=True))
    return out if keepdim else out.squeeze(axis=dims)


logsumexp = dl.Op("logsumexp", log_of_sum, shape=shapes.reduced)


# %% [markdown]
# How does the result move with one input? **By hand**: for $x = (0, 0, \log 2)$ the
# exponentials are 1, 1, 2, their sum is 4, and the result is $\log 4 = 1.386$. If the
# last input grows by a small $e$, its exponential grows by $2 e$, the sum from 4 to
# $4 + 2 e$, and the result by $2 e / 4$. The three slopes are 1/4, 1/4, 1/2.
#
# **Predict**, before you look at the picture: what is the slope along $t$ in
# $\text{logsumexp}(t, 0, 0)$ if $t$ is far above the others, and if it is far below?

# %% tags=["picture"]
plt = dl.tools.pyplot()
t = np.linspace(-6, 6, 61, dtype="float32")
columns = dl.tensor(np.stack([t, 0 * t, 0 * t], 1))
plt.plot(t, logsumexp(columns, dims=(1,), keepdim=False).numpy())
plt.plot(t, np.maximum(t, 0))
plt.annotate("logsumexp(t, 0, 0)", (-5.5, 1.3))
plt.annotate("the largest of t, 0, 0", (-5.5, 0.2))
plt.title("A smooth maximum: its slope goes from 0 to 1")
plt.xlabel("t (no unit)")
_ = plt.ylabel("result (no unit)")

# %% [markdown]
# The gradient `g` has the shape of the result. With `keepdim` false that has lost the
# dimensions of the sum, and must meet `x` again:
#
# | `x` | `dims` | `keepdim` | `g` and `out` |
# |---|---|---|---|
# | (4, 5) | (1,) | False | (4,) |
# | (4, 5) | (1,) | True | (4, 1) |
# | (2, 3, 4) | (0, 2) | False | (3,) |


# %%
def logsumexp_rule(g, x, out, dims, keepdim):
    """The gradient of `x`, from `g`, that of the result `out`.

    `x` is of any shape; `dims` is a tuple of its dimensions, counted from 0, along
    which the sum went; `g` and `out` have the shape of the result. Written in
    operations. Stays finite where x is large (1000) or -inf, as long as `out` is
    finite.
    """
    ### BEGIN SOLUTION (about 3 lines)
    column = [1 if d in dims else size for d, size in enumerate(x.shape)]
    shares = (x - out.reshape(column)).exp()
    return g.reshape(column) * shares
    ### END SOLUTION


# %% tags=["try"]
check("logsumexp_rule")

# %% [markdown]
# ## 2. A sibling of the matrix product
#
# A linear layer gives each single feature a weight. `bilinear` gives each *pair* one:
# for each class $k$ a table of weights, and the score of sample $b$ is
#
# $$\text{out}_{bk} = \sum_{ij} x_{bi}\, W_{kij}\, y_{bj}.$$
#
# The shapes are (B, M) for `x`, (K, M, N) for `weight`, (B, N) for `y`, and (B, K) for
# the result.


# %%
def bilinear_form(xp, x, weight, y):
    return ((x @ weight) * y).sum(axis=-1).T  # (K, B, N), summed to (K, B)


def bilinear_shape(x, weight, y):
    if (x[0], weight[1:]) != (y[0], (x[1], y[1])):
        raise ValueError("wants x (B, M), weight (K, M, N) and y (B, N)")
    return x[0], weight[0]


bilinear = dl.Op("bilinear", bilinear_form, shape=bilinear_shape)

# %% tags=["picture"]
plt = dl.tools.pyplot()
x, y = np.array([1.0, 3.0]), np.array([2.0, 0.0, 5.0])
table = np.array([[1.0, 2.0, -1.0], [0.0, 1.0, 2.0]])
panels = {"x y": np.outer(x, y), "W": table, "x W y": x[:, None] * table * y}
figure, axes = plt.subplots(1, 3, figsize=(6.4, 2.0))
for ax, (name, entries) in zip(axes, panels.items()):
    ax.imshow(entries, cmap="RdBu", vmin=-60, vmax=60)
    for (i, j), entry in np.ndenumerate(entries):
        ax.text(j, i, f"{entry:g}", ha="center", va="center")
    ax.set(xlabel="j", ylabel="i", xticks=range(3), yticks=range(2), title=name)
title = f"A score sums a table of pairs: here it is {panels['x W y'].sum():g}"
_ = figure.suptitle(title, x=0, ha="left", fontsize=12, fontweight="bold")

# %% [markdown]
# **By hand**, for one sample, one class and one feature each, $x = 2, W = 3, y = 5$:
# the result is 30, and its slopes are 15 along $x$, 10 along $W$, 6 along $y$. Each
# slope is the product of the other two. In the picture, with $x = (1, 3)$ and
# $y = (2, 0, 5)$: what is the slope of the score along $W_{00}$, and along $x_0$?
#
# The first is $1 \cdot 2 = 2$; the second is $1 \cdot 2 + 2 \cdot 0 - 1 \cdot 5 = -3$.
#
# Which sum is left over for each of the three? A slope is summed over every letter that
# its own input doesn't have. `weight` has no $b$: all samples use it.
#
# A rule asks for what it needs by the names of its parameters, and the tape keeps it in
# memory. So ask for no more. And take care on the way: an array with one number for
# each $b$, $k$, $i$ and $j$ would be larger than everything else in the network.


# %%
def bilinear_rules():
    """The gradient rules of `bilinear`: three functions, for x, weight and y.

    Each returns a gradient of the shape of its input, asks only for `g`, (B, K), and
    for the inputs that it needs, and is written in operations. None of these makes an
    array of B K M N numbers.
    """
    ### BEGIN SOLUTION (about 12 lines)

    def for_x(g, weight, y):
        columns = g.T.unsqueeze(2) * y  # (K, B, N)
        return (columns @ weight.mT).sum(0)

    def for_weight(g, x, y):
        rows = g.T.unsqueeze(2) * x  # (K, B, M)
        return rows.mT @ y

    def for_y(g, x, weight):
        rows = g.T.unsqueeze(2) * x
        return (rows @ weight).sum(0)

    return for_x, for_weight, for_y
    ### END SOLUTION


# %% tags=["try"]
check("bilinear_rules")

# %% [markdown]
# ## 3. A walk that hands leaves on early
#
# The library's walk makes a list of all vertices first, each before what it was
# computed from. Within that, its order is what a depth-first search happens to leave:
# the gradient of a layer's weight may be complete long before it is handed on. Whoever
# waits for it, to update the weight and free the memory, or to send it to other
# machines while the walk goes on, would rather have it at once.
#
# There is another way to know when a gradient is whole: count. A vertex that is used
# three times waits for three uses to be done. This counts them:


# %%
def before(vertex):
    """The vertices that `vertex` was computed from, one for each use."""
    return [edge for edge in vertex.edges if edge is not None]


def uses_of(roots):
    """{vertex: number of uses} of all that `roots` depend on, themselves included."""
    uses = dict.fromkeys(roots, 0)
    found = list(uses)
    for vertex in found:  # the list grows while we walk along it
        for edge in before(vertex):
            if edge not in uses:
                uses[edge] = 0
                found.append(edge)
            uses[edge] += 1
    return uses


# %% [markdown]
# **By hand**: $p = a + b$, $q = p \cdot p$, $f = q \cdot a$ at $a = 2, b = 3$, so
# $p = 5, q = 25, f = 50$.

# %% tags=["picture"]
a = dl.tensor(2.0, requires_grad=True)
b = dl.tensor(3.0, requires_grad=True)
p = a + b
q = p * p
f = q * a
dl.tools.draw_graph(f, {"a": a, "b": b})

# %% [markdown]
# The lower `mul` is $f$, the upper $q$; `add` is $p$, and both uses of $p$ lie on one
# line. Fill this from the top, and cover the last column while you do:
#
# | vertex done | its gradient | it passes on | uses left to wait for |
# |---|---|---|---|
# | f | 1 | 2 to q, 25 to a | q 0, a 1, p 2, b 1 |
# | q | 2 | 10 and 10 to p | p 0, a 1, b 1 |
# | p | 20 | 20 to a, 20 to b | a 0, b 0 |
# | a | 45 | | |
# | b | 20 | | |
#
# The slope along $a$ is $25 + 20 = 45$. Check: $f = (a + b)^2 a$, so it is
# $2 (a + b) a + (a + b)^2 = 20 + 25$.
#
# Two things may surprise you. Some uses pass nothing on: `gate(x, y)` is $x$ where $y$
# is positive, and has no gradient for $y$. Such a use still has to be counted as done,
# or $y$ would wait for ever, and so would all that $y$ was computed from. And a rule
# may pass the *same* tensor on to two inputs, as that of `add` does: what has arrived
# at one must not be written into.


# %%
def propagate(seeds, keep_graph=False):
    """Pulls gradients back from `seeds`, pairs (vertex, gradient), through the tape.

    A vertex is a Node or a leaf tensor. Yields (vertex, gradient) once for each vertex
    to which anything was passed on, when its gradient is whole: when every use of it
    is done. A leaf whose gradient is whole is yielded before the next node. Seeds are
    in any order; several of one vertex add up, and one may depend on another.

    `node.pull(g)` yields (edge, gradient), and pulls each node once, after it was
    yielded; `node.free()` lets go of what it saved, unless `keep_graph`.
    `dl.autodiff.hooked(vertex, g)` is the whole gradient after the vertex's hooks,
    which is what is yielded and pulled.
    """
    ### BEGIN SOLUTION (about 18 lines)
    sums = {}
    for vertex, g in seeds:
        sums[vertex] = sums[vertex] + g if vertex in sums else g
    uses = uses_of(sums)
    ready = [vertex for vertex in sums if uses[vertex] == 0]
    while ready:
        vertex = ready.pop()
        if vertex in sums:
            g = dl.autodiff.hooked(vertex, sums.pop(vertex))
            yield vertex, g
            if isinstance(vertex, Node):
                for edge, part in vertex.pull(g):
                    sums[edge] = sums[edge] + part if edge in sums else part
                if not keep_graph:
                    vertex.free()
        for edge in before(vertex):
            uses[edge] -= 1
            if uses[edge] == 0:  # leaves at the end, from where the next one is taken
                ready.insert(0 if isinstance(edge, Node) else len(ready), edge)
    ### END SOLUTION


# %% tags=["try"]
check("propagate")

# %% [markdown]
# ## 4. Curvature without its matrix
#
# The second derivatives of a loss along all pairs of parameters make a matrix, the
# Hessian $H$. Even the small network below has 19,700 parameters, so $H$ has 388
# million entries. What we mostly need is $H v$ for a vector $v$: how fast the gradient
# changes as we go along $v$.
#
# **By hand**: $f = x^2 y$ at $(3, 2)$. The gradient $(2 x y, x^2)$ is $(12, 9)$. One
# step of 0.1 along $v = (1, 0)$ leads to $(3.1, 2)$, where it is $(12.4, 9.61)$. Per
# unit of the way it has changed by $(4, 6.1)$, and in the limit of a small step by
# $(4, 6)$: that is $H v$, the first column of $\begin{pmatrix} 2 y & 2 x \\ 2 x & 0
# \end{pmatrix}$.

# %% tags=["picture"]
plt = dl.tools.pyplot()
across, up = np.meshgrid(np.linspace(1.5, 5, 50), np.linspace(1, 3.4, 50))
plt.contour(across, up, across**2 * up, levels=10, colors="#b8c4ce", linewidths=1)
way = np.linspace(2, 4, 5)
plt.quiver(way, 0 * way + 2, 4 * way, way**2, angles="xy", scale=170, width=0.006)
plt.plot(way, 0 * way + 2, "o")
plt.title("Along v the gradient of x² y grows and turns")
plt.xlabel("x (no unit)")
_ = plt.ylabel("y (no unit)")

# %% [markdown]
# To go a small step and subtract costs digits, as the chapter's two valleys showed.
# Walk back twice instead: with `create_graph=True` the gradient is itself on the tape,
# and can be pulled back with a vector. That costs a few times the loss, whatever the
# number of parameters.
#
# **Predict.** What is on the tape for the slope of $3 b$ along $b$? It is 3, and
# depends on nothing. What does `dl.grad` say if you ask for its gradient? What should
# $H v$ be there?


# %%
def hessian_vector(loss, parameters, vectors):
    """The Hessian of `loss` times a vector: a list of tensors as `parameters`.

    `loss()` computes a scalar tensor from the leaf tensors `parameters`; `vectors` has
    one tensor of the same shape for each. Evaluates the loss once. Zeros for a
    parameter on which no slope depends. Leaves the parameters and their `.grad` alone.
    """
    ### BEGIN SOLUTION (about 7 lines)
    slopes = dl.grad(loss(), parameters, create_graph=True, allow_unused=True)
    pairs = [(s, v) for s, v in zip(slopes, vectors) if s is not None]
    pairs = [(s, v) for s, v in pairs if s.requires_grad]
    found = [None] * len(parameters)
    if pairs:
        bent, along = zip(*pairs)
        found = dl.grad(bent, parameters, along, allow_unused=True)
    return [dl.zeros_like(p) if h is None else h for p, h in zip(parameters, found)]
    ### END SOLUTION


# %% tags=["try"]
check("hessian_vector")

# %% [markdown]
# ## Train on it
#
# A network with pairs in it: twenty features of an image, and for each digit a table of
# weights for pairs of features. The features `h` go into `bilinear` twice, and the
# scores into the loss twice, so there is something to add up.


# %%
class Pairs(nn.Module):
    def __init__(self, features=20):
        super().__init__()
        self.first = nn.Linear(784, features)
        self.weight = nn.Parameter(dl.randn(10, features, features) * 0.05)

    def forward(self, x):
        h = self.first(x.flatten(1)).tanh()
        return bilinear(h, self.weight, h)


def loss_of(scores, y):
    right = scores[dl.arange(len(y)), y]
    return (logsumexp(scores, dims=(1,), keepdim=False) - right).mean()


# %% [markdown]
# The three `replace` put what you wrote into the stack for the length of the block:
# `train_step` calls the library's `backward`, and that walks by your `propagate`, which
# pulls by your rules. **Predict** the first loss, before anything is learned.

# %% tags=["try"]
train, test = dl.data.load("mnist")


def on_mine(work):
    """What `work()` returns when your rules and your walk are in the stack."""
    with (
        dl.replace(logsumexp, vjp=logsumexp_rule),
        dl.replace(bilinear, vjp=bilinear_rules()),
        dl.replace(dl.autodiff.propagate, propagate),
    ):
        return work()


def trained(epochs=5, rate=0.1):
    dl.manual_seed(0)
    model = Pairs()
    optimizer = dl.optim.SGD(model.parameters(), lr=rate)
    batches = dl.data.DataLoader(train, batch_size=50, shuffle=True)
    losses = []
    for _ in range(epochs):
        for x, y in batches:
            losses.append(dl.train.train_step(model, optimizer, loss_of, x, y))
    return model, losses


model, losses = on_mine(trained)
print(f"accuracy {dl.train.evaluate(model, test):.3f}")
plt = dl.tools.pyplot()
plt.plot(np.arange(5, len(losses), 10), np.reshape(losses, (-1, 10)).mean(1))
plt.title("It learns on your rules")
plt.xlabel("training step")
_ = plt.ylabel("loss (nats), mean of ten steps")

# %% [markdown]
# How steep is the loss where training stopped? Multiply a random direction by $H$
# again and again: the steepest direction grows fastest, and soon there is nothing else
# left (power iteration). Its curvature $\lambda$ is the length of the product over that
# of the vector. Along that direction a step of gradient descent with rate $r$
# multiplies the distance to the lowest point by $1 - r \lambda$: with
# $r > 2 / \lambda$ it leaps over it and lands farther away.

# %% tags=["try"]
x, y = train[:500]
parameters = list(model.parameters())


def norm(vectors):
    return sum((v * v).sum() for v in vectors).item() ** 0.5


def steepest(steps=25):
    """(curvature, direction) that power iteration finds from a random direction."""
    direction = [dl.randn(*p.shape) for p in parameters]
    for _ in range(steps):
        length = norm(direction)
        unit = [v / length for v in direction]
        direction = hessian_vector(lambda: loss_of(model(x), y), parameters, unit)
    return norm(direction), unit


curvature, direction = on_mine(steepest)
print(
    f"largest curvature {curvature:.2f}: the limit of the rate is {2 / curvature:.2f}"
)

# %% [markdown]
# **Predict** from this number: from here we take thirty steps over all 500 images, once
# with a rate of half the limit, once with twice the limit. What will the loss do in the
# first steps?

# %% tags=["try"]
start = [p.detach().clone() for p in parameters]


def descend(rate, steps=30):
    """The losses of further training from here, on all 500 images at once."""
    for p, value in zip(parameters, start):
        p.detach().copy_(value)
    losses = []
    for _ in range(steps):
        loss = loss_of(model(x), y)
        losses.append(loss.item())
        for p, slope in zip(parameters, dl.grad(loss, parameters)):
            p.detach().sub_(rate * slope)
    return losses


limit = 2 / curvature
plt.semilogy(on_mine(lambda: descend(limit / 2)), label="half the limit")
plt.semilogy(on_mine(lambda: descend(limit * 2)), label="twice the limit")
dl.tools.label_ends(plt.gca())
plt.title("The largest curvature sets the largest rate")
plt.xlabel("training step")
_ = plt.ylabel("loss (nats)")

# %% [markdown]
# ## What to look at next
#
# Below the limit the loss falls. Above it, each step along the steepest direction leaps
# over the lowest point and lands farther away. One direction among 19,700 decides how
# fast training may go.
#
# - A rate of 0.1 led to a place where the curvature is what you found. Train with 0.05
#   and with 0.02. How steep is it where that leads, and is the limit of the rate there
#   near the rate?
# - Your walk hands leaves on early. Write a training step without an optimiser: it
#   calls your `propagate`, and updates each leaf and forgets its gradient the moment it
#   arrives. How many gradients are in memory at once?
# - The Hessian is symmetric, so $u \cdot H v = v \cdot H u$. Check it on the network.
#   Which mistakes in a rule would that reveal, and which would it not?
# - Power iteration finds the curvature of largest size, which may be negative. Find the
#   most negative one: multiply by $H - \lambda$ instead of $H$.
# - Chapter 03 builds models out of layers; chapter 04 asks which rate to use when
#   nobody measures the curvature.
