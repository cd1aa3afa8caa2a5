// The Mandelbrot set: how many steps z -> z*z + c stays within radius 2, per pixel. The threads
// of a warp leave the loop at different times, the classic case of divergence.

extern "C" __global__ void mandelbrot(int width, int height, float left, float top, float step,
                                      int maxIterations, unsigned short *__restrict__ iterations) {
  const int px = blockIdx.x * blockDim.x + threadIdx.x;
  const int py = blockIdx.y * blockDim.y + threadIdx.y;
  if (px >= width || py >= height) return;

  const float cx = fmaf((float)px, step, left);
  const float cy = fmaf((float)py, step, top);
  float x = 0.0f, y = 0.0f;
  int n = 0;
  while (n < maxIterations) {
    const float xx = x * x;
    const float yy = y * y;
    if (xx + yy > 4.0f) break;
    y = fmaf(2.0f * x, y, cy);
    x = (xx - yy) + cx;
    ++n;
  }
  iterations[py * width + px] = (unsigned short)n;
}
