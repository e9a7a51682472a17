"""Reverse-mode differentiation: a tape that records, and a walk that pulls back.

The tape is the handler at the bottom of the stack. For each operation on a tensor that
requires a gradient it leaves a Node on the result: the rule's needs and the edges to
what came before. `propagate` visits the nodes in reverse and turns the gradient of a
result into the gradients of its inputs (vector-Jacobian products). The rules are
written in operations, so with the tape on during the walk, gradients have gradients.
(Chapter 2.)
"""

from contextlib import contextmanager

import numpy as np

from . import ops
from .op import Stack, evaluate, is_writable, owner, stack
from .replace import replaceable


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
    if any_rule and out.data.dtype.kind == "f":
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


@replaceable
def topological_order(roots):
    """All that `roots` depend on, each vertex before what it was computed from.

    A vertex is a Node or a leaf tensor; `vertex.edges` are the vertices before it.
    """
    order, seen = [], set()
    pending = [(root, False) for root in roots]
    while pending:
        vertex, done = pending.pop()
        if done:
            order.append(vertex)
        elif id(vertex) not in seen:
            seen.add(id(vertex))
            pending.append((vertex, True))
            pending.extend((edge, False) for edge in vertex.edges if edge is not None)
    return order[::-1]


@replaceable
def propagate(seeds, keep_graph=False):
    """Pulls gradients back from `seeds`, pairs (vertex, gradient), through the tape.

    Yields (vertex, gradient) once for each vertex, when its gradient is whole: after
    every use of its value has added its part. Frees nodes on the way unless
    `keep_graph`.
    """
    sums = {}
    for vertex, g in seeds:
        sums[vertex] = sums[vertex] + g if vertex in sums else g
    for vertex in topological_order(list(sums)):
        if vertex not in sums:
            continue  # no rule passed anything on to it
        g = sums.pop(vertex)
        g = hooked(vertex, g)
        yield vertex, g
        if isinstance(vertex, Node):
            for edge, part in vertex.pull(g):
                sums[edge] = sums[edge] + part if edge in sums else part
            if not keep_graph:
                vertex.free()


def hooked(vertex, g):
    """The gradient `g` of `vertex`, or what its hooks put in its place."""
    for hook in vertex.hooks or ():
        answer = hook(g)
        if answer is not None:
            if getattr(answer, "shape", None) != g.shape:
                raise TypeError(
                    f"a hook must return None or a tensor of {tuple(g.shape)}, as the "
                    f"gradient it was given; it returned {answer!r:.60}"
                )
            g = answer
    return g


def backward(output, gradient=None, retain_graph=None, create_graph=False):
    """Adds the gradient of `output` to `.grad` of each leaf it was computed from.

    `gradient` is that of `output`, which may be left out where it has one element. The
    graph is freed unless `retain_graph`; `create_graph` records the walk itself, so
    that gradients can be differentiated again.
    """
    keep_graph = create_graph if retain_graph is None else retain_graph
    given = set()
    with recording(create_graph):
        seed = seed_of(output, gradient)
        given.add(id(owner(seed.data)))
        for vertex, g in propagate([(output.node or output, seed)], keep_graph):
            if not isinstance(vertex, Node):
                g = own(g, given)
                vertex.grad = g if vertex.grad is None else vertex.grad + g


def own(g, given):
    """`g` in memory of its own: an in-place write to it changes nothing else."""
    key = id(owner(g.data))
    if key in given or not (g.data.flags.c_contiguous and is_writable(g.data)):
        return ops.copy(g, device=g.device)
    given.add(key)
    return g


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    allow_unused=False,
):
    """The gradients of `outputs` with respect to `inputs`; no `.grad` changes.

    Takes one tensor or a sequence on either side and always returns a tuple. Raises
    RuntimeError for an input that no output depends on; None with `allow_unused`.
    """
    outputs, inputs = as_tuple(outputs), as_tuple(inputs)
    for x in (*outputs, *inputs):
        if not hasattr(x, "requires_grad"):
            raise TypeError(f"grad takes tensors, got {type(x).__name__}")
    keep_graph = create_graph if retain_graph is None else retain_graph
    given = [None] * len(outputs) if grad_outputs is None else as_tuple(grad_outputs)
    if len(given) != len(outputs):
        raise ValueError(
            f"grad of {len(outputs)} outputs, given {len(given)} gradients"
        )
    with recording(create_graph):
        seeds = [(y.node or y, seed_of(y, g)) for y, g in zip(outputs, given)]
        found = dict(propagate(seeds, keep_graph))
    answers = tuple(found.get(x.node or x) for x in inputs)
    for i, (x, answer) in enumerate(zip(inputs, answers)):
        if answer is None and not allow_unused:
            reason = "takes no part in computing the outputs"
            reason = reason if x.requires_grad else "does not require a gradient"
            raise RuntimeError(f"input {i}, {tuple(x.shape)}, {reason}")
    return answers


def as_tuple(tensors):
    return tuple(tensors) if isinstance(tensors, list | tuple) else (tensors,)


def seed_of(output, gradient):
    """The gradient to begin with: the one given, or 1 for a single element."""
    shape = tuple(output.shape)
    if not output.requires_grad:
        raise RuntimeError(
            f"the output, {shape} {output.dtype}, has no gradient to give: nothing it "
            "was computed from has requires_grad=True, or it was computed under no_grad"
        )
    if gradient is None:
        if output.numel() != 1:
            raise RuntimeError(
                f"backward() of {shape} needs the gradient of each of its "
                f"{output.numel()} elements: pass one of that shape, or reduce to a "
                "scalar"
            )
        return output.wrap(output.device.xp.ones(shape, output.dtype))
    gradient = output.operand(gradient)
    if tuple(gradient.shape) != shape:
        raise ValueError(
            f"the gradient given has {tuple(gradient.shape)}; the output {shape}"
        )
    return gradient


def vjp(function, *primals):
    """(function(*primals), pull): `pull(v)` is the tuple of gradients of the primals.

    `v` has the shape of the result. `pull` may be called again and differentiated.
    """
    inputs = [x.detach().requires_grad_() for x in primals]
    with recording(True):
        output = function(*inputs)

    def pull(v):
        return grad(output, inputs, v, retain_graph=True, create_graph=is_recording())

    return output, pull


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
