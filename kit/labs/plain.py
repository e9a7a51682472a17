"""Plain data as JSON and back: no pickle, so nothing that arrives can run."""

import base64
import json

import numpy as np

ARRAY = "$array"
KINDS = "biuf"


def dumps(value):
    """One line of JSON. TypeError for what is no plain data."""
    return json.dumps(packed(value))


def loads(text):
    return unpacked(json.loads(text))


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


def unpacked(value):
    if isinstance(value, dict) and set(value) == {ARRAY}:
        dtype, shape, content = value[ARRAY]
        dtype = np.dtype(dtype)
        if dtype.kind not in KINDS:
            raise ValueError(f"an array of {dtype} is no plain data")
        return np.frombuffer(base64.b64decode(content), dtype).reshape(shape).copy()
    if isinstance(value, dict):
        return {k: unpacked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unpacked(v) for v in value]
    return value
