// Inclusive prefix sums. Inside a warp the values travel by shuffles, without shared memory; the
// warps' totals meet in shared memory, and the blocks' totals in a second launch.

#define THREADS 1024
#define WARPS (THREADS / 32)
#define ALL 0xffffffffu

// The sum of this lane's value and those of all lower lanes of its warp.
__device__ int warpScan(int value) {
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int distance = 1; distance < 32; distance <<= 1) {
    const int below = __shfl_up_sync(ALL, value, distance);
    if (lane >= distance) value += below;
  }
  return value;
}

// Scans each block of THREADS elements on its own and leaves the block's total in blockSums.
extern "C" __global__ void __launch_bounds__(THREADS)
    scanBlocks(const int *__restrict__ input, int *__restrict__ output,
               int *__restrict__ blockSums, int n) {
  __shared__ int warpSums[WARPS];

  const int i = blockIdx.x * THREADS + threadIdx.x;
  const int warp = threadIdx.x >> 5;
  const int lane = threadIdx.x & 31;

  int value = warpScan(i < n ? input[i] : 0);
  if (lane == 31) warpSums[warp] = value;
  __syncthreads();

  if (warp == 0) {
    warpSums[lane] = warpScan(warpSums[lane]);
  }
  __syncthreads();

  if (warp > 0) value += warpSums[warp - 1];
  if (i < n) output[i] = value;
  if (threadIdx.x == THREADS - 1) blockSums[blockIdx.x] = value;
}

// Adds to each block the (already scanned) sums of the blocks before it.
extern "C" __global__ void __launch_bounds__(THREADS)
    addOffsets(int *__restrict__ output, const int *__restrict__ scannedSums, int n) {
  const int i = blockIdx.x * THREADS + threadIdx.x;
  if (blockIdx.x > 0 && i < n) output[i] += scannedSums[blockIdx.x - 1];
}
