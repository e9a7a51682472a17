"""Plain data as JSON and back: no pickle, so nothing that arrives can run.

What arrives may be hostile. It is read within bounds, and whatever is wrong with it is
a ValueError.
"""

import base64
import json
import re
import unicodedata
from math import prod

import numpy as np

ARRAY = "$array"
KINDS = "biuf"
DTYPE = re.compile(r"[<>|=]?[biuf][1248]")
MOST_NODES = 100_000  # numbers, strings, lists and dicts in one answer
LONGEST_TEXT = 20_000
LARGEST_SIZE = 10**7  # of a dimension, also beside one that is 0


def dumps(value):
    """One line of JSON. TypeError for what is no plain data."""
    return json.dumps(packed(value))


def loads(text):
    """The value of a line. ValueError where it is none, too deep or too large."""
    try:
        value = json.loads(text)
        count_nodes(value)
        return unpacked(value)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (TypeError, OverflowError, MemoryError) as error:
        raise ValueError(str(error)) from None


def packed(value):
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind not in KINDS:
            raise TypeError(f"an array of {array.dtype} is no plain data")
        content = base64.b64encode(array.tobytes()).decode()
        return {ARRAY: [array.dtype.str, list(array.shape), content]}
    if isinstance(value, dict):
        return {str(k): packed(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [packed(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{type(value).__name__} is no plain data: arrays, numbers, strings, lists and "
        "dicts are"
    )


def count_nodes(value):
    """ValueError where there are too many values, or a string is too long."""
    waiting, count = [value], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            content = value.get(ARRAY) if len(value) == 1 else None
            waiting += [] if isinstance(content, list) else value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise ValueError(f"a string of {len(value):,} characters is too long")
        if count + len(waiting) > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES:,} values are too many")


def unpacked(value):
    if isinstance(value, dict) and set(value) == {ARRAY}:
        return array_of(value[ARRAY])
    if isinstance(value, dict):
        return {k: unpacked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unpacked(v) for v in value]
    return value


def array_of(content):
    """The array, whose shape must be that of the bytes that came."""
    if not isinstance(content, list) or len(content) != 3:
        raise ValueError("an array is its dtype, shape and content")
    dtype, shape, text = content
    if not isinstance(dtype, str) or not DTYPE.fullmatch(dtype):
        raise ValueError(f"an array of {str(dtype)[:40]} is no plain data")
    if not isinstance(shape, list) or len(shape) > 16 or not all(map(is_size, shape)):
        raise ValueError("an array's shape is a list of sizes")
    dtype, raw = np.dtype(dtype), base64.b64decode(text, validate=True)
    if len(raw) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes are no array of shape {tuple(shape)}")
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def is_size(n):
    return type(n) is int and 0 <= n <= LARGEST_SIZE


def clean(text, width=600):
    """`text` without control, bidirectional and unpaired characters, cut to `width`.

    Line ends and tabs stay. It is not escaped for HTML.
    """
    text = str(text)[: 4 * width]
    kept = (
        c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "?" for c in text
    )
    text = "".join(kept)
    return text if len(text) <= width else text[: width - 3] + "..."
