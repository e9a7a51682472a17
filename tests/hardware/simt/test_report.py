"""The report of a launch: counts worked by hand, and what its model says of them."""

import numpy as np
import pytest

from minidl.hardware import simt

ADD = """
extern "C" __global__ void add(const float* a, const float* b, float* c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}
extern "C" __global__ void spin(float* x, int rounds) {
    float v = x[threadIdx.x];
    for (int k = 0; k < rounds; k++) v = v * 0.5f + 1.0f;
    x[threadIdx.x] = v;
}
"""


def launched(n, blocks=4, threads=256):
    kernel = simt.RawKernel(ADD, "add")
    a, b, c = np.ones((3, n), np.float32)
    kernel((blocks,), (threads,), (a, b, c, np.int32(n)))
    return kernel.report()


def test_vector_addition_does_one_flop_for_twelve_bytes():
    report = launched(1024)
    assert report.flops == 1024
    assert report.nbytes == 3 * 4 * 1024
    assert report.intensity == pytest.approx(1 / 12)


def test_lanes_beyond_the_end_count_as_idle_but_ask_for_nothing():
    report = launched(1000)
    assert report.flops == 1000
    assert report.nbytes == 3 * 4 * 1000
    assert report.efficiency < 1
    (guard,) = [line for line in report.lines() if "if (i < n)" in line.text]
    assert guard.branches == (32, 1)  # 1,000 = 31 warps and 8 lanes


def test_every_round_of_a_loop_is_counted():
    kernel = simt.RawKernel(ADD, "spin")
    kernel((1,), (64,), (np.ones(64, np.float32), np.int32(10)))
    assert kernel.report().flops == 64 * 10 * 2
    assert kernel.report().instructions["fma"] == 2 * 10  # of two warps


def test_the_modelled_time_is_that_of_the_slowest_resource():
    report = launched(1 << 20, blocks=4096)
    estimate = report.estimate("A100")
    assert estimate.bottleneck == "global memory"
    assert estimate.seconds == pytest.approx(3 * 4 * 2**20 / 1555e9)
    assert estimate.seconds == max(estimate.parts.values())
    assert "modelled" in repr(estimate)


def test_a_gpu_of_more_bandwidth_is_modelled_faster():
    report = launched(1 << 20, blocks=4096)
    times = [report.estimate(gpu).seconds for gpu in ("T4", "A100", "H100")]
    assert times == sorted(times, reverse=True)


def test_the_report_shows_the_source_with_what_each_line_cost():
    words = repr(launched(1000))
    assert "if (i < n) c[i] = a[i] + b[i];" in words
    assert "^ global load: 3.9 sectors a request" in words  # (31 * 4 + 1) / 32
    assert "^ 1 of 32 warps diverge" in words


def test_without_a_launch_there_is_no_report():
    with pytest.raises(RuntimeError, match="launch it first"):
        simt.RawKernel(ADD, "add").report()


def test_watching_shows_the_bytes_that_a_warp_touches_step_by_step():
    kernel = simt.RawKernel(ADD, "add")
    a, b, c = np.ones((3, 64), np.float32)
    steps = simt.watch(kernel, (1,), (64,), (a, b, c, np.int32(40)), line=4, warp=1)
    assert [(s.name, s.what) for s in steps] == [
        ("a", "load"), ("b", "load"), ("c", "store"),
    ]  # fmt: skip
    for step in steps:
        assert step.nbytes[:8] == tuple(range(128, 160, 4))
        assert step.nbytes[8:] == (None,) * 24
        assert step.parts == 1
