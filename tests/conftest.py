"""Seeds, threads and hypothesis for all tests."""

import os

os.environ.setdefault("TQDM_DISABLE", "1")

import pytest
from hypothesis import HealthCheck, settings

import minidl as dl

settings.register_profile(
    "minidl",
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("minidl")


@pytest.fixture(autouse=True)
def seeded():
    dl.manual_seed(0)


@pytest.fixture
def rng():
    import numpy as np

    return np.random.default_rng(0)
