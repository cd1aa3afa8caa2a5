// y = alpha * x + y, one element a thread.
extern "C" __global__ void saxpy(int n, float alpha, const float *__restrict__ x,
                                 float *__restrict__ y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = fmaf(alpha, x[i], y[i]);
}
