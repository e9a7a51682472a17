// C (M, N) = A (M, K) B (K, N): each rung uses a number more often once it is near.
//
// The ladder's steps are those of CUTLASS (Kerr et al., 2017). (Chapter 11.)

#define TILE 32

// One element a thread, threadIdx.x running down the rows: neighbours read A K apart.
// Claim: loads of A 32 sectors a request, stores of C 32. Launch: grid (M / 32, N / 32),
// rounded up; block (32, 32).
extern "C" __global__ void matmul_naive(const float* A, const float* B, float* C, int M,
                                        int N, int K) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    int col = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= M || col >= N) return;
    float sum = 0.0f;
    for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
    C[row * N + col] = sum;
}

// The same with x and y exchanged: a warp reads one number of A and a row of B.
// Claim: A 32 -> 1 sectors, B 4, stores 32 -> 4. Launch: grid (N / 32, M / 32).
extern "C" __global__ void matmul_coalesced(const float* A, const float* B, float* C,
                                            int M, int N, int K) {
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= M || col >= N) return;
    float sum = 0.0f;
    for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
    C[row * N + col] = sum;
}

// A block loads a tile of A and one of B into shared memory; all its threads use them.
// Claim: each number is loaded N / 32 or M / 32 times: 20 times fewer sectors of loads.
// Launch: as before.
extern "C" __global__ void matmul_tiled(const float* A, const float* B, float* C, int M,
                                        int N, int K) {
    __shared__ float a[TILE][TILE];
    __shared__ float b[TILE][TILE];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * TILE + y, col = blockIdx.x * TILE + x;
    float sum = 0.0f;
    for (int k0 = 0; k0 < K; k0 += TILE) {
        a[y][x] = row < M && k0 + x < K ? A[row * K + k0 + x] : 0.0f;
        b[y][x] = k0 + y < K && col < N ? B[(k0 + y) * N + col] : 0.0f;
        __syncthreads();
        for (int k = 0; k < TILE; ++k) sum += a[y][k] * b[k][x];
        __syncthreads();
    }
    if (row < M && col < N) C[row * N + col] = sum;
}

#define BM 64  // rows of C of a block
#define BN 64  // columns
#define BK 8   // how much of K at a time
#define TM 8   // results of a thread

// A thread keeps eight rows of one column in registers: a number of B serves eight
// products. Claim: loads of shared memory for a product 2 -> 9 / 8.
// Launch: grid (N / 64, M / 64), rounded up; block (64, 8).
extern "C" __global__ void matmul_register_1d(const float* A, const float* B, float* C,
                                              int M, int N, int K) {
    __shared__ float a[BM][BK];
    __shared__ float b[BK][BN];
    int x = threadIdx.x, y = threadIdx.y, t = y * BN + x;
    int row = blockIdx.y * BM, col = blockIdx.x * BN;
    int ai = t / BK, aj = t % BK;  // the one element of A that this thread loads
    float sum[TM];
    for (int i = 0; i < TM; ++i) sum[i] = 0.0f;
    for (int k0 = 0; k0 < K; k0 += BK) {
        a[ai][aj] = row + ai < M && k0 + aj < K ? A[(row + ai) * K + k0 + aj] : 0.0f;
        b[y][x] = k0 + y < K && col + x < N ? B[(k0 + y) * N + col + x] : 0.0f;
        __syncthreads();
        for (int k = 0; k < BK; ++k) {
            float right = b[k][x];
            for (int i = 0; i < TM; ++i) sum[i] += a[y * TM + i][k] * right;
        }
        __syncthreads();
    }
    for (int i = 0; i < TM; ++i) {
        int r = row + y * TM + i;
        if (r < M && col + x < N) C[r * N + col + x] = sum[i];
    }
}

// A thread keeps 4 x 4 results; numbers move four at a time; A is stored transposed so
// that a thread's four rows lie side by side. N and K are multiples of 4.
// Claim: loads of shared memory for a product 9 / 8 -> 1 / 8, of 16 bytes each.
// Launch: grid (N / 64, M / 64), rounded up; block (16, 16).
extern "C" __global__ void matmul_register_2d(const float* A, const float* B, float* C,
                                              int M, int N, int K) {
    __shared__ float4 a[BK][BM / 4];
    __shared__ float4 b[BK][BN / 4];
    float* at = reinterpret_cast<float*>(a);  // the same memory, float by float
    int x = threadIdx.x, y = threadIdx.y, t = y * 16 + x;
    int row = blockIdx.y * BM, col = blockIdx.x * BN;
    float4 none = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float sum[4][4];
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) sum[i][j] = 0.0f;
    for (int k0 = 0; k0 < K; k0 += BK) {
        if (t < BM * BK / 4) {  // half of the threads load A, the others B
            int i = t / 2, k = t % 2 * 4;
            float4 v = none;
            if (row + i < M && k0 + k < K)
                v = *reinterpret_cast<const float4*>(A + (row + i) * K + k0 + k);
            at[k * BM + i] = v.x;
            at[(k + 1) * BM + i] = v.y;
            at[(k + 2) * BM + i] = v.z;
            at[(k + 3) * BM + i] = v.w;
        } else {
            int k = t / 16 - 8, j = t % 16;
            float4 v = none;
            if (k0 + k < K && col + 4 * j < N)
                v = *reinterpret_cast<const float4*>(B + (k0 + k) * N + col + 4 * j);
            b[k][j] = v;
        }
        __syncthreads();
        for (int k = 0; k < BK; ++k) {
            float4 up = a[k][y], right = b[k][x];
            float left[4] = {up.x, up.y, up.z, up.w};
            for (int i = 0; i < 4; ++i) {
                sum[i][0] += left[i] * right.x;
                sum[i][1] += left[i] * right.y;
                sum[i][2] += left[i] * right.z;
                sum[i][3] += left[i] * right.w;
            }
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; ++i) {
        int r = row + 4 * y + i, c = col + 4 * x;
        if (r < M && c < N)
            *reinterpret_cast<float4*>(C + r * N + c) =
                make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
    }
}
