// The STREAM triad, a = b + scalar * c, one element a thread.
extern "C" __global__ void triad(int n, float scalar, const float *__restrict__ b,
                                 const float *__restrict__ c, float *__restrict__ a) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) a[i] = fmaf(scalar, c[i], b[i]);
}
