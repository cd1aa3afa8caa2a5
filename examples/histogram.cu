// How often each byte value occurs. Every block counts in its own bins in shared memory, where
// atomics are cheap, and adds them to the global bins once at the end.

#define BINS 256

extern "C" __global__ void __launch_bounds__(BINS)
    histogram(const unsigned char *__restrict__ data, int n, unsigned int *__restrict__ bins) {
  __shared__ unsigned int local[BINS];
  local[threadIdx.x] = 0;  // blockDim.x == BINS: each thread owns one bin
  __syncthreads();

  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    atomicAdd(&local[data[i]], 1u);
  }
  __syncthreads();

  if (local[threadIdx.x] != 0) {
    atomicAdd(&bins[threadIdx.x], local[threadIdx.x]);
  }
}
