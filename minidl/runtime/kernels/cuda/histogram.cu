// counts[v] += how often the byte v stands in data. `counts` has 256 bins, zeroed.
//
// Launch: any grid of blocks of 256 threads. (Chapter 11.)

#define BINS 256

// Every element is an atomic on global memory, where all blocks meet.
// Claim: n atomics on global memory.
extern "C" __global__ void histogram_global(const unsigned char* data,
                                            unsigned int* counts, int n) {
    int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        atomicAdd(&counts[data[i]], 1u);
}

// Each block counts in a copy of its own in shared memory and adds that once at the end.
// Claim: global atomics fall from n to 256 a block, whatever n.
extern "C" __global__ void histogram_shared(const unsigned char* data,
                                            unsigned int* counts, int n) {
    __shared__ unsigned int own[BINS];
    for (int bin = threadIdx.x; bin < BINS; bin += blockDim.x) own[bin] = 0;
    __syncthreads();
    int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        atomicAdd(&own[data[i]], 1u);
    __syncthreads();
    for (int bin = threadIdx.x; bin < BINS; bin += blockDim.x)
        atomicAdd(&counts[bin], own[bin]);
}
