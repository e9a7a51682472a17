# %% [markdown]
# # Lab 01: Views and windows
#
# Chapter 1 showed what shapes and strides can say. Here we write it: the rule of
# broadcasting, stretching without a copy, sliding windows without a copy, and the sum
# that takes windows back. At the end a convolutional network trains on MNIST, and every
# window in it is read and summed by your code.
#
# Four functions, of five to nine lines each, on NumPy arrays. Each has a contract, and
# `check` runs it on inputs of its own and says what holds. It reads the file, so save
# the notebook first (Ctrl-S).
#
# Not allowed, since they are what is asked: `np.broadcast_shapes`, `np.broadcast_to`,
# `np.broadcast_arrays` and `sliding_window_view`. Everything else is, and so is reading
# the library.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(1)

# %%
import numpy as np

import minidl as dl
from minidl import nn

# %% [markdown]
# ## Part 1: which shape?
#
# **By hand.** Images (64, 1, 28, 28), a scale for each of ten channels (10, 1, 1), and
# a row of numbers (28,). Written below each other, aligned at the right, and a missing
# size counts as 1. In the last column stand 28, 1 and 28: the result has 28. In the one
# before it 28, 1 and nothing, which counts as 1: 28 again. And in the other two?

# %% tags=["picture"]
plt = dl.tools.pyplot()
figure, ax = plt.subplots(figsize=(6.4, 2.4))
shapes = {"images": (64, 1, 28, 28), "scales": (10, 1, 1), "row": (28,)}
for row, (name, shape) in enumerate(shapes.items()):
    ax.text(-0.8, row, name, ha="right", va="center")
    for column, size in enumerate(shape, 4 - len(shape)):
        tint = "#cedbe5" if size > 1 else "#ffffff"
        box = {"boxstyle": "square,pad=0.4", "facecolor": tint, "edgecolor": "#50606e"}
        ax.text(column, row, f"{size:>2}", ha="center", va="center", bbox=box)
for column, size in enumerate(["?", "?", 28, 28]):
    ax.text(column, 3, size, ha="center", va="center")
ax.text(-0.8, 3, "result", ha="right", va="center")
ax.set(xlim=(-2.2, 3.6), ylim=(3.5, -0.6), xticks=range(4), yticks=[])
ax.set_xticklabels([f"dimension {i}" for i in range(-4, 0)])
ax.spines[:].set_visible(False)
_ = ax.set_title("Shapes are aligned at the right")

# %% [markdown]
# **The contract.** Any number of shapes, tuples of sizes; the result is a tuple. 0 is a
# size like any other: an empty batch meets a batch of 1, and the result is empty. With
# (64, 10) and (64,) there is no result. The error names what a reader must know to mend
# it: the two sizes, 10 and 64, and the dimension as counted from the end, here -1.


# %%
def broadcast_shapes(*shapes):
    """The common shape to which all of `shapes` can be stretched.

    Shapes are aligned at the right, and a missing size counts as 1. A size of 1 is
    stretched to the size that others have there. ValueError where two sizes differ and
    neither is 1; it names both, and the dimension, a negative number.
    """
    ### BEGIN SOLUTION (about 8 lines)
    common = []
    for dim in range(-max(map(len, shapes), default=0), 0):
        sizes = {shape[dim] for shape in shapes if len(shape) >= -dim}
        wide = sorted(sizes - {1})
        if len(wide) > 1:
            raise ValueError(f"sizes {wide} in dimension {dim} don't fit together")
        common.append(wide[0] if wide else 1)
    return tuple(common)
    ### END SOLUTION


# %% tags=["try"]
check("broadcast_shapes")

# %% [markdown]
# The library asks its rule when an addition went wrong. Put in yours, and its error has
# your words:

# %% tags=["try"]
with dl.replace(dl.ops.add, shape=broadcast_shapes):
    dl.ones(64, 10) + dl.ones(64)

# %% [markdown]
# ## Part 2: stretched, not copied
#
# A shape of (3, 4) over three cells: one row on is one cell on, one column on stays
# where it is. Below is the library's version of it. Which place does each element read?

# %% tags=["picture"]
dl.tools.explore(dl.arange(3).reshape(3, 1).expand(3, 4))

# %% [markdown]
# NumPy has a function that makes any view: memory, shape, strides. It also reads beyond
# the memory if the strides say so, and then the numbers are whatever lies there. `view`
# is that function with a guard. Parts 2 and 3 need no other.
#
# NumPy counts strides in **bytes**, the chapter counted elements: an array of `float32`
# with the shape (28, 28) has `x.strides == (112, 4)`.


# %%
def view(x, shape, strides):
    """The memory of `x`, from its first element on, by another shape and strides.

    Strides are in bytes, as x.strides has them. Read-only. ValueError where this would
    read outside of the memory.
    """
    shape, strides = tuple(shape), tuple(strides)
    result = np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)
    memory = below = x
    while (below := getattr(below, "base", None)) is not None:
        memory = below if isinstance(below, np.ndarray) else memory
    low, high = np.lib.array_utils.byte_bounds(memory)
    first, last = np.lib.array_utils.byte_bounds(result)
    beyond = (
        f"shape {shape} with strides of {strides} bytes reads bytes {first - low} to "
        f"{last - low} of a memory of {high - low}"
    )
    if result.size and not low <= first <= last <= high:
        raise ValueError(beyond)
    return result


# %% [markdown]
# **By hand.** `x` of `int64`, shape (3, 1), strides (8, 8). As (3, 4): strides (8, 0).
# As (2, 3, 4), with a new dimension in front: (0, 8, 0). The array may be a view
# already, a transposed one or one that is read backwards: its own strides say how, and
# those of the dimensions that are not stretched stay what they are.
#
# **The contract** goes one way: `x` must stretch to exactly this shape. (3,) does not
# stretch to (1,), though part 1 finds a common shape for them.


# %%
def stretch(x, shape):
    """The array `x` as a view of `shape`: nothing is copied.

    Dimensions that `x` lacks in front, and those in which its size is 1, are repeated.
    ValueError where `x` can't be stretched to `shape`; it names both shapes.
    """
    ### BEGIN SOLUTION (about 5 lines)
    if broadcast_shapes(x.shape, shape) != tuple(shape):
        raise ValueError(f"an array of shape {x.shape} doesn't stretch to {shape}")
    lead = len(shape) - x.ndim
    kept = [0 if size == 1 else step for size, step in zip(x.shape, x.strides)]
    return view(x, shape, [0] * lead + kept)
    ### END SOLUTION


# %% tags=["try"]
check("stretch")

# %% [markdown]
# ## Part 3: sliding windows
#
# A window of 3 over eight cells, moved by a step. How many windows are there, and which
# cell does window k begin at? Move the slider: some steps leave cells at the end that
# no window reads.


# %% tags=["picture"]
def windows_drawn(n, size, step):
    figure, ax = plt.subplots(figsize=(5, 2.9))
    rows = [range(n)] + [range(i, i + size) for i in range(0, n - size + 1, step)]
    for row, cells in enumerate(rows):
        for cell in cells:
            tint = "#cedbe5" if row else "#ffffff"
            box = {"boxstyle": "square", "facecolor": tint, "edgecolor": "#50606e"}
            ax.text(cell, row, cell, ha="center", va="center", bbox=box)
        ax.text(-1, row, f"window {row - 1}" if row else "x", ha="right", va="center")
    ax.set(xlim=(-3, n), ylim=(6.6, -0.6), title=f"size {size}, step {step}")
    ax.axis("off")
    plt.close(figure)
    return figure


steps = [1, 2, 3, 4]
dl.tools.player(
    [windows_drawn(8, 3, step) for step in steps],
    [f"step {step}: cells of x, and those that each window reads" for step in steps],
    start=1,
)

# %% [markdown]
# **By hand.** `x` of `int64` with the shape (8,), strides (8,); windows of 3 with a
# step of 2. The next element of a window is one cell on: 8 bytes. The next window is
# two cells on: 16. The view has the shape (3, 3) and strides (16, 8).
#
# **The contract** is that of `torch.Tensor.unfold`. Along dimension `dim` of size n
# there is now one place for each window that fits whole; what is inside a window is a
# new dimension, the last. (2, 8, 5) along dimension 1, windows of 3 with a step of 2:
# (2, 3, 5, 3). `dim` may be negative, and then counts from the end of `x`.


# %%
def unfold(x, dim, size, step):
    """The windows of `size` elements along `dim`, `step` apart, as a view.

    (..., n, ...) -> (..., count, ..., size). Nothing is copied. ValueError where no
    window fits, and where `size` or `step` is below 1; it names `size`, `step` and n.
    """
    ### BEGIN SOLUTION (about 7 lines)
    n = x.shape[dim]
    if not 1 <= size <= n or step < 1:
        raise ValueError(f"windows of {size}, {step} apart, don't fit into size {n}")
    shape, strides = list(x.shape), list(x.strides)
    shape[dim] = (n - size) // step + 1
    strides[dim] *= step
    return view(x, (*shape, size), (*strides, x.strides[dim]))
    ### END SOLUTION


# %% tags=["try"]
check("unfold")

# %% [markdown]
# Windows with two dimensions take two calls. Cut into patches of 7 x 7, a digit is a
# sentence of sixteen words, which is how a vision Transformer reads it.

# %% tags=["try"]
train, test = dl.data.load("mnist")
image = train.tensors[0][3, 0].numpy()
patches = unfold(unfold(image, 0, 7, 7), 1, 7, 7)
print(patches.shape, patches.strides)
dl.tools.images(patches.reshape(16, 7, 7), columns=4)

# %% [markdown]
# ## Part 4: the way back
#
# In training a gradient arrives for each element of each window. A pixel that nine
# windows read has a part in nine results, so it gets the sum of nine gradients. Below,
# how often each pixel of a 9 x 9 image is read by windows of 3 x 3. That is also the
# gradient that each pixel gets if every element of every window gets 1.


# %% tags=["picture"]
def readings(n, size, step):
    counts = np.zeros((n, n), int)
    corners = range(0, n - size + 1, step)
    for i in corners:
        for j in corners:
            counts[i : i + size, j : j + size] += 1
    return counts


def readings_drawn(counts, step):
    figure, ax = plt.subplots(figsize=(4, 3.8))
    ax.imshow(counts, vmin=0, vmax=16)
    for i, j in np.ndindex(*counts.shape):
        ax.text(j, i, counts[i, j], ha="center", va="center", fontsize=9)
    ax.set(xticks=[], yticks=[], title=f"Windows that read each pixel, step {step}")
    plt.close(figure)
    return figure


dl.tools.player(
    [readings_drawn(readings(9, 3, step), step) for step in steps],
    [f"9 x 9 pixels, windows of 3 x 3, step {step}" for step in steps],
    start=1,
)

# %% [markdown]
# **By hand**, in one dimension. Three windows of 3 with a step of 2, over eight cells:
#
#     g = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
#
# Window 0 adds 1, 2, 3 to cells 0, 1, 2; window 1 adds 4, 5, 6 to cells 2, 3, 4; window
# 2 adds 7, 8, 9 to cells 4, 5, 6. The result is [1, 2, 3 + 4, 5, 6 + 7, 8, 9, 0]:
# nobody read the last cell.
#
# **The contract.** `fold(g, dim, n, step)` takes the shape of what `unfold` made along
# `dim`, where `x` had size n, and gives back the shape of `x`. A negative `dim` counts
# from the end of the result. A thousand windows must not take a thousand turns of a
# loop in Python. Which elements of different windows never land in the same cell?


# %%
def fold(g, dim, n, step):
    """The windows `g` summed where they overlap: a new array, of the dtype of `g`.

    (..., count, ..., size) -> (..., n, ...): each element of `g` is added where
    `unfold` along `dim` with `step` reads it. Elements that no window reads are 0. The
    lines that run don't grow in number with `count`.
    """
    ### BEGIN SOLUTION (about 9 lines)
    *shape, size = g.shape
    dim %= len(shape)
    count, shape[dim] = shape[dim], n
    out = np.zeros(shape, g.dtype)
    cells = np.moveaxis(out, dim, 0)  # a view: what is added here is in `out`
    windows = np.moveaxis(g, dim, 0)
    for j in range(size):
        cells[j : j + step * count : step] += windows[..., j]
    return out
    ### END SOLUTION


# %% tags=["try"]
check("fold")

# %% [markdown]
# Fold what you unfolded, and every pixel has been counted as often as it was read.
# Divide by the readings, and the image is back.

# %% tags=["try"]
overlapping = unfold(unfold(image, 0, 5, 2), 1, 5, 2)
summed = fold(fold(overlapping, 1, 28, 2), 0, 28, 2)
ones = unfold(unfold(np.ones_like(image), 0, 5, 2), 1, 5, 2)
counts = fold(fold(ones, 1, 28, 2), 0, 28, 2)
dl.tools.images(np.stack([image, summed / 9, counts / 9]), ["image", "summed", "read"])
print("image is back:", np.allclose(summed, counts * image))

# %% [markdown]
# ## Your views in a network
#
# Three rows of the library's table change places with yours. `windows` and `fold` have
# several dimensions, so they call your function once for each. `dl.composed()` lets
# convolution, pooling and softmax run as what they are composed of; for speed the
# library has a row of its own for each, in which nothing of this would be seen.
#
# The network is trained twice from the same seed: by the library, and by you.
# **Predict** how far the two losses are apart. And how often is `fold` called in an
# epoch of 80 steps? There are two convolutions and two poolings, and the first
# convolution reads the images, which need no gradient.

# %% tags=["try"]
calls = {"expand": 0, "windows": 0, "fold": 0}


def my_expand(xp, x, *, shape):
    calls["expand"] += 1
    return stretch(x, shape)


def my_windows(xp, x, *, size, stride):
    calls["windows"] += 1
    lead = x.ndim - len(size)
    for i in range(len(size)):
        x = unfold(x, lead + i, size[i], stride[i])
    return x


def my_fold(xp, x, *, shape, size, stride):
    calls["fold"] += 1
    lead = len(shape) - len(size)
    for i in reversed(range(len(size))):
        x = fold(x, lead + i, shape[lead + i], stride[i])
    return x


def train_cnn():
    dl.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = dl.optim.Adam(model.parameters(), lr=0.003)
    batches = dl.data.DataLoader(train, batch_size=50, shuffle=True)
    dl.train.fit(model, optimizer, batches, test)
    return model


print("the library's:")
train_cnn()
print("with your views:")
with (
    dl.replace(dl.ops.expand, eval=my_expand),
    dl.replace(dl.ops.windows, eval=my_windows),
    dl.replace(dl.ops.fold, eval=my_fold),
    dl.composed(),
):
    model = train_cnn()
print(calls)

# %% [markdown]
# What has the first layer learned to look for? Each of its eight filters over one
# digit, by your windows:

# %% tags=["try"]
filters = model[0].weight.detach().numpy().reshape(8, 25)
places = unfold(unfold(image, 0, 5, 1), 1, 5, 1)
responses = places.reshape(24 * 24, 25) @ filters.T
dl.tools.images(responses.T.reshape(8, 24, 24), title="Eight filters see one digit")

# %% [markdown]
# ## What to look at next
#
# The losses agree to the last digit shown, or nearly: your sums add the same numbers,
# at most in another order. `fold` runs three times a step, for both poolings and for
# the second convolution. The views cost next to nothing, and still this training takes
# longer than the library's. It pays for what has to move: the sums of `fold`, and a
# copy of every window into one matrix, as in `places.reshape` above. Chapter 10 asks
# what a copy costs, and chapter 8 how to do without.
#
# Exercises beyond:
#
# 1. `responses` reads each pixel up to 25 times out of a copy. Compute it without the
#    `reshape`, by `np.einsum` on `places` and the filters as (8, 5, 5). Which is
#    faster?
# 2. `unfold` and `fold` are each other's gradient. Make a row of each, `dl.Op("unfold",
#    eval=..., vjp=...)`, and let `dl.gradcheck` say whether it is so.
# 3. The sum that takes a stretched gradient back to its shape is to `stretch` what
#    `fold` is to `unfold`. Write it for NumPy arrays, and check it against the gradient
#    that `(a + b).sum().backward()` leaves in `b.grad`.
# 4. Windows with gaps: PyTorch's `dilation` reads every second cell. Which of the
#    strides of `unfold` does that change?
# 5. Two windows of `unfold(x, 0, 3, 1)` share cells, so the view is read-only. Make it
#    writable and add 1 to all of it in place. How often is each cell increased, and
#    why?
