"""What graphs of control flow must agree on, and how it is said. (Chapter 7.)"""

from ..dtypes import is_float
from ..graph import type_text


def types(nodes):
    return [(tuple(x.shape), x.dtype) for x in nodes]


def shapes_of(nodes):
    return tuple(tuple(x.shape) for x in nodes)


def dtypes_of(nodes):
    return tuple(x.dtype for x in nodes)


def floating(values):
    """Which of `values`, nodes or tensors, can have a gradient, as positions."""
    return [i for i, x in enumerate(values) if is_float(x.dtype)]


def listed(nodes):
    return "(" + ", ".join(map(type_text, nodes)) + ")"


def fit(graph, shapes, name):
    """ValueError unless the inputs of `graph` have these shapes."""
    shapes = tuple(map(tuple, shapes))
    if shapes_of(graph.inputs) != shapes:
        raise ValueError(f"{name} takes {shapes_of(graph.inputs)}, is given {shapes}")


def one_element(shape):
    if shape != ():
        raise ValueError(f"a condition is one truth value, this one is {tuple(shape)}")


def truth_value(dtype):
    if dtype.kind != "b":
        raise TypeError(f"a condition is bool, this one is {dtype}")


def invariant(body, count):
    """ValueError unless `body` gives back a state of the types that it takes."""
    for x, y in zip(body.inputs[:count], body.outputs[:count]):
        if types([x]) != types([y]):
            raise ValueError(
                f"`{x.attrs['name']}` is {type_text(x)} before a step and "
                f"{type_text(y)} after it: a loop's state keeps its type"
            )
