"""Tensors in a file, in the safetensors format: data only, nothing that could run.

Eight bytes give the length of a header; the header is JSON, {name: dtype, shape, where
in the rest its bytes stand}; the rest is the elements, in row order, little-endian. A
file is written beside its place and moved there whole, so a crash leaves the old one.
(Chapter 3; https://huggingface.co/docs/safetensors.)
"""

import json
from math import prod
from pathlib import Path

import numpy as np

from ..framework import dtypes
from ..framework.create import tensor
from ..framework.tensor import Tensor
from .files import write_whole

NAMES = {
    "BOOL": dtypes.bool_, "U8": dtypes.uint8, "I8": dtypes.int8, "I16": dtypes.int16,
    "I32": dtypes.int32, "I64": dtypes.int64, "F16": dtypes.float16,
    "BF16": dtypes.bfloat16, "F32": dtypes.float32, "F64": dtypes.float64,
}  # fmt: skip
CODES = {dtype: code for code, dtype in NAMES.items()}
LONGEST_HEADER = 100_000_000  # bytes, as in the reference implementation


def save(tensors, path, metadata=None):
    """Writes {name: tensor}, and `metadata`, a dict from strings to strings."""
    check_names(tensors, metadata or {})
    arrays = {name: host_array(name, x) for name, x in tensors.items()}
    header, start = {"__metadata__": metadata} if metadata else {}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": CODES[array.dtype],
            "shape": array.shape,
            "data_offsets": (start, start + array.nbytes),
        }
        start += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that the elements are aligned
    elements = [array.tobytes() for array in arrays.values()]
    write_whole(path, [len(text).to_bytes(8, "little"), text, *elements])


def check_names(tensors, metadata):
    """Raises for what would make a file that nobody can read."""
    for text in (*tensors, *metadata, *metadata.values()):
        if not isinstance(text, str):
            raise TypeError(f"save: names and metadata are strings, found {text!r:.40}")
        text.encode()  # UnicodeEncodeError, a ValueError, for half a character
    if "__metadata__" in tensors:
        raise ValueError("save: no tensor can be called __metadata__, a reserved name")


def host_array(name, x):
    if not isinstance(x, Tensor):
        raise TypeError(f"save: {name} is no tensor but {type(x).__name__}")
    array = x.detach().cpu().data
    if array.dtype not in CODES:
        raise TypeError(f"save: {name} is {array.dtype}; the format knows {[*NAMES]}")
    return array


def load(path):
    """{name: tensor} as `save` wrote it, on the CPU. ValueError for any other file."""
    return read(path)[0]


def read(path):
    """({name: tensor}, metadata). ValueError that says what is wrong with the file."""
    content = Path(path).read_bytes()
    header, data = parsed(path, content)
    metadata = header.pop("__metadata__", {})
    try:
        spans = sorted(map(span, header.values()))
        arrays = {name: array_of(path, name, e, data) for name, e in header.items()}
    except (KeyError, TypeError):
        raise ValueError(
            f"{path}: an entry of its header lacks dtype, shape or data_offsets"
        ) from None
    if spans and [s for s, _ in spans] != [0, *(end for _, end in spans[:-1])]:
        raise ValueError(f"{path}: its tensors overlap or leave gaps; it is damaged")
    if spans and spans[-1][1] != len(data) or not spans and data:
        raise ValueError(
            f"{path} goes on after its last tensor: it is damaged or of another kind"
        )
    return {name: tensor(array) for name, array in arrays.items()}, metadata


def parsed(path, content):
    """(header as a dict, the elements' bytes)."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > LONGEST_HEADER:
        raise ValueError(f"{path} is no safetensors file: it does not begin as one")
    if len(content) < 8 + length:
        raise ValueError(
            f"{path} is cut short: its header has {length:,} bytes, "
            f"{len(content) - 8:,} are there"
        )
    try:
        header = json.loads(content[8 : 8 + length])
        if not isinstance(header, dict):
            raise ValueError("it is no dict")
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no safetensors file: its header: {error}"
        ) from None
    return header, memoryview(content)[8 + length :]


def span(entry):
    """(start, end) of a tensor's bytes; KeyError where there is no such pair."""
    if len(entry["data_offsets"]) != 2:
        raise KeyError("data_offsets")
    return tuple(entry["data_offsets"])


def array_of(path, name, entry, data):
    """One tensor's elements, a view of `data`."""
    (start, end), shape = span(entry), tuple(entry["shape"])
    if any(size < 0 for size in shape):
        raise ValueError(f"{path}: {name} has the shape {shape}; it is damaged")
    if entry["dtype"] not in NAMES:
        raise ValueError(f"{path}: {name} has the unknown dtype {entry['dtype']}")
    dtype = NAMES[entry["dtype"]]
    if end - start != prod(shape) * dtype.itemsize:
        raise ValueError(
            f"{path}: {name} is {entry['dtype']} {shape}, "
            f"{prod(shape) * dtype.itemsize:,} bytes, but has {end - start:,}"
        )
    if not 0 <= start <= end <= len(data):
        raise ValueError(
            f"{path} is cut short at {name}: it needs bytes {start:,} to {end:,}, "
            f"{len(data):,} are there"
        )
    return np.frombuffer(data[start:end], dtype).reshape(shape)
