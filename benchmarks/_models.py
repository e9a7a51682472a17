"""The models of the benchmarks, the same in minidl and in PyTorch, and their steps.

MLP    784-256-128-10, batch 64, SGD with momentum
CNN    convolutions 1-16-32 of 3 x 3, each pooled 2 x 2, a linear layer, batch 64, SGD
GPT    4 layers, width 128, 4 heads, 64 tokens, batch 16, vocabulary 65, AdamW
"""

from functools import partial

import numpy as np

import minidl as dl
from minidl import nn

SIZES = (784, 256, 128, 10)
V, T, C, HEADS, LAYERS = 65, 64, 128, 4, 4


def images(shape):
    draw = np.random.default_rng(0)
    return draw.random((64, *shape), np.float32), draw.integers(0, 10, 64)


def tokens():
    return np.random.default_rng(0).integers(0, V, (2, 16, T))


def mlp(lib):
    layers = [lib.Linear(a, b) for a, b in zip(SIZES, SIZES[1:])]
    return lib.Sequential(layers[0], lib.ReLU(), layers[1], lib.ReLU(), layers[2])


def cnn(lib):
    return lib.Sequential(
        lib.Conv2d(1, 16, 3, padding=1), lib.ReLU(), lib.MaxPool2d(2),
        lib.Conv2d(16, 32, 3, padding=1), lib.ReLU(), lib.MaxPool2d(2),
        lib.Flatten(), lib.Linear(32 * 49, 10),
    )  # fmt: skip


def gpt(lib):
    return nn.GPT(V, T, C, LAYERS, HEADS) if lib is nn else torch_gpt()


def torch_gpt():
    """The GPT with PyTorch's own fused attention."""
    import torch
    from torch.nn import functional as F

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = torch.nn.LayerNorm(C), torch.nn.LayerNorm(C)
            self.joint, self.mix = torch.nn.Linear(C, 3 * C), torch.nn.Linear(C, C)
            self.up, self.down = torch.nn.Linear(C, 4 * C), torch.nn.Linear(4 * C, C)

        def forward(self, x):
            joint = self.joint(self.norm1(x)).view(-1, T, 3, HEADS, C // HEADS)
            q, k, v = joint.permute(2, 0, 3, 1, 4)
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.mix(seen.transpose(1, 2).reshape(-1, T, C))
            return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class GPT(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = (
                torch.nn.Embedding(V, C),
                torch.nn.Embedding(T, C),
            )
            self.blocks = torch.nn.Sequential(*[Block() for _ in range(LAYERS)])
            self.norm = torch.nn.LayerNorm(C)

        def forward(self, index):
            x = self.tokens(index) + self.places.weight
            return self.norm(self.blocks(x)) @ self.tokens.weight.T

    return GPT()


MODELS = {  # name: (model, batch, optimiser, its settings)
    "MLP": (mlp, lambda: images((784,)), "SGD", {"lr": 0.05, "momentum": 0.9}),
    "CNN": (cnn, lambda: images((1, 28, 28)), "SGD", {"lr": 0.05, "momentum": 0.9}),
    "GPT": (gpt, tokens, "AdamW", {"lr": 1e-3}),
}


def loss(cross_entropy, logits, y):
    return cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def minidl_step(name, wrap=lambda step: step):
    make, batch, optimiser, settings = MODELS[name]
    model, (x, y) = make(nn), map(dl.from_numpy, batch())
    optimizer = getattr(dl.optim, optimiser)(model.parameters(), **settings)
    of = partial(loss, nn.functional.cross_entropy)
    step = wrap(dl.train.train_step)
    return lambda: step(model, optimizer, of, x, y)


def torch_step(name, compile=False):
    import torch

    torch.set_num_threads(2)
    make, batch, optimiser, settings = MODELS[name]
    model, (x, y) = make(torch.nn), map(torch.from_numpy, batch())
    forward = torch.compile(model) if compile else model
    optimizer = getattr(torch.optim, optimiser)(model.parameters(), **settings)

    def step():
        optimizer.zero_grad()
        value = loss(torch.nn.functional.cross_entropy, forward(x), y)
        value.backward()
        optimizer.step()
        return value.item()

    return step
