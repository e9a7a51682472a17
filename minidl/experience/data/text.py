"""A long text as a dataset: what a language model reads, and what comes next."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...framework.create import from_numpy
from ...framework.dtypes import int64
from ...framework.tensor import Tensor
from .dataset import Dataset


class TokenDataset(Dataset):
    """Every stretch of `context` tokens: item i is (x, y), y one token further on.

    x is tokens[i : i + context], y is tokens[i + 1 : i + context + 1], int64; n tokens
    have n - context such items. A slice or a row of k indices gives x and y of shape
    (k, context). The tokens are not copied, so they may be a memory-mapped file.
    """

    def __init__(self, tokens, context):
        tokens = np.asarray(tokens)
        if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
            raise ValueError(
                "TokenDataset takes one row of integers, "
                f"found shape {tokens.shape} of {tokens.dtype}"
            )
        if not 1 <= context < len(tokens):
            raise ValueError(
                f"context {context} of {len(tokens)} tokens: it is at least 1, and one "
                "token must follow; give a longer text or a shorter context"
            )
        self.tokens, self.context = tokens, context

    def __len__(self):
        return len(self.tokens) - self.context

    def __getitem__(self, i):
        windows = sliding_window_view(self.tokens, self.context + 1)
        window = windows[i.numpy() if isinstance(i, Tensor) else i]
        x, y = window[..., :-1], window[..., 1:]
        return from_numpy(x.astype(int64)), from_numpy(y.astype(int64))  # copies

    def rows(self, indices):
        return self[indices]
