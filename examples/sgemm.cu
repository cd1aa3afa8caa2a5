// C = A * B for row-major A (m x k), B (k x n), C (m x n), by tiles in shared memory.
// Each block computes one TILE x TILE tile of C; it walks along k, and at each step all its
// threads together load one tile of A and one of B, so that every element read from global
// memory is used TILE times.

#define TILE 16

extern "C" __global__ void __launch_bounds__(TILE *TILE)
    sgemm(int m, int n, int k, const float *__restrict__ a, const float *__restrict__ b,
          float *__restrict__ c) {
  __shared__ float tileA[TILE][TILE];
  __shared__ float tileB[TILE][TILE];

  const int tx = threadIdx.x;
  const int ty = threadIdx.y;
  const int row = blockIdx.y * TILE + ty;
  const int col = blockIdx.x * TILE + tx;

  float sum = 0.0f;
  for (int k0 = 0; k0 < k; k0 += TILE) {
    // Elements outside the matrices count as zero, so sizes need not be multiples of TILE.
    tileA[ty][tx] = row < m && k0 + tx < k ? a[row * k + k0 + tx] : 0.0f;
    tileB[ty][tx] = k0 + ty < k && col < n ? b[(k0 + ty) * n + col] : 0.0f;
    __syncthreads();  // both tiles are complete

#pragma unroll
    for (int i = 0; i < TILE; ++i) {
      sum = fmaf(tileA[ty][i], tileB[i][tx], sum);
    }
    __syncthreads();  // nobody reads the tiles any more
  }
  if (row < m && col < n) {
    c[row * n + col] = sum;
  }
}
