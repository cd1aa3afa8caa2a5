// The steps of a small pipeline that the host puts together as a graph: two branches that may run
// beside one another, what joins them, and a sum of the result. All in wrapping 32-bit integers.

extern "C" __global__ void scale(const unsigned *__restrict__ x, unsigned *__restrict__ y,
                                 unsigned factor, unsigned n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] * factor + 1u;
}

// Each element with its neighbour to the right, cyclically.
extern "C" __global__ void mix(const unsigned *__restrict__ x, unsigned *__restrict__ y, unsigned n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = (x[i] << 3) ^ x[i + 1 < n ? i + 1 : 0];
}

extern "C" __global__ void join(const unsigned *__restrict__ a, const unsigned *__restrict__ b,
                                unsigned *__restrict__ x, unsigned n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = a[i] ^ b[i];
}

extern "C" __global__ void sum(const unsigned *__restrict__ x, unsigned *__restrict__ total,
                               unsigned n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(total, x[i]);
}
