"""Reverse-mode differentiation: the walk back along the tape.

`propagate` visits what the tape recorded in reverse, and turns the gradient of a result
into the gradients of its inputs: vector-Jacobian products, by the rules of the table.
The rules are written in operations; with the tape on during the walk, gradients have
gradients. (Chapter 2.)
"""

from . import ops
from .op import is_writable, owner
from .replace import replaceable
from .tape import Node, is_recording, recording


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
