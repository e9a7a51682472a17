// out (cols, rows) = x (rows, cols) transposed: the same bytes, in another order.
//
// Each block of 32 x 8 threads moves a tile of 32 x 32 floats, four rows a thread.
// Launch: grid (cols / 32, rows / 32), rounded up; block (32, 8). (Chapter 11.)

#define TILE 32
#define ROWS 8  // rows of threads in a block

// Reads along rows and writes down columns: a warp's 32 stores lie `rows` apart.
// Claim: loads 4 sectors a request, stores 32.
extern "C" __global__ void transpose_naive(const float* x, float* out, int rows,
                                           int cols) {
    int col = blockIdx.x * TILE + threadIdx.x;
    for (int j = threadIdx.y; j < TILE; j += ROWS) {
        int row = blockIdx.y * TILE + j;
        if (row < rows && col < cols) out[col * rows + row] = x[row * cols + col];
    }
}

// The tile turns in shared memory, so that both the loads and the stores run along rows.
// Claim: stores 32 -> 4 sectors; but a column of the tile lies in one bank: 32 passes.
extern "C" __global__ void transpose_tiled(const float* x, float* out, int rows,
                                           int cols) {
    __shared__ float tile[TILE][TILE];
    int col = blockIdx.x * TILE + threadIdx.x;
    for (int j = threadIdx.y; j < TILE; j += ROWS) {
        int row = blockIdx.y * TILE + j;
        if (row < rows && col < cols) tile[j][threadIdx.x] = x[row * cols + col];
    }
    __syncthreads();
    int row = blockIdx.y * TILE + threadIdx.x;  // of x: a column of out
    for (int j = threadIdx.y; j < TILE; j += ROWS) {
        int col = blockIdx.x * TILE + j;
        if (row < rows && col < cols) out[col * rows + row] = tile[threadIdx.x][j];
    }
}

// One float more in each row of the tile moves the elements of a column to 32 banks.
// Claim: shared loads 32 -> 1 passes a request.
extern "C" __global__ void transpose_padded(const float* x, float* out, int rows,
                                            int cols) {
    __shared__ float tile[TILE][TILE + 1];
    int col = blockIdx.x * TILE + threadIdx.x;
    for (int j = threadIdx.y; j < TILE; j += ROWS) {
        int row = blockIdx.y * TILE + j;
        if (row < rows && col < cols) tile[j][threadIdx.x] = x[row * cols + col];
    }
    __syncthreads();
    int row = blockIdx.y * TILE + threadIdx.x;
    for (int j = threadIdx.y; j < TILE; j += ROWS) {
        int col = blockIdx.x * TILE + j;
        if (row < rows && col < cols) out[col * rows + row] = tile[threadIdx.x][j];
    }
}
