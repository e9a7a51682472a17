"""while_loop: a body runs as long as a test holds. (Chapter 7.)

    while_loop(*state, *fixed; test, body, max_steps)

Both take the state and what is `fixed`; `body` gives the next state, in the same types.
How often it will run is not known, so no graph can keep all states. With a bound it
can: a loop of at most `max_steps` steps is a scan of that many, in which each step is
a cond, and is differentiated so. FLOPs are counted for one step, or for the bound.
"""

from ..graph import Graph, replay
from .cond import cond
from .pull import graph_of
from .scan import scan
from .several import recorded, several
from .types import dtypes_of, fit, invariant, one_element, shapes_of, truth_value


def loop_shape(*operands, test, body, max_steps):
    fit(body, operands, "the body"), fit(test, operands, "the test")
    invariant(body, len(body.outputs))
    one_element(test.outputs[0].shape)
    return shapes_of(body.outputs)


def loop_dtype(*operands, test, body, max_steps):
    truth_value(test.outputs[0].dtype)
    return dtypes_of(body.outputs)


def run(*operands, test, body, max_steps):
    state, fixed = operands[: len(body.outputs)], operands[len(body.outputs) :]
    steps = 0
    while steps != max_steps and bool(replay(test, (*state, *fixed))[0]):
        state = replay(body, (*state, *fixed))
        steps += 1
    return tuple(state)


def bounded(*operands, test, body, max_steps):
    """The last state by a scan of `max_steps` steps, which has a gradient."""
    attrs = {"test": test, "body": body, "max_steps": max_steps}
    if max_steps is None:
        return recorded(loop, operands, attrs)
    count = len(body.outputs)
    step = bounded_step(test, body)
    return scan.composed(*operands, body=step, length=max_steps, carries=count, rows=0)


def bounded_step(test, body):
    """A step that leaves the state as it is once the test has failed."""
    rest = Graph(body.inputs, body.inputs[: len(body.outputs)])

    def step(*operands):
        (going,) = replay(test, operands)
        return cond.composed(going, *operands, then=body, otherwise=rest)

    return graph_of(step, body.inputs)


def gradient(gs, outs, operands, **attrs):
    raise RuntimeError(
        "the gradient of a while_loop needs the state of every step, and nothing says "
        "how many there will be: give it max_steps, or write a scan"
    )


loop = several(
    "while_loop",
    run,
    gradient,
    bounded,
    shape=loop_shape,
    dtype=loop_dtype,
    flops=lambda result, *shapes, test, body, max_steps: (
        (test.flops + body.flops) * (max_steps or 1)
    ),
)
