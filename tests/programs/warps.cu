// Warp operations: shuffles, votes, matches, ballots under divergence, and reductions by them.
#include "check.h"

__global__ void shuffles(int *out) {
  int lane = threadIdx.x;
  out[lane] = __shfl_sync(~0u, lane * 10, 31 - lane);
  out[32 + lane] = __shfl_up_sync(~0u, lane, 3);
  out[64 + lane] = __shfl_down_sync(~0u, lane, 5, 16);
  out[96 + lane] = __shfl_xor_sync(~0u, lane, 6);
  double d = __shfl_xor_sync(~0u, lane + 0.5, 1);
  out[128 + lane] = d == (lane ^ 1) + 0.5;
  int sum = lane;
  for (int o = 16; o > 0; o /= 2) sum += __shfl_xor_sync(~0u, sum, o);
  out[160 + lane] = sum;
}
__global__ void votes(unsigned *out) {
  int lane = threadIdx.x;
  out[lane] = __ballot_sync(~0u, lane % 3 == 0);
  out[32 + lane] = __all_sync(~0u, lane < 32) + 2 * __any_sync(~0u, lane == 31) + 4 * __any_sync(~0u, lane > 31);
  unsigned mask = 0;
  if (lane % 2) mask = __ballot_sync(0xaaaaaaaa, lane > 16);
  else mask = __ballot_sync(0x55555555, lane > 16);
  out[64 + lane] = mask;
  out[96 + lane] = __match_any_sync(~0u, lane / 5);
  int all;
  unsigned same = __match_all_sync(~0u, 7, &all);
  out[128 + lane] = all ? same : 0;
  out[160 + lane] = __popc(__activemask());
}
__global__ void sums(const int *in, int *out, int n) {
  __shared__ int warp_sums[32];
  int v = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += in[i];
  for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(~0u, v, o);
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x < 32) {
    v = threadIdx.x < blockDim.x / 32 ? warp_sums[threadIdx.x] : 0;
    for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(~0u, v, o);
    if (threadIdx.x == 0) atomicAdd(out, v);
  }
}

int main() {
  int *out;
  CHECK(cudaMallocManaged(&out, 1024));
  shuffles<<<1, 32>>>(out);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 32; i++) {
    WANT(out[i] == (31 - i) * 10);
    WANT(out[32 + i] == (i < 3 ? i : i - 3));
    WANT(out[64 + i] == (i % 16 + 5 < 16 ? i + 5 : i));
    WANT(out[96 + i] == (i ^ 6) && out[128 + i] == 1 && out[160 + i] == 496);
  }
  unsigned *u = (unsigned *)out;
  votes<<<1, 32>>>(u);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 32; i++) {
    unsigned five = 0;
    for (int j = 0; j < 32; j++) five |= (unsigned)(j / 5 == i / 5) << j;
    WANT(u[i] == 0x49249249 && u[32 + i] == 3);
    WANT(u[64 + i] == (i % 2 ? 0xaaaa0000u & 0xfffe0000u : 0x55540000u));
    WANT(u[96 + i] == five && u[128 + i] == ~0u && u[160 + i] == 32);
  }
  const int n = 100000;
  int *in;
  CHECK(cudaMallocManaged(&in, n * sizeof(int)));
  for (int i = 0; i < n; i++) in[i] = i % 100;
  *out = 0;
  sums<<<20, 256>>>(in, out, n);
  CHECK(cudaDeviceSynchronize());
  WANT(*out == n / 100 * 4950);
  printf("warps passed\n");
}
