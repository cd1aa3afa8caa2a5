// Constant and global variables by symbol, attributes of functions and of the device.
#include <cstdio>
#include <cstring>

__constant__ float table[16];
__device__ int counters[4];

__global__ void use(float *out) {
  out[threadIdx.x] = table[threadIdx.x] * 2;
  atomicAdd(&counters[threadIdx.x % 4], 1);
}
__global__ void big(float *out) {
  extern __shared__ float s[];
  s[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = s[blockDim.x - 1 - threadIdx.x];
}

#define CHECK(e) do { cudaError_t r = (e); if (r != cudaSuccess) { printf("line %d: %s: %s\n", __LINE__, #e, cudaGetErrorString(r)); return 2; } } while (0)

int main() {
  float host[16], *out;
  for (int i = 0; i < 16; i++) host[i] = i;
  CHECK(cudaMemcpyToSymbol(table, host, sizeof host));
  CHECK(cudaMalloc(&out, 1024 * sizeof(float)));
  use<<<1, 16>>>(out);
  CHECK(cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost));
  int count[4];
  CHECK(cudaMemcpyFromSymbol(count, counters, sizeof count));
  for (int i = 0; i < 16; i++) if (host[i] != 2 * i || count[i % 4] != 4) return 1;
  size_t size;
  CHECK(cudaGetSymbolSize(&size, table));
  if (size != 64) return 1;
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, big));
  if (attributes.maxThreadsPerBlock != 1024) return 1;
  // CUB chooses kernels by it: the target that this file is compiled for, not the PTX language's.
  if (attributes.ptxVersion != 75 || attributes.binaryVersion != 90) return 1;
  CHECK(cudaFuncSetAttribute(big, cudaFuncAttributeMaxDynamicSharedMemorySize, 100000));
  big<<<1, 1024, 100000>>>(out);
  CHECK(cudaMemcpy(host, out, 4, cudaMemcpyDeviceToHost));
  if (host[0] != 1023) return printf("%f\n", host[0]), 1;
  cudaDeviceProp p;
  CHECK(cudaGetDeviceProperties(&p, 0));
  int major, sms;
  CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0));
  CHECK(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, 0));
  if (p.major != major || p.multiProcessorCount != sms || p.warpSize != 32) return 1;
  if (strlen(p.name) == 0 || p.maxThreadsPerBlock != 1024 || p.maxThreadsDim[2] != 64) return 1;
  int blocks;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, use, 256, 0));
  int grid, block;
  CHECK(cudaOccupancyMaxPotentialBlockSize(&grid, &block, use));
  if (blocks < 1 || block < 32 || grid < 1) return 1;
  printf("symbols passed\n");
}
