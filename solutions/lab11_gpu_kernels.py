# %% [markdown]
# # Lab 11: GPU kernels
#
# Chapter 11 climbed from plain kernels to fast ones. Here you write three siblings in
# CUDA C: sums down columns, where the chapter summed along; the logarithm of a sum of
# exponentials by shuffles, where it had softmax; and a stencil, whose threads share
# what they read at the edges. Each is judged by its values and by its counters. In the
# end a network learns digits on them.
#
# Fill in the three cells that say "write your code here": each function returns its
# CUDA C as a string, `return r"""` ... `"""`. The head of the kernel and its launch
# stand above the blank. No GPU is needed; with one, the same strings run there. Save
# the notebook before you check: what is saved is checked.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(11)

# %%
import numpy as np

import minidl as dl
from minidl.hardware import simt


def launched(source, name, grid, block, *args):
    """The kernel `name` of `source`, launched once: ask it for its report()."""
    kernel = simt.RawKernel(source, name)
    kernel(grid, block, args)
    return kernel


# %% [markdown]
# ## 1. Down the columns
#
# The gradient of a bias is a sum over all rows of a matrix: one number for each column.
# The rows lie one behind the other in memory, so a column's numbers are `cols` apart.
#
# The obvious kernel gives each column to a warp, whose lanes take its rows. **Predict**
# the sectors of a request, then look.

# %% tags=["picture"]
obvious = r"""
extern "C" __global__ void down(const float* x, float* out, int rows, int cols) {
    int lane = threadIdx.x, col = blockIdx.x;
    float sum = 0.0f;
    for (int row = lane; row < rows; row += 32) sum += x[row * cols + col];
    for (int step = 16; step > 0; step /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    if (lane == 0) out[col] = sum;
}"""
x, out = np.ones((64, 64), "float32"), np.zeros(64, "float32")
kernel = simt.RawKernel(obvious, "down")
steps = simt.watch(kernel, 64, 32, (x, out, np.int32(64), np.int32(64)), line=5)
dl.tools.access({"obvious": steps})

# %% [markdown]
# Its 32 lanes touch 32 sectors, and use 4 bytes of each. Turn it round: let the lanes
# of a warp stand on 32 *neighbouring* columns and walk down together. Then a warp reads
# 128 bytes in a row, 4 sectors.
#
# One warp for 32 columns would walk a long way alone. So a block has 8 warps, 32 by 8
# threads: warp `threadIdx.y` takes the rows 0 + y, 8 + y, 16 + y, ... and has 32 sums
# in the end, one a lane. The 8 sums of a column then meet in shared memory.
#
# **By hand.** With 20 rows, which rows does warp 3 take? 3, 11 and 19. If the partial
# sums lie as `part[y][x]`, which bank is that of column $x$? Word $32 y + x$, bank $x$:
# no conflict. And as `part[x][y]`, in rows of 8?


# %%
def column_sums():
    """CUDA C of the sums of the columns of x, (rows, cols).

        extern "C" __global__ void column_sums(const float* x, float* out,
                                               int rows, int cols)

    Launch: grid cols / 32, rounded up; block (32, 8). `out` has `cols` floats. Each
    element is loaded once, by a warp that reads along a row, and all 8 warps of a block
    take part. rows and cols are any numbers from 1.
    """
    ### BEGIN SOLUTION (about 13 lines)
    return r"""
extern "C" __global__ void column_sums(const float* x, float* out, int rows, int cols) {
    __shared__ float part[8][32];
    int lane = threadIdx.x, y = threadIdx.y, col = blockIdx.x * 32 + lane;
    float sum = 0.0f;
    if (col < cols)
        for (int row = y; row < rows; row += 8) sum += x[row * cols + col];
    part[y][lane] = sum;
    __syncthreads();
    if (y == 0 && col < cols) {
        for (int i = 1; i < 8; ++i) sum += part[i][lane];
        out[col] = sum;
    }
}"""
    ### END SOLUTION


# %% tags=["try"]
x, out = np.ones((100, 64), "float32"), np.zeros(64, "float32")
shape = np.int32(100), np.int32(64)
print(launched(column_sums(), "column_sums", 2, (32, 8), x, out, *shape).report())

# %% tags=["try"]
check("column_sums")

# %% [markdown]
# ## 2. By shuffles alone
#
# The loss of a classifier subtracts $\log \sum_j e^{x_j}$, taken along each row of
# scores. A warp takes a row: lane $l$ the elements $l, l + 32, \dots$ Each lane keeps a
# maximum $m$ and a sum $s$ of $e^{x - m}$, and shrinks the sum when a greater element
# turns up. Then 32 pairs $(m, s)$ must become one.
#
# **By hand.** Two lanes have $(m, s) = (1, 2)$ and $(3, 1)$. Together: $m = 3$, and
# $s = 2 e^{1 - 3} + 1 = 1.27$. The result would be $3 + \log 1.27 = 3.24$.
#
# `__shfl_xor_sync(0xffffffffu, value, step)` hands each lane the value of lane
# `lane ^ step`. The picture shows who meets whom. **Predict**: after which steps does a
# lane know of 8 lanes? What would be missing without the first?

# %% tags=["picture"]
plt = dl.tools.pyplot()
_, ax = plt.subplots(figsize=(6.4, 2.8))
for level, step in enumerate((16, 8, 4, 2, 1)):
    for lane in range(32):
        ax.plot([lane, lane ^ step], [level, level + 1], "-", color="#8fa3b5", lw=0.7)
known = {0}  # whose values reach lane 0: from below, where it is alone
for level in range(6):
    ax.plot(sorted(known), [5 - level] * len(known), "o", color="#d9622b", markersize=4)
    known |= {lane ^ (1 << level) for lane in known}
ax.invert_yaxis()
ax.set_yticks(range(6), ["start", "xor 16", "xor 8", "xor 4", "xor 2", "xor 1"])
ax.set_title("Five exchanges bring all 32 lanes to each (here to lane 0)")
_ = ax.set_xlabel("lane")

# %% [markdown]
# Every lane must reach a shuffle that names it, also one that has no element, in a row
# shorter than 32. What pair does such a lane hold? One that changes nothing: a sum of
# 0, and the least float, `-3.402823466e38f`, as its maximum. Not -infinity: $-\infty -
# (-\infty)$ is not a number.


# %%
def log_sum_exp():
    """CUDA C of log(sum(exp(x))) along the rows of x, (rows, cols).

        extern "C" __global__ void log_sum_exp(const float* x, float* out,
                                               int rows, int cols)

    Launch: grid rows / 8, rounded up; block 256: a warp a row. `out` has `rows` floats.
    Each element is loaded once, 4 sectors a request, with no shared memory and no
    barrier. Finite for all finite x. rows and cols are any numbers from 1.
    """
    ### BEGIN SOLUTION (about 20 lines)
    return r"""
#define ALL 0xffffffffu
extern "C" __global__ void log_sum_exp(const float* x, float* out, int rows, int cols) {
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    float most = -3.402823466e38f, sum = 0.0f;
    for (int j = lane; j < cols; j += 32) {
        float value = x[row * cols + j];
        float higher = fmaxf(most, value);
        sum = sum * expf(most - higher) + expf(value - higher);
        most = higher;
    }
    for (int step = 16; step > 0; step /= 2) {
        float other = __shfl_xor_sync(ALL, most, step);
        float rest = __shfl_xor_sync(ALL, sum, step);
        float higher = fmaxf(most, other);
        sum = sum * expf(most - higher) + rest * expf(other - higher);
        most = higher;
    }
    if (lane == 0) out[row] = most + logf(sum);
}"""
    ### END SOLUTION


# %% tags=["try"]
x, out = np.zeros((8, 96), "float32"), np.zeros(8, "float32")
shape = map(np.int32, x.shape)
print(launched(log_sum_exp(), "log_sum_exp", 1, 256, x, out, *shape).report())
print(f"log 96 is {np.log(96):.4f}, found {out[0]:.4f}")

# %% tags=["try"]
check("log_sum_exp")

# %% [markdown]
# ## 3. A stencil and its halo
#
# Each result mixes its neighbours, with 9 weights:
#
# $$\text{out}_i = \sum_{k=0}^{8} w_k\, x_{i + k - 4},$$
#
# where $x$ is 0 outside of the array. The obvious kernel loads 9 numbers of $x$ a
# result, and neighbours load nearly the same ones. The picture shows the first four of
# those loads of the second warp.

# %% tags=["picture"]
obvious = r"""
extern "C" __global__ void again(const float* x, const float* w, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = 0.0f;
    for (int k = 0; k < 9; ++k) {
        int j = i + k - 4;
        if (j >= 0 && j < n)
            sum += w[k] * x[j];
    }
    if (i < n) out[i] = sum;
}"""
x, weight, out = (np.ones(size, "float32") for size in (256, 9, 256))
kernel = simt.RawKernel(obvious, "again")
steps = simt.watch(kernel, 1, 256, (x, weight, out, np.int32(256)), line=8, warp=1)
dl.tools.access([step for step in steps if step.name == "x"][:4])

# %% [markdown]
# Every frame moves the same numbers again, and off by one they lie in 5 sectors. A
# block of 256 threads needs 264 different ones: its own, and 4 on each side, the
# **halo**. Load these once into shared memory, wait, and read the neighbours there.
#
# **By hand**, for block 1: its results are 256 to 511. It needs $x$ from 252 to 515. If
# `tile[0]` holds $x_{252}$, where is $x_i$ of thread $t$? At `tile[t + 4]`. Who loads
# the last 8? And what does the block at the end of the array put where $x$ has ended?
#
# All 256 threads must reach the barrier, those behind `n` too.


# %%
def stencil():
    """CUDA C of a stencil with 9 weights over x, (n,).

        extern "C" __global__ void stencil(const float* x, const float* weight,
                                           float* out, int n)

    Launch: grid n / 256, rounded up; block 256. out[i] is the sum over k from 0 to 8 of
    weight[k] * x[i + k - 4], where x is 0 outside of 0 to n - 1. A block loads each
    element of x that it needs once, into shared memory, and reads it there without bank
    conflicts. n is any number from 1.
    """
    ### BEGIN SOLUTION (about 15 lines)
    return r"""
extern "C" __global__ void stencil(const float* x, const float* weight, float* out,
                                   int n) {
    __shared__ float tile[256 + 8];
    int t = threadIdx.x, start = blockIdx.x * 256;
    for (int k = t; k < 256 + 8; k += 256) {
        int j = start + k - 4;
        tile[k] = j >= 0 && j < n ? x[j] : 0.0f;
    }
    __syncthreads();
    if (start + t < n) {
        float mixed = 0.0f;
        for (int k = 0; k < 9; ++k) mixed += weight[k] * tile[t + k];
        out[start + t] = mixed;
    }
}"""
    ### END SOLUTION


# %% tags=["try"]
x, weight, out = (np.ones(size, "float32") for size in (512, 9, 512))
size = np.int32(512)
print(launched(stencil(), "stencil", 2, 256, x, weight, out, size).report())

# %% tags=["try"]
check("stencil")

# %% [markdown]
# ## Train on them
#
# `dl.kernel` makes each an operation of the table. The gradient of `log_sum_exp` are
# the shares $e^{x - \text{out}}$. `column_sums` adds up the gradient of a bias. The
# stencil smooths the pixels of an image along its rows before the first layer; its
# weights stay as they are. All the rest is the library's.

# %% tags=["try"]
from math import ceil, prod

from minidl import nn

sums_of = dl.kernel(
    column_sums(), "column_sums", shape=lambda x: x[1:],
    launch=lambda out, x: ((ceil(x[1] / 32),), (32, 8), *x),
)  # fmt: skip
logsumexp = dl.kernel(
    log_sum_exp(), "log_sum_exp", shape=lambda x: x[:1],
    launch=lambda out, x: ((ceil(x[0] / 8),), (256,), *x),
    vjp=lambda g, x, out: (x - out.unsqueeze(1)).exp() * g.unsqueeze(1),
)  # fmt: skip
smooth = dl.kernel(
    stencil(), "stencil", shape=lambda x, weight: x,
    launch=lambda out, x, weight: ((ceil(prod(x) / 256),), (256,), prod(x)),
)  # fmt: skip
add_bias = dl.Op(
    "add_bias", lambda xp, x, bias: x + bias, shape=lambda x, bias: x,
    vjp=(lambda g: g, lambda g: sums_of(g)),
)  # fmt: skip

# %% tags=["try"]
WEIGHT = dl.tensor([0, 0, 0, 0.25, 0.5, 0.25, 0, 0, 0], dtype="float32")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(784, 64, bias=False)
        self.bias = nn.Parameter(dl.zeros(64))
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        h = self.first(smooth(x.flatten(1), WEIGHT))
        return self.last(add_bias(h, self.bias).relu())


def loss_of(scores, y):
    return (logsumexp(scores) - scores[dl.arange(len(y)), y]).mean()


# %% [markdown]
# **Predict** the first loss, before anything is learned: ten classes, all alike.

# %% tags=["try"]
train, test = dl.data.load("mnist")
dl.manual_seed(0)
model = Net()
optimizer = dl.optim.Adam(model.parameters(), lr=3e-3)
batches = dl.data.DataLoader(train, batch_size=100, shuffle=True)
losses = [dl.train.train_step(model, optimizer, loss_of, x, y)
          for epoch in range(3) for x, y in batches]  # fmt: skip
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}")
print(f"accuracy {dl.train.evaluate(model, test):.3f}")

# %% [markdown]
# ## What to look at next
#
# You can now train on kernels of your own, checked at every access.
#
# - The stencil runs on over the end of an image's row into the next. Give it the width,
#   and put zeros there. Does the accuracy change?
# - `column_sums` with few columns and very many rows starts few blocks. Let several
#   blocks share a column: how do they join their sums, and what does
#   `estimate("A100")` say before and after?
# - `log_sum_exp` with a thread a row needs no shuffle. Count its sectors. When is it
#   the better kernel all the same?
# - Make the weights of the stencil learn: its gradient along x is a stencil too, with
#   the weights reversed.
