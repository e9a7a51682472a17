// out = (x - mean) / sqrt(variance + eps) * gain + bias along the rows of x (rows, cols).
//
// (Chapter 11.)

#define BLOCK 256
#define WARP 32
#define ALL 0xffffffffu

// The sum over a block, in all its threads; `part` is shared memory for BLOCK floats.
__device__ float block_sum(float sum, float* part) {
    int t = threadIdx.x;
    part[t] = sum;
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        if (t < step) part[t] += part[t + step];
        __syncthreads();
    }
    sum = part[0];
    __syncthreads();  // `part` may be used again
    return sum;
}

// One block a row: a pass for the mean, one for the variance, one for the result.
// Claim: 3 loads of each element, 4 sectors a request. Launch: rows blocks of 256.
extern "C" __global__ void layer_norm_two_pass(const float* x, const float* gain,
                                               const float* bias, float* out, int rows,
                                               int cols, float eps) {
    __shared__ float part[BLOCK];
    const float* in = x + blockIdx.x * cols;
    int t = threadIdx.x;
    float sum = 0.0f, squares = 0.0f;
    for (int j = t; j < cols; j += BLOCK) sum += in[j];
    float mean = block_sum(sum, part) / cols;
    for (int j = t; j < cols; j += BLOCK) {
        float away = in[j] - mean;
        squares += away * away;
    }
    float scale = rsqrtf(block_sum(squares, part) / cols + eps);
    for (int j = t; j < cols; j += BLOCK)
        out[blockIdx.x * cols + j] = (in[j] - mean) * scale * gain[j] + bias[j];
}

// One warp a row: each lane keeps count, mean and squared distance in one pass, and
// shuffles join the lanes two by two. (Welford, 1962; Chan et al., 1979.)
// Claim: 3 -> 2 loads of each element, no barrier. Launch: rows / 8 blocks of 256.
extern "C" __global__ void layer_norm_welford(const float* x, const float* gain,
                                              const float* bias, float* out, int rows,
                                              int cols, float eps) {
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    const float* in = x + row * cols;
    float count = 0.0f, mean = 0.0f, squares = 0.0f;
    for (int j = lane; j < cols; j += WARP) {
        float value = in[j], away = value - mean;
        count += 1.0f;
        mean += away / count;
        squares += away * (value - mean);
    }
    for (int step = WARP / 2; step > 0; step /= 2) {
        float others = __shfl_xor_sync(ALL, count, step);
        float away = __shfl_xor_sync(ALL, mean, step) - mean;
        float both = fmaxf(count + others, 1.0f);  // two idle lanes join as nothing
        squares += __shfl_xor_sync(ALL, squares, step)
                 + away * away * count * others / both;
        mean += away * others / both;
        count += others;
    }
    float scale = rsqrtf(squares / cols + eps);
    for (int j = lane; j < cols; j += WARP)
        out[row * cols + j] = (in[j] - mean) * scale * gain[j] + bias[j];
}
