// Stream-ordered allocation: pools, their attributes, reuse, trimming, and use in other streams.
#include <cstdint>
#include "check.h"

__global__ void fill(int *x, int n, int v) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = v;
}

int main() {
  int supported;
  CHECK(cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, 0));
  WANT(supported == 1);
  cudaMemPool_t standard, own;
  CHECK(cudaDeviceGetDefaultMemPool(&standard, 0));
  uint64_t keep = UINT64_MAX, value;
  CHECK(cudaMemPoolSetAttribute(standard, cudaMemPoolAttrReleaseThreshold, &keep));
  CHECK(cudaMemPoolGetAttribute(standard, cudaMemPoolAttrReleaseThreshold, &value));
  WANT(value == keep);
  cudaStream_t s;
  CHECK(cudaStreamCreate(&s));
  const int n = 10000;
  int *x, host[4];
  for (int i = 0; i < 50; i++) {
    CHECK(cudaMallocAsync(&x, n * sizeof(int), s));
    fill<<<40, 256, 0, s>>>(x, n, i);
    CHECK(cudaMemcpyAsync(host, x + n - 4, sizeof host, cudaMemcpyDeviceToHost, s));
    CHECK(cudaFreeAsync(x, s));
    CHECK(cudaStreamSynchronize(s));
    WANT(host[0] == i && host[3] == i);
  }
  CHECK(cudaMemPoolGetAttribute(standard, cudaMemPoolAttrUsedMemCurrent, &value));
  WANT(value == 0);
  CHECK(cudaMemPoolGetAttribute(standard, cudaMemPoolAttrUsedMemHigh, &value));
  WANT(value >= n * sizeof(int));
  CHECK(cudaMemPoolTrimTo(standard, 0));
  CHECK(cudaMemPoolGetAttribute(standard, cudaMemPoolAttrReservedMemCurrent, &value));
  WANT(value == 0);
  cudaMemPoolProps props = {};
  props.allocType = cudaMemAllocationTypePinned;
  props.location.type = cudaMemLocationTypeDevice;
  props.location.id = 0;
  CHECK(cudaMemPoolCreate(&own, &props));
  CHECK(cudaMallocFromPoolAsync(&x, 1000, own, s));
  CHECK(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &value));
  WANT(value >= 1000);
  CHECK(cudaFreeAsync(x, s));
  CHECK(cudaDeviceSetMemPool(0, own));
  cudaMemPool_t current;
  CHECK(cudaDeviceGetMemPool(&current, 0));
  WANT(current == own);
  CHECK(cudaMallocAsync(&x, 64, s));
  CHECK(cudaFree(x)); // cudaFree waits, and takes such memory too
  CHECK(cudaStreamSynchronize(s));
  CHECK(cudaMemPoolDestroy(own));
  FAILS(cudaErrorMemoryAllocation, cudaMallocAsync(&x, 1ull << 45, s));
  printf("pools passed\n");
}
