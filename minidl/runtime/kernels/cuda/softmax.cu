// out = exp(x - max) / sum(exp(x - max)) along the rows of x (rows, cols).
//
// The row's maximum is taken off so that exp can't overflow. (Chapter 11.)

#define BLOCK 256
#define WARP 32
#define ALL 0xffffffffu
#define LEAST -3.402823466e38f  // of all floats

// One thread a row, three passes over it: maximum, sum, result.
// Claim: the threads of a warp read `cols` apart, 32 sectors a request.
// Launch: rows / 128 blocks, rounded up, of 128 threads.
extern "C" __global__ void softmax_naive(const float* x, float* out, int rows,
                                         int cols) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    const float* in = x + row * cols;
    float most = LEAST, sum = 0.0f;
    for (int j = 0; j < cols; ++j) most = fmaxf(most, in[j]);
    for (int j = 0; j < cols; ++j) sum += expf(in[j] - most);
    for (int j = 0; j < cols; ++j) out[row * cols + j] = expf(in[j] - most) / sum;
}

// One block a row: its threads read side by side and join by a tree in shared memory.
// Claim: 32 -> 4 sectors a request; still three passes over the row. Launch: rows blocks.
extern "C" __global__ void softmax_shared(const float* x, float* out, int rows,
                                          int cols) {
    __shared__ float part[BLOCK];
    const float* in = x + blockIdx.x * cols;
    int t = threadIdx.x;
    float most = LEAST, sum = 0.0f;
    for (int j = t; j < cols; j += BLOCK) most = fmaxf(most, in[j]);
    part[t] = most;
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        if (t < step) part[t] = fmaxf(part[t], part[t + step]);
        __syncthreads();
    }
    most = part[0];
    __syncthreads();  // all have read part[0] before it is written again
    for (int j = t; j < cols; j += BLOCK) sum += expf(in[j] - most);
    part[t] = sum;
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        if (t < step) part[t] += part[t + step];
        __syncthreads();
    }
    sum = part[0];
    for (int j = t; j < cols; j += BLOCK)
        out[blockIdx.x * cols + j] = expf(in[j] - most) / sum;
}

// One warp a row; maximum and sum in one pass: a new maximum scales the old sum down.
// Claim: 3 -> 2 loads of each element, no barrier, no shared memory. (Milakov and
// Gimelshein, 2018.) Launch: rows / 8 blocks, rounded up, of 256 threads.
extern "C" __global__ void softmax_online(const float* x, float* out, int rows,
                                          int cols) {
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    const float* in = x + row * cols;
    float most = LEAST, sum = 0.0f;
    for (int j = lane; j < cols; j += WARP) {
        float value = in[j], higher = fmaxf(most, value);
        sum = sum * expf(most - higher) + expf(value - higher);
        most = higher;
    }
    for (int step = WARP / 2; step > 0; step /= 2) {
        float other = __shfl_xor_sync(ALL, most, step);
        float higher = fmaxf(most, other);
        sum = sum * expf(most - higher)
            + __shfl_xor_sync(ALL, sum, step) * expf(other - higher);
        most = higher;
    }
    for (int j = lane; j < cols; j += WARP)
        out[row * cols + j] = expf(in[j] - most) / sum;
}
