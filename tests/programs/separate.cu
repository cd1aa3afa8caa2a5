// Separate compilation: the device links the program's modules.
// build: -rdc=true -cudadevrt=none
#include <cstdio>

__device__ int offset = 3;
__device__ int twice(int v) { return 2 * v + offset; }
__global__ void use(int *x) { x[threadIdx.x] = twice(threadIdx.x); }

int main() {
  int *x, host[32], four = 4;
  if (cudaMalloc(&x, sizeof host) != cudaSuccess) return 2;
  if (cudaMemcpyToSymbol(offset, &four, sizeof four) != cudaSuccess) return 3;
  use<<<1, 32>>>(x);
  if (cudaGetLastError() != cudaSuccess) return 4;
  if (cudaMemcpy(host, x, sizeof host, cudaMemcpyDefault) != cudaSuccess) return 5;
  for (int i = 0; i < 32; i++) {
    if (host[i] != 2 * i + 4) return printf("%d: %d\n", i, host[i]), 1;
  }
  printf("separate passed\n");
}
