// Mandelbrot iteration counts of an n x n picture, at most 256 iterations.
extern "C" __global__ void mandelbrot(int n, int limit, int *__restrict__ out) {
  const int px = blockIdx.x * blockDim.x + threadIdx.x;
  const int py = blockIdx.y * blockDim.y + threadIdx.y;
  if (px >= n || py >= n) return;
  const float cx = -2.0f + 3.0f * px / n, cy = -1.5f + 3.0f * py / n;
  float x = 0.0f, y = 0.0f;
  int it = 0;
  while (it < limit) {
    const float xx = x * x, yy = y * y;
    if (xx + yy > 4.0f) break;
    y = 2.0f * x * y + cy;
    x = xx - yy + cx;
    ++it;
  }
  out[py * n + px] = it;
}
