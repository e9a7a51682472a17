// out[i] = x[0] + ... + x[i], the inclusive prefix sum.
//
// Each block scans its 256 elements and leaves their sum in sums[blockIdx.x]; after a
// scan of `sums` itself, add_offsets gives each block what stands before it.
// Launch: n / 256 blocks, rounded up, of 256 threads. (Chapter 11.)

#define BLOCK 256
#define WARP 32
#define ALL 0xffffffffu

// Each of 8 steps adds to every element the one 1, 2, 4, ... places before it.
// Claim: 1793 additions for 256 elements, n log2 n less what has no partner: not
// work-efficient. (Hillis and Steele, 1986.)
extern "C" __global__ void scan_hillis_steele(const float* x, float* out, float* sums,
                                              int n) {
    __shared__ float from[BLOCK], to[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    from[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int step = 1; step < BLOCK; step *= 2) {
        to[t] = from[t];
        if (t >= step) to[t] += from[t - step];
        __syncthreads();
        from[t] = to[t];
        __syncthreads();
    }
    if (i < n) out[i] = from[t];
    if (t == BLOCK - 1) sums[blockIdx.x] = from[t];
}

// Up a tree of sums, then down it, handing each node the sum of all before it.
// Claim: 2 (n - 1) additions, 510 for 256 elements, in twice the steps. (Blelloch, 1990.)
extern "C" __global__ void scan_blelloch(const float* x, float* out, float* sums,
                                         int n) {
    __shared__ float part[BLOCK];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    float own = i < n ? x[i] : 0.0f;
    part[t] = own;
    __syncthreads();
    for (int step = 1; step < BLOCK; step *= 2) {
        int k = 2 * step * (t + 1) - 1;
        if (k < BLOCK) part[k] += part[k - step];
        __syncthreads();
    }
    if (t == 0) {
        sums[blockIdx.x] = part[BLOCK - 1];
        part[BLOCK - 1] = 0.0f;
    }
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        int k = 2 * step * (t + 1) - 1;
        if (k < BLOCK) {
            float left = part[k - step];
            part[k - step] = part[k];
            part[k] += left;
        }
        __syncthreads();
    }
    if (i < n) out[i] = part[t] + own;  // exclusive to inclusive
}

// The inclusive prefix sum over a warp.
__device__ float warp_scan(float sum) {
    int lane = threadIdx.x % WARP;
    for (int step = 1; step < WARP; step *= 2) {
        float before = __shfl_up_sync(ALL, sum, step);
        if (lane >= step) sum += before;
    }
    return sum;
}

// Warps scan in registers; one warp scans the eight sums of the warps.
// Claim: 17 -> 2 barriers a block, and 8 floats of shared memory instead of 512.
extern "C" __global__ void scan_warp(const float* x, float* out, float* sums, int n) {
    __shared__ float warps[BLOCK / WARP];
    int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
    float sum = warp_scan(i < n ? x[i] : 0.0f);
    if (t % WARP == WARP - 1) warps[t / WARP] = sum;
    __syncthreads();
    if (t < WARP) {
        float total = warp_scan(t < BLOCK / WARP ? warps[t] : 0.0f);
        if (t < BLOCK / WARP) warps[t] = total;
    }
    __syncthreads();
    if (t >= WARP) sum += warps[t / WARP - 1];
    if (i < n) out[i] = sum;
    if (t == BLOCK - 1) sums[blockIdx.x] = sum;
}

// Adds to each block's part the sum of all blocks before it; `sums` is scanned.
extern "C" __global__ void add_offsets(float* out, const float* sums, int n) {
    int i = blockIdx.x * BLOCK + threadIdx.x;
    if (blockIdx.x > 0 && i < n) out[i] += sums[blockIdx.x - 1];
}
