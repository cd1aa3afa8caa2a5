// Nodes of graphs: parameters asked for and given anew, variables, events, attributes, user objects.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <cuda_runtime.h>

#define CHECK(call)                                                                       \
  do {                                                                                    \
    cudaError_t e = (call);                                                               \
    if (e != cudaSuccess) return printf("line %d: %s\n", __LINE__, cudaGetErrorName(e)), 1; \
  } while (0)
#define WANT(condition) \
  do {                  \
    if (!(condition)) return printf("line %d: %s\n", __LINE__, #condition), 1; \
  } while (0)

__device__ int variable[4];
__global__ void add(int *x, int value) { x[threadIdx.x] += value; }
static int ended;
static void end(void *count) { ended += *(int *)count; }

int main() {
  int *x, host[32] = {0}, seven = 7, pinned_size = sizeof host;
  int *pinned;
  CHECK(cudaMalloc(&x, sizeof host));
  CHECK(cudaMallocHost(&pinned, pinned_size));
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));
  cudaGraph_t graph;
  CHECK(cudaGraphCreate(&graph, 0));

  cudaGraphNode_t set, kernel, to, from, out, record, wait;
  cudaMemsetParams zero = {x, sizeof host, 0, 4, 32, 1};
  CHECK(cudaGraphAddMemsetNode(&set, graph, nullptr, 0, &zero));
  void *args[] = {&x, &seven};
  cudaKernelNodeParams run = {(void *)add, 1, 32, 0, args, nullptr};
  CHECK(cudaGraphAddKernelNode(&kernel, graph, &set, 1, &run));
  CHECK(cudaGraphAddMemcpyNodeToSymbol(&to, graph, &kernel, 1, variable, x, 8, 4,
                                       cudaMemcpyDeviceToDevice));
  CHECK(cudaGraphAddMemcpyNodeFromSymbol(&from, graph, &to, 1, pinned, variable, 16, 0,
                                         cudaMemcpyDeviceToHost));
  cudaGraphNodeParams any = {};
  any.type = cudaGraphNodeTypeMemcpy;
  any.memcpy.copyParams.srcPtr = make_cudaPitchedPtr(x, sizeof host, 32, 1);
  any.memcpy.copyParams.dstPtr = make_cudaPitchedPtr(host, sizeof host, 32, 1);
  any.memcpy.copyParams.extent = make_cudaExtent(sizeof host, 1, 1);
  any.memcpy.copyParams.kind = cudaMemcpyDeviceToHost;
  CHECK(cudaGraphAddNode(&out, graph, &kernel, nullptr, 1, &any));

  cudaKernelNodeParams got = {};
  CHECK(cudaGraphKernelNodeGetParams(kernel, &got));
  WANT(got.func == (void *)add && got.blockDim.x == 32 && got.gridDim.x == 1);
  WANT(*(int **)got.kernelParams[0] == x && *(int *)got.kernelParams[1] == 7);
  cudaMemsetParams filled = {};
  CHECK(cudaGraphMemsetNodeGetParams(set, &filled));
  WANT(filled.dst == x && filled.width == 32 && filled.elementSize == 4 && filled.height == 1);
  cudaMemcpy3DParms copied = {};
  CHECK(cudaGraphMemcpyNodeGetParams(out, &copied));
  WANT(copied.srcPtr.ptr == x && copied.dstPtr.ptr == host && copied.extent.width == sizeof host);
  cudaGraphNodeType type;
  CHECK(cudaGraphNodeGetType(out, &type));
  WANT(type == cudaGraphNodeTypeMemcpy);
  WANT(cudaGraphKernelNodeGetParams(set, &got) == cudaErrorInvalidValue);

  cudaKernelNodeAttrValue attribute = {};
  attribute.cooperative = 1;
  CHECK(cudaGraphKernelNodeSetAttribute(kernel, cudaLaunchAttributeCooperative, &attribute));
  attribute.cooperative = 0;
  CHECK(cudaGraphKernelNodeGetAttribute(kernel, cudaLaunchAttributeCooperative, &attribute));
  WANT(attribute.cooperative == 1);

  cudaEvent_t first, second, found;
  CHECK(cudaEventCreate(&first));
  CHECK(cudaEventCreate(&second));
  CHECK(cudaGraphAddEventRecordNode(&record, graph, &out, 1, first));
  CHECK(cudaGraphAddEventWaitNode(&wait, graph, &record, 1, first));
  CHECK(cudaGraphEventRecordNodeSetEvent(record, second));
  CHECK(cudaGraphEventRecordNodeGetEvent(record, &found));
  WANT(found == second);
  CHECK(cudaGraphEventWaitNodeGetEvent(wait, &found));
  WANT(found == first);

  cudaUserObject_t object;
  int one = 1;
  CHECK(cudaUserObjectCreate(&object, &one, end, 1, cudaUserObjectNoDestructorSync));
  CHECK(cudaGraphRetainUserObject(graph, object, 1, cudaGraphUserObjectMove));
  cudaGraphExec_t exec;
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaStreamSynchronize(stream));
  for (int i = 0; i < 32; i++) WANT(host[i] == 7);
  WANT(pinned[0] == 0 && pinned[1] == 7 && pinned[2] == 7 && pinned[3] == 0);

  int eight = 8;
  args[1] = &eight;
  cudaGraphNodeParams again = {};
  again.type = cudaGraphNodeTypeKernel;
  again.kernel.func = (void *)add;
  again.kernel.gridDim = 1;
  again.kernel.blockDim = 32;
  again.kernel.kernelParams = args;
  CHECK(cudaGraphExecNodeSetParams(exec, kernel, &again));
  CHECK(cudaGraphExecMemcpyNodeSetParamsToSymbol(exec, to, variable, x, 4, 12,
                                                 cudaMemcpyDeviceToDevice));
  CHECK(cudaGraphExecEventRecordNodeSetEvent(exec, record, first));
  WANT(cudaGraphExecKernelNodeSetParams(nullptr, kernel, &run) == cudaErrorInvalidValue);
  CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaStreamSynchronize(stream));
  for (int i = 0; i < 32; i++) WANT(host[i] == 8);
  WANT(pinned[1] == 7 && pinned[3] == 8);

  // A child graph, and another of the same shape in its place.
  cudaGraph_t outer, inner;
  cudaGraphNode_t node, child;
  cudaGraphExec_t nested;
  CHECK(cudaGraphCreate(&outer, 0));
  CHECK(cudaGraphCreate(&inner, 0));
  CHECK(cudaGraphAddKernelNode(&node, inner, nullptr, 0, &run));
  CHECK(cudaGraphAddChildGraphNode(&child, outer, nullptr, 0, inner));
  CHECK(cudaGraphInstantiate(&nested, outer, 0));
  int hundred = 100;
  args[1] = &hundred;
  CHECK(cudaGraphKernelNodeSetParams(node, &run));
  CHECK(cudaGraphExecChildGraphNodeSetParams(nested, child, inner));
  WANT(cudaGraphExecChildGraphNodeSetParams(nested, child, graph) == cudaErrorInvalidValue);
  CHECK(cudaMemset(x, 0, sizeof host));
  CHECK(cudaGraphUpload(nested, stream));
  CHECK(cudaGraphLaunch(nested, stream));
  CHECK(cudaMemcpyAsync(host, x, sizeof host, cudaMemcpyDeviceToHost, stream));
  for (int i = 0; i < 32; i++) WANT(host[i] == 100);

  // A copy of pageable memory beyond what the device has there.
  {
    static char much[8192];
    cudaGraph_t wrong;
    cudaGraphNode_t none;
    CHECK(cudaGraphCreate(&wrong, 0));
    for (size_t bytes : {(size_t)8192, SIZE_MAX, (size_t)1 << 63})
      WANT(cudaGraphAddMemcpyNode1D(&none, wrong, nullptr, 0, x, much, bytes, cudaMemcpyDefault) ==
           cudaErrorInvalidValue);
    int *gone;
    cudaGraphExec_t late;
    CHECK(cudaMalloc(&gone, 64));
    CHECK(cudaGraphAddMemcpyNode1D(&none, wrong, nullptr, 0, gone, much, 64, cudaMemcpyDefault));
    CHECK(cudaGraphInstantiate(&late, wrong, 0));
    CHECK(cudaFree(gone));
    WANT(cudaGraphLaunch(late, stream) == cudaErrorInvalidValue);
    CHECK(cudaGraphExecDestroy(late));
    CHECK(cudaGraphDestroy(wrong));
    cudaGetLastError();
  }

  // Pageable memory in the place of pinned memory in a node, and the other way round.
  static int page[32];
  int *sides[] = {pinned, page};
  for (int k = 0; k < 4; k++) {
    int *first = sides[k & 1], *second = sides[!(k & 1)];
    bool in = k > 1;
    auto to = [&](int *side) -> void * { return in ? x : side; };
    auto from = [&](int *side) -> void * { return in ? side : x; };
    auto fill = [&](int value) {
      for (int i = 0; i < 32; i++) pinned[i] = in ? value : 0, page[i] = in ? value + 1 : 0, host[i] = value + 5 * in;
      cudaMemcpy(x, host, sizeof host, cudaMemcpyHostToDevice);
    };
    auto seen = [&](int *side) {
      if (in) cudaMemcpy(host, x, sizeof host, cudaMemcpyDeviceToHost);
      return in ? host[31] : side[31];
    };
    cudaGraph_t copies;
    cudaGraphExec_t copying;
    cudaGraphNode_t copy;
    cudaGraphNodeType type;
    cudaGraphExecUpdateResultInfo result;
    CHECK(cudaGraphCreate(&copies, 0));
    CHECK(cudaGraphAddMemcpyNode1D(&copy, copies, nullptr, 0, to(first), from(first), 128, cudaMemcpyDefault));
    CHECK(cudaGraphInstantiate(&copying, copies, 0));
    CHECK(cudaGraphExecMemcpyNodeSetParams1D(copying, copy, to(second), from(second), 128, cudaMemcpyDefault));
    fill(10);
    CHECK(cudaGraphLaunch(copying, stream));
    CHECK(cudaStreamSynchronize(stream));
    WANT(seen(second) == (in ? second[0] : 10) && (in || first[31] == 0));
    CHECK(cudaGraphExecUpdate(copying, copies, &result));
    fill(20);
    CHECK(cudaGraphLaunch(copying, stream));
    CHECK(cudaStreamSynchronize(stream));
    WANT(seen(first) == (in ? first[0] : 20));
    CHECK(cudaGraphMemcpyNodeSetParams1D(copy, to(second), from(second), 128, cudaMemcpyDefault));
    CHECK(cudaGraphNodeGetType(copy, &type));
    CHECK(cudaGraphMemcpyNodeGetParams(copy, &copied));
    WANT(type == cudaGraphNodeTypeMemcpy && copied.srcPtr.ptr == from(second) && copied.dstPtr.ptr == to(second));
    CHECK(cudaGraphExecUpdate(copying, copies, &result));
    fill(30);
    CHECK(cudaGraphLaunch(copying, stream));
    CHECK(cudaStreamSynchronize(stream));
    WANT(seen(second) == (in ? second[0] : 30));
    CHECK(cudaGraphNodeSetEnabled(copying, copy, 0));
    fill(40);
    CHECK(cudaGraphLaunch(copying, stream));
    CHECK(cudaStreamSynchronize(stream));
    WANT(seen(second) == (in ? 45 : 0));
    CHECK(cudaGraphExecDestroy(copying));
    CHECK(cudaGraphDestroy(copies));
  }

  CHECK(cudaGraphDestroy(graph));
  WANT(ended == 0);
  CHECK(cudaGraphExecDestroy(exec));
  WANT(ended == 1);
  WANT(cudaUserObjectRelease(object, 1) == cudaErrorInvalidValue);
  printf("nodes passed\n");
}
