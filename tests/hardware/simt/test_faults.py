"""Planted defects: each is found, with its kind, its line, its block and its thread.

A row is (kind, block, thread, grid, threads, source). The body stands in
`k(float* out, const float* in, int* count, int n)`, n = 64; the arrays have 64 elements.
A source with functions of its own is the whole file.
"""

# ruff: noqa: E501 -- kernels in strings

import numpy as np
import pytest

from minidl.hardware import simt
from minidl.hardware.simt.faults import KINDS

HEAD = "__global__ void k(float* out, const float* in, int* count, int n) {\n"
I = "int i = blockIdx.x * blockDim.x + threadIdx.x;\n"  # noqa: E741

DEFECTS = {
    # ---- out of bounds
    "no guard": ("out of bounds", 2, 0, 3, 32, I + "out[i] = 1; // <-- here"),
    "guard off by one": ("out of bounds", 2, 0, 3, 32, I + "if (i <= n)\n out[i] = 1; // <-- here"),
    "load behind the end": ("out of bounds", 1, 31, 2, 32, I + "out[i] = in[i + 1]; // <-- here"),
    "load before the start": ("out of bounds", 0, 0, 2, 32, I + "out[i] = in[i - 1]; // <-- here"),
    "stencil without its edge": ("out of bounds", 0, 0, 1, 64, I + "float t = in[i];\nif (i < n - 1)\n t += in[i - 1]; // <-- here\nout[i] = t;"),
    "pointer walks off": ("out of bounds", 0, 0, 1, 1, "const float* p = in;\nfloat t = 0;\nfor (int j = 0; j <= n; ++j)\n t += *p++; // <-- here\nout[0] = t;"),
    "negative through unsigned": ("out of bounds", 0, 0, 1, 32, "unsigned j = threadIdx.x - 1;\nout[threadIdx.x] = in[j]; // <-- here"),
    "one element of a float4 too many": ("out of bounds", 0, 16, 1, 32, "float4 v = ((const float4*)in)[threadIdx.x]; // <-- here\nout[threadIdx.x] = v.x;"),
    "through a device function": ("out of bounds", 0, 20, 1, 32, "__device__ float at(const float* p, int j) {\n return p[j * 3 + 4]; // <-- here\n}\n" + HEAD + "out[threadIdx.x] = at(in, threadIdx.x);\n}"),
    "null pointer": ("out of bounds", 0, 0, 1, 32, "const float* p = 0;\nif (n > 100) p = in;\nout[threadIdx.x] = p[threadIdx.x]; // <-- here"),
    "atomic out of bounds": ("out of bounds", 0, 1, 1, 32, "atomicAdd(&count[threadIdx.x * 64], 1); // <-- here"),
    "shared too long": ("out of bounds", 0, 16, 1, 32, "__shared__ float s[16];\ns[threadIdx.x] = 1; // <-- here"),
    "shared negative": ("out of bounds", 0, 0, 1, 16, "__shared__ float s[16];\nint j = threadIdx.x;\ns[j - 1] = 1; // <-- here"),
    "inner dimension": ("out of bounds", 0, 8, 1, 32, "__shared__ float s[8][8];\ns[0][threadIdx.x] = 1; // <-- here"),
    "shared by pointer": ("out of bounds", 0, 15, 1, 16, "__shared__ float s[16];\nfloat* p = s + 1;\np[threadIdx.x] = 1; // <-- here"),
    "dynamic shared": ("out of bounds", 0, 16, 1, 32, "extern __shared__ float s[];\ns[threadIdx.x] = 1; // <-- here"),
    "local too long": ("out of bounds", 0, 0, 1, 32, "float t[4];\nfor (int j = 0; j <= 4; ++j)\n t[j] = j; // <-- here\nout[threadIdx.x] = t[0];"),
    "local by lane": ("out of bounds", 0, 4, 1, 32, "float t[4] = {0};\nint j = threadIdx.x;\nt[j] = 1; // <-- here\nout[j] = t[0];"),
    "local row": ("out of bounds", 0, 3, 1, 32, "int t[2][3] = {{0}};\nint j = threadIdx.x;\nt[0][j] = 1; // <-- here\nout[j] = t[0][0];"),
    "local by pointer": ("out of bounds", 0, 0, 1, 32, "int t[3] = {1, 2, 3};\nint* p = t + 2;\nout[threadIdx.x] = p[1]; // <-- here"),
    # ---- misaligned
    "float4 from an odd start": ("misaligned access", 0, 0, 1, 8, "float4 v = *reinterpret_cast<const float4*>(in + 1); // <-- here\nout[threadIdx.x] = v.x;"),
    "float2 from odd elements": ("misaligned access", 0, 1, 1, 8, "float2 v = *(const float2*)&in[threadIdx.x]; // <-- here\nout[threadIdx.x] = v.x;"),
    "double from a float": ("misaligned access", 0, 1, 1, 8, "double* p = (double*)(out + threadIdx.x);\n*p = 1; // <-- here"),
    "float4 in shared memory": ("misaligned access", 0, 1, 1, 8, "__shared__ float s[64];\nfloat4* p = (float4*)(s + threadIdx.x);\n*p = make_float4(0, 0, 0, 0); // <-- here"),
    # ---- uninitialised
    "shared never written": ("uninitialised read", 0, 0, 1, 32, "__shared__ float s[32];\nout[threadIdx.x] = s[threadIdx.x]; // <-- here"),
    "half of shared written": ("uninitialised read", 0, 16, 1, 32, "__shared__ float s[32];\nif (threadIdx.x < 16) s[threadIdx.x] = 1;\n__syncthreads();\nout[threadIdx.x] = s[threadIdx.x]; // <-- here"),
    "sum into shared": ("uninitialised read", 0, 0, 1, 1, "__shared__ float s[1];\ns[0] += in[0]; // <-- here"),
    "atomic on shared": ("uninitialised read", 0, 0, 1, 32, "__shared__ int s[4];\natomicAdd(&s[threadIdx.x % 4], 1); // <-- here"),
    "halo not loaded": ("uninitialised read", 0, 0, 1, 32, "__shared__ float s[34];\nint j = threadIdx.x + 1;\ns[j] = in[threadIdx.x];\n__syncthreads();\nout[threadIdx.x] = s[j - 1] + s[j + 1]; // <-- here"),
    "local array": ("uninitialised read", 0, 0, 1, 32, "float t[4];\nt[0] = 1;\nout[threadIdx.x] = t[0] + t[1]; // <-- here"),
    "local array in some lanes": ("uninitialised read", 0, 8, 1, 32, "float t[2];\nif (threadIdx.x < 8) t[0] = 1;\nout[threadIdx.x] = t[0]; // <-- here"),
    "accumulator": ("uninitialised read", 0, 0, 1, 32, "float t;\nfor (int j = 0; j < 4; ++j)\n t += in[j]; // <-- here\nout[threadIdx.x] = t;"),
    "scalar of one branch": ("uninitialised read", 0, 0, 1, 32, "float t;\nif (threadIdx.x > 4) t = 1;\nout[threadIdx.x] = t; // <-- here"),
    "pointer of no branch": ("uninitialised read", 0, 0, 1, 32, "const float* p;\nif (n > 100) p = in;\nout[threadIdx.x] = p[0]; // <-- here"),
    "field of a structure": ("uninitialised read", 0, 0, 1, 32, "float2 v[2];\nv[0].x = 1;\nout[threadIdx.x] = v[0].y; // <-- here"),
    "function without its return": ("uninitialised read", 0, 5, 1, 32, "__device__ int f(int z) { // <-- here\n if (z < 5) return 1;\n}\n" + HEAD + "out[threadIdx.x] = f(threadIdx.x);\n}"),
    # ---- races
    "neighbour before the barrier": ("race", 0, 0, 1, 32, "__shared__ float s[32];\nint j = threadIdx.x;\ns[j] = in[j];\nout[j] = s[(j + 1) % 32]; // <-- here"),
    "other warp before the barrier": ("race", 0, 0, 1, 64, "__shared__ float s[64];\nint j = threadIdx.x;\ns[j] = in[j];\n__syncwarp();\nout[j] = s[(j + 32) % 64]; // <-- here"),
    "write after read": ("race", 0, 0, 1, 32, "__shared__ float s[32];\nint j = threadIdx.x;\ns[j] = in[j];\n__syncthreads();\nfloat t = s[31 - j];\ns[j] = t + 1; // <-- here\nout[j] = t;"),
    "two writers": ("race", 0, 1, 1, 32, "__shared__ float s[16];\ns[threadIdx.x / 2] = threadIdx.x; // <-- here"),
    "write after another's write": ("race", 0, 0, 1, 32, "__shared__ int s[32];\nint j = threadIdx.x;\ns[j] = j;\ns[31 - j] = 100 + j; // <-- here"),
    "matmul without its second barrier": ("race", 0, None, 1, (4, 4), "__shared__ float s[4][4];\nint x = threadIdx.x, y = threadIdx.y;\nfloat t = 0;\nfor (int r = 0; r < 4; ++r) {\ns[y][x] = in[r * 16 + y * 4 + x]; // <-- here\n__syncthreads();\nfor (int j = 0; j < 4; ++j) t += s[y][j] * s[j][x];\n}\nout[y * 4 + x] = t;"),
    "reduction without barriers": ("race", 0, 0, 1, 64, "__shared__ float s[64];\nint j = threadIdx.x;\ns[j] = in[j];\n__syncthreads();\nfor (int h = 32; h > 0; h /= 2) {\nif (j < h)\n s[j] += s[j + h]; // <-- here\n}\nif (j == 0) out[0] = s[0];"),
    "last warp without __syncwarp": ("race", 0, 16, 1, 32, "__shared__ float s[64];\nint j = threadIdx.x;\ns[j] = in[j];\ns[j + 32] = 1;\n__syncwarp();\ns[j] += s[j + 16]; // <-- here\nout[j] = s[j];"),
    "scan in place": ("race", 0, None, 1, 32, "__shared__ float s[32];\nint j = threadIdx.x;\ns[j] = in[j];\n__syncthreads();\nfor (int h = 1; h < 32; h *= 2) {\nif (j >= h)\n s[j] += s[j - h]; // <-- here\n__syncthreads();\n}\nout[j] = s[j];"),
    "barrier in another block": ("race", 1, None, 2, 32, "int i = threadIdx.x;\nif (blockIdx.x == 0) out[i] = in[i] + 5;\n__syncthreads();\nif (blockIdx.x == 1)\n out[i + 32] = out[i]; // <-- here"),
    "global within a block": ("race", 0, None, 1, 64, "int i = threadIdx.x;\nout[i] = in[i] + 1;\nfloat t = out[63 - i]; // <-- here\n__syncthreads();\nout[i] = t;"),
    "global in place": ("race", 0, None, 1, 64, "int i = threadIdx.x;\nif (i < 63)\n out[i] = out[i + 1] + 1; // <-- here"),
    "blocks write one place": ("race", None, 0, 4, 1, "out[0] = blockIdx.x + 1; // <-- here"),
    "counter without atomics": ("race", None, None, 2, 32, "count[0] += 1 + threadIdx.x; // <-- here"),
    "counter across blocks": ("race", None, 0, 4, 1, "count[0] = count[0] + 1; // <-- here"),
    "atomic and plain": ("race", 0, 0, 1, 32, "atomicAdd(count, 1);\nif (threadIdx.x == 0)\n count[0] = 5; // <-- here"),
    "plain read beside atomics": ("race", 0, 0, 1, 32, "atomicAdd(count, 1);\nout[threadIdx.x] = *count; // <-- here"),
    "dynamic shared race": ("race", 0, 0, 1, 16, "extern __shared__ float s[];\ns[threadIdx.x] = in[threadIdx.x];\nout[threadIdx.x] = s[15 - threadIdx.x]; // <-- here"),
    "broadcast without barrier": ("race", 0, 1, 1, 32, "__shared__ int first;\nif (threadIdx.x == 0) first = n;\nout[threadIdx.x] = first; // <-- here"),
    "last block without a fence": ("race", 1, 0, 2, 1, "out[blockIdx.x] = 1;\nint old = atomicAdd(count, 1);\nif (old == 1)\n out[2] = out[0] + out[1]; // <-- here"),
    "a flag set before it is cleared": ("race", 0, None, 1, 32, "__shared__ int any;\nif (threadIdx.x == 0) any = 0;\nif (in[threadIdx.x] < 9)\n any = 1; // <-- here"),
    "atomics before the zero is there": ("race", 0, 1, 1, 32, "if (threadIdx.x == 0) count[0] = 0;\natomicAdd(count, 1); // <-- here"),
    "shared atomics before the zeros": ("race", 0, 2, 1, 32, "__shared__ int s[2];\nint i = threadIdx.x;\nif (i < 2) s[i] = 0;\natomicAdd(&s[i & 1], i); // <-- here"),
    # ---- barriers and warps
    "barrier in a branch": ("divergent barrier", 0, 0, 1, 64, "if (threadIdx.x < 40)\n __syncthreads(); // <-- here"),
    "barrier in uneven loops": ("divergent barrier", 0, None, 1, 64, "for (int j = 0; j < threadIdx.x; ++j)\n __syncthreads(); // <-- here"),
    "barrier in both branches": ("divergent barrier", 0, 0, 1, 64, "if (threadIdx.x < 32) {\n __syncthreads(); // <-- here\n} else __syncthreads();"),
    "barrier in a device function": ("divergent barrier", 0, 0, 1, 64, "__device__ void wait() {\n __syncthreads(); // <-- here\n}\n" + HEAD + "if (threadIdx.x < 3) wait();\n}"),
    "shuffle in a branch": ("divergent warp function", 0, 0, 1, 32, "float t = in[threadIdx.x];\nif (threadIdx.x < 16)\n t += __shfl_down_sync(0xffffffff, t, 8); // <-- here\nout[threadIdx.x] = t;"),
    "a ballot's mask is wrong": ("divergent warp function", 0, 0, 1, 32, "if (threadIdx.x < 16)\n count[threadIdx.x] = __ballot_sync(0xff, 1); // <-- here"),
    "syncwarp in a branch": ("divergent warp function", 0, 0, 1, 32, "if (threadIdx.x < 16)\n __syncwarp(); // <-- here"),
    "shuffle from an absent lane": ("bad shuffle", 0, 15, 1, 32, "if (threadIdx.x < 16)\n out[threadIdx.x] = __shfl_sync(0xffff, in[threadIdx.x], threadIdx.x + 1); // <-- here"),
    "shuffle beyond the block": ("bad shuffle", 0, 4, 1, 20, "out[threadIdx.x] = __shfl_down_sync(0xffffffff, in[threadIdx.x], 16); // <-- here"),
    "shuffle of odd width": ("bad shuffle", 0, 0, 1, 32, "out[threadIdx.x] = __shfl_sync(0xffffffff, in[0], 0, 5); // <-- here"),
    # ---- loops
    "loop without a step": ("endless loop", 0, 0, 1, 32, "int j = 0;\nwhile (j < n) // <-- here\n out[threadIdx.x] = j;"),
    "unsigned counts down": ("endless loop", 0, 0, 1, 32, "for (unsigned j = 8; j >= 0; --j) // <-- here\n out[threadIdx.x] = j;"),
    "spin lock in a warp": ("endless loop", 0, None, 1, 32, "bool done = false;\nwhile (atomicCAS(count, 0, 1) != 0) // <-- here\n ;\nout[0] = 1;\natomicExch(count, 0);"),
    "waits for another block": ("endless loop", 0, 0, 2, 1, "if (blockIdx.x == 0)\n while (atomicAdd(count, 0) == 0) ; // <-- here\nelse atomicAdd(count, 1);"),
    # ---- arithmetic
    "division by zero": ("division by zero", 0, 3, 1, 32, "int j = threadIdx.x;\nout[j] = 12 / (j - 3); // <-- here"),
    "remainder by zero": ("division by zero", 0, 0, 1, 32, "unsigned j = threadIdx.x;\ncount[j] = 12 % j; // <-- here"),
    "division by a zero of all": ("division by zero", 0, 0, 1, 32, "int m = n - 64;\ncount[threadIdx.x] = n / m; // <-- here"),
    "division by a literal zero": ("division by zero", 0, 0, 1, 32, "count[threadIdx.x] = n / 0; // <-- here"),
    "shift by the width": ("bad shift", 0, 0, 1, 32, "count[threadIdx.x] = 1 << 32; // <-- here"),
    "shift by lanes": ("bad shift", 0, 32, 1, 64, "count[threadIdx.x] = 1u << threadIdx.x; // <-- here"),
    "negative shift": ("bad shift", 0, 0, 1, 32, "int j = threadIdx.x;\ncount[j] = n >> (j - 1); // <-- here"),
    # ---- launches
    "block too large": ("bad launch", None, None, 1, 1025, ""),
    "block too large in all": ("bad launch", None, None, 1, (64, 32), ""),
    "block too deep": ("bad launch", None, None, 1, (1, 1, 65), ""),
    "grid too high": ("bad launch", None, None, (1, 65536), 1, ""),
    "no block": ("bad launch", None, None, 0, 32, ""),
    "static shared too large": ("bad launch", None, None, 1, 32, "__shared__ float s[12289];\ns[0] = 1;"),
}  # fmt: skip


def source_of(body):
    return body if HEAD in body else f"{HEAD}{body}\n}}"


def launched(source, grid, threads, shared_mem=64, max_steps=3000):
    out, data, count = (
        np.zeros(64, np.float32),
        np.arange(64, dtype=np.float32),
        np.zeros(64, np.int32),
    )
    kernel = simt.RawKernel(f'extern "C" {{\n{source}\n}}', "k", max_steps=max_steps)
    shape = [n if isinstance(n, tuple) else (n,) for n in (grid, threads)]
    kernel(*shape, (out, data, count, np.int32(64)), shared_mem=shared_mem)


def marked(source):
    """The number of the line that bears the mark."""
    lines = ["", *source.splitlines()]
    return next((n for n, line in enumerate(lines, 1) if "<-- here" in line), None)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found_where_it_is(name):
    kind, block, thread, grid, threads, body = DEFECTS[name]
    source = source_of(body)
    with pytest.raises(simt.KernelFault) as caught:
        launched(source, grid, threads)
    fault = caught.value
    assert fault.kind == kind, str(fault)
    assert marked(source) in (None, fault.line), str(fault)
    if kind != "bad launch":
        assert fault.block is not None and fault.thread is not None
        assert block is None or fault.block == (block, 0, 0), str(fault)
        assert thread is None or fault.thread == (thread, 0, 0), str(fault)
        assert f"thread {fault.thread}" in str(fault) and "Likely mend" in str(fault)


def test_there_are_defects_of_every_kind():
    assert {kind for kind, *_ in DEFECTS.values()} == set(KINDS)
    assert len(DEFECTS) >= 48


def test_a_race_names_the_other_thread_and_the_place():
    source = source_of(DEFECTS["neighbour before the barrier"][-1])
    with pytest.raises(simt.KernelFault, match=r"thread \(1, 0, 0\).*element 1 of s"):
        launched(source, 1, 32)


def test_an_access_out_of_bounds_names_the_array_and_its_length():
    with pytest.raises(simt.KernelFault, match="element 64 of out, which has 64"):
        launched(source_of(DEFECTS["no guard"][-1]), 3, 32)


def test_a_write_that_others_have_read_names_them():
    body = "__shared__ int s;\nif (threadIdx.x == 0) s = n;\n__syncthreads();\n"
    body += "int t = s;\nif (threadIdx.x == 0) s = t + 1;"
    with pytest.raises(simt.KernelFault, match="other threads read element 0 of s"):
        launched(source_of(body), 1, 32)


def test_a_kernel_that_calls_itself_is_an_endless_loop():
    source = "__device__ int f(int z) { return f(z + 1); }\n" + source_of(
        "count[0] = f(0);"
    )
    with pytest.raises(simt.KernelFault) as caught:
        launched(source, 1, 1)
    assert caught.value.kind == "endless loop"


def test_what_was_written_before_a_fault_is_in_the_arrays():
    out = np.zeros(64, np.float32)
    kernel = simt.RawKernel(HEAD + "out[threadIdx.x] = 5;\nout[n] = 1;\n}", "k")
    with pytest.raises(simt.KernelFault):
        kernel((1,), (32,), (out, out.copy(), np.zeros(1, np.int32), np.int32(64)))
    assert (out[:32] == 5).all()
