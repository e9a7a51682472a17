"""Right and wrong answers to lab 11, for the gate."""

RIGHT = {
    "column_sums": [
        '''
def column_sums():
    return r"""
extern "C" __global__ void column_sums(const float* x, float* out, int rows, int cols) {
    __shared__ float part[256];
    int col = blockIdx.x * blockDim.x + threadIdx.x, t = threadIdx.y * 32 + threadIdx.x;
    if (col >= cols) return;
    float sum = 0;
    for (int row = threadIdx.y; row < rows; row += blockDim.y) sum += x[row * cols + col];
    part[t] = sum;
    __syncthreads();
    for (int half = 4; half > 0; half /= 2) {
        if (threadIdx.y < half) part[t] += part[t + 32 * half];
        __syncthreads();
    }
    if (threadIdx.y == 0) out[col] = part[t];
}"""
''',
        '''
def column_sums():
    return r"""
#define ROWS 8
extern "C" __global__ void column_sums(const float* x, float* out, int rows, int cols) {
    __shared__ float total[32];
    int col = blockIdx.x * 32 + threadIdx.x;
    if (threadIdx.y == 0) total[threadIdx.x] = 0.0f;
    __syncthreads();
    float sum = 0.0f;
    for (int row = threadIdx.y; row < rows; row += ROWS)
        if (col < cols) sum += x[(long long)row * cols + col];
    atomicAdd(&total[threadIdx.x], sum);
    __syncthreads();
    if (threadIdx.y == 7 && col < cols) out[col] = total[threadIdx.x];
}"""
''',
    ],
    "log_sum_exp": [
        '''
def log_sum_exp():
    return r"""
#define ALL 0xffffffffu
extern "C" __global__ void log_sum_exp(const float* x, float* out, int rows, int cols) {
    int row = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x & 31;
    if (row >= rows) return;
    float top = -3.402823466e38f, sum = 0.0f;
    for (int j = lane; j < cols; j += 32) {
        float value = x[row * cols + j];
        if (value > top) {
            sum = sum * expf(top - value) + 1.0f;
            top = value;
        } else {
            sum += expf(value - top);
        }
    }
    float highest = top;
    for (int step = 16; step; step >>= 1)
        highest = fmaxf(highest, __shfl_xor_sync(ALL, highest, step));
    sum *= expf(top - highest);
    for (int step = 16; step; step >>= 1) sum += __shfl_down_sync(ALL, sum, step);
    if (lane == 0) out[row] = logf(sum) + highest;
}"""
''',
        '''
def log_sum_exp():
    return r"""
struct Pair { float most; float sum; };
__device__ Pair join(Pair a, Pair b) {
    Pair both;
    both.most = fmaxf(a.most, b.most);
    both.sum = a.sum * expf(a.most - both.most) + b.sum * expf(b.most - both.most);
    return both;
}
extern "C" __global__ void log_sum_exp(const float* x, float* out, int rows, int cols) {
    int row = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    if (row < rows) {
        Pair own, other;
        own.most = -1e38f;
        own.sum = 0.0f;
        for (int j = lane; j < cols; j += 32) {
            other.most = x[row * cols + j];
            other.sum = 1.0f;
            own = join(own, other);
        }
        for (int step = 1; step < 32; step *= 2) {
            other.most = __shfl_xor_sync(0xffffffffu, own.most, step);
            other.sum = __shfl_xor_sync(0xffffffffu, own.sum, step);
            own = join(own, other);
        }
        if (lane == 0) out[row] = own.most + logf(own.sum);
    }
}"""
''',
    ],
    "stencil": [
        '''
def stencil():
    return r"""
#define R 4
#define BLOCK 256
extern "C" __global__ void stencil(const float* x, const float* weight, float* out,
                                   int n) {
    __shared__ float tile[BLOCK + 2 * R], w[2 * R + 1];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    tile[t + R] = i < n ? x[i] : 0.0f;
    if (t < R) tile[t] = i >= R && i - R < n ? x[i - R] : 0.0f;
    if (t >= BLOCK - R) tile[t + 2 * R] = i + R < n ? x[i + R] : 0.0f;
    if (t <= 2 * R) w[t] = weight[t];
    __syncthreads();
    if (i >= n) return;
    float sum = 0.0f;
    #pragma unroll
    for (int k = -R; k <= R; ++k) sum += w[k + R] * tile[t + R + k];
    out[i] = sum;
}"""
''',
        '''
def stencil():
    return r"""
extern "C" __global__ void stencil(const float* x, const float* weight, float* out,
                                   int n) {
    __shared__ float near[264];
    int first = blockIdx.x * blockDim.x - 4;
    for (int turn = 0; turn < 2; ++turn) {
        int k = threadIdx.x + turn * 256;
        if (k >= 264) continue;
        float value = 0.0f;
        if (first + k >= 0 && first + k < n) value = x[first + k];
        near[k] = value;
    }
    __syncthreads();
    int i = first + 4 + threadIdx.x;
    float sum = 0.0f;
    for (int k = 8; k >= 0; --k) sum = fmaf(near[threadIdx.x + k], weight[k], sum);
    if (i < n) out[i] = sum;
}"""
''',
    ],
}

COLUMN_LOOP = """    if (col < cols)
        for (int row = y; row < rows; row += 8) sum += x[row * cols + col];
    part[y][lane] = sum;
    __syncthreads();
"""
JOINED = """    part[y][lane] = sum;
    __syncthreads();
    if (y == 0 && col < cols) {
        for (int i = 1; i < 8; ++i) sum += part[i][lane];
"""
PAIRS = """        float rest = __shfl_xor_sync(ALL, sum, step);
        float higher = fmaxf(most, other);
        sum = sum * expf(most - higher) + rest * expf(other - higher);
"""
VALUE = """        float value = x[row * cols + j];
        float higher = fmaxf(most, value);
"""
FILL = """    for (int k = t; k < 256 + 8; k += 256) {
        int j = start + k - 4;
        tile[k] = j >= 0 && j < n ? x[j] : 0.0f;
    }
    __syncthreads();
    if (start + t < n) {
        float mixed = 0.0f;
        for (int k = 0; k < 9; ++k) mixed += weight[k] * tile[t + k];
"""
FILLING = "for (int k = t; k < 256 + 8; k += 256) {"

WRONG = {
    "column_sums": [
        (
            "the lanes of a warp walk down a column",
            "int lane = threadIdx.x, y = threadIdx.y, col",
            "int t = threadIdx.y * 32 + threadIdx.x, lane = t / 8, y = t % 8, col",
        ),
        ("no barrier", JOINED, JOINED.replace("    __syncthreads();\n", "")),
        (
            "a barrier that columns beyond the end don't reach",
            COLUMN_LOOP,
            COLUMN_LOOP.replace("if (col < cols)", "if (col < cols) {") + "    }\n",
        ),
        (
            "the sums of a column lie side by side: bank conflicts",
            JOINED,
            JOINED.replace("    part[y][lane] =", "    float* flat = &part[0][0];\n"
                           "    flat[lane * 8 + y] =")
            .replace("part[i][lane]", "flat[lane * 8 + i]"),
        ),
        (
            "loads are not guarded",
            "    if (col < cols)\n        for (int row = y",
            "    for (int row = y",
        ),
        ("stores are not guarded", "if (y == 0 && col < cols) {", "if (y == 0) {"),
        ("rows are taken twice", "row += 8) sum", "row += 7) sum"),
        ("the last warp is left out", "int i = 1; i < 8;", "int i = 1; i < 7;"),
        ("the first warp counts twice", "int i = 1; i < 8;", "int i = 0; i < 8;"),
        (
            "one warp does all",
            "int row = y; row < rows; row += 8",
            "int row = y ? rows : 0; row < rows; ++row",
        ),
        (
            "each warp loads all rows",
            "for (int row = y; row < rows; row += 8) sum += x[row * cols + col];",
            "for (int row = 0; row < rows; ++row) {\n"
            "            float value = x[row * cols + col];\n"
            "            sum += row % 8 == y ? value : 0.0f;\n        }",
        ),
        ("rows and cols exchanged", "sum += x[row * cols + col];\n    part",
         "sum += x[col * rows + row];\n    part"),
        ("the blocks all take the same columns", "col = blockIdx.x * 32 + lane",
         "col = lane"),
    ],
    "log_sum_exp": [
        ("nothing is subtracted", "fmaxf(most, value)", "0.0f"),
        ("a step is missing", "int step = 16; step > 0; step /= 2) {",
         "int step = 8; step > 0; step /= 2) {"),
        ("the last step is missing", "step > 0; step /= 2) {", "step > 1; step /= 2) {"),
        (
            "the sum does not shrink",
            "sum = sum * expf(most - higher) + expf(value - higher);",
            "sum = sum + expf(value - higher);",
        ),
        ("the other sum does not shrink", "rest * expf(other - higher)", "rest"),
        (
            "the sum is changed before the other lane reads it",
            PAIRS,
            "        float higher = fmaxf(most, other);\n"
            "        sum *= expf(most - higher);\n"
            "        sum += __shfl_xor_sync(ALL, sum, step) * expf(other - higher);\n",
        ),
        ("the mask names half a warp", "ALL 0xffffffffu", "ALL 0x0000ffffu"),
        (
            "lanes without an element leave",
            "if (row >= rows) return;",
            "if (row >= rows || lane >= cols) return;",
        ),
        ("rows beyond the end are read", "    if (row >= rows) return;\n", ""),
        (
            "each element is loaded twice",
            VALUE,
            "        float higher = fmaxf(most, x[row * cols + j]);\n"
            "        float value = x[row * cols + j];\n",
        ),
        (
            "a lane takes elements side by side",
            "int j = lane; j < cols; j += 32",
            "int j = lane * ((cols + 31) / 32); "
            "j < min(cols, (lane + 1) * ((cols + 31) / 32)); ++j",
        ),
        (
            "it begins at -infinity",
            "float most = -3.402823466e38f, sum",
            "float most = -__int_as_float(0x7f800000), sum",
        ),
        ("it begins at 0", "float most = -3.402823466e38f, sum", "float most = 0.0f, sum"),
        ("the maximum is not added again", "most + logf(sum)", "logf(sum)"),
        (
            "it goes through shared memory",
            "    if (lane == 0) out[row] = most + logf(sum);",
            "    __shared__ float kept[256];\n"
            "    kept[threadIdx.x] = most + logf(sum);\n"
            "    if (lane == 0) out[row] = kept[threadIdx.x];",
        ),
    ],
    "stencil": [
        ("no barrier", FILL, FILL.replace("    __syncthreads();\n", "")),
        ("the halo is not loaded", FILLING, "for (int k = t; k < 256; k += 256) {"),
        ("reads outside of x", "j >= 0 && j < n ? x[j] : 0.0f", "x[j]"),
        ("reads behind x", "tile[k] = j >= 0 && j < n ?", "tile[k] = j >= 0 ?"),
        (
            "a barrier that threads behind n don't reach",
            FILL,
            "    if (start + t < n) {\n"
            + FILL.replace("    if (start + t < n) {\n", ""),
        ),
        ("the weights are reversed", "weight[k] * tile", "weight[8 - k] * tile"),
        ("the window is shifted", "start + k - 4;", "start + k - 3;"),
        ("eight weights", "int k = 0; k < 9; ++k) mixed", "int k = 0; k < 8; ++k) mixed"),
        (
            "the neighbours are read in global memory",
            "weight[k] * tile[t + k]",
            "weight[k] * (start + t + k >= 4 && start + t + k - 4 < n"
            " ? x[start + t + k - 4] : 0.0f)",
        ),
        (
            "bank conflicts",
            "    __shared__ float tile[256 + 8];\n    int t = threadIdx.x, "
            "start = blockIdx.x * 256;\n" + FILL,
            "    __shared__ float tile[2 * (256 + 8)];\n    int t = threadIdx.x, "
            "start = blockIdx.x * 256;\n"
            + FILL.replace("tile[k]", "tile[2 * k]")
            .replace("tile[t + k]", "tile[2 * (t + k)]"),
        ),
        ("results behind the end", "    if (start + t < n) {\n", "    {\n"),
        (
            "a thread loads two elements side by side",
            FILLING,
            "for (int k = 2 * t; k < min(2 * t + 2, 256 + 8); ++k) {",
        ),
        (
            "one thread loads the tile",
            FILLING,
            "for (int k = 0; t == 0 && k < 256 + 8; ++k) {",
        ),
    ],
}  # fmt: skip
