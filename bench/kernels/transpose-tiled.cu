// The transpose of an n x n matrix through 32 x 32 tiles in shared memory (n a multiple of 32);
// 32 x 8 threads a block, as in NVIDIA's sample.
#define TILE 32
#define ROWS 8
extern "C" __global__ void __launch_bounds__(TILE *ROWS)
    transposeTiled(int n, const float *__restrict__ in, float *__restrict__ out) {
  __shared__ float tile[TILE][TILE + 1];
  int x = blockIdx.x * TILE + threadIdx.x;
  int y = blockIdx.y * TILE + threadIdx.y;
  for (int j = 0; j < TILE; j += ROWS) {
    tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * n + x];
  }
  __syncthreads();
  x = blockIdx.y * TILE + threadIdx.x;
  y = blockIdx.x * TILE + threadIdx.y;
  for (int j = 0; j < TILE; j += ROWS) {
    out[(y + j) * n + x] = tile[threadIdx.x][threadIdx.y + j];
  }
}
