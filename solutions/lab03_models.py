# %% [markdown]
# # Lab 03: Building models
#
# Chapter 3 normalised rows and columns, and gave each head of attention keys and values
# of its own. Here you write two siblings: a norm over groups of channels, and attention
# whose heads share one key and one value. The second makes the memory that a language
# model needs while it writes several times smaller. In the end a tower of twelve layers
# learns digits with your norm, and a small GPT reads with your attention.
#
# Fill in what says `write your code here`. All of minidl may be used, except the norms
# and the attention of `nn` and `nn.functional`, whose places you take: write with the
# methods of a tensor, and `nn.functional.softmax`. Run the cell, save the notebook, and
# run the check below: what is saved is checked.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(3)

# %%
from math import sqrt

import numpy as np

import minidl as dl
from minidl import nn

# %% [markdown]
# ## 1. A norm over groups of channels
#
# The result of a batch norm depends on the neighbours in the batch; with two images a
# batch they say little. A layer norm over a whole image makes one mean of channels that
# have nothing to do with each other. *GroupNorm* (Wu & He, arXiv 1803.08494) stands
# between: the channels of a sample are cut into groups of neighbours, and each group
# has a mean and a variance of its own, over its channels and all their pixels.
#
# **By hand.** A sample with four channels of one pixel, 1, 3, 10, 50, in two groups.
# The group 1, 3 has mean 2 and deviation 1 and becomes -1, 1. The group 10, 50 has mean
# 30 and deviation 20 and becomes -1, 1. Then each *channel* has its own weight and
# bias: with weights 1, 1, 1, 5 and biases 0, 0, 0, 2 the result is -1, 1, -1, 7.
#
# **Predict.** Of which numbers are mean and variance taken if there is one group, and
# if there are as many groups as channels?

# %% tags=["picture"]
plt = dl.tools.pyplot()
sample, channel = np.mgrid[0:3, 0:6]
kinds = {
    "BatchNorm": channel,
    "one group": sample,
    "GroupNorm, 3": sample * 3 + channel // 2,
    "six groups": sample * 6 + channel,
}
figure, axes = plt.subplots(1, 4, figsize=(7.2, 1.9), sharey=True)
for ax, (name, label) in zip(axes, kinds.items()):
    ax.imshow(label * 7 % 18, cmap="Blues", vmin=-6, vmax=24)
    for n, c in np.ndindex(label.shape):
        ax.text(c, n, label[n, c], ha="center", va="center", fontsize=9)
    ax.set(xlabel="channel", xticks=range(6), yticks=range(3))
    ax.set_title(name, fontsize=11, fontweight="normal")
axes[0].set_ylabel("sample")
title = "Cells with the same number share a mean, all their pixels with them"
_ = figure.suptitle(title, x=0, ha="left", fontsize=12, fontweight="bold")


# %%
def group_norm(x, groups, weight, bias, eps):
    """`x` with mean 0 and variance 1 in each group of channels, then scaled.

    `x` is (N, C, ...), with any number of dimensions after C, also none. Channels 0 to
    C / groups - 1 of a sample are its first group, and so on. A group is divided by the
    root of its variance + `eps`, where the variance is the mean of the squares of what
    is left after the mean is taken off (correction=0). Then channel c is multiplied by
    weight[c], and bias[c] is added. Shape and dtype are those of `x`; `x` stays as it
    is. ValueError that names both numbers where C channels don't make `groups` equal
    groups, and where `groups` is below 1.
    """
    ### BEGIN SOLUTION (about 9 lines)
    N, C = x.shape[:2]
    if groups < 1 or C % groups:
        raise ValueError(f"{C} channels don't make {groups} equal groups")
    grouped = x.reshape(N, groups, -1)
    mean = grouped.mean(-1, keepdim=True)
    variance = grouped.var(-1, correction=0, keepdim=True)
    unit = ((grouped - mean) / (variance + eps).sqrt()).reshape(x.shape)
    per_channel = [C] + [1] * (x.ndim - 2)
    return unit * weight.reshape(per_channel) + bias.reshape(per_channel)
    ### END SOLUTION


# %% tags=["try"]
check("group_norm")

# %% [markdown]
# A tower of twelve convolutions, started by custom: chapter 3 saw such a start shrink
# signals by a factor of 0.41 a layer, and twelve of those make 0.00002. Can it learn?
# **Predict** the accuracy of the tower as it is, and with your norm before each relu.


# %% tags=["try"]
class Normed(nn.GroupNorm):
    def forward(self, x):
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


def tower(norm):
    layers = [nn.Conv2d(1, 16, 3, stride=2, padding=1), norm(), nn.ReLU()]
    layers += [nn.Conv2d(16, 16, 3, stride=2, padding=1), norm(), nn.ReLU()]
    for _ in range(10):
        layers += [nn.Conv2d(16, 16, 3, padding=1), norm(), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * 49, 10))


digits, test = dl.data.load("mnist")
some = dl.data.TensorDataset(*digits[:2400])
figure, ax = dl.tools.pyplot().subplots()
for name, norm in {"as it is": nn.Identity, "4 groups": lambda: Normed(4, 16)}.items():
    dl.manual_seed(0)
    model, losses = tower(norm), []
    optimizer = dl.optim.Adam(model.parameters(), lr=0.003)
    for x, y in dl.data.DataLoader(some, batch_size=20, shuffle=True):
        loss = dl.train.train_step(model, optimizer, nn.CrossEntropyLoss(), x, y)
        losses.append(loss)
    ax.plot(np.arange(5, 120, 10), np.reshape(losses, (-1, 10)).mean(1), label=name)
    print(f"{name}: {dl.train.evaluate(model, test):.1%} of the test images")
ax.set(xlabel="training step", ylabel="loss (nats)")
ax.set_title("Twelve layers learn only with a norm")
dl.tools.label_ends(ax)

# %% [markdown]
# ## 2. Heads that share a key
#
# A GPT that writes looks back at the keys and values of all it has written. They are
# kept, in what is called the *KV cache*: for each token, layer and head, a key and a
# value. For long texts the cache outgrows the model, and each new token has to read all
# of it. In *multi-query attention* (Shazeer, arXiv 1911.02150) the heads differ in
# their queries only. There is one key and one value for each token, and all heads look
# at them.
#
# **By hand.** Two tokens with keys 0 and $\log 3$ and values 8 and 4, and two heads of
# one number each. At each token, head 0 asks 1 and head 1 asks -1. The first token sees
# only itself: 8, in both heads. At the second, head 0 finds the scores 0 and $\log 3$,
# shares 1/4 and 3/4, and gets 5, as in the chapter. Head 1 finds 0 and $-\log 3$,
# shares 3/4 and 1/4, and gets 7.
#
# There may be fewer queries than keys. A model that has read five tokens and reads two
# more has two new queries, and seven keys. The queries belong to the *last* positions.

# %% tags=["picture"]
plt = dl.tools.pyplot()
figure, ax = plt.subplots(figsize=(6.4, 2.6))
token = dict(ha="center", va="center", bbox=dict(boxstyle="round", fc="white"))
for place in range(7):
    kept = place < 5
    ax.text(place, 0, "k", color="#8795a1" if kept else "#1f2d3a", **token)
    if not kept:
        for head in range(3):
            ax.text(place, 1.1 + head * 0.7, f"q {head}", **token)
ax.text(-0.8, 0, "one key head", ha="right", va="center")
ax.text(-0.8, 1.8, "three query heads", ha="right", va="center")
ax.text(2, 1.8, "read before: of these only\nkey and value are kept", ha="center")
ax.set(
    xlim=(-3.3, 6.6), ylim=(-0.5, 3.0), yticks=[], xticks=range(7), xlabel="position"
)
ax.spines["left"].set_visible(False)
_ = ax.set_title("Two new tokens bring six queries and two keys")


# %%
def multi_query_attention(q, k, v):
    """What each query finds among the values up to its own position: (B, h, T, d).

    `q` is (B, h, T, d), the queries of h heads at the last T of S positions; `k` and
    `v` are (B, 1, S, d), for all heads. A query at position i sees the key of position
    j if j <= i. Its score is the product of query and key, divided by the root of d;
    its shares are the softmax of the scores it sees; the result is the mean of the
    values by these shares. ValueError where T > S, and where `k` or `v` has more than
    one head.
    """
    ### BEGIN SOLUTION (about 9 lines)
    T, S, d = q.shape[2], k.shape[2], q.shape[3]
    if T > S:
        raise ValueError(f"{T} queries can't be the last of {S} positions")
    if (k.shape[1], v.shape[1]) != (1, 1):
        raise ValueError(f"one key and value head, found {k.shape[1]}, {v.shape[1]}")
    scores = q @ k.mT / sqrt(d)
    own = dl.arange(S - T, S).reshape(T, 1)
    hidden = dl.arange(S) > own
    return nn.functional.softmax(scores.masked_fill(hidden, float("-inf"))) @ v
    ### END SOLUTION


# %% tags=["try"]
check("multi_query_attention")

# %% [markdown]
# ## 3. A layer that remembers
#
# Now the layer around it: linear layers that make queries, keys and values of tokens,
# and one that mixes what the heads found. **By hand**, for `dim = 64` and 4 heads, so
# $d = 16$: queries come from 64 x 64 weights and 64 biases, and so does the mixed
# result. The key needs 64 x 16 and 16, and so does the value: 10,400 parameters in all.
# With a key and a value for each head it would be 16,640.
#
# The layer also hands out its keys and values, and takes those of earlier tokens. So a
# text can be read in pieces: a new token costs one query, and nothing is computed
# twice.
#
# **Predict.** Llama-2-7B has 32 layers with 32 heads of 128 numbers, of two bytes each.
# How many bytes of keys and values does a token leave behind? How many with one key
# head? A text has 4,096 tokens at most; the right end of the picture is eight of them,
# read for eight users at once. (Llama-2-7B itself has 32 key heads.)

# %% tags=["picture"]
plt = dl.tools.pyplot()
figure, ax = plt.subplots()
tokens_kept = np.arange(0, 32769, 4096)
for heads, name in {32: "32 key heads", 8: "8 key heads", 1: "1 key head"}.items():
    gib = tokens_kept * (2 * 32 * heads * 128 * 2) / 2**30
    ax.plot(tokens_kept / 1024, gib, label=f"{name}: {gib[-1]:g}")
weights = 6.74e9 * 2 / 2**30
ax.axhline(weights, color="#8795a1", linewidth=1)
ax.text(0, weights + 0.3, f"weights of the model: {weights:.1f}")
ax.set(xlabel="tokens kept (thousands of 1,024)", ylabel="keys and values (GiB)")
ax.set_title("With a key for each head, the cache outgrows the model")
dl.tools.label_ends(ax)

# %% [markdown]
# The names of the attributes are part of the contract, since they are the names in a
# saved file: linear layers `query`, `key`, `value` and `out`, each with a bias. Head 0
# has the first d numbers of what `query` makes and of what `out` takes, head 1 the next
# d, and so on. One more thing you will need in `forward` is the number of heads: keep
# it under any name you like. Both methods are yours.


# %%
class MultiQueryAttention(nn.Module):
    """`heads` query heads of d = dim / heads numbers, and one key and value head."""

    def __init__(self, dim, heads):
        """ValueError that names both numbers where they make no equal heads."""
        ### BEGIN SOLUTION (about 6 lines)
        if dim % heads:
            raise ValueError(f"{dim} channels don't make {heads} equal heads")
        d = dim // heads
        self.heads = heads
        self.query, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.key, self.value = nn.Linear(dim, d), nn.Linear(dim, d)
        ### END SOLUTION

    def forward(self, x, past=None):
        """(B, T, dim) to (out, (k, v)): what the tokens find, and what is kept of them.

        `out` is (B, T, dim). `k` and `v` are (B, 1, S, d), of all S tokens so far.
        `past` is such a pair, as the call on the tokens before has returned it: they
        come first. Without it, S = T.
        """
        ### BEGIN SOLUTION (about 7 lines)
        B, T, dim = x.shape
        q = self.query(x).reshape(B, T, self.heads, -1).permute(0, 2, 1, 3)
        k, v = self.key(x).unsqueeze(1), self.value(x).unsqueeze(1)
        if past is not None:
            k, v = dl.cat([past[0], k], 2), dl.cat([past[1], v], 2)
        found = multi_query_attention(q, k, v)
        return self.out(found.permute(0, 2, 1, 3).reshape(B, T, dim)), (k, v)
        ### END SOLUTION


# %% tags=["try"]
check("MultiQueryAttention")

# %% [markdown]
# What does it cost to read one token more, after 255? We count, once from the beginning
# and once with what was kept.

# %% tags=["try"]
layer = MultiQueryAttention(64, 4)
x = dl.randn(1, 256, 64)
with dl.no_grad():
    before, kept = layer(x[:, :255])
    with dl.Ledger() as again:
        at_once, _ = layer(x)
    with dl.Ledger() as one:
        last, kept = layer(x[:, 255:], kept)
print("the same:", (last - at_once[:, 255:]).abs().max().item() < 1e-5)
print(f"from the beginning {again.flops:>12,} FLOPs {again.nbytes:>11,} bytes")
print(f"with what was kept {one.flops:>12,} FLOPs {one.nbytes:>11,} bytes")
print(f"kept: {kept[0].nbytes + kept[1].nbytes:,} bytes")

# %% [markdown]
# ## Your attention reads
#
# The chapter's GPT, with your layer in its blocks, on the same text. The levels to beat
# are the chapter's: 4.30 nats a character for one who knows nothing, 2.28 for a table
# of pairs. **Predict**: attention has 10,400 parameters in a block now, it had 16,640.
# Does that show in the loss? (Trained as here, with a key for each head, three runs
# ended at 2.02, 2.22 and 2.28.)

# %% tags=["try"]
text, held = dl.data.load("text")
tokens = dl.data.CharTokenizer(text + held)


class Block(nn.Block):
    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.attention = MultiQueryAttention(dim, heads)

    def forward(self, x, mask=None):
        x = x + self.attention(self.norm1(x))[0]
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


def surprise(scores, targets):
    return nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten())


dl.manual_seed(0)
gpt = nn.GPT(len(tokens), context=32, dim=64, layers=2, heads=4)
gpt.blocks = nn.ModuleList(Block(64, 4) for _ in range(2))
stretches = dl.data.TokenDataset(tokens.encode(text), context=32)
batches = dl.data.DataLoader(stretches, batch_size=16, shuffle=True)
optimizer = dl.optim.AdamW(gpt.parameters(), lr=0.008, betas=(0.9, 0.95))
rate = dl.optim.LambdaLR(optimizer, dl.optim.cosine(400, warmup=50, floor=0.1))
losses = []
for _, (x, y) in zip(range(400), batches):
    losses.append(dl.train.train_step(gpt, optimizer, surprise, x, y))
    rate.step()
x, y = dl.data.TokenDataset(tokens.encode(held), context=32)[::500]
with dl.no_grad():
    loss = surprise(gpt(x), y).item()
print(f"on {y.numel():,} characters it has not seen: {loss:.2f} nats a character")

# %% tags=["try"]
figure, ax = dl.tools.pyplot().subplots()
ax.plot(np.arange(5, 400, 10), np.reshape(losses, (-1, 10)).mean(1), label="your GPT")
for name, level in {"uniform": 4.30, "last character": 2.28}.items():
    ax.plot([0, 400], [level, level], linewidth=1, label=name)
ax.set(xlabel="training step", ylabel="loss (nats a character)")
ax.set_title("One key for all heads is enough to read")
dl.tools.label_ends(ax)

# %% [markdown]
# ## Where to go on
#
# 1. *Ten minutes.* Put `nn.MultiheadAttention` back and train for as many steps. Try
#    three seeds of each: is the difference of the two larger than that between seeds?
# 2. *Ten minutes.* Count the bytes that your `group_norm` moves, with `dl.Ledger`, in
#    units of those of `x`. How few can it be? (Mean and variance first; then one
#    product and one sum for each element of `x`.)
# 3. *Half an hour.* Grouped-query attention (Ainslie and others, arXiv 2305.13245) has
#    g key heads for h query heads. Which shape of `q` makes it three lines longer than
#    yours? Both multi-query and multi-head attention should come out of it.
# 4. *An hour.* Let the GPT write with the cache of each block. It knows 32 places: what
#    becomes of the kept keys when the 33rd character comes?
#
# Chapter 10 says what the bytes cost in time, and chapter 20 serves with a cache.
