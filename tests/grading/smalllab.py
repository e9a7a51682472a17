"""A small lab and its notebooks, for the tests of grading."""

import json

import pytest

from kit.grading import sandbox

CHECKER = """
import numpy as np
from kit.labs.parts import Part, Property, same

def numbers(rng):
    yield {"x": np.arange(3.0)}
    yield {"x": rng.random(4)}

def words(rng):
    yield {"text": "ab"}
    yield {"text": "".join(rng.choice(list("abcdef"), 9))}

def call_double(lab, x):
    return lab.double(x)

def judge_double(result, x):
    return same(2 * x, result)

def judge_back(result, text):
    return None if result == text[::-1] else f"expected {text[::-1]!r}, found {result!r}"

DOUBLE = Part("double", ("double",), (
    Property("it doubles", numbers, call_double, judge_double, "two times"),
    Property("it doubles no text", lambda rng: [{}], lambda lab: refused(lab),
             lambda result: None if result == "refused" else "it went through",
             "raise TypeError"),
), seconds=2)
BACK = Part("back", ("back",), (
    Property("it turns round", words, lambda lab, text: lab.back(text), judge_back,
             "from the end"),
), points=5, seconds=2)

def refused(lab):
    try:
        lab.double("a")
    except TypeError:
        return "refused"

PARTS = [DOUBLE, BACK]
"""  # noqa: E501
RIGHT = """
def double(x):
    if isinstance(x, str):
        raise TypeError("no text")
    return x * 2

def back(text):
    return text[::-1]
"""
SEED = "5eed" * 16

needs_sandbox = pytest.mark.skipif(
    "trouble" in sandbox.state(), reason=f"no sandbox: {sandbox.state().get('trouble')}"
)


def notebook(*sources, **metadata):
    """The text of a notebook whose code cells have these sources."""
    cells = [
        {"cell_type": "code", "source": s, "metadata": {}, "outputs": [],
         "execution_count": None} for s in sources
    ]  # fmt: skip
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4,
                       "nbformat_minor": 5})  # fmt: skip
