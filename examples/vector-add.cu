// c[i] = a[i] + b[i]: the first CUDA program everyone writes. One thread computes one element.

extern "C" __global__ void vectorAdd(const float *__restrict__ a, const float *__restrict__ b,
                                     float *__restrict__ c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {  // the last block may stick out over the end
    c[i] = a[i] + b[i];
  }
}
