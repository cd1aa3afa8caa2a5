// Inclusive prefix sums of n integers in three launches: blocks of 256 (Hillis and Steele, double
// buffered in shared memory), the blocks' sums by one block of 256 threads that walks over them,
// and adding them back.
#define THREADS 256

__device__ int scanInBlock(int *s, int value) {
  const int t = threadIdx.x;
  int in = 0, out = THREADS;
  s[t] = value;
  __syncthreads();
  for (int d = 1; d < THREADS; d <<= 1) {
    s[out + t] = t >= d ? s[in + t] + s[in + t - d] : s[in + t];
    __syncthreads();
    in ^= THREADS;
    out ^= THREADS;
  }
  return s[in + t];
}

extern "C" __global__ void __launch_bounds__(THREADS)
    scanBlocks(const int *__restrict__ in, int *__restrict__ out, int *__restrict__ sums) {
  __shared__ int s[2 * THREADS];
  const int i = blockIdx.x * THREADS + threadIdx.x;
  const int value = scanInBlock(s, in[i]);
  out[i] = value;
  if (threadIdx.x == THREADS - 1) sums[blockIdx.x] = value;
}

extern "C" __global__ void __launch_bounds__(THREADS) scanSums(int n, int *__restrict__ sums) {
  __shared__ int s[2 * THREADS];
  __shared__ int carry;
  if (threadIdx.x == 0) carry = 0;
  for (int first = 0; first < n; first += THREADS) {
    const int i = first + threadIdx.x;
    __syncthreads();
    const int value = scanInBlock(s, i < n ? sums[i] : 0) + carry;
    if (i < n) sums[i] = value;
    __syncthreads();
    if (threadIdx.x == THREADS - 1) carry = value;
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
    scanAdd(int *__restrict__ out, const int *__restrict__ sums) {
  if (blockIdx.x == 0) return;
  out[blockIdx.x * THREADS + threadIdx.x] += sums[blockIdx.x - 1];
}
