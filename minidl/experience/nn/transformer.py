"""Attention layers, a transformer block, and the GPT made of them.

B sequences, T positions, C channels, h heads of d = C / h.
"""

from math import sqrt

from ...framework.create import arange, randn
from . import functional as F
from .layers import Dropout, Embedding, Linear
from .module import Module, ModuleList
from .norm import LayerNorm


class MultiheadAttention(Module):
    """Each head attends for itself; their outputs are joined and mixed.

    As PyTorch's with `batch_first=True` and `need_weights=False`; `attn_mask` and
    `key_padding_mask` are True where a query may NOT look.
    """

    def __init__(self, embed_dim, num_heads, bias=True):
        if embed_dim % num_heads:
            raise ValueError(f"{embed_dim} channels don't make {num_heads} equal heads")
        self.num_heads = num_heads
        self.in_proj = Linear(embed_dim, 3 * embed_dim, bias)
        self.out_proj = Linear(embed_dim, embed_dim, bias)

    def forward(
        self, query, key=None, value=None, attn_mask=None, key_padding_mask=None
    ):
        """(B, T, C) and, for cross-attention, (B, S, C) twice, to (B, T, C)."""
        q, k, v = [self.heads(x) for x in self.projected(query, key, value)]
        mask = None if attn_mask is None else ~attn_mask
        if key_padding_mask is not None:
            seen = ~key_padding_mask[:, None, None, :]
            mask = seen if mask is None else mask & seen
        out = F.attention(q, k, v, mask)  # (B, h, T, d)
        B, h, T, d = out.shape
        return self.out_proj(out.permute(0, 2, 1, 3).reshape(B, T, h * d))

    def projected(self, query, key, value):
        C = query.shape[-1]
        if key is None:
            joint = self.in_proj(query)
            return [joint[..., i * C : (i + 1) * C] for i in range(3)]
        weight, bias = self.in_proj.weight, self.in_proj.bias
        return [
            F.linear(
                x,
                weight[i * C : (i + 1) * C],
                bias if bias is None else bias[i * C : (i + 1) * C],
            )
            for i, x in enumerate((query, key, key if value is None else value))
        ]

    def heads(self, x):
        B, T, C = x.shape
        return x.reshape(B, T, self.num_heads, C // self.num_heads).permute(0, 2, 1, 3)


class Block(Module):
    """Attention, then a perceptron, each on a normalised copy and added to `x`."""

    def __init__(self, dim, heads, dropout=0.0):
        self.norm1, self.attention = LayerNorm(dim), MultiheadAttention(dim, heads)
        self.norm2 = LayerNorm(dim)
        self.up, self.down = Linear(dim, 4 * dim), Linear(4 * dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, x, mask=None):
        hidden = self.attention(self.norm1(x), attn_mask=mask)
        x = x + self.dropout(hidden)
        return x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)))))


class GPT(Module):
    """Scores of the next token at each position: (B, T) integers to (B, T, vocabulary).

    The token table serves at both ends. Weights start as GPT-2's: normal with deviation
    0.02, smaller where they add to the stream of `layers` blocks.
    """

    def __init__(self, vocabulary, context, dim=128, layers=4, heads=4, dropout=0.0):
        self.context = context
        self.tokens, self.places = Embedding(vocabulary, dim), Embedding(context, dim)
        self.blocks = ModuleList(Block(dim, heads, dropout) for _ in range(layers))
        self.norm, self.dropout = LayerNorm(dim), Dropout(dropout)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                ends_branch = name.endswith(("out_proj.weight", "down.weight"))
                deviation = 0.02 / sqrt(2 * layers) if ends_branch else 0.02
                p.data[...] = (randn(*p.shape) * deviation).data
            elif name.endswith("bias"):
                p.data[...] = 0

    def forward(self, index):
        T = index.shape[-1]
        if T > self.context:
            raise ValueError(f"GPT sees {self.context} tokens at most, got {T}")
        places = arange(T, device=index.device)
        x = self.dropout(self.tokens(index) + self.places(places))
        mask = ~F.causal_mask(T, index.device)
        for block in self.blocks:
            x = block(x, mask)
        return F.linear(self.norm(x), self.tokens.weight)
