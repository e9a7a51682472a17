"""Tree: a nest of tuples, lists and dictionaries as a row of leaves, and back.

Carries, states and results of control flow may be nests; a node of a graph has a row of
results. (Chapter 7.)
"""


def flatten(value):
    """(leaves, build): `build(leaves)` is `value` again, with those leaves.

    None is a nest with nothing in it.
    """
    if value is None:
        return [], lambda new: None
    if isinstance(value, dict):
        keys = list(value)
        leaves, build = flatten([value[k] for k in keys])
        return leaves, lambda new: dict(zip(keys, build(new)))
    if not isinstance(value, tuple | list):
        return [value], lambda new: new[0]
    parts = [flatten(v) for v in value]
    return [leaf for leaves, _ in parts for leaf in leaves], joiner(value, parts)


def joiner(value, parts):
    """The function that makes a sequence such as `value` of all its leaves."""
    kind = type(value)

    def build(new):
        new, made = list(new), []
        for leaves, part in parts:
            made.append(part(new[: len(leaves)]))
            new = new[len(leaves) :]
        return kind(*made) if hasattr(value, "_fields") else kind(made)

    return build


def form(value):
    """The nesting alone, to compare: `form((1, [2])) == (".", ["."])`."""
    if isinstance(value, dict):
        return {k: form(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        parts = [form(v) for v in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    return None if value is None else "."
