// out = softmax(q k^T / sqrt(D)) v for q, k, v, out of shape (heads, T, D), D = 32.
//
// `causal` hides from each query the keys behind it. Launch: grid (T / 32, heads),
// rounded up, of 32 threads: a thread for each query. (Chapter 11.)

#define D 32     // numbers of a head
#define KEYS 32  // in a tile
#define LEAST -3.402823466e38f

// The scores go to memory, (heads, T, T) of them, and come back twice.
// Claim: memory and traffic grow with T squared.
extern "C" __global__ void attention_naive(const float* q, const float* k,
                                           const float* v, float* scores, float* out,
                                           int T, int causal) {
    int query = blockIdx.x * blockDim.x + threadIdx.x, head = blockIdx.y;
    if (query >= T) return;
    int base = head * T * D, end = causal ? query + 1 : T;
    float* row = scores + (head * T + query) * T;
    float most = LEAST, sum = 0.0f;
    for (int j = 0; j < end; ++j) {
        float score = 0.0f;
        for (int d = 0; d < D; ++d)
            score += q[base + query * D + d] * k[base + j * D + d];
        score *= rsqrtf(D);
        row[j] = score;
        most = fmaxf(most, score);
    }
    for (int j = 0; j < end; ++j) sum += expf(row[j] - most);
    for (int d = 0; d < D; ++d) {
        float mean = 0.0f;
        for (int j = 0; j < end; ++j)
            mean += expf(row[j] - most) / sum * v[base + j * D + d];
        out[base + query * D + d] = mean;
    }
}

// Keys and values pass by in tiles; maximum, sum and result of each query stay in
// registers and are scaled down when a greater score turns up. (Dao et al., 2022.)
// Claim: no score goes to memory; k and v are read T / 32 times, 4 sectors a request.
extern "C" __global__ void flash_attention(const float* q, const float* k,
                                           const float* v, float* out, int T,
                                           int causal) {
    __shared__ float keys[KEYS][D];
    __shared__ float values[KEYS][D];
    int t = threadIdx.x, first = blockIdx.x * KEYS, query = first + t;
    int base = blockIdx.y * T * D;
    float own[D], result[D];
    for (int d = 0; d < D; ++d) {
        own[d] = query < T ? q[base + query * D + d] * rsqrtf(D) : 0.0f;
        result[d] = 0.0f;
    }
    float most = LEAST, sum = 0.0f;
    int end = causal && first + KEYS < T ? first + KEYS : T;
    for (int start = 0; start < end; start += KEYS) {
        int n = min(KEYS, T - start);
        for (int j = 0; j < n; ++j) {  // the warp loads row after row
            keys[j][t] = k[base + (start + j) * D + t];
            values[j][t] = v[base + (start + j) * D + t];
        }
        __syncthreads();
        for (int j = 0; j < n; ++j) {
            if (causal && start + j > query) break;
            float score = 0.0f;
            for (int d = 0; d < D; ++d) score += own[d] * keys[j][d];
            float higher = fmaxf(most, score);
            float shrink = expf(most - higher), weight = expf(score - higher);
            for (int d = 0; d < D; ++d)
                result[d] = result[d] * shrink + weight * values[j][d];
            sum = sum * shrink + weight;
            most = higher;
        }
        __syncthreads();
    }
    for (int d = 0; d < D; ++d)
        if (query < T) out[base + query * D + d] = result[d] / sum;
}
