// Bitonic sort of 2^k keys. Stages whose partners lie within one block's share run together in
// shared memory; the wider ones take a launch each.

#define SHARE 1024            // keys per block in shared memory
#define THREADS (SHARE / 2)   // each thread compares one pair

__device__ void compareExchange(unsigned int &a, unsigned int &b, bool ascending) {
  if ((a > b) == ascending) {
    const unsigned int t = a;
    a = b;
    b = t;
  }
}

// The pair (i, i + distance) of thread t, where i has the bit `distance` clear.
__device__ int lowerIndex(int t, int distance) {
  return 2 * t - (t & (distance - 1));
}

// Sorts each share of SHARE keys, alternately up and down: the first log2(SHARE) phases.
extern "C" __global__ void __launch_bounds__(THREADS) sortShares(unsigned int *__restrict__ keys) {
  __shared__ unsigned int share[SHARE];
  const int base = blockIdx.x * SHARE;
  const int t = threadIdx.x;

  share[t] = keys[base + t];
  share[t + THREADS] = keys[base + t + THREADS];
  for (int size = 2; size <= SHARE; size <<= 1) {
    for (int distance = size >> 1; distance > 0; distance >>= 1) {
      __syncthreads();
      const int i = lowerIndex(t, distance);
      compareExchange(share[i], share[i + distance], ((base + i) & size) == 0);
    }
  }
  __syncthreads();
  keys[base + t] = share[t];
  keys[base + t + THREADS] = share[t + THREADS];
}

// One stage of a phase of `size` keys whose partners are `distance` >= SHARE apart.
extern "C" __global__ void __launch_bounds__(THREADS)
    mergeGlobal(unsigned int *__restrict__ keys, int size, int distance) {
  const int i = lowerIndex(blockIdx.x * THREADS + threadIdx.x, distance);
  compareExchange(keys[i], keys[i + distance], (i & size) == 0);
}

// The remaining stages of a phase of `size` keys, in shared memory.
extern "C" __global__ void __launch_bounds__(THREADS)
    mergeShares(unsigned int *__restrict__ keys, int size) {
  __shared__ unsigned int share[SHARE];
  const int base = blockIdx.x * SHARE;
  const int t = threadIdx.x;
  const bool ascending = (base & size) == 0;  // size > SHARE: the same for the whole block

  share[t] = keys[base + t];
  share[t + THREADS] = keys[base + t + THREADS];
  for (int distance = SHARE / 2; distance > 0; distance >>= 1) {
    __syncthreads();
    const int i = lowerIndex(t, distance);
    compareExchange(share[i], share[i + distance], ascending);
  }
  __syncthreads();
  keys[base + t] = share[t];
  keys[base + t + THREADS] = share[t + THREADS];
}
