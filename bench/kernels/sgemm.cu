// C = A * B, n x n, with 16 x 16 tiles in shared memory (n a multiple of 16).
#define TILE 16
extern "C" __global__ void __launch_bounds__(TILE *TILE)
    sgemm(int n, const float *__restrict__ a, const float *__restrict__ b,
          float *__restrict__ c) {
  __shared__ float as[TILE][TILE];
  __shared__ float bs[TILE][TILE];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int row = blockIdx.y * TILE + ty, col = blockIdx.x * TILE + tx;
  float sum = 0.0f;
  for (int t = 0; t < n; t += TILE) {
    as[ty][tx] = a[row * n + t + tx];
    bs[ty][tx] = b[(t + ty) * n + col];
    __syncthreads();
    for (int k = 0; k < TILE; ++k) sum += as[ty][k] * bs[k][tx];
    __syncthreads();
  }
  c[row * n + col] = sum;
}
