// Heat flowing through a plate: one explicit step of the 2-D heat equation with the 5-point
// stencil. The block's cells and their halo sit in shared memory; the plate's edge stays fixed.

#define TILE_X 32
#define TILE_Y 8

extern "C" __global__ void __launch_bounds__(TILE_X *TILE_Y)
    heatStep(int width, int height, float k, const float *__restrict__ now,
             float *__restrict__ next) {
  __shared__ float tile[TILE_Y + 2][TILE_X + 2];

  const int x = blockIdx.x * TILE_X + threadIdx.x;
  const int y = blockIdx.y * TILE_Y + threadIdx.y;
  const int tx = threadIdx.x + 1;
  const int ty = threadIdx.y + 1;
  const bool inside = x < width && y < height;

  if (inside) {
    const int i = y * width + x;
    tile[ty][tx] = now[i];
    if (threadIdx.x == 0 && x > 0) tile[ty][0] = now[i - 1];
    if (threadIdx.x == TILE_X - 1 && x < width - 1) tile[ty][TILE_X + 1] = now[i + 1];
    if (threadIdx.y == 0 && y > 0) tile[0][tx] = now[i - width];
    if (threadIdx.y == TILE_Y - 1 && y < height - 1) tile[TILE_Y + 1][tx] = now[i + width];
  }
  __syncthreads();

  if (inside) {
    const float centre = tile[ty][tx];
    float value = centre;
    if (x > 0 && x < width - 1 && y > 0 && y < height - 1) {
      const float around = tile[ty][tx - 1] + tile[ty][tx + 1] + tile[ty - 1][tx] + tile[ty + 1][tx];
      value = fmaf(k, fmaf(-4.0f, centre, around), centre);
    }
    next[y * width + x] = value;
  }
}
