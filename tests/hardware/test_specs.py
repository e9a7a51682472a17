"""Occupancy against hand counts by the rules of the vendor's calculator."""

import pytest

from minidl.hardware.specs import GPUS, occupancy

KB = 1024
CASES = [  # GPU, threads, registers, shared memory: blocks an SM, warps, what limits
    ("A100", 256, 32, 0, 8, 64, ["threads", "registers"]),
    ("A100", 32, 32, 0, 32, 32, ["blocks"]),
    ("A100", 1024, 64, 0, 1, 32, ["registers"]),
    ("A100", 256, 64, 0, 4, 32, ["registers"]),
    ("A100", 256, 33, 0, 6, 48, ["registers"]),  # 33 registers are given out as 40
    ("A100", 256, 255, 0, 1, 8, ["registers"]),
    ("A100", 256, 32, 48 * KB, 3, 24, ["shared memory"]),  # 49 KB each of 164
    ("A100", 48, 32, 0, 32, 64, ["blocks", "threads", "registers"]),  # 2 warps each
    ("H100", 256, 32, 48 * KB, 4, 32, ["shared memory"]),
    ("H100", 128, 32, 100 * KB, 2, 8, ["shared memory"]),
    ("T4", 1024, 32, 0, 1, 32, ["threads"]),
    ("T4", 32, 32, 0, 16, 16, ["blocks"]),
    ("T4", 256, 32, 48 * KB, 1, 8, ["shared memory"]),
    ("RTX 4090", 1024, 32, 0, 1, 32, ["threads"]),  # 48 warps hold no second block
    ("RTX 4090", 768, 32, 0, 2, 48, ["threads", "registers"]),
    ("RTX 4090", 32, 32, 0, 24, 24, ["blocks"]),
]


@pytest.mark.parametrize(
    "gpu, threads, registers, shared, blocks, warps, limits", CASES
)
def test_an_sm_holds_what_the_calculator_says(
    gpu, threads, registers, shared, blocks, warps, limits
):
    found = occupancy(threads, registers, shared, gpu)
    assert (found.blocks, found.warps) == (blocks, warps)
    assert found.limited_by == limits
    assert found.fraction == warps / GPUS[gpu].warps


def test_peak_rates_are_those_of_the_data_sheets():
    published = {"T4": 8.1e12, "A100": 19.5e12, "H100": 62e12, "RTX 4090": 82.6e12}
    for name, flops in published.items():
        assert GPUS[name].flops == pytest.approx(flops, rel=0.02)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"threads": 2048}, "1 to 1024 threads, found 2048"),
        ({"threads": 32, "registers": 300}, "1 to 255 registers, found 300"),
        ({"threads": 32, "shared_mem": 200 * KB}, "at most 166,912 bytes"),
        ({"threads": 32, "gpu": "Z9"}, "no GPU 'Z9' is known; there are: T4, A100"),
    ],
)
def test_an_impossible_block_is_refused_in_words(arguments, words):
    with pytest.raises(ValueError, match=words):
        occupancy(**arguments)
