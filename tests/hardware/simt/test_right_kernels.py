"""Right kernels: no false alarm, and the values that NumPy gives.

A row is (grid, threads, body, out, count): the body of
`k(float* out, const float* in, int* count, int n)` with n = 64, and what `out` or `count`
must be, given the input `x`, 64 whole numbers as floats; None leaves it open. A body with
functions of its own holds the kernel's head as HEAD.
"""

# ruff: noqa: E501 -- kernels in strings

import numpy as np
import pytest

from minidl.hardware import simt

HEAD = "__global__ void k(float* out, const float* in, int* count, int n) {"
T = np.arange(64)


def padded(values, fill=0):
    """`values`, filled up to 64."""
    values = np.atleast_1d(values)
    return np.concatenate([values, np.full(64 - len(values), fill, values.dtype)])


def of_first(number):
    return lambda x: padded(np.float32(number(x)))


def same(x):
    return x


def doubled(x):
    return x * 2


BITONIC = """__shared__ float s[64];
int i = threadIdx.x;
s[i] = in[i];
__syncthreads();
for (int size = 2; size <= 64; size *= 2)
    for (int step = size / 2; step > 0; step /= 2) {
        int j = i ^ step;
        if (j > i) {
            bool up = (i & size) == 0;
            if ((s[i] > s[j]) == up) { float t = s[i]; s[i] = s[j]; s[j] = t; }
        }
        __syncthreads();
    }
out[i] = s[i];"""
TREE = """__shared__ float s[64];
int i = threadIdx.x;
s[i] = in[i];
__syncthreads();
for (int h = 32; h > 0; h >>= 1) { if (i < h) s[i] += s[i + h]; __syncthreads(); }
if (i == 0) out[0] = s[0];"""
LAST_BLOCK = """__shared__ bool last;
float t = in[blockIdx.x * 16] ;
if (threadIdx.x == 0) {
    for (int j = 1; j < 16; ++j) t += in[blockIdx.x * 16 + j];
    out[blockIdx.x + 1] = t;
    __threadfence();
    last = atomicAdd(count, 1) == gridDim.x - 1;
}
__syncthreads();
if (last && threadIdx.x == 0) {
    float all = 0;
    for (int b = 0; b < gridDim.x; ++b) all += out[b + 1];
    out[0] = all;
}"""
SCAN = """__shared__ float s[2][64];
int i = threadIdx.x, from = 0;
s[0][i] = in[i];
__syncthreads();
for (int h = 1; h < 64; h *= 2) {
    s[1 - from][i] = i >= h ? s[from][i] + s[from][i - h] : s[from][i];
    from = 1 - from;
    __syncthreads();
}
out[i] = s[from][i];"""
PIPELINE = """__shared__ float s[2][16];
int i = threadIdx.x;
s[0][i] = in[i];
float t = 0;
for (int r = 0; r < 4; ++r) {
    __syncthreads();
    if (r < 3) s[(r + 1) & 1][i] = in[(r + 1) * 16 + i];
    t += s[r & 1][15 - i];
}
out[i] = t;"""
HISTOGRAM = """__shared__ int bins[8];
if (threadIdx.x < 8) bins[threadIdx.x] = 0;
__syncthreads();
for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&bins[(int)in[i] & 7], 1);
__syncthreads();
if (threadIdx.x < 8) atomicAdd(&count[threadIdx.x], bins[threadIdx.x]);"""
COMPACT = """int i = threadIdx.x;
bool keep = in[i] > 0;
unsigned who = __ballot_sync(0xffffffff, keep);
int place = __popc(who & ((1u << i) - 1));
if (keep) out[place] = in[i];
if (i == 0) count[0] = __popc(who);"""
TRANSPOSE = """__shared__ float s[8][9];
int x = threadIdx.x, y = threadIdx.y;
s[y][x] = in[y * 8 + x];
__syncthreads();
out[y * 8 + x] = s[x][y];"""
MATMUL = """__shared__ float a[4][4], b[4][4];
int x = threadIdx.x, y = threadIdx.y;
int row = blockIdx.y * 4 + y, col = blockIdx.x * 4 + x;
float t = 0;
for (int r = 0; r < 2; ++r) {
    a[y][x] = in[row * 8 + r * 4 + x];
    b[y][x] = in[(r * 4 + y) * 8 + col];
    __syncthreads();
    for (int j = 0; j < 4; ++j) t += a[y][j] * b[j][x];
    __syncthreads();
}
out[row * 8 + col] = t;"""
WARP_SUM = """float t = in[threadIdx.x];
for (int by = 16; by > 0; by /= 2) t += __shfl_%s_sync(0xffffffff, t, by);
%s"""
I = "int i = blockIdx.x * blockDim.x + threadIdx.x;\n"  # noqa: E741
L = "int i = threadIdx.x;\n"


def bins(x):
    return padded(np.bincount(x.astype(int) & 7, minlength=8))


def compacted(x):
    return padded(x[:32][x[:32] > 0])


def squared(x):
    return (x.reshape(8, 8) @ x.reshape(8, 8)).ravel()


def atomically(call, start=0):
    """All 64 threads of 2 blocks do one atomic on count[0]."""
    return f"{I}int v = (int)in[i];\n{call}"


RIGHT = {
    # ---- indices, guards, loops
    "map": (2, 32, I + "out[i] = in[i] * 2;", doubled, None),
    "guarded": (3, 32, I + "if (i < n) out[i] = in[i] * 2;", doubled, None),
    "early return": (3, 40, I + "if (i >= n) return;\nout[i] = in[i] * 2;", doubled, None),
    "guard by &&": (3, 32, I + "if (i < n && in[i] > 0) out[i] = in[i];", lambda x: np.where(x > 0, x, 0), None),
    "guard by a ternary": (1, 64, L + "out[i] = i > 0 ? in[i - 1] : 0;", lambda x: np.r_[0, x[:-1]], None),
    "guard by ||": (1, 64, L + "if (i == 0 || in[i - 1] < 0) out[i] = 1;", lambda x: np.r_[1, x[:-1] < 0], None),
    "grid stride": (2, 7, I + "for (; i < n; i += gridDim.x * blockDim.x) out[i] = in[i] * 2;", doubled, None),
    "many blocks": (64, 1, "out[blockIdx.x] = in[blockIdx.x] * 2;", doubled, None),
    "odd blocks": (3, 23, I + "if (i < n) out[i] = in[i] * 2;", doubled, None),
    "two dimensions": ((2, 2), (4, 4), "int x = blockIdx.x * 4 + threadIdx.x, y = blockIdx.y * 4 + threadIdx.y;\nout[y * 8 + x] = in[y * 8 + x] * 2;", doubled, None),
    "odd two dimensions": ((3, 2), (3, 5), "int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;\nif (x < 8 && y < 8) out[y * 8 + x] = in[y * 8 + x] * 2;", doubled, None),
    "three dimensions": ((2, 2, 2), (2, 2, 2), "int x = blockIdx.x * 2 + threadIdx.x, y = blockIdx.y * 2 + threadIdx.y, z = blockIdx.z * 2 + threadIdx.z;\nint i = (z * 4 + y) * 4 + x;\nout[i] = in[i] * 2;", doubled, None),
    "rounds that vary": (1, 64, L + "int t = 0;\nfor (int j = 0; j < i; ++j) t += j;\ncount[i] = t;", None, lambda x: T * (T - 1) // 2),
    "rounds by data": (1, 64, L + "int t = 0; float v = in[i] < 0 ? -in[i] : in[i];\nwhile (v >= 1) { v /= 2; ++t; }\ncount[i] = t;", None, lambda x: np.where(x == 0, 0, np.floor(np.log2(np.maximum(np.abs(x), 1))) + 1)),
    "break by data": (1, 64, L + "int j;\nfor (j = i; j < n; ++j) if (in[j] < 0) break;\ncount[i] = j;", None, lambda x: np.array([next((j for j in range(i, 64) if x[j] < 0), 64) for i in T])),
    "continue by data": (1, 64, L + "float t = 0;\nfor (int j = 0; j <= i; ++j) { if (in[j] < 0) continue; t += in[j]; }\nout[i] = t;", lambda x: np.cumsum(np.where(x > 0, x, 0)), None),
    "switch by lane": (1, 64, L + "switch (i % 4) { case 0: out[i] = 1; break; case 1: out[i] = 2; case 2: out[i] += 3; break; default: out[i] = 9; }", lambda x: np.array([1, 5, 3, 9] * 16), None),
    "pointer walk": (1, 1, "float* p = out; const float* q = in; const float* end = in + n;\nwhile (q < end) *p++ = *q++ * 2;", doubled, None),
    "pointer walk backwards": (1, 2, "const float* p = in + n; int i = threadIdx.x;\nfor (int j = 0; j < 32; ++j) out[j * 2 + i] = *(p - 1 - j * 2 - i);", lambda x: x[::-1], None),
    "pointer past the end": (1, 1, "const float* end = in + n;\ncount[0] = (int)(end - in);", None, lambda x: padded(64)),
    "unsigned index below zero, guarded": (1, 64, "unsigned i = threadIdx.x; unsigned j = i - 1;\nif (j < (unsigned)n) out[i] = in[j];", lambda x: np.r_[0, x[:-1]], None),
    "nothing to do": (1, 32, "", lambda x: np.zeros(64), lambda x: np.zeros(64)),
    # ---- same values, in place
    "one flag for all": (2, 32, "count[0] = 7;", None, lambda x: padded(7)),
    "a flag by some": (2, 32, I + "if (in[i] > 0) count[0] = 1;", None, lambda x: padded(1)),
    "a shared flag": (1, 64, "__shared__ int any;\nif (threadIdx.x == 0) any = 0;\n__syncthreads();\nif (in[threadIdx.x] > 0) any = 1;\n__syncthreads();\ncount[threadIdx.x] = any;", None, lambda x: np.ones(64)),
    "writes what is there": (2, 32, I + "out[i % 32] = 0;", lambda x: np.zeros(64), None),
    "in place": (2, 32, I + "out[i] = in[i];\nout[i] += 1;\nout[i] = out[i] * 2;", lambda x: x * 2 + 2, None),
    "swap in place": (1, 32, L + "out[i] = in[i]; out[63 - i] = in[63 - i];\nfloat t = out[i]; out[i] = out[63 - i]; out[63 - i] = t;", lambda x: x[::-1], None),
    "global after a barrier": (1, 64, L + "out[i] = in[i];\n__syncthreads();\nfloat t = out[63 - i];\n__syncthreads();\nout[i] = t;", lambda x: x[::-1], None),
    "each block its own": (2, 32, I + "out[i] = in[i];\n__syncthreads();\nfloat t = out[blockIdx.x * 32 + 31 - threadIdx.x];\n__syncthreads();\nout[i] = t;", lambda x: x.reshape(2, 32)[:, ::-1].ravel(), None),
    # ---- shared memory and barriers
    "reversed": (1, 64, "__shared__ float s[64];\n" + L + "s[i] = in[i];\n__syncthreads();\nout[i] = s[63 - i];", lambda x: x[::-1], None),
    "tree": (1, 64, TREE, of_first(np.sum), None),
    "bitonic sort": (1, 64, BITONIC, np.sort, None),
    "scan in two buffers": (1, 64, SCAN, np.cumsum, None),
    "one barrier a round": (1, 16, PIPELINE, lambda x: padded(x.reshape(4, 16).sum(0)[::-1]), None),
    "transpose": (1, (8, 8), TRANSPOSE, lambda x: x.reshape(8, 8).T.ravel(), None),
    "matmul": ((2, 2), (4, 4), MATMUL, squared, None),
    "histogram": (2, 24, HISTOGRAM, None, bins),
    "stencil with a halo": (2, 32, "__shared__ float s[34];\n" + I + "int j = threadIdx.x + 1;\ns[j] = in[i];\nif (threadIdx.x == 0) s[0] = i > 0 ? in[i - 1] : 0;\nif (threadIdx.x == 31) s[33] = i + 1 < n ? in[i + 1] : 0;\n__syncthreads();\nout[i] = s[j - 1] + s[j] + s[j + 1];", lambda x: x + np.r_[0, x[:-1]] + np.r_[x[1:], 0], None),
    "dynamic shared": (1, 16, "extern __shared__ float s[];\n" + L + "s[i] = in[i];\n__syncthreads();\nout[i] = s[15 - i];", lambda x: padded(x[:16][::-1]), None),
    "dynamic shared cut up": (1, 8, "extern __shared__ float s[];\nfloat* a = s; int* b = (int*)(s + 8);\n" + L + "a[i] = in[i]; b[i] = i;\n__syncthreads();\nout[i] = a[7 - i]; count[i] = b[7 - i];", lambda x: padded(x[:8][::-1]), lambda x: padded(np.arange(8)[::-1])),
    "broadcast from one thread": (2, 32, "__shared__ float first;\nif (threadIdx.x == 0) first = in[blockIdx.x];\n__syncthreads();\n" + I + "out[i] = first;", lambda x: np.repeat(x[:2], 32), None),
    "whole blocks return": (4, 32, "if (blockIdx.x >= 2) return;\n__shared__ float s[32];\n" + I + "s[threadIdx.x] = in[i];\n__syncthreads();\nout[i] = s[31 - threadIdx.x];", lambda x: x.reshape(2, 32)[:, ::-1].ravel(), None),
    "exited threads do not wait": (1, 64, "__shared__ float s[32];\n" + L + "if (i >= 32) return;\ns[i] = in[i];\n__syncthreads();\nout[i] = s[31 - i];", lambda x: padded(x[:32][::-1]), None),
    "a barrier in a uniform branch": (2, 32, "__shared__ float s[32];\n" + I + "s[threadIdx.x] = in[i];\nif (blockIdx.x == 0) {\n__syncthreads();\nout[i] = s[31 - threadIdx.x];\n}", lambda x: padded(x[:32][::-1]), None),
    "a barrier in a loop": (1, 64, "__shared__ float s;\nfloat t = 0;\nfor (int j = 0; j < 8; ++j) {\nif (threadIdx.x == j) s = in[j];\n__syncthreads();\nt += s;\n__syncthreads();\n}\nout[threadIdx.x] = t;", lambda x: np.full(64, x[:8].sum()), None),
    "neighbouring bytes": (1, 64, "__shared__ unsigned char s[64];\n" + L + "s[i] = i;\n__syncthreads();\ncount[i] = s[63 - i];", None, lambda x: T[::-1]),
    "bytes of a global array": (1, 64, L + "unsigned char* p = (unsigned char*)count;\np[i] = i;\n__syncthreads();\nout[i] = p[63 - i];", lambda x: T[::-1], None),
    "halves of a word": (1, 64, L + "short* p = reinterpret_cast<short*>(count);\np[i] = 1;", None, lambda x: padded(np.full(32, 65537))),
    "rows of a block": (1, (8, 4), "__shared__ float s[4][8];\nint x = threadIdx.x, y = threadIdx.y;\ns[y][x] = in[y * 8 + x];\n__syncthreads();\nfloat t = 0;\nfor (int j = 0; j < 8; ++j) t += s[y][j];\nif (x == 0) out[y] = t;", lambda x: padded(x[:32].reshape(4, 8).sum(1)), None),
    "a row by pointer": (1, 8, "__shared__ float s[2][8];\nfloat* row = s[1];\n" + L + "row[i] = in[i];\n__syncthreads();\nout[i] = s[1][7 - i];", lambda x: padded(x[:8][::-1]), None),
    "doubles": (1, 32, "__shared__ double s[32];\n" + L + "s[i] = in[i] + 0.5;\n__syncthreads();\nout[i] = s[31 - i] * 2;", lambda x: padded(x[:32][::-1] * 2 + 1), None),
    # ---- warps
    "shuffle down": (1, 32, WARP_SUM % ("down", "if (threadIdx.x == 0) out[0] = t;"), of_first(lambda x: x[:32].sum()), None),
    "shuffle xor": (2, 32, WARP_SUM % ("xor", I + "out[i] = t;"), lambda x: np.full(64, x[:32].sum()), None),
    "shuffle up scan": (1, 32, L + "float t = in[i];\nfor (int h = 1; h < 32; h *= 2) { float u = __shfl_up_sync(0xffffffff, t, h); if (i >= h) t += u; }\nout[i] = t;", lambda x: padded(np.cumsum(x[:32])), None),
    "shuffle from one lane": (1, 32, L + "out[i] = __shfl_sync(0xffffffff, in[i], 5);", lambda x: padded(np.full(32, x[5])), None),
    "shuffle in parts": (1, 32, L + "out[i] = __shfl_sync(0xffffffff, in[i], 0, 8);", lambda x: padded(np.repeat(x[:32:8], 8)), None),
    "partial warp by ballot": (1, 32, L + "unsigned who = __ballot_sync(0xffffffff, i < 20);\nif (i < 20) out[i] = __shfl_sync(who, in[i], 19 - i);", lambda x: padded(x[:20][::-1]), None),
    "partial block": (1, 20, L + "out[i] = __shfl_sync(0xffffffff, in[i], 19 - i);", lambda x: padded(x[:20][::-1]), None),
    "the active mask": (1, 32, L + "if (i & 1) { unsigned who = __activemask(); count[i] = __popc(who); __syncwarp(who); }", None, lambda x: padded(np.arange(32) % 2 * 16)),
    "sums of warps": (1, 64, "__shared__ float s[2];\n" + (WARP_SUM % ("down", "")) + "int i = threadIdx.x;\nif (i % 32 == 0) s[i / 32] = t;\n__syncthreads();\nif (i == 0) out[0] = s[0] + s[1];", of_first(np.sum), None),
    "ballot": (1, 64, L + "unsigned who = __ballot_sync(0xffffffff, in[i] > 0);\ncount[i] = __popc(who);", None, lambda x: np.repeat((x > 0).reshape(2, 32).sum(1), 32)),
    "compaction": (1, 32, COMPACT, compacted, lambda x: padded((x[:32] > 0).sum())),
    "any and all": (1, 64, L + "count[i] = __any_sync(0xffffffff, i == 40) * 10 + __all_sync(0xffffffff, i < 32);", None, lambda x: np.repeat([1, 10], 32)),
    "warp-synchronous": (1, 32, "__shared__ float s[64];\n" + L + "s[i] = in[i]; s[i + 32] = in[i + 32];\n__syncwarp();\nfor (int h = 32; h > 0; h /= 2) { if (i < h) s[i] += s[i + h]; __syncwarp(); }\nif (i == 0) out[0] = s[0];", of_first(np.sum), None),
    # ---- atomics
    "atomicAdd": (2, 32, atomically("atomicAdd(count, v);"), None, lambda x: padded(x.sum())),
    "atomicAdd of floats": (2, 32, I + "atomicAdd(&out[0], in[i]);", of_first(np.sum), None),
    "atomicSub": (2, 32, atomically("atomicSub(count, v);"), None, lambda x: padded(-x.sum())),
    "atomicMax": (2, 32, atomically("atomicMax(count, v);"), None, lambda x: padded(x.max())),
    "atomicMin": (2, 32, atomically("atomicMin(count, v);"), None, lambda x: padded(x.min())),
    "atomicAnd": (2, 32, atomically("atomicAnd(count + 1, v); atomicOr(count, v);"), None, lambda x: padded(np.bitwise_or.reduce(x.astype(int)))),
    "atomicXor": (2, 32, atomically("atomicXor(count, v);"), None, lambda x: padded(np.bitwise_xor.reduce(x.astype(int)))),
    "atomicExch": (2, 32, atomically("int old = atomicExch(count + i, v); count[i] += old;"), None, same),
    "atomicInc": (2, 32, "atomicInc((unsigned*)count, 9u);", None, lambda x: padded(64 % 10)),
    "atomicDec": (2, 32, "atomicDec((unsigned*)count, 9u);", None, lambda x: padded((10 - 64 % 10) % 10)),
    "atomicCAS": (2, 32, "int old = count[63], seen;\ndo { seen = old; old = atomicCAS(&count[0], seen, seen + 1); } while (old != seen);", None, lambda x: padded(64)),
    "atomics give places": (2, 32, I + "int at = atomicAdd(&count[63], 1);\nout[at] = 1;", lambda x: np.ones(64), None),
    "shared atomics": (1, 64, "__shared__ int s[2];\n" + L + "if (i < 2) s[i] = 0;\n__syncthreads();\natomicAdd(&s[i & 1], i);\natomicMax(&s[0], 5);\n__syncthreads();\nif (i < 2) count[i] = s[i];", None, lambda x: padded([T[::2].sum(), T[1::2].sum()])),
    "atomics after a barrier": (1, 64, L + "if (i == 0) count[0] = 5;\n__syncthreads();\natomicAdd(count, 1);\n__syncthreads();\nout[i] = count[0];", lambda x: np.full(64, 69), None),
    "the last block sums": (4, 16, LAST_BLOCK, lambda x: np.r_[x.sum(), x.reshape(4, 16).sum(1), np.zeros(59)], None),
    # ---- types
    "float4 copies": (1, 16, L + "float4 v = reinterpret_cast<const float4*>(in)[i];\nv.x *= 2; v.y *= 2; v.z *= 2; v.w *= 2;\n*reinterpret_cast<float4*>(&out[i * 4]) = v;", doubled, None),
    "float2": (1, 32, L + "const float2* p = (const float2*)in;\nfloat2 v = p[i];\n((float2*)out)[i] = make_float2(v.y, v.x);", lambda x: x.reshape(32, 2)[:, ::-1].ravel(), None),
    "float4 in shared memory": (1, 16, "__shared__ float4 s[16];\n" + L + "s[i] = ((const float4*)in)[i];\n__syncthreads();\n((float4*)out)[i] = s[15 - i];", lambda x: x.reshape(16, 4)[::-1].ravel(), None),
    "fields by threads": (1, 2, "__shared__ float2 s;\nif (threadIdx.x == 0) s.x = in[0]; else s.y = in[1];\n__syncthreads();\nout[threadIdx.x] = s.x + s.y;", lambda x: padded(np.full(2, x[0] + x[1])), None),
    "half": (1, 64, L + "half h = __float2half(in[i]);\nh = h * __float2half(2.0f);\nout[i] = __half2float(h);", doubled, None),
    "structures": (1, 64, "struct Pair { float a; int b; };\n" + HEAD + L + "__shared__ Pair s[64];\ns[i].a = in[i]; s[i].b = i;\n__syncthreads();\nPair p = s[63 - i];\nout[i] = p.a; count[i] = p.b; }", lambda x: x[::-1], lambda x: T[::-1]),
    "a structure of bytes": (1, 64, "struct Two { unsigned char a, b; };\n" + HEAD + L + "__shared__ Two s[32];\nif (i & 1) s[i / 2].b = i; else s[i / 2].a = i;\n__syncthreads();\ncount[i] = i & 1 ? s[i / 2].b : s[i / 2].a; }", None, lambda x: T),
    "structures in structures": (1, 8, "typedef struct { float a, b; } Two;\nstruct Four { Two low; Two high; };\n" + HEAD + L + "Four* p = (Four*)out;\np[i].low.a = i; p[i].high.b = in[i];\np[i].high.a = p[i].low.a + 1;\nTwo t = p[i].high;\ncount[i] = t.a; }", None, lambda x: padded(np.arange(1, 9))),
    "64-bit indices": (1, 64, "long long i = threadIdx.x; size_t j = 63 - i;\nout[i] = in[j];", lambda x: x[::-1], None),
    "bits of a float": (1, 64, L + "out[i] = __int_as_float(__float_as_int(in[i]) & 0x7fffffff);", np.abs, None),
    # ---- functions, templates, local arrays
    "a template of a type": (1, 64, "template <typename E> __device__ E twice(E z) { return z + z; }\n" + HEAD + L + "out[i] = twice<float>(in[i]); count[i] = twice<int>(i); }", doubled, lambda x: T * 2),
    "a template of a number": (1, 64, "template <int N> __device__ float last(const float* p) { float t[N]; for (int j = 0; j < N; ++j) t[j] = p[j]; return t[N - 1]; }\n" + HEAD + L + "out[i] = last<3>(in) + last<7>(in); }", lambda x: np.full(64, x[2] + x[6]), None),
    "a pointer to shared and to local": (1, 32, "__device__ float most(const float* p, int m) { float t = p[0]; for (int j = 1; j < m; ++j) t = fmaxf(t, p[j]); return t; }\n" + HEAD + "__shared__ float s[32];\n" + L + "s[i] = in[i];\nfloat t[2] = {in[i], in[i + 32]};\n__syncthreads();\nout[i] = most(s, 32) + most(t, 2) + most(in, n); }", lambda x: padded(x[:32].max() + x.max() + np.maximum(x[:32], x[32:])), None),
    "a barrier in a function": (1, 64, "__device__ void wait() { __syncthreads(); }\n" + HEAD + "__shared__ float s[64];\n" + L + "s[i] = in[i];\nwait();\nout[i] = s[63 - i]; }", lambda x: x[::-1], None),
    "a return in a function": (1, 64, "__device__ int f(float v) { if (v < 0) return -1; if (v > 0) return 1; return 0; }\n" + HEAD + "__shared__ int s[64];\n" + L + "s[i] = f(in[i]);\n__syncthreads();\ncount[i] = s[63 - i]; }", None, lambda x: np.sign(x[::-1])),
    "results through pointers": (1, 64, "__device__ void both(float v, float* a, int* b) { *a = v * 2; *b = v > 0; }\n" + HEAD + L + "float a; int b;\nboth(in[i], &a, &b);\nout[i] = a; count[i] = b;\nboth(in[i], &out[i], &b); }", doubled, lambda x: x > 0),
    "local arrays by lane": (1, 64, L + "float t[4] = {0, 0, 0, 0};\nfor (int j = 0; j < n; ++j) t[(i + j) & 3] += in[j];\nout[i] = t[i & 3];", lambda x: np.full(64, x[::4].sum()), None),
    "register tiles": (1, 16, L + "float t[2][2];\nfor (int a = 0; a < 2; ++a) for (int b = 0; b < 2; ++b) t[a][b] = in[i * 4 + a * 2 + b];\nfor (int a = 0; a < 2; ++a) for (int b = 0; b < 2; ++b) out[i * 4 + a * 2 + b] = t[b][a];", lambda x: x.reshape(16, 2, 2).swapaxes(1, 2).ravel(), None),
    "insertion sort": (1, 16, L + "float t[4];\nfor (int j = 0; j < 4; ++j) { float v = in[i * 4 + j]; int p = j; while (p > 0 && t[p - 1] > v) { t[p] = t[p - 1]; --p; } t[p] = v; }\nfor (int j = 0; j < 4; ++j) out[i * 4 + j] = t[j];", lambda x: np.sort(x.reshape(16, 4), 1).ravel(), None),
    "a variable set in both branches": (1, 64, L + "float t;\nif (in[i] > 0) t = 1; else t = 2;\nout[i] = t;", lambda x: np.where(x > 0, 1, 2), None),
    "a variable set by a loop": (1, 64, L + "int t;\nfor (int j = 0; j <= i; ++j) t = j;\ncount[i] = t;", None, lambda x: T),
    "softmax": (8, 8, "__shared__ float s[8];\n" + I + "int j = threadIdx.x;\ns[j] = in[i] / 50;\n__syncthreads();\nfloat m = s[0], t = 0;\nfor (int q = 1; q < 8; ++q) m = fmaxf(m, s[q]);\nfor (int q = 0; q < 8; ++q) t += expf(s[q] - m);\nout[i] = expf(s[j] - m) / t;", lambda x: (np.exp(x.reshape(8, 8) / 50) / np.exp(x.reshape(8, 8) / 50).sum(1, keepdims=True)).ravel(), None),
}  # fmt: skip


def launched(body, grid, threads, x, **options):
    out, count = np.zeros(64, np.float32), np.zeros(64, np.int32)
    source = body if HEAD in body else f"{HEAD}\n{body}\n}}"
    kernel = simt.RawKernel(source, "k", **options)
    shape = [n if isinstance(n, tuple) else (n,) for n in (grid, threads)]
    kernel(*shape, (out, x, count, np.int32(64)), shared_mem=64)
    return out, count


@pytest.mark.parametrize("options", [{}, {"checks": False, "counters": False}], ids=str)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_kernel_raises_nothing_and_gives_what_numpy_gives(name, options, rng):
    grid, threads, body, out, count = RIGHT[name]
    x = rng.integers(-99, 99, 64).astype(np.float32)
    found = launched(body, grid, threads, x, **options)
    for mine, wanted in zip(found, (out, count)):
        if wanted is not None:
            np.testing.assert_allclose(mine, wanted(x), rtol=1e-6)


def test_there_are_eighty_right_kernels():
    assert len(RIGHT) >= 80


def test_one_array_twice_is_one_array_on_the_gpu_too():
    source = "__global__ void k(float* a, const float* b, int n) { int i = threadIdx.x; a[i] = b[i] + a[i]; }"
    x = np.arange(40, dtype=np.float32)
    simt.RawKernel(source, "k")((1,), (40,), (x, x, np.int32(40)))
    assert (x == 2 * np.arange(40)).all()


def test_more_blocks_than_run_at_once_give_the_same():
    source = "__global__ void k(int* x) { __shared__ int s[1024]; s[threadIdx.x] = blockIdx.x; __syncthreads(); x[blockIdx.x * 1024 + threadIdx.x] = s[1023 - threadIdx.x]; }"
    x = np.zeros(200 * 1024, np.int32)
    simt.RawKernel(source, "k")((200,), (1024,), (x,))
    assert (x == np.repeat(np.arange(200), 1024)).all()
