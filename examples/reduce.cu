// The sum of n integers: each block adds its share as a tree in shared memory, with a barrier
// after every level, and one thread per block adds the block's sum to the total atomically.

#define THREADS 256

extern "C" __global__ void __launch_bounds__(THREADS)
    reduceSum(const int *__restrict__ input, int n, int *__restrict__ total) {
  __shared__ int partial[THREADS];

  // Each thread first sums a strided part on its own, without any synchronisation.
  int sum = 0;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) {
    sum += input[i];
  }
  partial[threadIdx.x] = sum;
  __syncthreads();

  for (int half = THREADS / 2; half > 0; half >>= 1) {
    if (threadIdx.x < half) {
      partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    __syncthreads();  // outside of the branch: every thread of the block must arrive
  }
  if (threadIdx.x == 0) {
    atomicAdd(total, partial[0]);
  }
}
