// Nodes of graphs that allocate and free memory: lifetimes, launches, accounts and errors.
#include <cstring>
#include "check.h"

__global__ void fill(int *x, int value, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) x[i] = value + i;
}
__global__ void add(int *to, const int *from, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) to[i] += from[i];
}

static const int N = 1000;
static const size_t BYTES = 64 * N * sizeof(int);
static cudaStream_t stream;

static unsigned long long attribute(cudaGraphMemAttributeType which) {
  unsigned long long value = ~0ull;
  CHECK(cudaDeviceGetGraphMemAttribute(0, which, &value));
  return value;
}
static cudaMemAllocNodeParams params(size_t bytes) {
  cudaMemAllocNodeParams p;
  memset(&p, 0, sizeof p);
  p.bytesize = bytes;
  p.poolProps.allocType = cudaMemAllocationTypePinned;
  p.poolProps.location = {cudaMemLocationTypeDevice, 0};
  return p;
}
static cudaGraphNode_t kernel(cudaGraph_t graph, cudaGraphNode_t after, void *f, void **args) {
  cudaKernelNodeParams p = {};
  cudaGraphNode_t node;
  p.func = f;
  p.gridDim = 1, p.blockDim = 64;
  p.kernelParams = args;
  CHECK(cudaGraphAddKernelNode(&node, graph, after ? &after : nullptr, after ? 1 : 0, &p));
  return node;
}

// A graph with memory of its own, launched twice: nothing is left of it.
static void temporary() {
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  cudaGraphNode_t allocated, freed, last;
  int *out, n = N, value = 5;
  CHECK(cudaMalloc(&out, N * sizeof(int)));
  CHECK(cudaMemset(out, 0, N * sizeof(int)));
  CHECK(cudaGraphCreate(&graph, 0));
  cudaMemAllocNodeParams p = params(BYTES);
  CHECK(cudaGraphAddMemAllocNode(&allocated, graph, nullptr, 0, &p));
  WANT(p.dptr != nullptr);
  cudaPointerAttributes known;
  CHECK(cudaPointerGetAttributes(&known, p.dptr));
  WANT(known.type == cudaMemoryTypeDevice && known.device == 0);
  void *filling[] = {&p.dptr, &value, &n}, *adding[] = {&out, &p.dptr, &n};
  last = kernel(graph, allocated, (void *)fill, filling);
  last = kernel(graph, last, (void *)add, adding);
  CHECK(cudaGraphAddMemFreeNode(&freed, graph, &last, 1, p.dptr));
  FAILS(cudaErrorInvalidValue, cudaGraphAddMemFreeNode(&last, graph, &freed, 1, p.dptr));
  FAILS(cudaErrorInvalidValue, cudaGraphAddMemFreeNode(&last, graph, nullptr, 0, out));
  cudaGraphNodeType type;
  CHECK(cudaGraphNodeGetType(allocated, &type));
  WANT(type == cudaGraphNodeTypeMemAlloc);
  cudaMemAllocNodeParams asked;
  CHECK(cudaGraphMemAllocNodeGetParams(allocated, &asked));
  WANT(asked.dptr == p.dptr && asked.bytesize == BYTES && asked.poolProps.location.id == 0);
  void *address;
  CHECK(cudaGraphMemFreeNodeGetParams(freed, &address));
  WANT(address == p.dptr);
  FAILS(cudaErrorNotSupported, cudaGraphDestroyNode(freed));
  // Not allocated outside of a launch.
  FAILS(cudaErrorInvalidValue, cudaFree(p.dptr));
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphDestroy(graph));
  for (int i = 0; i < 2; i++) CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaStreamSynchronize(stream));
  int host;
  CHECK(cudaMemcpy(&host, out + 7, sizeof host, cudaMemcpyDefault));
  WANT(host == 2 * (5 + 7));
  WANT(attribute(cudaGraphMemAttrUsedMemCurrent) == BYTES);
  WANT(attribute(cudaGraphMemAttrUsedMemHigh) == BYTES);
  WANT(attribute(cudaGraphMemAttrReservedMemCurrent) == BYTES);
  CHECK(cudaDeviceGraphMemTrim(0));
  WANT(attribute(cudaGraphMemAttrUsedMemCurrent) == 0);
  WANT(attribute(cudaGraphMemAttrReservedMemCurrent) == 0);
  unsigned long long zero = 0, one = 1;
  CHECK(cudaDeviceSetGraphMemAttribute(0, cudaGraphMemAttrUsedMemHigh, &zero));
  WANT(attribute(cudaGraphMemAttrUsedMemHigh) == 0);
  FAILS(cudaErrorInvalidValue, cudaDeviceSetGraphMemAttribute(0, cudaGraphMemAttrUsedMemHigh, &one));
  FAILS(cudaErrorInvalidValue, cudaDeviceSetGraphMemAttribute(0, cudaGraphMemAttrUsedMemCurrent, &zero));
  FAILS(cudaErrorInvalidValue, cudaDeviceGetGraphMemAttribute(0, (cudaGraphMemAttributeType)4, &zero));
  FAILS(cudaErrorInvalidDevice, cudaDeviceGraphMemTrim(7));
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaFree(out));
}

// What a graph leaves allocated is the program's until it frees it, in whatever way.
static void left() {
  cudaGraph_t graph, freeing;
  cudaGraphExec_t exec, frees, again;
  cudaGraphNode_t allocated, node;
  int n = N, value = 100, host;
  CHECK(cudaGraphCreate(&graph, 0));
  cudaMemAllocNodeParams p = params(BYTES);
  CHECK(cudaGraphAddMemAllocNode(&allocated, graph, nullptr, 0, &p));
  void *filling[] = {&p.dptr, &value, &n};
  kernel(graph, allocated, (void *)fill, filling);
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphInstantiate(&again, graph, cudaGraphInstantiateFlagAutoFreeOnLaunch));
  CHECK(cudaGraphCreate(&freeing, 0));
  CHECK(cudaGraphAddMemFreeNode(&node, freeing, nullptr, 0, p.dptr));
  CHECK(cudaGraphInstantiate(&frees, freeing, 0));
  FAILS(cudaErrorInvalidValue, cudaGraphLaunch(frees, stream));
  for (int way = 0; way < 3; way++) {
    CHECK(cudaGraphLaunch(exec, stream));
    FAILS(cudaErrorInvalidValue, cudaGraphLaunch(exec, stream));
    CHECK(cudaMemcpyAsync(&host, (int *)p.dptr + 3, sizeof host, cudaMemcpyDefault, stream));
    CHECK(cudaStreamSynchronize(stream));
    WANT(host == 103);
    WANT(attribute(cudaGraphMemAttrUsedMemCurrent) == BYTES);
    CHECK(cudaDeviceGraphMemTrim(0));
    WANT(attribute(cudaGraphMemAttrReservedMemCurrent) == BYTES);
    if (way == 0) CHECK(cudaFree(p.dptr));
    if (way == 1) CHECK(cudaFreeAsync(p.dptr, stream));
    if (way == 2) CHECK(cudaGraphLaunch(frees, stream));
    FAILS(cudaErrorInvalidValue, cudaFreeAsync(p.dptr, stream));
    CHECK(cudaStreamSynchronize(stream));
    WANT(attribute(cudaGraphMemAttrUsedMemCurrent) == BYTES);
    CHECK(cudaDeviceGraphMemTrim(0));
    WANT(attribute(cudaGraphMemAttrUsedMemCurrent) == 0);
  }
  // Freed by the next launch, and by the program after the last graph is gone.
  for (int i = 0; i < 3; i++) CHECK(cudaGraphLaunch(again, stream));
  CHECK(cudaStreamSynchronize(stream));
  WANT(attribute(cudaGraphMemAttrUsedMemCurrent) == BYTES);
  cudaGraphExecUpdateResultInfo info;
  FAILS(cudaErrorGraphExecUpdateFailure, cudaGraphExecUpdate(again, graph, &info));
  WANT(info.result == cudaGraphExecUpdateErrorNotSupported);
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphExecDestroy(again));
  CHECK(cudaGraphExecDestroy(frees));
  CHECK(cudaGraphDestroy(freeing));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaMemcpy(&host, (int *)p.dptr + 4, sizeof host, cudaMemcpyDefault));
  WANT(host == 104);
  CHECK(cudaFree(p.dptr));
  cudaPointerAttributes known;
  CHECK(cudaPointerGetAttributes(&known, p.dptr));
  WANT(known.type == cudaMemoryTypeUnregistered);
}

// cudaMallocAsync in a capture, not freed there.
static void captured() {
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  int *x, host = 0;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  CHECK(cudaMallocAsync(&x, BYTES, stream));
  fill<<<1, 64, 0, stream>>>(x, 7, N);
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphDestroy(graph));
  for (int i = 0; i < 2; i++) {
    CHECK(cudaGraphLaunch(exec, stream));
    CHECK(cudaMemcpyAsync(&host, x + 1, sizeof host, cudaMemcpyDefault, stream));
    CHECK(cudaFreeAsync(x, stream));
  }
  CHECK(cudaStreamSynchronize(stream));
  WANT(host == 8);
  CHECK(cudaGraphExecDestroy(exec));
}

static void refused() {
  cudaGraph_t graph;
  cudaGraphNode_t node;
  cudaMemAllocNodeParams p = params(0);
  CHECK(cudaGraphCreate(&graph, 0));
  FAILS(cudaErrorInvalidValue, cudaGraphAddMemAllocNode(&node, graph, nullptr, 0, &p));
  p = params(1ull << 45);
  FAILS(cudaErrorMemoryAllocation, cudaGraphAddMemAllocNode(&node, graph, nullptr, 0, &p));
  p = params(BYTES);
  p.poolProps.location.id = 7;
  FAILS(cudaErrorInvalidDevice, cudaGraphAddMemAllocNode(&node, graph, nullptr, 0, &p));
  p = params(BYTES);
  p.poolProps.allocType = cudaMemAllocationTypeInvalid;
  FAILS(cudaErrorInvalidValue, cudaGraphAddMemAllocNode(&node, graph, nullptr, 0, &p));
  FAILS(cudaErrorInvalidValue, cudaGraphAddMemAllocNode(&node, graph, nullptr, 0, nullptr));
  FAILS(cudaErrorInvalidValue, cudaGraphAddMemFreeNode(&node, graph, nullptr, 0, nullptr));
  // The same by the call for all kinds.
  cudaGraphNodeParams any = {cudaGraphNodeTypeMemAlloc};
  any.alloc.poolProps = params(0).poolProps;
  any.alloc.bytesize = 256;
  CHECK(cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &any));
  WANT(any.alloc.dptr != nullptr);
  cudaGraphNodeParams freeing = {cudaGraphNodeTypeMemFree};
  freeing.free.dptr = any.alloc.dptr;
  CHECK(cudaGraphAddNode(&node, graph, &node, nullptr, 1, &freeing));
  CHECK(cudaGraphDestroy(graph));
}

int main() {
  size_t before, after, total;
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  fill<<<1, 1, 0, stream>>>(nullptr, 0, 0);
  add<<<1, 1, 0, stream>>>(nullptr, nullptr, 0);
  CHECK(cudaStreamSynchronize(stream));
  CHECK(cudaMemGetInfo(&before, &total));
  temporary();
  left();
  captured();
  refused();
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaMemGetInfo(&after, &total));
  WANT(after == before);
  printf("graph-memory passed\n");
}
