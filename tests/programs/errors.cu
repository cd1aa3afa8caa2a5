// Errors: numbers, texts, where they surface, and that a kernel's fault sticks.
#include <cstdio>

__global__ void nothing() {}
__global__ void fault(int *p) { *p = 1; }

#define WANT(e, w) do { cudaError_t r = (e); if (r != w) { printf("line %d: %s is %d\n", __LINE__, #e, r); return 1; } } while (0)

int main() {
  WANT(cudaSetDevice(7), cudaErrorInvalidDevice);
  WANT(cudaGetLastError(), cudaErrorInvalidDevice);
  WANT(cudaGetLastError(), cudaSuccess);
  nothing<<<1, 2000>>>();
  WANT(cudaPeekAtLastError(), cudaErrorInvalidValue);
  WANT(cudaGetLastError(), cudaErrorInvalidValue);
  nothing<<<1, 32, 200000>>>();
  WANT(cudaGetLastError(), cudaErrorInvalidValue);
  int local;
  WANT(cudaFree(&local), cudaErrorInvalidValue);
  int *p;
  WANT(cudaMalloc(&p, (size_t)1 << 60), cudaErrorMemoryAllocation);
  WANT(cudaMalloc(&p, 4), cudaSuccess);
  WANT(cudaMemcpy(p, &local, 4, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  WANT(cudaMemcpy(p, &local, 4, (cudaMemcpyKind)9), cudaErrorInvalidMemcpyDirection);
  cudaGetLastError();
  nothing<<<1, 1>>>();
  WANT(cudaDeviceSynchronize(), cudaSuccess);
  fault<<<1, 1>>>(nullptr);
  WANT(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  WANT(cudaMalloc(&p, 4), cudaErrorIllegalAddress);
  WANT(cudaDeviceReset(), cudaSuccess);
  cudaGetLastError();
  WANT(cudaMalloc(&p, 4), cudaSuccess);
  fault<<<1, 1>>>(p);
  WANT(cudaDeviceSynchronize(), cudaSuccess);
  if (cudaGetErrorName(cudaErrorIllegalAddress)[0] != 'c') return 1;
  printf("errors passed\n");
}
