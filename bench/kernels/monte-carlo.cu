// Points inside the unit circle, of `steps` points a thread drawn by xorshift32.
__device__ unsigned int xorshift(unsigned int &state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}
extern "C" __global__ void monteCarlo(int steps, unsigned int *__restrict__ hits) {
  const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned int state = i * 2654435761u + 12345u;
  if (state == 0) state = 1;
  unsigned int inside = 0;
  for (int k = 0; k < steps; ++k) {
    const float x = (xorshift(state) >> 8) * 0x1p-24f;
    const float y = (xorshift(state) >> 8) * 0x1p-24f;
    if (x * x + y * y <= 1.0f) ++inside;
  }
  hits[i] = inside;
}
