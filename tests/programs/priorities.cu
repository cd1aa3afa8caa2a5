// Streams: priorities, flags, ids, the special handles, and the rules of the legacy default stream.
#include "check.h"

__global__ void put(volatile int *x, int v) { *x = v; }
__global__ void copy(int *to, const volatile int *from) { *to = *from; }

int main() {
  int least, greatest, priority;
  unsigned flags;
  CHECK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  WANT(greatest <= least);
  cudaStream_t high, low, plain;
  CHECK(cudaStreamCreateWithPriority(&high, cudaStreamNonBlocking, greatest));
  CHECK(cudaStreamCreateWithPriority(&low, cudaStreamDefault, least + 100));
  CHECK(cudaStreamCreate(&plain));
  CHECK(cudaStreamGetPriority(high, &priority));
  WANT(priority == greatest);
  CHECK(cudaStreamGetPriority(low, &priority));
  WANT(priority == least); // out of the range: the nearest
  CHECK(cudaStreamGetFlags(high, &flags));
  WANT(flags == cudaStreamNonBlocking);
  CHECK(cudaStreamGetFlags(plain, &flags));
  WANT(flags == cudaStreamDefault);
  unsigned long long one, two;
  CHECK(cudaStreamGetId(high, &one));
  CHECK(cudaStreamGetId(low, &two));
  WANT(one != two);
  int *x, *y;
  CHECK(cudaMallocManaged(&x, 2 * sizeof *x));
  y = x + 1;
  for (int i = 0; i < 20; i++) {
    // Blocking streams wait for the legacy stream, and it for them.
    put<<<1, 1, 0, plain>>>(x, i);
    copy<<<1, 1>>>(y, x);
    put<<<1, 1, 0, low>>>(x, -1);
    CHECK(cudaStreamSynchronize(low));
    WANT(*(volatile int *)y == i);
  }
  put<<<1, 1, 0, cudaStreamLegacy>>>(x, 5);
  copy<<<1, 1, 0, cudaStreamPerThread>>>(y, x);
  CHECK(cudaStreamSynchronize(cudaStreamPerThread));
  WANT(*(volatile int *)y == 5);
  CHECK(cudaStreamQuery(cudaStreamLegacy));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaStreamQuery(nullptr));
  CHECK(cudaStreamDestroy(high));
  CHECK(cudaStreamDestroy(plain));
  printf("priorities passed\n");
}
