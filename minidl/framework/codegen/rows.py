"""LOOPS: rows of the operation table that bring the loops of their own kernel.

A function takes a node and gives the Kernel that computes it, its inputs x0, x1, ... in
the order of the node's, its output y0; or None where it has no loops for such a node.
All inputs lie dense in memory: the pass `dense` sees to that. (Chapter 9.)
"""

from .convolve import conv_last, conv_last_weight
from .pooling import pad, pool_last, pool_last_back

LOOPS = {
    "conv_last": conv_last,
    "conv_last_weight": conv_last_weight,
    "pool_last": pool_last,
    "pool_last_back": pool_last_back,
    "pad": pad,
}
