// Graphs by hand: every kind of node, their parameters, updates of an executable graph, clones.
#include "check.h"

__global__ void fill(int *x, int n, int v) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] += v;
}
static void CUDART_CB count(void *data) { ++*(int *)data; }

int main() {
  const int n = 1000;
  int *a, *b, *host, called = 0, v = 3, size = n;
  CHECK(cudaMalloc(&a, n * sizeof(int)));
  CHECK(cudaMalloc(&b, n * sizeof(int)));
  CHECK(cudaMallocHost(&host, n * sizeof(int)));
  cudaGraph_t graph, child, clone;
  cudaGraphNode_t set, kernel, copy, back, call, empty, nested;
  CHECK(cudaGraphCreate(&graph, 0));
  cudaMemsetParams fill_params = {};
  fill_params.dst = a;
  fill_params.elementSize = 4;
  fill_params.width = n;
  fill_params.height = 1;
  fill_params.value = 7;
  CHECK(cudaGraphAddMemsetNode(&set, graph, nullptr, 0, &fill_params));
  cudaKernelNodeParams launch = {};
  void *args[] = {&a, &size, &v};
  launch.func = (void *)fill;
  launch.gridDim = dim3(8);
  launch.blockDim = dim3(128);
  launch.kernelParams = args;
  CHECK(cudaGraphAddKernelNode(&kernel, graph, &set, 1, &launch));
  CHECK(cudaGraphAddMemcpyNode1D(&copy, graph, &kernel, 1, b, a, n * 4, cudaMemcpyDeviceToDevice));
  CHECK(cudaGraphAddEmptyNode(&empty, graph, &copy, 1));
  CHECK(cudaGraphAddMemcpyNode1D(&back, graph, &empty, 1, host, b, n * 4, cudaMemcpyDeviceToHost));
  cudaHostNodeParams host_params = {count, &called};
  CHECK(cudaGraphAddHostNode(&call, graph, &back, 1, &host_params));
  CHECK(cudaGraphCreate(&child, 0));
  cudaGraphNode_t inner;
  CHECK(cudaGraphAddHostNode(&inner, child, nullptr, 0, &host_params));
  CHECK(cudaGraphAddChildGraphNode(&nested, graph, &call, 1, child));
  cudaGraphNodeType type;
  CHECK(cudaGraphNodeGetType(set, &type));
  WANT(type == cudaGraphNodeTypeMemset);
  CHECK(cudaGraphNodeGetType(nested, &type));
  WANT(type == cudaGraphNodeTypeGraph);
  size_t count = 0;
  CHECK(cudaGraphGetRootNodes(graph, nullptr, &count));
  WANT(count == 1);
  CHECK(cudaGraphNodeGetDependencies(copy, nullptr, nullptr, &count));
  WANT(count == 1);
  CHECK(cudaGraphClone(&clone, graph));
  cudaGraphExec_t exec, second;
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphInstantiate(&second, clone, 0));
  CHECK(cudaGraphLaunch(exec, 0));
  CHECK(cudaStreamSynchronize(0));
  for (int i = 0; i < n; i++) WANT(host[i] == 10);
  WANT(called == 2);
  v = 30;
  CHECK(cudaGraphExecKernelNodeSetParams(exec, kernel, &launch));
  CHECK(cudaGraphLaunch(exec, 0));
  CHECK(cudaStreamSynchronize(0));
  WANT(host[0] == 37 && host[n - 1] == 37);
  // The clone kept its own parameters.
  CHECK(cudaGraphLaunch(second, 0));
  CHECK(cudaStreamSynchronize(0));
  WANT(host[0] == 10 && called == 6);
  CHECK(cudaGraphKernelNodeSetParams(kernel, &launch));
  cudaGraphExecUpdateResultInfo result;
  CHECK(cudaGraphExecUpdate(second, graph, &result));
  WANT(result.result == cudaGraphExecUpdateSuccess);
  CHECK(cudaGraphLaunch(second, 0));
  CHECK(cudaStreamSynchronize(0));
  WANT(host[0] == 37);
  // A cycle is refused at instantiation.
  cudaGraph_t round;
  cudaGraphNode_t p, q;
  CHECK(cudaGraphCreate(&round, 0));
  CHECK(cudaGraphAddEmptyNode(&p, round, nullptr, 0));
  CHECK(cudaGraphAddEmptyNode(&q, round, &p, 1));
  CHECK(cudaGraphDestroyNode(q));
  CHECK(cudaGraphGetNodes(round, nullptr, &count));
  WANT(count == 1);
  CHECK(cudaGraphDestroy(round));
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphExecDestroy(second));
  CHECK(cudaGraphDestroy(clone));
  CHECK(cudaGraphDestroy(graph));
  printf("graph-nodes passed\n");
}
