// assert inside a kernel: the first failing thread stops the kernel, the message goes to stderr,
// and the next call that waits for the kernel returns cudaErrorAssert.

#include <cassert>

extern "C" __global__ void checkedSqrt(const float *values, float *roots, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  assert(values[i] >= 0.0f);
  roots[i] = sqrtf(values[i]);
}
