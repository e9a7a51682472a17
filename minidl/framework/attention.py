"""Attention as one row: each query's mean of the values, weighted by how its key fits.

(..., T, d) queries, (..., S, d) keys, (..., S, e) values; a mask is True where a query
may look at a key and broadcasts to (..., T, S). Evaluated alone, the scores, the mask
and the softmax share one array. Where gradients are wanted, the tape records the
composition, since its weights are what the gradients need. (Chapter 3.)
"""

from math import sqrt

from . import composites
from . import shapes as rules
from .op import Op


def attention_shape(q, k, v, *mask):
    scores = rules.multiplied(q, (*k[:-2], k[-1], k[-2]))
    for m in mask:
        composites.masked_shape(scores, m, dim=-1)
    return rules.multiplied(scores, v)


def attended(xp, q, k, v, *mask):
    scores = (q * q.dtype.type(1 / sqrt(q.shape[-1]))) @ k.swapaxes(-1, -2)
    scores = composites.masked(xp, scores, *mask)
    scores -= scores.max(axis=-1, keepdims=True)
    xp.exp(scores, out=scores)
    out = scores @ v
    out /= scores.sum(axis=-1, keepdims=True)  # fewer elements to divide than scores
    return out


def composed_attention(q, k, v, *mask):
    scores = (q * (1 / sqrt(q.shape[-1]))) @ k.mT
    return composites.softmax(scores, *mask, dim=scores.ndim - 1) @ v


def attention_flops(result, q, k, v, *mask):
    scores = (*result[:-1], k[-2])
    products = rules.multiply_add(scores, q, k) + rules.multiply_add(result, scores, v)
    return products + 5 * rules.one_per_result(scores)


attention = Op(
    "attention",
    attended,
    shape=attention_shape,
    dtype=lambda q, k, v, *mask: composites.masked_dtype(
        rules.float_dtype(q, k, v), *mask, dim=-1
    ),
    flops=attention_flops,
    composed=composed_attention,
)
