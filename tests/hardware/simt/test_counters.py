"""Counters against numbers worked by hand from the CUDA C++ Programming Guide.

A warp's global request moves the 32-byte sectors that its lanes touch. Shared memory
has 32 banks of 4 bytes; lanes that want different words of one bank take turns, lanes
that want one word share it.
"""

import numpy as np
import pytest

from minidl.hardware import simt


def counted(body, grid=1, threads=32, dtype=np.float32, n=4096):
    """The counters of a kernel body over `out` and `in`, n elements each."""
    kind = {"f": "float", "d": "double", "B": "unsigned char"}[np.dtype(dtype).char]
    source = (
        f"__global__ void k({kind}* out, const {kind}* in, int* count) {{\n{body}\n}}"
    )
    kernel = simt.RawKernel(source, "k")
    arrays = np.zeros(n, dtype), np.zeros(n, dtype), np.zeros(64, np.int32)
    shape = [s if isinstance(s, tuple) else (s,) for s in (grid, threads)]
    kernel(*shape, arrays)
    return kernel.counters


SECTORS = {  # name: (expression of the index, dtype, sectors a request)
    "neighbours": ("i", "f4", 4),  # 32 x 4 bytes = 128 bytes
    "stride 2": ("2 * i", "f4", 8),
    "stride 3": ("3 * i", "f4", 12),  # 372 + 4 bytes in a row
    "stride 8": ("8 * i", "f4", 32),  # each lane its own sector
    "stride 32": ("32 * i", "f4", 32),
    "one element later": ("i + 1", "f4", 5),  # bytes 4 to 131
    "eight elements later": ("i + 8", "f4", 4),  # a whole sector
    "backwards": ("31 - i", "f4", 4),
    "shuffled within a sector": ("i ^ 5", "f4", 4),
    "one element for all": ("7", "f4", 1),
    "one element for all, by lanes": ("i / 32", "f4", 1),
    "pairs share": ("i / 2", "f4", 2),
    "two rows": ("i % 16 + i / 16 * 64", "f4", 4),
    "two rows, misaligned": (
        "i % 16 + i / 16 * 65",
        "f4",
        5,
    ),  # 64 bytes from byte 260: 3
    "four columns": ("i % 4 + i / 4 * 64", "f4", 8),  # 16 bytes in each of 8 rows
    "doubles": ("i", "f8", 8),
    "doubles, stride 2": ("2 * i", "f8", 16),
    "bytes": ("i", "u1", 1),
    "bytes, stride 4": ("4 * i", "u1", 4),
    "bytes, one later": ("i + 1", "u1", 2),
}


@pytest.mark.parametrize("name", SECTORS)
def test_a_load_moves_the_sectors_that_its_lanes_touch(name):
    index, dtype, sectors = SECTORS[name]
    body = f"int i = threadIdx.x; out[i] = in[{index}];"
    load = counted(body, dtype=dtype).total("global", "load")
    assert (load.requests, load.parts, load.lanes) == (1, sectors, 32)


def test_a_store_moves_the_sectors_that_its_lanes_touch():
    store = counted("out[threadIdx.x * 4] = 1;").total("global", "store")
    assert (store.requests, store.parts) == (1, 16)


def test_a_float4_load_moves_512_bytes_in_one_request():
    body = "float4 v = ((const float4*)in)[threadIdx.x]; out[threadIdx.x] = v.x;"
    load = counted(body).total("global", "load")
    assert (load.requests, load.parts) == (1, 16)


def test_lanes_that_are_off_move_nothing():
    body = "int i = threadIdx.x; if (i < 9) out[i] = in[i];"
    load = counted(body).total("global", "load")
    assert (load.requests, load.parts, load.lanes) == (1, 2, 9)


def test_every_warp_of_every_block_asks():
    body = "int i = blockIdx.x * blockDim.x + threadIdx.x; out[i] = in[i];"
    load = counted(body, 5, 96).total("global", "load")
    assert (load.requests, load.parts) == (15, 60)


def test_a_block_of_40_threads_is_two_warps_of_which_one_has_8_lanes():
    load = counted("out[threadIdx.x] = in[threadIdx.x];", 1, 40).total("global", "load")
    assert (load.requests, load.parts) == (2, 5)


def test_a_naive_transpose_stores_32_sectors_and_a_tiled_one_4():
    naive = "int x = threadIdx.x, y = threadIdx.y; out[x * 32 + y] = in[y * 32 + x];"
    tiled = (
        "__shared__ float s[32][33]; int x = threadIdx.x, y = threadIdx.y;"
        "s[y][x] = in[y * 32 + x]; __syncthreads(); out[y * 32 + x] = s[x][y];"
    )
    stores = [counted(b, 1, (32, 32)).total("global", "store") for b in (naive, tiled)]
    assert [s.per_request for s in stores] == [32, 4]


PASSES = {  # name: (declaration, element that a lane loads, passes a request)
    "neighbours": ("float s[1024]", "s[i]", 1),
    "stride 2": ("float s[1024]", "s[2 * i]", 2),
    "stride 3": ("float s[1024]", "s[3 * i]", 1),  # odd strides meet every bank once
    "stride 4": ("float s[1024]", "s[4 * i]", 4),
    "stride 16": ("float s[1024]", "s[16 * i]", 16),
    "stride 31": ("float s[1024]", "s[31 * i]", 1),
    "stride 32": ("float s[1024]", "s[32 * i]", 32),
    "a column": ("float s[32][32]", "s[i][0]", 32),
    "a column, padded": ("float s[32][33]", "s[i][0]", 1),
    "a row": ("float s[32][32]", "s[3][i]", 1),
    "a diagonal": ("float s[32][32]", "s[i][i]", 1),
    "broadcast": ("float s[32]", "s[i * 0]", 1),
    "two words, one bank": ("float s[64]", "s[i % 2 * 32]", 2),
    "multicast": ("float s[32]", "s[i / 4]", 1),
    "rotated": ("float s[32]", "s[(i + 5) % 32]", 1),
    "a column swizzled": ("float s[32][32]", "s[i][i ^ 7]", 1),
    "bytes of one word": ("unsigned char s[64]", "s[i]", 1),
    "bytes, stride 128": ("unsigned char s[4096]", "s[i * 128]", 32),
    "shorts": ("short s[64]", "s[i]", 1),  # 16 words
}


@pytest.mark.parametrize("name", PASSES)
def test_a_shared_load_takes_a_pass_for_each_word_of_its_fullest_bank(name):
    declaration, element, passes = PASSES[name]
    size = 4096 if "char" in declaration else 1056
    fill = f"{declaration.split()[-2]}* p = ({declaration.rsplit(' ', 1)[0]}*)s;"
    fill = fill.replace("char* p", "unsigned char* p")
    length = int(
        np.prod([int(part.rstrip("]")) for part in declaration.split("[")[1:]])
    )
    body = (
        f"__shared__ {declaration}; int i = threadIdx.x; {fill}\n"
        f"for (int j = i; j < {min(size, length)}; j += 32) p[j] = 0;\n"
        f"__syncthreads();\nout[i] = {element};"
    )
    load = counted(body).total("shared", "load")
    assert (load.requests, load.parts, load.lanes) == (1, passes, 32)


def test_conflicts_are_counted_within_a_warp_only():
    body = "__shared__ float s[64]; int i = threadIdx.x; s[i] = i;"
    store = counted(body, 1, 64).total("shared", "store")
    assert (store.requests, store.parts) == (2, 2)


def test_a_float4_in_shared_memory_goes_in_four_quarters_without_conflict():
    body = "__shared__ float4 s[32]; s[threadIdx.x] = make_float4(1, 2, 3, 4);"
    store = counted(body).total("shared", "store")
    assert (store.requests, store.parts) == (4, 4)


def test_doubles_in_shared_memory_go_in_two_halves_without_conflict():
    body = "__shared__ double s[32]; s[threadIdx.x] = 1;"
    store = counted(body).total("shared", "store")
    assert (store.requests, store.parts) == (2, 2)


CONTENTION = {  # name: (address, turns)
    "one counter": ("count", 32),
    "one a lane": ("count + threadIdx.x", 1),
    "four counters": ("count + threadIdx.x % 4", 8),
    "pairs": ("count + threadIdx.x / 2", 2),
}


@pytest.mark.parametrize("name", CONTENTION)
def test_atomics_on_one_address_take_turns(name):
    address, turns = CONTENTION[name]
    counters = counted(f"atomicAdd({address}, 1);")
    assert list(counters.turns.values()) == [[1, turns]]


BRANCHES = {  # name: (body, threads, [warps that come, warps whose lanes part])
    "uniform": ("if (blockDim.x > 3) out[0] = 0;", 64, [2, 0]),
    "by halves": ("if (threadIdx.x % 32 < 16) out[0] = 0;", 64, [2, 2]),
    "by warps": ("if (threadIdx.x < 32) out[0] = 0;", 64, [2, 0]),
    "inside one warp": ("if (threadIdx.x < 40) out[0] = 0;", 64, [2, 1]),
    "the last warp's end": ("if (threadIdx.x < 70) out[0] = 0;", 70, [3, 0]),
    "nobody": ("if (threadIdx.x > 99) out[0] = 0;", 64, [2, 0]),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_a_warp_diverges_where_its_lanes_part(name):
    body, threads, wanted = BRANCHES[name]
    assert list(counted(body, 1, threads).branches.values()) == [wanted]


def test_a_loop_of_lane_many_rounds_diverges_until_one_lane_is_left():
    # Lane j runs j rounds: the test sees 32 lanes, then 31, ... then 1; each but the
    # last parts them. The last finds lane 31 alone and lets it go whole.
    counters = counted("for (int j = 0; j < threadIdx.x; ++j) ;")
    (branch,) = counters.branches.values()
    assert branch == [32, 31]


def test_the_lanes_of_a_branch_are_those_that_take_it():
    counters = counted("int i = threadIdx.x;\nif (i < 8)\n out[i] = 1;")
    assert [row for row in counters.run.values()][-1] == [1, 8]


def test_a_barrier_counts_the_warps_that_wait():
    assert counted("__syncthreads(); __syncthreads();", 3, 64).barriers == 12
