// Attributes and properties of the device, of kernels and of pointers agree with one another.
#include <cstring>
#include "check.h"

__constant__ int c[100];
__device__ int g;
__global__ void __launch_bounds__(128) small(int *x) {
  __shared__ int s[32];
  s[threadIdx.x % 32] = c[threadIdx.x % 100];
  __syncthreads();
  *x = s[0];
}

static int attribute(cudaDeviceAttr which) {
  int value = -1;
  CHECK(cudaDeviceGetAttribute(&value, which, 0));
  return value;
}

int main() {
  int count, device = -1, version, runtime;
  CHECK(cudaGetDeviceCount(&count));
  WANT(count >= 1);
  CHECK(cudaGetDevice(&device));
  WANT(device == 0);
  CHECK(cudaDriverGetVersion(&version));
  CHECK(cudaRuntimeGetVersion(&runtime));
  WANT(version >= runtime && runtime == CUDART_VERSION);
  cudaDeviceProp p;
  CHECK(cudaGetDeviceProperties(&p, 0));
  WANT(p.major == attribute(cudaDevAttrComputeCapabilityMajor));
  WANT(p.minor == attribute(cudaDevAttrComputeCapabilityMinor));
  WANT(p.warpSize == attribute(cudaDevAttrWarpSize));
  WANT(p.maxThreadsPerBlock == attribute(cudaDevAttrMaxThreadsPerBlock));
  WANT(p.maxThreadsDim[0] == attribute(cudaDevAttrMaxBlockDimX));
  WANT(p.maxGridSize[1] == attribute(cudaDevAttrMaxGridDimY));
  WANT((int)p.sharedMemPerBlock == attribute(cudaDevAttrMaxSharedMemoryPerBlock));
  WANT((int)p.sharedMemPerBlockOptin == attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
  WANT((int)p.totalConstMem == attribute(cudaDevAttrTotalConstantMemory));
  WANT(p.regsPerBlock == attribute(cudaDevAttrMaxRegistersPerBlock));
  WANT(p.multiProcessorCount == attribute(cudaDevAttrMultiProcessorCount));
  WANT(p.maxThreadsPerMultiProcessor == attribute(cudaDevAttrMaxThreadsPerMultiProcessor));
  WANT(p.managedMemory == attribute(cudaDevAttrManagedMemory));
  WANT(p.cooperativeLaunch == attribute(cudaDevAttrCooperativeLaunch));
  WANT(p.pciBusID == attribute(cudaDevAttrPciBusId));
  WANT(p.unifiedAddressing == attribute(cudaDevAttrUnifiedAddressing) && p.unifiedAddressing == 1);
  size_t available, total;
  CHECK(cudaMemGetInfo(&available, &total));
  WANT(total == p.totalGlobalMem && available <= total);
  int found;
  FAILS(cudaErrorInvalidDevice, cudaSetDevice(count));
  FAILS(cudaErrorInvalidDevice, cudaGetDeviceProperties(&p, -1));
  FAILS(cudaErrorInvalidValue, cudaDeviceGetAttribute(&found, (cudaDeviceAttr)100000, 0));
  cudaFuncAttributes f;
  CHECK(cudaFuncGetAttributes(&f, small));
  WANT(f.maxThreadsPerBlock == 128 && f.sharedSizeBytes >= 128 && f.ptxVersion == 75);
  int blocks;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, small, 128, 0));
  WANT(blocks >= 1 && blocks * 128 <= p.maxThreadsPerMultiProcessor);
  FAILS(cudaErrorInvalidResourceHandle, cudaFuncGetAttributes(&f, (const void *)main));
  for (cudaLimit limit : {cudaLimitStackSize, cudaLimitPrintfFifoSize, cudaLimitMallocHeapSize}) {
    size_t value, more;
    CHECK(cudaDeviceGetLimit(&value, limit));
    CHECK(cudaDeviceSetLimit(limit, value * 2));
    CHECK(cudaDeviceGetLimit(&more, limit));
    WANT(more >= value * 2);
  }
  FAILS(cudaErrorInvalidValue, cudaDeviceSetLimit((cudaLimit)99, 1));
  int *x, *m, *h, local;
  cudaPointerAttributes a;
  CHECK(cudaMalloc(&x, 4096));
  CHECK(cudaMallocManaged(&m, 4096));
  CHECK(cudaMallocHost(&h, 4096));
  CHECK(cudaPointerGetAttributes(&a, x + 7));
  WANT(a.type == cudaMemoryTypeDevice && a.devicePointer == x + 7 && a.device == 0);
  CHECK(cudaPointerGetAttributes(&a, m));
  WANT(a.type == cudaMemoryTypeManaged && a.devicePointer == m && a.hostPointer == m);
  CHECK(cudaPointerGetAttributes(&a, h));
  WANT(a.type == cudaMemoryTypeHost);
  CHECK(cudaPointerGetAttributes(&a, &local));
  WANT(a.type == cudaMemoryTypeUnregistered);
  void *at;
  CHECK(cudaGetSymbolAddress(&at, g));
  CHECK(cudaPointerGetAttributes(&a, at));
  WANT(a.type == cudaMemoryTypeDevice);
  CHECK(cudaFree(x));
  CHECK(cudaPointerGetAttributes(&a, x));
  WANT(a.type == cudaMemoryTypeUnregistered);
  WANT(strcmp(cudaGetErrorName(cudaErrorInvalidValue), "cudaErrorInvalidValue") == 0);
  WANT(strcmp(cudaGetErrorString(cudaErrorNoDevice), "no CUDA-capable device is detected") == 0);
  printf("attributes passed\n");
}
