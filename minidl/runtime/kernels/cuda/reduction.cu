// The sum of n floats: each block adds up its part into partial[blockIdx.x].
//
// A second launch adds up the partial sums. Blocks have 256 threads. After "Optimizing
// Parallel Reduction in CUDA" (Harris, 2007). (Chapter 11.)

#define BLOCK 256
#define WARP 32
#define ALL 0xffffffffu  // every lane of a warp

// A tree whose steps are 1, 2, 4: the threads that work stand ever further apart.
// Claim: nearly every warp diverges at each step. Launch: n / 256 blocks, rounded up.
extern "C" __global__ void reduce_interleaved(const float* x, float* partial, int n) {
    __shared__ float part[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    part[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int step = 1; step < BLOCK; step *= 2) {
        if (t % (2 * step) == 0) part[t] += part[t + step];
        __syncthreads();
    }
    if (t == 0) partial[blockIdx.x] = part[0];
}

// The same tree, worked by the first threads: whole warps work or rest.
// Claim: divergence only in the last five steps; but strides of 2 to 32 meet in banks.
extern "C" __global__ void reduce_strided(const float* x, float* partial, int n) {
    __shared__ float part[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    part[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int step = 1; step < BLOCK; step *= 2) {
        int k = 2 * step * t;
        if (k < BLOCK) part[k] += part[k + step];
        __syncthreads();
    }
    if (t == 0) partial[blockIdx.x] = part[0];
}

// The steps run 128, 64, 32: each thread adds what lies half a range away.
// Claim: neighbours use neighbouring banks, 1 pass a request.
extern "C" __global__ void reduce_sequential(const float* x, float* partial, int n) {
    __shared__ float part[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    part[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        if (t < step) part[t] += part[t + step];
        __syncthreads();
    }
    if (t == 0) partial[blockIdx.x] = part[0];
}

// Each thread adds two elements as it loads them: no thread is idle at the first add.
// Claim: half the blocks, so half the barriers. Launch: n / 512 blocks, rounded up.
extern "C" __global__ void reduce_first_add(const float* x, float* partial, int n) {
    __shared__ float part[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * (2 * BLOCK) + t;
    float sum = i < n ? x[i] : 0.0f;
    if (i + BLOCK < n) sum += x[i + BLOCK];
    part[t] = sum;
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        if (t < step) part[t] += part[t + step];
        __syncthreads();
    }
    if (t == 0) partial[blockIdx.x] = part[0];
}

// The sum over a warp, in its lane 0: values move from register to register.
__device__ float warp_sum(float sum) {
    for (int step = WARP / 2; step > 0; step /= 2)
        sum += __shfl_down_sync(ALL, sum, step);
    return sum;
}

// The last 32 values are one warp's: shuffles add them without memory or barriers.
// Claim: 9 -> 4 barriers a block. Launch: n / 512 blocks, rounded up.
extern "C" __global__ void reduce_shuffle(const float* x, float* partial, int n) {
    __shared__ float part[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * (2 * BLOCK) + t;
    float sum = i < n ? x[i] : 0.0f;
    if (i + BLOCK < n) sum += x[i + BLOCK];
    part[t] = sum;
    __syncthreads();
    for (int step = BLOCK / 2; step >= WARP; step /= 2) {
        if (t < step) part[t] += part[t + step];
        __syncthreads();
    }
    if (t < WARP) {
        sum = warp_sum(part[t]);
        if (t == 0) partial[blockIdx.x] = sum;
    }
}

// A few blocks walk over all of x, four floats a load, and add in registers.
// Claim: a quarter of the load requests; 1 barrier a block whatever n. Launch: any grid.
extern "C" __global__ void reduce_grid_stride(const float* x, float* partial, int n) {
    __shared__ float part[BLOCK / WARP];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t, threads = gridDim.x * BLOCK;
    const float4* x4 = reinterpret_cast<const float4*>(x);
    float sum = 0.0f;
    for (int k = i; k < n / 4; k += threads) {
        float4 v = x4[k];
        sum += (v.x + v.y) + (v.z + v.w);
    }
    int rest = n / 4 * 4 + i;  // up to three elements are left
    if (rest < n) sum += x[rest];
    sum = warp_sum(sum);
    if (t % WARP == 0) part[t / WARP] = sum;
    __syncthreads();
    if (t < WARP) {
        sum = warp_sum(t < BLOCK / WARP ? part[t] : 0.0f);
        if (t == 0) partial[blockIdx.x] = sum;
    }
}
