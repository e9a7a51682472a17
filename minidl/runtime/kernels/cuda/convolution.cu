// out (F, H - 2, W - 2): F filters of C x 3 x 3 over an image x (C, H, W), no padding.
//
// Launch: grid (W / 16, H / 16, F), rounded up; block (16, 16): a thread for each
// result. (Chapter 11.)

#define R 3      // a filter is R x R
#define TILE 16  // results of a block, along each side
#define HALO (TILE + R - 1)

// Each thread reads the C x 3 x 3 pixels under its filter from global memory.
// Claim: 9 loads of the image for each channel and result.
extern "C" __global__ void convolution_direct(const float* x, const float* filters,
                                              float* out, int C, int H, int W) {
    int col = blockIdx.x * TILE + threadIdx.x, row = blockIdx.y * TILE + threadIdx.y;
    int rows = H - R + 1, cols = W - R + 1;
    if (row >= rows || col >= cols) return;
    const float* filter = filters + blockIdx.z * C * R * R;
    float sum = 0.0f;
    for (int c = 0; c < C; ++c)
        for (int i = 0; i < R; ++i)
            for (int j = 0; j < R; ++j)
                sum += filter[(c * R + i) * R + j] * x[(c * H + row + i) * W + col + j];
    out[(blockIdx.z * rows + row) * cols + col] = sum;
}

// A block loads each channel's tile, with the rim that its edge results need, once.
// Claim: 9 -> (18 x 18) / (16 x 16) = 1.27 loads of the image.
extern "C" __global__ void convolution_tiled(const float* x, const float* filters,
                                             float* out, int C, int H, int W) {
    __shared__ float tile[HALO][HALO];
    int col = blockIdx.x * TILE + threadIdx.x, row = blockIdx.y * TILE + threadIdx.y;
    int rows = H - R + 1, cols = W - R + 1;
    const float* filter = filters + blockIdx.z * C * R * R;
    float sum = 0.0f;
    for (int c = 0; c < C; ++c) {
        for (int k = threadIdx.y * TILE + threadIdx.x; k < HALO * HALO; k += TILE * TILE) {
            int i = k / HALO, j = k % HALO;
            int r = blockIdx.y * TILE + i, s = blockIdx.x * TILE + j;
            tile[i][j] = r < H && s < W ? x[(c * H + r) * W + s] : 0.0f;
        }
        __syncthreads();
        for (int i = 0; i < R; ++i)
            for (int j = 0; j < R; ++j)
                sum += filter[(c * R + i) * R + j]
                     * tile[threadIdx.y + i][threadIdx.x + j];
        __syncthreads();
    }
    if (row < rows && col < cols) out[(blockIdx.z * rows + row) * cols + col] = sum;
}
