# %% [markdown]
# # Lab 08: Optimising graphs
#
# Chapter 08 rewrote, fused and squeezed the graph of a training step. Here you write
# siblings of what it showed: a rule that changes the order of matrix products where
# that is cheaper, a fusion of products that read one matrix, and the cheapest choice of
# values to compute again. In the end a small network with attention learns digits on
# the graph that your passes made.
#
# Fill in the four cells that say "write your code here". All of minidl may be used.
# Save the notebook before you check: what is saved is checked.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(8)

# %%
from itertools import combinations

import numpy as np

import minidl as dl
from minidl import nn
from minidl.framework import ops
from minidl.framework.graph import flops, make, substitute
from minidl.framework.passes import (
    RULES,
    Rule,
    differentiate,
    optimise,
    rematerialise,
    simplify,
)
from minidl.framework.passes.dce import dce
from minidl.framework.passes.joins import join_parts
from minidl.framework.passes.liveness import peak
from minidl.framework.passes.pattern import anything, of
from minidl.framework.passes.rematerialise import candidates, dropped
from minidl.framework.passes.rematerialise import choose as greedy
from minidl.framework.passes.rewrite import ROUNDS

# %% [markdown]
# ## 1. The order of products
#
# $(X Y) Z$ and $X (Y Z)$ are the same matrix, up to rounding. They are not the same
# work. A product of $n \times k$ by $k \times m$ takes $2 n k m$ FLOPs.
#
# **By hand.** $X$ is $100 \times 50$, $Y$ is $50 \times 2$, $Z$ is $2 \times 50$.
# First $X Y$: $2 \cdot 100 \cdot 50 \cdot 2 = 20{,}000$, then times $Z$ another
# $20{,}000$. First $Y Z$: $2 \cdot 50 \cdot 2 \cdot 50 = 10{,}000$, then $X$ times
# that: $2 \cdot 100 \cdot 50 \cdot 50 = 500{,}000$. The narrow middle should be crossed
# early.
#
# Who writes $X (A B)$, with a narrow middle, writes a matrix by fewer numbers.
# **Predict**: for 1,024 rows of 256 numbers in and out, up to which width of the middle
# is $(X A) B$ the better order?

# %% tags=["picture"]
plt = dl.tools.pyplot()
rows, size, middle = 1024, 256, np.arange(1, 257)
plt.plot(middle, 4 * rows * size * middle / 1e6, label="(X A) B")
plt.plot(middle, (2 * size**2 * middle + 2 * rows * size**2) / 1e6, label="X (A B)")
plt.title("A narrow middle should be crossed early")
plt.xlabel("width of the middle (numbers)")
plt.ylabel("arithmetic (MFLOP)")
dl.tools.label_ends(plt.gca())

# %% [markdown]
# Below are two rows for the table of rules, one for each order, and one replacement for
# both. `node` is the outer product, and `x, y, z` are the three matrices as they stand.
# `once` means that nobody else reads the inner product: rewriting would not get rid of
# it.
#
# `make(op, inputs, where=...)` is a node on nodes, and `flops(node)` what it takes. Let
# them do the counting: matrices may also come in batches, (B, n, k), and one of two may
# have no batch. **Predict**: what happens to the table if both orders take the same,
# and the replacement exchanges them all the same?


# %%
def cheaper_order(node, x, y, z):
    """What stands for `node`, the product of x, y and z, if the other order is cheaper.

    `node` is (x y) z, of inputs (x y, z), or x (y z), of inputs (x, y z). Returns the
    product in the other order; None unless that takes fewer FLOPs. New nodes are from
    the line of the program `node.where`.
    """
    ### BEGIN SOLUTION (about 9 lines)
    if node.inputs[0] is x:
        before = node.inputs[1]
        inner = make(ops.matmul, (x, y), where=node.where)
        outer = make(ops.matmul, (inner, z), where=node.where)
    else:
        before = node.inputs[0]
        inner = make(ops.matmul, (y, z), where=node.where)
        outer = make(ops.matmul, (x, inner), where=node.where)
    cheaper = flops(inner) + flops(outer) < flops(before) + flops(node)
    return outer if cheaper else None
    ### END SOLUTION


# %%
x_, y_, z_ = anything("x"), anything("y"), anything("z")


def product(left, right, **more):
    """The pattern of a matrix product."""
    return of(ops.matmul, left, right, **more)


def reordered(node, x, y, z):
    """`cheaper_order` as it is by the time that the rule is used."""
    return cheaper_order(node, x, y, z)


ORDER = [
    Rule("(x y) z = x (y z)", product(product(x_, y_, once=True), z_),
         reordered, ROUNDS, "sums are taken in another order"),
    Rule("x (y z) = (x y) z", product(x_, product(y_, z_, once=True)),
         reordered, ROUNDS, "sums are taken in another order"),
]  # fmt: skip

# %% tags=["try"]
matrices = dl.ones(100, 50), dl.ones(50, 2), dl.ones(2, 50)
slow = dl.trace(lambda x, a, b: x @ (a @ b), *matrices)
print(f"{slow.flops:,} FLOPs, now {simplify(slow, ORDER).flops:,}")

# %% tags=["try"]
check("cheaper_order")

# %% [markdown]
# ## 2. Products that read one matrix
#
# Attention multiplies its input by three matrices: $X Q$, $X K$, $X V$. With the three
# side by side it is one product, $X\,[Q\ K\ V]$, and the results are slices of it. The
# arithmetic is the same. But $X$ is read once and not three times, and one large
# product keeps a machine busy where three small ones do not.

# %% tags=["picture"]
tokens = dl.ones(28, 28), *[dl.ones(28, 16) for _ in "qkv"]
apart = dl.trace(lambda x, q, k, v: (x @ q, x @ k, x @ v), *tokens)


def joined_by_hand(x, q, k, v):
    whole = x @ dl.cat([q, k, v], 1)
    return whole[:, :16], whole[:, 16:32], whole[:, 32:]


dl.tools.draw_rewrite(apart, dl.trace(joined_by_hand, *tokens))

# %% [markdown]
# Fusion asks two things: who fits together, and does anything stand between? Here a
# product fits if it has $X$ at its left and a matrix of two dimensions at its right.
# Between stands what makes one product's right matrix depend on another's result:
#
# **By hand.** $A = X W$, $B = X V$, $C = X (U A)$. $A$ and $B$ can be one. $C$ can't
# join them: its right matrix needs $A$, so it would have to be there before itself.
#
# This says whether a node depends on another:


# %%
def depends(node, other):
    """Whether `other` has to be computed before `node`, or is `node`."""
    pending, seen = [node], set()
    while pending:
        x = pending.pop()
        if x is other:
            return True
        if x not in seen:
            seen.add(x)
            pending.extend(x.inputs)
    return False


# %% [markdown]
# `graph.users[x]` has the nodes that read `x`, in the order of the graph. One that
# reads `x` twice, as $X X$ does, is there twice.


# %%
def mates(graph):
    """Matrix products that can be one: a list of two or more nodes; [] where none can.

    All have one node at their left: the first of the graph for which there are two.
    They are taken in the order of the graph, each once, if what is at its right has two
    dimensions and depends on none that was taken before.
    """
    ### BEGIN SOLUTION (about 12 lines)
    for x in graph.nodes:
        found = []
        for node in dict.fromkeys(graph.users[x]):
            if node.op is not ops.matmul or node.inputs[0] is not x:
                continue
            right = node.inputs[1]
            between = any(depends(right, other) for other in found)
            if len(right.shape) == 2 and not between:
                found.append(node)
        if len(found) > 1:
            return found
    return []
    ### END SOLUTION


# %% tags=["try"]
check("mates")

# %% [markdown]
# ## 3. Side by side
#
# Is it worth it? Putting the weights side by side reads and writes them once more.
# **By hand**, in numbers that move, for $n$ rows of 28 and three matrices of 16
# columns: apart $3 (28 n + 448 + 16 n)$, as one $2 \cdot 1344 + 28 n + 1344 + 48 n$.
# **Predict** from which number of rows on one product moves less.

# %% tags=["picture"]
plt = dl.tools.pyplot()
rows = np.arange(1, 150)
plt.plot(rows, 4 * 3 * (28 * rows + 448 + 16 * rows) / 1e3, label="three products")
plt.plot(rows, 4 * (3 * 1344 + 76 * rows) / 1e3, label="one, and cat")
plt.title("One product moves less, if there are rows enough")
plt.xlabel("rows")
plt.ylabel("bytes moved (kB)")
dl.tools.label_ends(plt.gca())

# %% [markdown]
# The new nodes: `make(ops.cat, matrices, {"dim": d})` puts matrices side by side along
# dimension d, and `make(ops.slice_, (whole,), {"index": ...})` takes a part: its index
# is a triple (start, stop, step) for each dimension.
#
# **By hand**, for $X$ of (28, 28) and 16 columns each: $[Q\ K\ V]$ is (28, 48), the
# whole (28, 48), and the second slice has the index ((0, 28, 1), (16, 32, 1)).


# %%
def side_by_side(products):
    """{product: the slice that stands for it}, of one product for all of them.

    `products` have the same node at their left, (..., n, k), and matrices (k, m), of
    different m, at their right. Each slice has the shape of its product.
    """
    ### BEGIN SOLUTION (about 9 lines)
    x = products[0].inputs[0]
    wide = make(ops.cat, [node.inputs[1] for node in products], {"dim": 1})
    whole = make(ops.matmul, (x, wide), where=products[0].where)
    slices, start = {}, 0
    for node in products:
        stop = start + node.shape[-1]
        index = (*((0, n, 1) for n in node.shape[:-1]), (start, stop, 1))
        slices[node] = make(ops.slice_, (whole,), {"index": index}, node.where)
        start = stop
    return slices
    ### END SOLUTION


# %%
def join_products(graph):
    """The graph with one product for all that `mates` finds, group by group."""
    for _ in range(100):
        group = mates(graph)
        if not group:
            break
        graph = substitute(graph, side_by_side(group), graph.inputs)
    return dce(graph)


# %% tags=["try"]
wide = join_products(apart)
print(f"{len(apart)} operations, {apart.flops:,} FLOPs, {apart.nbytes:,} bytes")
print(f"{len(wide)} operations, {wide.flops:,} FLOPs, {wide.nbytes:,} bytes")

# %% [markdown]
# For 28 rows the bytes rise, as the picture says; for 2,800 of a batch they fall.

# %% tags=["try"]
check("side_by_side")

# %% [markdown]
# ## 4. The cheapest values to compute again
#
# Where memory is highest, so many bytes are too many. The library's `choose` takes the
# values that wait there by bytes for a FLOP, the best first. That is greedy.
#
# **By hand.** 10 kB must go. Waiting are a value of 9 kB that costs 1 kFLOP to compute
# again, one of 10 kB for 2 kFLOP, and one of 4 kB for 3 kFLOP. Greedy takes the first,
# lacks 1 kB, takes the second: 3 kFLOP. The second alone would do, for 2.
#
# Not all go together. If a value is computed again from another one, that one must
# stay.

# %% tags=["picture"]
waiting = {"a": (9, 1), "b": (10, 2), "c": (4, 3)}  # kB, kFLOP
plt = dl.tools.pyplot()
for n in (1, 2, 3):
    for chosen in combinations(waiting, n):
        freed, spent = np.sum([waiting[name] for name in chosen], 0)
        plt.plot(freed, spent, "o", color="#d9622b" if freed >= 10 else "#b8c4ce")
        plt.annotate(" ".join(chosen), (freed, spent), (7, -4),
                     textcoords="offset points")  # fmt: skip
plt.axvline(10, color="#1f2d3a", linewidth=0.8, linestyle=":")
plt.title("Greedy ends at a b; b alone is enough")
plt.xlabel("freed (kB)")
_ = plt.ylabel("to compute again (kFLOP)")

# %% [markdown]
# With few values to choose from, look at every set. There are $2^{12} = 4{,}096$ of 12.
# `combinations(drops, n)` has those of n, each as a tuple.


# %%
def cheapest(drops, needed):
    """Those of `drops` that free at least `needed` bytes for the fewest FLOPs.

    `drops` are at most 12. Each has `value`, with `value.nbytes`; `flops`, to compute
    it again; and `sources`, the set of values from which it is computed again: none of
    these may be dropped with it. Where no allowed set frees `needed` bytes, the one
    that frees most, for the fewest FLOPs. Returns a list.
    """
    ### BEGIN SOLUTION (about 11 lines)

    def allowed(chosen):
        gone = {drop.value for drop in chosen}
        return not any(drop.sources & gone for drop in chosen)

    def merit(chosen):
        freed = sum(drop.value.nbytes for drop in chosen)
        return min(freed, needed), -sum(drop.flops for drop in chosen)

    sizes = range(len(drops) + 1)
    sets = [c for n in sizes for c in combinations(drops, n) if allowed(c)]
    return list(max(sets, key=merit))
    ### END SOLUTION


# %% tags=["try"]
check("cheapest")

# %% [markdown]
# And in the library. `candidates` are the values that wait at the highest place. The
# twelve of most worth come before yours; none of these makes the memory too high where
# it is computed again. If yours bring the peak down, they are taken; else the library's
# `choose` goes on, here called `greedy`.


# %%
def choose(lives, held, budget):
    """What `rematerialise` asks: drops that bring the highest place under `budget`."""
    top = held.index(max(held))
    fitting = [
        drop for drop in candidates(lives, top)
        if held[drop.again] + drop.workspace <= max(budget, held[top] - 1)
    ]  # fmt: skip
    fitting.sort(key=lambda drop: drop.worth, reverse=True)
    mine = cheapest(fitting[:12], held[top] - budget)
    if mine and peak(dropped(lives, mine)) < held[top]:
        return mine
    return greedy(lives, held, budget)


# %% [markdown]
# ## Train on it
#
# A digit is 28 rows that look at each other, a single head of attention, and then an
# MLP whose first matrix has a narrow middle of 8.


# %%
def loss_of(x, y, q, k, v, a, b, head):
    shares = nn.functional.softmax((x @ q) @ (x @ k).mT / 4)
    mixed = (shares @ (x @ v)).reshape(len(x), 28 * 16)
    return nn.functional.cross_entropy((mixed @ (a @ b)).relu() @ head, y)


# %% [markdown]
# The graph of loss and gradients, and then your passes. **Predict** which of the three
# changes FLOPs, which the number of products, which the peak of memory. (The gradient
# of three slices is a sum of three padded parts; `join_parts` puts them side by side.)

# %% tags=["try"]
train, test = dl.data.load("mnist")
images, labels = (t.numpy() for t in train.tensors)
images = images.reshape(-1, 28, 28)
dl.manual_seed(0)
sizes = [(28, 16), (28, 16), (28, 16), (448, 8), (8, 64), (64, 10)]
weights = [dl.randn(*size) / size[0] ** 0.5 for size in sizes]
arguments = dl.tensor(images[:100]), dl.tensor(labels[:100]), *weights
forward = dl.trace(loss_of, *arguments)


def told(name, graph):
    count = sum(node.op is ops.matmul for node in graph.nodes)
    print(f"{name:<16}{graph.flops / 1e6:>6.1f} MFLOP, {count} matrix products, "
          f"peak {peak(graph) / 1e6:.2f} MB")  # fmt: skip


def step_of(forward):
    slopes = optimise(differentiate(forward, wrt=range(2, 8), value=True))
    return optimise(join_parts(slopes))


told("as written", step_of(forward))
ordered = simplify(forward, RULES + ORDER)
told("ordered", step_of(ordered))
joined = join_products(ordered)
told("joined", step_of(joined))
whole = step_of(joined)
budget = int(0.9 * peak(whole))
told("greedy", rematerialise(whole, budget).graph)
with dl.replace(greedy, choose):
    tight = rematerialise(whole, budget).graph
told("yours", tight)

# %% tags=["try"]
values = [w.numpy() for w in weights]
losses = []
for _ in range(10):
    for i in range(0, len(images), 100):
        loss, *slopes = tight(images[i : i + 100], labels[i : i + 100], *values)
        values = [w - 0.3 * slope for w, slope in zip(values, slopes)]
        losses.append(loss.item())
print(f"loss {losses[0]:.2f} -> {np.mean(losses[-10:]):.2f}")

# %% [markdown]
# ## What to look at next
#
# You can now train on a graph that your own passes made.
#
# - The gradients of $Q$, $K$ and $V$ have products with $X$ turned at their left, and
#   matrices in batches at their right. What would `mates` have to allow, and
#   `side_by_side` to do, so that these are joined as well?
# - The rule goes from one order to the next cheaper one, and may stop where two steps
#   at once would help. For a chain of products there is a way to the best order in
#   $O(n^3)$ steps. Write it as a pass, and find a chain on which the rule loses.
# - Let `cheapest` count bytes that are moved rather than FLOPs. Does it choose others?
# - Run `cse` behind `rematerialise`, and look at the peak.
