// A 7 x 7 filter over an n x n image, zero outside, the filter in constant memory.
#define RADIUS 3
#define SIDE (2 * RADIUS + 1)
extern "C" __constant__ float filter[SIDE * SIDE];
extern "C" __global__ void convolution(int n, const float *__restrict__ in,
                                       float *__restrict__ out) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  float sum = 0.0f;
  for (int dy = -RADIUS; dy <= RADIUS; ++dy) {
    for (int dx = -RADIUS; dx <= RADIUS; ++dx) {
      const int sx = x + dx, sy = y + dy;
      if (sx >= 0 && sx < n && sy >= 0 && sy < n) {
        sum += filter[(dy + RADIUS) * SIDE + dx + RADIUS] * in[sy * n + sx];
      }
    }
  }
  out[y * n + x] = sum;
}
