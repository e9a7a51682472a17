"""The kernels of runtime/kernels: right against NumPy in float64, and as good as their
comments claim by the counters of the simulated GPU."""

import numpy as np
import pytest
from cuda_cases import CASES, attention, matmul, row_launch, scan

import minidl as dl
from minidl.runtime import kernels

GPU = dl.devices()[1].available
NAMES = [(f, name) for f, names in kernels.families().items() for name in names]


def outputs(wanted, name):
    """The outputs, made comparable: a grid-stride sum has no fixed parts."""
    for found, values in wanted:
        yield (found.sum() if name == "reduce_grid_stride" else found), values


# ---- right


def test_every_family_has_cases():
    assert set(CASES) == set(kernels.families())


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("family,name", NAMES)
def test_a_kernel_agrees_with_numpy_and_raises_no_alarm(family, name, size, rng):
    grid, block, args, wanted = CASES[family](name, rng, size)
    kernels.kernel(family, name)(grid, block, args)
    for found, values in outputs(wanted, name):
        np.testing.assert_allclose(found, values, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", kernels.families()["attention"])
def test_attention_without_a_mask_sees_every_key(name, rng):
    grid, block, args, wanted = attention(name, rng, 2, causal=0)
    kernels.kernel("attention", name)(grid, block, args)
    np.testing.assert_allclose(*wanted[0], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["scan_hillis_steele", "scan_blelloch", "scan_warp"])
def test_three_launches_scan_more_than_a_block(name, rng):
    grid, block, (x, out, sums, n), _ = scan(name, rng, 3)
    run = kernels.kernel("scan", name)
    run(grid, block, (x, out, sums, n))
    run((1,), block, (sums.copy(), sums, np.zeros(1, "f4"), np.int32(len(sums))))
    kernels.kernel("scan", "add_offsets")(grid, block, (out, sums, n))
    np.testing.assert_allclose(out, x.cumsum(dtype="f8"), rtol=1e-4, atol=1e-4)


def found_nvrtc():
    """CUDA's own compiler, which needs no GPU."""
    try:
        from cupy.cuda import nvrtc

        nvrtc.getVersion()
    except Exception as error:
        pytest.skip(f"NVRTC is not here: {error}")
    return nvrtc


@pytest.mark.parametrize("family", list(kernels.families()))
def test_nvrtc_compiles_every_file(family):
    nvrtc = found_nvrtc()
    program = nvrtc.createProgram(kernels.source(family), f"{family}.cu", [], [])
    nvrtc.compileProgram(program, ["--gpu-architecture=compute_80"])
    text = nvrtc.getPTX(program)
    text = text if isinstance(text, str) else text.decode()
    assert all(f".entry {name}(" in text for name in kernels.families()[family])


@pytest.mark.gpu
@pytest.mark.skipif(not GPU, reason="no GPU that CuPy finds")
@pytest.mark.parametrize("family,name", NAMES)
def test_a_gpu_gives_what_the_simulated_one_gives(family, name):
    import cupy

    ours, theirs = (CASES[family](name, np.random.default_rng(0), 2) for _ in "ab")
    kernels.kernel(family, name)(*ours[:3])
    args = [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in theirs[2]]
    kernels.kernel(family, name, "cuda")(*theirs[:2], tuple(args))
    for simulated, real in zip(ours[2], args):
        if isinstance(simulated, np.ndarray):
            np.testing.assert_allclose(
                cupy.asnumpy(real), simulated, rtol=2e-5, atol=2e-5
            )


@pytest.mark.parametrize(
    "asked,words",
    [
        (("transpos", "x"), "no family of kernels 'transpos'; there are: attention, "),
        (("scan", "scn"), "no kernel 'scn' in scan.cu; there are: scan_hillis_steele"),
        (("scan", "scan_warp", "tpu"), "kernels run on 'simt' or 'cuda', not on 'tpu'"),
    ],
)
def test_an_unknown_name_is_told_what_there_is(asked, words):
    with pytest.raises(ValueError) as error:
        kernels.kernel(*asked)
    assert words in str(error.value)


@pytest.mark.skipif(GPU, reason="this machine has a GPU")
def test_a_missing_gpu_is_a_sentence():
    with pytest.raises(RuntimeError, match="device 'cuda' was asked for, but "):
        kernels.kernel("scan", "scan_warp", "cuda")


# ---- as good as claimed


def launched(family, name, grid, block, args):
    kernel = kernels.kernel(family, name)
    kernel(grid, block, args)
    return kernel


def counted(family, name, *launch):
    return launched(family, name, *launch).counters


def per_request(counters, space, what):
    """The parts of a request, for each place in the source."""
    return [
        row.per_request
        for row in counters.traffic.values()
        if (row.space, row.what) == (space, what)
    ]


def lanes_at(kernel, text):
    """How many threads ran the innermost statement of the line that holds `text`."""
    lines = kernel.source.splitlines()
    run = kernel.counters.run.items()
    return min(n[1] for i, n in run if text in lines[kernel.program.lines[i] - 1])


def divergent(counters):
    return sum(row[1] for row in counters.branches.values())


def test_vector_add_4_sectors_and_float4_a_quarter_of_the_requests():
    n = 4096
    x, out = np.ones(n, np.float32), np.zeros(n, np.float32)
    args = x, x.copy(), out, np.int32(n)
    one = counted("vector_add", "vector_add", (16,), (256,), args)
    stride = counted("vector_add", "vector_add_grid_stride", (2,), (256,), args)
    four = counted("vector_add", "vector_add_float4", (4,), (256,), args)
    for counters in (one, stride):
        assert per_request(counters, "global", "load") == [4, 4]
        assert per_request(counters, "global", "store") == [4]
    assert set(per_request(four, "global", "load")) == {16}
    assert four.total("global").requests * 4 == one.total("global").requests
    assert four.total("global").parts == one.total("global").parts == 3 * n * 4 / 32


def test_transpose_32_sectors_then_32_passes_then_one():
    x, out = np.ones((64, 64), np.float32), np.zeros((64, 64), np.float32)
    launch = (2, 2), (32, 8), (x, out, np.int32(64), np.int32(64))
    naive, tiled, padded = (
        counted("transpose", name, *launch) for name in kernels.families()["transpose"]
    )
    assert per_request(naive, "global", "load") == [4]
    assert per_request(naive, "global", "store") == [32]
    for counters in (tiled, padded):
        assert per_request(counters, "global", "store") == [4]
    assert per_request(tiled, "shared", "load") == [32]
    assert per_request(padded, "shared", "load") == [1]


def reductions(n=4096):
    x, found = np.ones(n, np.float32), {}
    for name in kernels.families()["reduction"]:
        each = {"reduce_first_add": 512, "reduce_shuffle": 512}.get(name, 256)
        count = 2 if name == "reduce_grid_stride" else n // each
        args = x, np.zeros(count, np.float32), np.int32(n)
        found[name] = counted("reduction", name, (count,), (256,), args)
    return list(found.values())


def test_reduction_each_rung_mends_what_slowed_the_one_before():
    interleaved, strided, sequential, first_add, shuffle, stride = reductions()
    # Of 8 warps a block, all diverge in the steps 1 to 16, then 4, 2, 1 of them for
    # one lane; and one at the end.
    assert divergent(interleaved) == 16 * (5 * 8 + 4 + 2 + 1 + 1)
    # 128, 64, 32 threads are whole warps; 16, 8, 4, 2, 1 are not.
    assert divergent(strided) == 16 * (5 + 1)
    assert interleaved.total("shared").per_request == 1
    assert strided.total("shared").per_request > 2
    assert sequential.total("shared").per_request == 1
    assert first_add.barriers * 2 == sequential.barriers == 16 * 8 * 9
    assert shuffle.barriers * 9 == first_add.barriers * 4
    assert stride.barriers == 2 * 8
    loads = stride.total("global", "load")
    assert loads.requests * 4 == sequential.total("global", "load").requests


def test_scan_additions_and_barriers_are_as_worked_out():
    n, found = 256, {}
    for name in kernels.families()["scan"][:3]:
        args = np.ones(n, "f4"), np.zeros(n, "f4"), np.zeros(1, "f4"), np.int32(n)
        found[name] = launched("scan", name, (1,), (256,), args)
    steele, blelloch, warp = found.values()

    additions = lanes_at(steele, "to[t] += from[t - step]")
    assert additions == sum(n - step for step in (1, 2, 4, 8, 16, 32, 64, 128)) == 1793
    up = lanes_at(blelloch, "+= part[k - step]")
    assert up + lanes_at(blelloch, "part[k] += left") == 2 * (n - 1)
    assert steele.counters.barriers == 8 * 17 and warp.counters.barriers == 8 * 2
    assert steele.shared_bytes == 2 * 256 * 4 and warp.shared_bytes == 32


def test_histogram_global_atomics_fall_to_256_a_block():
    data, counts = np.zeros(8192, np.uint8), np.zeros(256, np.uint32)
    launch = (4,), (256,), (data, counts, np.int32(8192))
    everywhere = counted("histogram", "histogram_global", *launch)
    own = counted("histogram", "histogram_shared", *launch)
    assert everywhere.total("global", "atomic").lanes == 8192
    assert own.total("global", "atomic").lanes == 4 * 256
    assert own.total("shared", "atomic").lanes == 8192


def test_softmax_32_to_4_sectors_then_three_loads_to_two_and_no_barrier():
    x, out = np.ones((128, 256), np.float32), np.zeros((128, 256), np.float32)
    args = x, out, np.int32(128), np.int32(256)
    naive, shared, online = (
        counted("softmax", name, *row_launch(name, 128), args)
        for name in kernels.families()["softmax"]
    )
    assert set(per_request(naive, "global", "load")) == {32}
    assert set(per_request(shared, "global", "load")) == {4}
    assert shared.total("global", "load").lanes == 3 * x.size
    assert online.total("global", "load").per_request == 4
    assert online.barriers == 0 and online.total("shared").requests == 0
    assert online.total("global", "load").lanes == 2 * x.size


def test_layer_norm_three_loads_to_two_and_no_barrier():
    x, out = np.ones((8, 256), np.float32), np.zeros((8, 256), np.float32)
    args = x, x[0].copy(), x[1].copy(), out
    args += np.int32(8), np.int32(256), np.float32(1e-5)
    two_pass, welford = (
        launched("layer_norm", name, *row_launch(name, 8), args)
        for name in kernels.families()["layer_norm"]
    )
    for kernel in (two_pass, welford):
        assert set(per_request(kernel.counters, "global", "load")) == {4}
    # Beside those of x, one load of `gain` and one of `bias` for each element.
    assert two_pass.counters.total("global", "load").lanes == (3 + 2) * x.size
    assert welford.counters.total("global", "load").lanes == (2 + 2) * x.size
    assert two_pass.counters.barriers > 0 == welford.counters.barriers


def test_matmul_each_rung_uses_a_number_more_often():
    m = n = k = 64
    a, b, c = (np.ones((64, 64), np.float32) for _ in range(3))
    found = {}
    for name in kernels.families()["matmul"]:
        grid, block, *_ = matmul(name, np.random.default_rng(0), 1)
        grid = (1, 1) if "register" in name else (2, 2)
        args = a, b, c, np.int32(m), np.int32(n), np.int32(k)
        found[name] = counted("matmul", name, grid, block, args)
    naive, coalesced, tiled, one, two = found.values()
    assert per_request(naive, "global", "load") == [32, 1]
    assert per_request(naive, "global", "store") == [32]
    assert per_request(coalesced, "global", "load") == [1, 4]
    assert per_request(coalesced, "global", "store") == [4]
    # For 32 of K: 32 x (1 + 4) sectors a warp before, 4 + 4 with the tiles.
    before = coalesced.total("global", "load").parts
    assert before == 20 * tiled.total("global", "load").parts
    products = m * n * k
    for counters, most in ((tiled, 2), (one, 9 / 8), (two, 1 / 8)):
        assert counters.total("shared", "load").lanes == most * products


def test_convolution_nine_loads_of_the_image_to_one_and_a_quarter():
    x, filters = np.ones((1, 34, 34), np.float32), np.ones((1, 1, 3, 3), np.float32)
    out = np.zeros((1, 32, 32), np.float32)
    args = x, filters, out, np.int32(1), np.int32(34), np.int32(34)
    direct, tiled = (
        counted("convolution", name, (2, 2, 1), (16, 16), args)
        for name in kernels.families()["convolution"]
    )
    filter_loads = 9 * out.size
    assert direct.total("global", "load").lanes - filter_loads == 9 * out.size
    image = tiled.total("global", "load").lanes - filter_loads
    assert image == 4 * 18 * 18 == pytest.approx(1.27 * out.size, rel=0.01)


def test_attention_without_scores_in_memory_reads_k_and_v_once_a_tile():
    traffic = {}
    for name in kernels.families()["attention"]:
        for size, length in ((1, 32), (2, 64)):
            arrays = [np.ones((1, length, 32), np.float32) for _ in range(4)]
            if name == "attention_naive":
                arrays.insert(3, np.zeros((1, length, length), np.float32))
            args = *arrays, np.int32(length), np.int32(0)
            grid = length // 32, 1
            counters = counted("attention", name, grid, (32,), args)
            traffic[name, size] = counters.total("global")
    for size, length in ((1, 32), (2, 64)):
        flash, naive = (
            traffic["flash_attention", size],
            traffic["attention_naive", size],
        )
        warps = length // 32
        # 32 requests for q and 32 for out, each of 32 sectors; 2 T of k and v, of 4.
        assert flash.requests == warps * (64 + 2 * length)
        assert flash.parts == warps * (64 * 32 + 2 * length * 4)
        assert naive.parts > 10 * flash.parts
