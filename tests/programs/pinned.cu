// Pinned and mapped memory: kernels and the program see the same bytes; flags and attributes.
#include "check.h"

__global__ void twice(int *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2;
}

int main() {
  const int n = 3000;
  for (unsigned flags : {0u, (unsigned)cudaHostAllocMapped, (unsigned)cudaHostAllocPortable,
                         (unsigned)(cudaHostAllocWriteCombined | cudaHostAllocMapped)}) {
    int *host, *dev;
    unsigned got;
    CHECK(cudaHostAlloc(&host, n * sizeof(int), flags));
    CHECK(cudaHostGetFlags(&got, host));
    WANT((got & flags) == flags);
    CHECK(cudaHostGetDevicePointer(&dev, host, 0));
    for (int i = 0; i < n; i++) host[i] = i;
    twice<<<(n + 127) / 128, 128>>>(dev, n);
    CHECK(cudaDeviceSynchronize());
    for (int i = 0; i < n; i++) WANT(host[i] == 2 * i);
    twice<<<(n + 127) / 128, 128>>>(host, n); // unified addressing
    CHECK(cudaDeviceSynchronize());
    WANT(host[n - 1] == 4 * (n - 1));
    cudaPointerAttributes a;
    CHECK(cudaPointerGetAttributes(&a, host + 5));
    WANT(a.type == cudaMemoryTypeHost && a.hostPointer == host + 5 && a.devicePointer == dev + 5);
    CHECK(cudaFreeHost(host));
  }
  int *x = nullptr;
  FAILS(cudaErrorInvalidValue, cudaHostAlloc(&x, 16, 0x1000));
  CHECK(cudaFreeHost(nullptr));
  FAILS(cudaErrorInvalidValue, cudaFreeHost((void *)&n));
  CHECK(cudaHostAlloc(&x, 0, 0));
  printf("pinned passed\n");
}
