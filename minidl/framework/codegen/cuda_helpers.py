"""Functions that generated CUDA C calls and CUDA lacks, as text. (Chapter 9.)"""

import re

# What NumPy means by them: an extremum keeps nan, a quotient rounds down.
SMALL = {
    "maximum{f}": "{float} maximum{f}({float} x, {float} y) "
    "{{ return x > y || x != x ? x : y; }}",
    "minimum{f}": "{float} minimum{f}({float} x, {float} y) "
    "{{ return x < y || x != x ? x : y; }}",
    "larger{f}": "{float} larger{f}({float} x, {float} y) {{ return y > x ? y : x; }}",
    "sign{f}": "{float} sign{f}({float} x) {{ return x > 0 ? 1 : x < 0 ? -1 : x; }}",
}
WHOLE = {
    "max_whole": "long long max_whole(long long x, long long y) "
    "{ return x > y ? x : y; }",
    "min_whole": "long long min_whole(long long x, long long y) "
    "{ return x < y ? x : y; }",
    "sign_whole": "int sign_whole(long long x) { return (x > 0) - (x < 0); }",
    "floordiv": "long long floordiv(long long x, long long y) "
    "{ return x / y - (x % y != 0 && (x < 0) != (y < 0)); }",
    "modulo": "long long modulo(long long x, long long y) "
    "{ return x - floordiv(x, y) * y; }",
    "power": """long long power(long long x, long long n) {
    long long out = 1;
    for (; n > 0; n /= 2, x *= x)
        if (n % 2 == 1) out *= x;
    return out;
}""",
}

# All threads of a block get the join of their values: within each warp through
# registers, then among warps through shared memory.
BLOCK = """{type} block_{fn}{f}({type} value) {{
    __shared__ {type} of_warp[32];
    for (int step = 16; step > 0; step /= 2)
        value = {join};
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
    __syncthreads();
    value = threadIdx.x % 32 < blockDim.x / 32 ? of_warp[threadIdx.x % 32] : {unit};
    for (int step = 16; step > 0; step /= 2)
        value = {join};
    __syncthreads();  // all have read before of_warp is written again
    return value;
}}"""
OTHER = "__shfl_xor_sync(0xffffffffu, value, step)"
TYPES = {"f": "float", "": "double", "_whole": "long long"}
LEAST = {
    "f": "(-1.0f / 0.0f)",
    "": "(-1.0 / 0.0)",
    "_whole": "(-9223372036854775807LL - 1)",
}
MOST = {"f": "(1.0f / 0.0f)", "": "(1.0 / 0.0)", "_whole": "9223372036854775807LL"}
ZERO = {"f": "0.0f", "": "0.0", "_whole": "0"}
UNITS = {"add": ZERO, "maximum": LEAST, "minimum": MOST, "larger": LEAST}


def block_function(fn, f):
    short = {"maximum": "max", "minimum": "min", "larger": "max"}.get(fn, fn)
    name = f"{short}{f}" if f == "_whole" else f"{fn}{f}"
    join = f"value + {OTHER}" if fn == "add" else f"{name}(value, {OTHER})"
    return BLOCK.format(type=TYPES[f], fn=fn, f=f, join=join, unit=UNITS[fn][f])


def table():
    """{name: text} of all helpers, each after those it calls."""
    rows = {
        name.format(f=f): text.format(f=f, float=TYPES[f])
        for f in ("f", "")
        for name, text in SMALL.items()
    } | WHOLE
    blocks = {f"block_{fn}{f}": block_function(fn, f) for fn in UNITS for f in TYPES}
    return rows | blocks


HELPERS = table()


def helpers(text):
    """The functions that `text` calls, and those which they call, as text."""
    needed = set()
    for name in reversed(HELPERS):
        callers = [text, *(HELPERS[n] for n in needed)]
        if any(re.search(rf"\b{name}\(", t) for t in callers):
            needed.add(name)
    return [f"__device__ {own}" for name, own in HELPERS.items() if name in needed]
