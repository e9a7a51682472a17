"""The tape: what is recorded while a program runs, so that it can be walked back.

It is the handler at the bottom of the stack. For each operation on a tensor that
requires a gradient it leaves a Node on the result: what the gradient rules will need,
and the edges to what came before. A node keeps only what some rule names, and notices
where that was overwritten. (Chapter 2.)
"""

from contextlib import contextmanager

import numpy as np

from . import ops
from .op import Stack, evaluate, stack


def tape(op, inputs, attrs):
    """Evaluates `op`; where an input requires a gradient, records a Node.

    An operation made of others that has no gradient rules is recorded as those others.
    """
    for x in inputs:
        if getattr(x, "requires_grad", False):
            break
    else:  # also where an input is no tensor: `evaluate` says so
        return evaluate(op, inputs, attrs)
    if op.composed and not op.vjp and not op.writes:
        return op.composed(*inputs, **attrs)
    out = evaluate(op, inputs, attrs)
    record(op, inputs, attrs, out)
    return out


Stack.bottom = staticmethod(tape)  # in every thread, until no_grad takes it up


def record(op, inputs, attrs, out):
    keep, keep_out, any_rule = op.signature.needs(
        tuple([x.requires_grad for x in inputs])
    )
    if any_rule and out.data.dtype.kind in "fV":
        out.requires_grad = True
        out.node = Node(op, inputs, attrs, out, keep, keep_out)


class Node:
    """One recorded operation: what its gradient rules need, and where results go."""

    __slots__ = (
        "op", "attrs", "shapes", "dtypes", "edges", "saved", "versions", "out",
        "version", "hooks", "__weakref__",
    )  # fmt: skip

    def __init__(self, op, inputs, attrs, out, keep, keep_out):
        for x in inputs:
            if x.node is not None and x.node.version != x.version[0]:
                raise RuntimeError(stale_text(op, x))
        self.op, self.attrs, self.hooks = op, attrs, None
        self.shapes = tuple([x.shape for x in inputs])
        self.dtypes = tuple([x.dtype for x in inputs])
        self.edges = tuple([x.node or x if x.requires_grad else None for x in inputs])
        self.saved = tuple([x if k else None for x, k in zip(inputs, keep)])
        self.versions = tuple([x.version[0] for x in inputs])
        # The data without the tensor: a tensor would hold its node, and the node it.
        self.out = (out.data, out.version, out.wrap) if keep_out else None
        self.version = out.version[0]

    def pull(self, g):
        """The gradients of the inputs that require one, given `g`, that of the result.

        Yields (edge, gradient); each has the shape, dtype and device of its input.
        """
        self.check_unchanged()
        scope = {"g": g, "out": self.result(), "shapes": self.shapes, **self.attrs}
        signature = self.op.signature
        scope.update(zip(signature.inputs, self.saved))
        if signature.rest:
            scope[signature.rest] = self.saved[len(signature.inputs) :]
        for i, edge in enumerate(self.edges):
            r = signature.rule_index(i)
            if edge is not None and r is not None:
                scope["i"] = i
                answer = self.op.vjp[r](*[scope[name] for name in signature.asks[r]])
                yield edge, self.fitted(i, answer)

    def result(self):
        """The result as a tensor again, still linked to this node."""
        if self.out is None:
            return None
        data, version, wrap = self.out
        out = wrap(data, version)
        out.requires_grad, out.node = True, self
        return out

    def fitted(self, i, g):
        """A rule's answer for input `i`, brought to that input's shape and dtype."""
        if not hasattr(g, "requires_grad"):
            raise TypeError(
                f"the gradient rule of {self.op.name} for input {i} must return a "
                f"tensor, returned {type(g).__name__}"
            )
        shape, dtype = self.shapes[i], self.dtypes[i]
        if g.shape != shape:
            try:
                g = ops.sum_to(g, shape)
            except ValueError:
                raise ValueError(
                    f"the gradient rule of {self.op.name} for input {i} returned shape "
                    f"{g.shape}; the input has {shape}"
                ) from None
        return g if g.dtype == dtype else ops.cast(g, dtype=dtype)

    def check_unchanged(self):
        """RuntimeError where a value that a rule needs is gone or overwritten."""
        if self.saved is None:
            raise RuntimeError(
                f"backward() a second time through {self}: the first freed what it had "
                "saved. Keep it with backward(retain_graph=True), or compute it again"
            )
        for i, (x, version) in enumerate(zip(self.saved, self.versions)):
            if x is not None and x.version[0] != version:
                raise RuntimeError(changed_text(self, f"its input {i}", x.shape))
        if self.out is not None and self.out[1][0] != self.version:
            raise RuntimeError(changed_text(self, "its result", self.out[0].shape))

    def free(self):
        self.saved = self.out = None

    def __repr__(self):
        return f"{self.op.name} of " + ", ".join(str(tuple(s)) for s in self.shapes)


def changed_text(node, what, shape):
    return (
        f"the gradient of {node} needs {what}, {tuple(shape)}, as it was, but an "
        "in-place write has changed it since. Write x = x + y rather than x += y, or "
        "clone() first"
    )


def stale_text(op, x):
    return (
        f"{op.name} of {tuple(x.shape)}: this tensor shares memory with one that was "
        "written in place after it was computed, so what the tape knows of it no "
        "longer holds. Take the view again after the write or clone() before it; write "
        "y[i] = y[i] + x rather than y[i] += x"
    )


# ---- when it is on


def is_recording():
    return stack.bottom is tape


@contextmanager
def recording(on):
    """In the block, the tape is at the bottom of the stack, or bare evaluation is."""
    outside = stack.bottom
    stack.bottom = tape if on else evaluate
    try:
        yield
    finally:
        stack.bottom = outside


def no_grad():
    """In the block (or the function it decorates), nothing is recorded."""
    return recording(False)


def enable_grad():
    """In the block, operations are recorded, also inside a `no_grad`."""
    return recording(True)


def is_view_of_leaf(x):
    """Whether `x` is a leaf that requires a gradient, or reads the memory of one."""
    vertex = x.node or x
    while isinstance(vertex, Node) and vertex.op.view:
        vertex = vertex.edges[0]
    leaf = not isinstance(vertex, Node) and vertex.requires_grad
    return leaf and vertex.version is x.version


def leaf_error(x, action):
    """The error for writing to a leaf whose gradient is wanted."""
    return RuntimeError(
        f"{action} of a leaf, {tuple(np.shape(x.data))}, that requires a gradient: the "
        "tape can't record it. Write under no_grad(), as an optimiser does"
    )
