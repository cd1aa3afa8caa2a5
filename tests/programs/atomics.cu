// Atomics of every type and operation, locks, and threads that wait for one another.
#include "check.h"

__device__ int lock;
__device__ unsigned ticket;

__global__ void operations(int *i, unsigned *u, unsigned long long *l, float *f, double *d) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  atomicAdd(&i[0], 1);
  atomicSub(&i[1], 2);
  atomicMin(&i[2], -t);
  atomicMax(&i[3], t);
  atomicOr(&i[4], 1 << (t % 31));
  atomicAnd(&i[5], ~(1 << (t % 31)));
  atomicXor(&i[6], t);
  atomicInc(&u[0], 99);
  atomicDec(&u[1], 99);
  atomicAdd(&l[0], 1ull << 33);
  atomicMax(&l[1], (unsigned long long)t << 40);
  atomicAdd(&f[0], 0.5f);
  atomicAdd(&d[0], 0.25);
  atomicAdd_block(&i[7], 1);
  atomicAdd_system(&i[8], 1);
  if (atomicExch(&i[9], t) < 0) atomicAdd(&i[10], 1);
  int old = f[1], assumed;
  do {
    assumed = old;
    old = atomicCAS((int *)&i[11], assumed, assumed + 3);
  } while (old != assumed);
}
// A lock that each lane of a warp takes: only the independent progress of lanes makes it end.
__global__ void locked(int *x) {
  for (bool done = false; !done;) {
    if (atomicCAS(&lock, 0, 1) == 0) {
      __threadfence();
      *(volatile int *)x = *(volatile int *)x + 1;
      __threadfence();
      atomicExch(&lock, 0);
      done = true;
    }
  }
}
// The last block sums up what the others have left.
__global__ void last_block(int *parts, int *sum) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = blockIdx.x + 1;
    __threadfence();
    last = atomicInc(&ticket, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    int s = 0;
    for (int i = 0; i < gridDim.x; i++) s += ((volatile int *)parts)[i];
    *sum = s;
  }
}
// Blocks in a chain: each waits for the one before it.
__global__ void chain(volatile int *flags, int *out) {
  if (blockIdx.x > 0) while (flags[blockIdx.x - 1] == 0) {}
  __threadfence();
  out[blockIdx.x] = blockIdx.x == 0 ? 1 : out[blockIdx.x - 1] + 1;
  __threadfence();
  flags[blockIdx.x] = 1;
}

int main() {
  int *i, *x;
  unsigned *u;
  unsigned long long *l;
  float *f;
  double *d;
  CHECK(cudaMallocManaged(&i, 64));
  CHECK(cudaMallocManaged(&u, 64));
  CHECK(cudaMallocManaged(&l, 64));
  CHECK(cudaMallocManaged(&f, 64));
  CHECK(cudaMallocManaged(&d, 64));
  CHECK(cudaMallocManaged(&x, 1024 * sizeof(int)));
  for (int k = 0; k < 16; k++) i[k] = u[k] = 0, f[k] = 0;
  for (int k = 0; k < 8; k++) l[k] = 0, d[k] = 0;
  i[5] = i[9] = -1;
  const int n = 64 * 128;
  operations<<<64, 128>>>(i, u, l, f, d);
  CHECK(cudaDeviceSynchronize());
  WANT(i[0] == n && i[1] == -2 * n && i[2] == 1 - n && i[3] == n - 1);
  WANT(i[4] == 0x7fffffff && i[5] == (int)0x80000000 && i[6] == 0);
  WANT(u[0] == n % 100 && u[1] == (100 - n % 100) % 100);
  WANT(l[0] == (unsigned long long)n << 33 && l[1] == (unsigned long long)(n - 1) << 40);
  WANT(f[0] == n / 2 && d[0] == n / 4);
  WANT(i[7] == n && i[8] == n && i[10] == 1 && i[11] == 3 * n);
  *x = 0;
  locked<<<8, 64>>>(x);
  CHECK(cudaDeviceSynchronize());
  WANT(*x == 512);
  for (int k = 0; k < 3; k++) {
    last_block<<<100, 32>>>(x, i);
    CHECK(cudaDeviceSynchronize());
    WANT(*i == 5050);
  }
  CHECK(cudaMemset(x, 0, 1024 * sizeof(int)));
  chain<<<200, 1>>>(x, x + 512);
  CHECK(cudaDeviceSynchronize());
  WANT(x[512 + 199] == 200);
  printf("atomics passed\n");
}
