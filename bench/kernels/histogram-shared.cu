// 256 bins over the low bytes of n words: each block of 256 threads counts 4096 words in shared
// memory and adds its bins to the global ones.
#define BINS 256
#define PER_THREAD 16
extern "C" __global__ void __launch_bounds__(BINS)
    histogramShared(const unsigned int *__restrict__ data, unsigned int *__restrict__ bins) {
  __shared__ unsigned int local[BINS];
  const int t = threadIdx.x;
  local[t] = 0;
  __syncthreads();
  const int first = blockIdx.x * BINS * PER_THREAD + t;
  for (int j = 0; j < PER_THREAD; ++j) {
    atomicAdd(&local[data[first + j * BINS] & 255u], 1u);
  }
  __syncthreads();
  atomicAdd(&bins[t], local[t]);
}
