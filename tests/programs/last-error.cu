// The last error of a thread: peeked, taken, set by launches, and other threads' own.
#include <thread>
#include "check.h"

__global__ void nothing() {}

int main() {
  WANT(cudaGetLastError() == cudaSuccess);
  nothing<<<1, 2000>>>();
  WANT(cudaPeekAtLastError() == cudaErrorInvalidValue);
  WANT(cudaPeekAtLastError() == cudaErrorInvalidValue);
  // Success does not clear it.
  CHECK(cudaDeviceSynchronize());
  bool clean = false;
  std::thread([&] { clean = cudaGetLastError() == cudaSuccess; }).join();
  WANT(clean);
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  WANT(cudaGetLastError() == cudaSuccess);
  nothing<<<0, 1>>>();
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  nothing<<<dim3(1, 70000), 1>>>();
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  nothing<<<1, dim3(1, 1, 65)>>>();
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  nothing<<<1, 1, 1 << 20>>>();
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  WANT(cudaMalloc((void **)nullptr, 4) == cudaErrorInvalidValue);
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  void *p;
  WANT(cudaMalloc(&p, 1ull << 50) == cudaErrorMemoryAllocation);
  WANT(cudaGetLastError() == cudaErrorMemoryAllocation);
  // These say something that is no failure.
  WANT(cudaFree((void *)0x1234) == cudaErrorInvalidValue);
  WANT(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(cudaFree(nullptr));
  nothing<<<1, 1>>>();
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
  printf("last-error passed\n");
}
