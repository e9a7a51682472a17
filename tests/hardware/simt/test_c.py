"""C on the simulated GPU against the machine's C compiler, bit for bit."""

import functools
import random
import tempfile
from pathlib import Path

import c_programs
import c_table
import numpy as np
import pytest
from c_compiler import COMPILER, Both, same_bits, varied

ROWS = list(c_table.rows())
LANES, SCALARS = 300, 5
INPUTS = varied(LANES)
FEW = {name: values[:SCALARS].copy() for name, values in INPUTS.items()}

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")


def values(functions, helpers):
    """(by C, by lanes, by scalars) of some functions, a row each."""
    both = Both(functions, helpers)
    with tempfile.TemporaryDirectory() as folder:
        c = both.by_c(INPUTS, Path(folder))
    return c, both.by_lanes(INPUTS), both.by_scalars(FEW)


@functools.cache
def of_group(group):
    rows = [(kind, body) for own, kind, body in ROWS if own == group]
    return {
        body: found for (_, body), *found in zip(rows, *values(rows, c_table.HELPERS))
    }


@functools.cache
def of_programs():
    chance = random.Random(8)
    functions = [
        ("long long", c_programs.Writer(chance).function()) for _ in range(100)
    ]
    return functions, *values(functions, c_programs.HELPERS)


def agree(body, c, lanes, scalars):
    """The first inputs on which the simulated GPU and C differ, in words; or None."""
    for how, mine, theirs in (("lanes", lanes, c), ("scalars", scalars, c[:SCALARS])):
        for i in range(len(mine)):
            if not same_bits(mine[i : i + 1], theirs[i : i + 1]):
                given = {name: column[i] for name, column in INPUTS.items()}
                return f"{body}\n{how}: {mine[i]}, C: {theirs[i]}, given {given}"
    return None


@pytest.mark.parametrize("group, kind, body", ROWS, ids=[b for *_, b in ROWS])
def test_an_expression_has_the_value_that_c_gives_it(group, kind, body):
    assert agree(body, *of_group(group)[body]) is None


def test_the_table_has_three_hundred_different_rows():
    assert len({(kind, body) for _, kind, body in ROWS}) >= 300


@pytest.mark.parametrize("number", range(100))
def test_a_program_by_chance_has_the_value_that_c_gives_it(number):
    functions, *found = of_programs()
    _, body = functions[number]
    assert agree(body, *(rows[number] for rows in found)) is None


def test_the_programs_by_chance_take_many_paths():
    _, c, _, _ = of_programs()
    assert np.mean([len(np.unique(row)) > 20 for row in c]) > 0.8
