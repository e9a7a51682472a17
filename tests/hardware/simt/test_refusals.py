"""What the simulated GPU does not read, and arguments that a kernel can't take."""

# ruff: noqa: E501 -- kernels in strings

import random
import re

import numpy as np
import pytest

from minidl.hardware import simt

BODY = "__global__ void k(float* x, int n) {\n"
REFUSED = {  # name: (line, words, source)
    "references": (1, "not read", "__device__ void f(float& x) { x = 1; }\n" + BODY + "}"),
    "auto": (2, "write the type", BODY + "auto y = x[0];\n}"),
    "classes": (1, "struct of plain fields", "class P { int x; };\n" + BODY + "}"),
    "printf": (2, "store the value", BODY + 'printf("%d", n);\n}'),
    "goto": (2, "break or continue", BODY + "goto end;\nend: ;\n}"),
    "a launch": (2, "grid, block, args", BODY + "k<<<1, 2>>>(x, n);\n}"),
    "constant memory": (1, "const pointer", "__constant__ float w[3];\n" + BODY + "}"),
    "new": (2, "local array", BODY + "float* y = new float[3];\n}"),
    "union": (1, "__float_as_int", "union U { int a; float b; };\n" + BODY + "}"),
    "enum": (1, "#define", "enum E { A, B };\n" + BODY + "}"),
    "host code": (1, "device code only", "__host__ int main() { return 0; }\n" + BODY + "}"),
    "a namespace": (2, "__shfl_down_sync", BODY + "cg::sync();\n}"),
    "inline assembly": (2, "C expression", BODY + 'asm("nop");\n}'),
    "an unknown type": (2, "not read", BODY + "floot y = 1;\n}"),
    "an unknown type in a cast": (2, "not read|not declared", BODY + "x[0] = (floot)n;\n}"),
    "an unknown function": (2, "is it `__syncthreads`", BODY + "__syncthread();\n}"),
    "an unknown mathematical function": (2, "is it `rsqrtf`", BODY + "x[0] = rsqrf(x[0]);\n}"),
    "an unknown variable": (2, "`m` is not declared", BODY + "x[0] = m;\n}"),
    "an unknown variable written": (3, "`m` is not declared", BODY + "n = 1;\nm = 1;\n}"),
    "an unknown field": (2, "no field `q`", BODY + "float4 v = make_float4(1, 2, 3, 4); x[0] = v.q;\n}"),
    "pointers to pointers": (1, "pass each", "__global__ void k(float** x, int n) { }"),
    "arrays of pointers": (2, "array of pointers", BODY + "float* p[2]; p[0] = x;\n}"),
    "too few arguments": (2, "takes 2 arguments, found 1", "__device__ float f(float a, float b) { return a; }\n" "__global__ void k(float* x, int n) { x[0] = f(1.0f); }"),
    "too many for a library function": (2, "sqrtf takes 1 arguments", BODY + "x[0] = sqrtf(1.0f, 2.0f);\n}"),
    "a missing semicolon": (3, "not read", BODY + "n = 1\nx[0] = 2;\n}"),
    "a missing brace": (None, "not read|never closed", BODY + "if (n) { x[0] = 2;\n}"),
    "a missing bracket": (2, "not read|never closed", BODY + "x[0 = 2;\n}"),
    "break outside of a loop": (2, "outside of a loop", BODY + "break;\n}"),
    "continue outside of a loop": (2, "outside of a loop", BODY + "if (n) continue;\n}"),
    "a global variable": (1, "outside of functions", "int counter;\n" + BODY + "}"),
    "a variable length": (2, "constant", BODY + "float t[n];\n}"),
    "a negative length": (2, "at least 1", BODY + "float t[2 - 3];\n}"),
    "a write through const": (1, "const", "__global__ void k(const float* x, int n) { x[0] = 1; }"),
    "a kernel that returns a value": (1, "make `k` void", "__global__ int k(float* x, int n) { return 1; }"),
    "a value from a void function": (2, "returns void", BODY + "return 1;\n}"),
    "no value from a function": (1, "returns int", "__device__ int f() { return; }\n" + BODY + "x[0] = f();\n}"),
    "a name twice": (3, "declared twice", BODY + "int a = 1;\nint a = 2;\n}"),
    "a parameter declared again": (2, "declared twice", BODY + "int n = 2;\n}"),
    "too many initial values": (2, "no place", BODY + "int a[2] = {1, 2, 3};\n}"),
    "a bitwise operator on floats": (2, "whole numbers", BODY + "x[0] = x[0] & 1;\n}"),
    "a remainder of floats": (2, "whole numbers", BODY + "x[0] = x[0] % 2.0f;\n}"),
    "a float as an index": (2, "whole number", BODY + "x[1.5f] = 1;\n}"),
    "a sum of structures": (2, "can't join", BODY + "float2 a = make_float2(1, 2); a = a + a;\n}"),
    "a structure as a number": (2, "can't become", BODY + "float2 a = make_float2(1, 2); x[0] = a;\n}"),
    "initial values in shared memory": (2, "no initial value", BODY + "__shared__ int s = 0;\n}"),
    "an index outside of its array": (2, "index 4 is outside", BODY + "int a[4]; a[4] = 1;\n}"),
    "one pointer to two memories": (3, "use two", BODY + "__shared__ float s[4]; float* p = s;\np = x;\n}"),
    "an atomic on a local variable": (2, "global or shared", BODY + "int a = 0; atomicAdd(&a, 1);\n}"),
    "an atomic on halves": (1, "can't change a half", "__global__ void k(half* x) { atomicAdd(x, x[0]); }"),
    "an atomic on bytes": (1, "can't change a unsigned char", "__global__ void k(unsigned char* x) { atomicAdd(x, 1); }"),
    "shared memory outside": (1, "inside of the kernel", "extern __shared__ float s[];\n" + BODY + "}"),
    "a table outside": (1, "inside of the kernel", "const float w[2] = {1, 2};\n" + BODY + "}"),
    "a template with a default": (1, "without defaults", "template <int N = 3> __device__ int f() { return N; }\n" + BODY + "}"),
    "a pointer to void": (2, "cast the pointer first", BODY + "x = (float*)((void*)x + 1);\n}"),
    "a kernel called by a kernel": (2, "launched from Python", BODY + "k(x, n);\n}"),
    "a dereferenced number": (2, "no pointer", BODY + "x[0] = *n;\n}"),
    "a text": (2, "no use", BODY + 'x[0] = "a";\n}'),
    "an endless #if": (None, "never closed", "#if 1\n" + BODY + "}"),
    "an #if of an expression": (1, "#if", "#if A > 3\n#endif\n" + BODY + "}"),
    "an #else alone": (1, "without #if", "#else\n" + BODY + "}"),
    "an #ifdef of nothing": (1, "needs a name", "#ifdef\n#endif\n" + BODY + "}"),
    "a #define of nothing": (1, "needs a name", "#define\n" + BODY + "}"),
    "an unknown directive": (1, "#define, #undef", "#error no\n" + BODY + "}"),
    "a macro with too few arguments": (3, "takes 2 arguments", "#define F(a, b) a + b\n" + BODY + "x[0] = F(1);\n}"),
    "a template without arguments": (2, "write its arguments", "template <int N> __device__ int f() { return N; }\n" "__global__ void k(float* x, int n) { x[0] = f(); }"),
    "a template of nothing": (1, "parameters", "template <> __device__ int f() { return 1; }\n" + BODY + "}"),
    "a pointer field": (1, "plain number", "struct P { float* x; };\n" + BODY + "}"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_its_line(name):
    line, words, source = REFUSED[name]
    with pytest.raises(simt.CompileError, match=words) as caught:
        simt.RawKernel(source, "k")
    assert line in (None, caught.value.line)
    if line is not None:
        assert source.splitlines()[line - 1].strip() in str(caught.value)


def test_an_unknown_kernel_name_lists_the_kernels():
    with pytest.raises(simt.CompileError, match="no __global__ function `q`.*: k"):
        simt.RawKernel(BODY + "}", "q")


ADD = "__global__ void add(const float* a, float* b, int n, float f, unsigned u) { b[0] = a[0] * f + n + u; }"
A, B = np.ones(4, np.float32), np.zeros(4, np.float32)
GOOD = [A, B, np.int32(4), np.float32(2), np.uint32(1)]
FROZEN = np.zeros(4, np.float32)
FROZEN.flags.writeable = False
WRONG = {  # name: (place, value, error, words)
    "double for float array": (0, A.astype(float), TypeError, "array of float64"),
    "integers for floats": (1, B.astype(np.int32), TypeError, "array of int32"),
    "a Python float": (3, 2.0, TypeError, r"pass np.float32\(...\)"),
    "a float64": (3, np.float64(2), TypeError, "np.float64"),
    "a float for an int": (2, 4.0, TypeError, "given float"),
    "an int64 for an int": (2, np.int64(4), TypeError, "np.int64"),
    "a signed for an unsigned": (4, np.int32(4), TypeError, "np.int32"),
    "an array for a number": (2, A, TypeError, "ndarray"),
    "a number for an array": (0, 3, TypeError, "pass a NumPy array"),
    "a list": (0, [1.0, 2.0], TypeError, "was given list"),
    "none": (1, None, TypeError, "NoneType"),
    "a strided array": (0, np.ones(8, np.float32)[::2], TypeError, "contiguous"),
    "a transposed array": (0, np.ones((2, 3), np.float32).T, TypeError, "contiguous"),
    "a read-only output": (1, FROZEN, TypeError, "read-only"),
    "a view of the other": (1, A[:2], ValueError, "share memory"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_a_sentence_that_names_it(name):
    place, value, error, words = WRONG[name]
    given = [*GOOD]
    given[place] = value
    with pytest.raises(error, match=words):
        simt.RawKernel(ADD, "add")((1,), (1,), tuple(given))


def test_a_wrong_number_of_arguments_lists_those_wanted():
    with pytest.raises(TypeError, match=r"takes 5 arguments \(float\* a.*found 4"):
        simt.RawKernel(ADD, "add")((1,), (1,), tuple(GOOD[:4]))


@pytest.mark.parametrize("given", [A, B, FROZEN, A[1:]])
def test_an_input_may_be_read_only_and_a_whole_python_number_fits_an_int(given):
    out = np.zeros(4, np.float32)
    simt.RawKernel(ADD, "add")((1,), 1, (given, out, 4, np.float32(2), 1))
    assert out[0] == given[0] * 2 + 5


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (), "ab", None, 2.5, (1.5,)])
def test_a_grid_of_another_form_is_refused(shape):
    with pytest.raises((ValueError, TypeError), match="grid"):
        simt.RawKernel(ADD, "add")(shape, (1,), tuple(GOOD))


SOUND = """#define T 8
struct Pair { int a; float b; };
template <typename E, int N> __device__ E most(const E* p) {
    E m = p[0];
    for (int i = 1; i < N; ++i) m = p[i] > m ? p[i] : m;
    return m;
}
__device__ void swap(int* a, int* b) { int t = *a; *a = *b; *b = t; }
extern "C" __global__ void k(float* x, int n) {
    __shared__ float s[T][T + 1];
    int i = threadIdx.x, j = i % T;
    s[i / T][j] = x[i] * 2.0f;
    __syncthreads();
    float t = 0.5f;
    #pragma unroll
    for (int r = 0; r < T; r++) { if (r == j) continue; t += s[r][j]; }
    int q[4] = {1, 2, 3, 4};
    swap(&q[0], &q[j & 3]);
    struct Pair p; p.a = q[0]; p.b = t;
    switch (i & 3) { case 0: t += 1; break; case 1: t -= p.b; default: t *= 2; }
    while (p.a > 0 && n > 3) { p.a -= 1; t += __shfl_xor_sync(0xffffffff, 1.0f, 0); break; }
    float4 v = *reinterpret_cast<const float4*>(x + (i & ~3));
    __syncthreads();
    x[i] = t + most<float, 4>(&s[0][0]) + v.x + (float)(i << 1) / (n ? n : 1);
}
"""


def test_a_right_source_less_one_token_runs_or_is_refused_in_words():
    pieces = re.findall(r"\s+|\w+|[^\w\s]", SOUND)
    chance, seen = random.Random(5), set()
    words = [i for i, piece in enumerate(pieces) if not piece.isspace()]
    for _ in range(300):
        gone = set(chance.sample(words, chance.choice([1, 1, 2])))
        source = "".join(p for i, p in enumerate(pieces) if i not in gone)
        try:
            kernel = simt.RawKernel(source, "k", max_steps=500)
            kernel((1,), (64,), (np.ones(64, np.float32), np.int32(64)))
            seen.add("right")
        except (simt.CompileError, simt.KernelFault) as error:
            assert str(error)
            seen.add(type(error).__name__)
        except TypeError as error:  # a parameter less, or of another type
            assert "k takes" in str(error) or "was given" in str(error)
    assert seen == {"right", "CompileError", "KernelFault"}
