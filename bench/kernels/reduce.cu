// The sums of blocks of 256 elements, as a tree in shared memory.
#define THREADS 256
extern "C" __global__ void __launch_bounds__(THREADS)
    blockReduce(int n, const float *__restrict__ in, float *__restrict__ out) {
  __shared__ float s[THREADS];
  const int t = threadIdx.x;
  const int i = blockIdx.x * THREADS + t;
  s[t] = i < n ? in[i] : 0.0f;
  __syncthreads();
  for (int k = THREADS / 2; k > 0; k >>= 1) {
    if (t < k) s[t] += s[t + k];
    __syncthreads();
  }
  if (t == 0) out[blockIdx.x] = s[0];
}
