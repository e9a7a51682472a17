"""Seeds, threads and hypothesis for all tests."""

import os

os.environ.setdefault("TQDM_DISABLE", "1")
# Test workers share the cores; two threads each would wait for one another.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest
from hypothesis import HealthCheck, settings

import minidl as dl

for profile, examples in (("minidl", 25), ("quick", 3)):
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("minidl")  # --hypothesis-profile=quick takes the other


@pytest.fixture(autouse=True)
def seeded():
    dl.manual_seed(0)


@pytest.fixture
def rng():
    import numpy as np

    return np.random.default_rng(0)
