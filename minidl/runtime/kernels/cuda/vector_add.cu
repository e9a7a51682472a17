// out = x + y for n floats: what a thread is, and how a warp reads memory.
//
// A warp is 32 threads that run one instruction together. Its loads are served in
// sectors of 32 bytes: side by side, 32 floats are 128 bytes, 4 sectors. (Chapter 11.)

// One element a thread. Launch: n / 256 blocks, rounded up, of 256 threads.
// Claim: 4 sectors a request, the fewest for 4 bytes a thread.
extern "C" __global__ void vector_add(const float* x, const float* y, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = x[i] + y[i];
}

// Any grid: each thread goes on by the whole grid until n is reached.
// Claim: neighbours still read neighbours, so still 4 sectors a request.
extern "C" __global__ void vector_add_grid_stride(const float* x, const float* y,
                                                  float* out, int n) {
    int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        out[i] = x[i] + y[i];
}

// Four elements a thread in one instruction. Launch: n / 1024 blocks, rounded up.
// Claim: a quarter of the requests, 16 sectors each; the bytes stay the same.
extern "C" __global__ void vector_add_float4(const float* x, const float* y, float* out,
                                             int n) {
    int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    if (i + 3 < n) {
        float4 a = *reinterpret_cast<const float4*>(x + i);
        float4 b = *reinterpret_cast<const float4*>(y + i);
        float4 sum = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
        *reinterpret_cast<float4*>(out + i) = sum;
    } else {
        for (; i < n; ++i) out[i] = x[i] + y[i];
    }
}
