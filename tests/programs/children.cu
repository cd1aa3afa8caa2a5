// Launches by kernels. A stand-in takes the place of the toolkit's device runtime in the prebuilt
// program: neither may be used, since the device has its own.
// build: -rdc=true -cudadevrt=none HERE/support/device-runtime.cu
#include <cstdio>

__global__ void add(int *data, int value) { atomicAdd(&data[threadIdx.x], value); }
__global__ void negate(int *data) { data[threadIdx.x] = -data[threadIdx.x]; }
__global__ void parent(int *data, int depth) {
  if (threadIdx.x != 0) return;
  negate<<<1, 32, 0, cudaStreamTailLaunch>>>(data);
  add<<<1, 32>>>(data, depth);
  if (depth > 1) parent<<<1, 32>>>(data, depth - 1);
}

int main() {
  int *data, host[32];
  if (cudaMalloc(&data, sizeof host) != cudaSuccess) return 2;
  if (cudaMemset(data, 0, sizeof host) != cudaSuccess) return 3;
  parent<<<1, 32>>>(data, 3);
  if (cudaGetLastError() != cudaSuccess) return 4;
  if (cudaDeviceSynchronize() != cudaSuccess) return 5;
  if (cudaMemcpy(host, data, sizeof host, cudaMemcpyDefault) != cudaSuccess) return 6;
  // 3, then the child: 2, its child: 1 and a change of sign, and two more changes of sign.
  for (int i = 0; i < 32; i++) {
    if (host[i] != -6) return printf("%d: %d\n", i, host[i]), 1;
  }
  printf("children passed\n");
}
