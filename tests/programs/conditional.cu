// Conditional nodes of graphs: if, else, while, switch, nested, captured; and what is refused.
#include "check.h"

__global__ void count_down(int *left, int *rounds, cudaGraphConditionalHandle handle) {
  *left -= 1;
  *rounds += 1;
  cudaGraphSetConditional(handle, *left > 0);
}
__global__ void choose(const int *value, cudaGraphConditionalHandle handle) {
  if (threadIdx.x == 0) cudaGraphSetConditional(handle, (unsigned)*value);
}
__global__ void put(int *at, int value) { *at = *at * 10 + value; }
__global__ void set(int *at, int value) { *at = value; }

static int *memory;  // [0] the value, [1] what the bodies put, [2] rounds
static cudaStream_t stream;

static cudaGraphNode_t kernel(cudaGraph_t graph, cudaGraphNode_t after, const void *f, void **args) {
  cudaGraphNodeParams p = {};
  cudaGraphNode_t node;
  p.type = cudaGraphNodeTypeKernel;
  p.kernel.func = (void *)f;
  p.kernel.gridDim = 1, p.kernel.blockDim = 1;
  p.kernel.kernelParams = args;
  CHECK(cudaGraphAddNode(&node, graph, after ? &after : nullptr, nullptr, after ? 1 : 0, &p));
  return node;
}
static cudaGraphNode_t puts_digit(cudaGraph_t graph, cudaGraphNode_t after, int digit) {
  int *at = memory + 1;
  void *args[] = {&at, &digit};
  return kernel(graph, after, (void *)put, args);
}
static cudaGraphNode_t chooses(cudaGraph_t graph, cudaGraphNode_t after,
                               cudaGraphConditionalHandle handle) {
  void *args[] = {&memory, &handle};
  return kernel(graph, after, (void *)choose, args);
}
static cudaGraphNode_t conditional(cudaGraph_t graph, cudaGraphNode_t after,
                                   cudaGraphConditionalHandle handle,
                                   cudaGraphConditionalNodeType type, unsigned size,
                                   cudaGraph_t *bodies) {
  cudaGraphNodeParams p = {};
  cudaGraphNode_t node;
  p.type = cudaGraphNodeTypeConditional;
  p.conditional.handle = handle;
  p.conditional.type = type;
  p.conditional.size = size;
  CHECK(cudaGraphAddNode(&node, graph, after ? &after : nullptr, nullptr, after ? 1 : 0, &p));
  for (unsigned i = 0; i < size; i++) bodies[i] = p.conditional.phGraph_out[i];
  return node;
}
static int run(cudaGraphExec_t exec, int value) {
  int host[3] = {value, 0, 0};
  CHECK(cudaMemcpy(memory, host, sizeof host, cudaMemcpyHostToDevice));
  CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaStreamSynchronize(stream));
  CHECK(cudaMemcpy(host, memory, sizeof host, cudaMemcpyDeviceToHost));
  return host[1];
}
static cudaGraphExec_t made(cudaGraph_t graph) {
  cudaGraphExec_t exec;
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphDestroy(graph));
  return exec;
}

static void branches() {
  cudaGraph_t graph, bodies[4];
  cudaGraphConditionalHandle handle;
  CHECK(cudaGraphCreate(&graph, 0));
  CHECK(cudaGraphConditionalHandleCreate(&handle, graph));
  cudaGraphNode_t node = chooses(graph, nullptr, handle);
  node = conditional(graph, node, handle, cudaGraphCondTypeIf, 2, bodies);
  puts_digit(bodies[0], nullptr, 1);
  puts_digit(bodies[1], puts_digit(bodies[1], nullptr, 2), 3);
  cudaGraphNodeType type;
  CHECK(cudaGraphNodeGetType(node, &type));
  WANT(type == cudaGraphNodeTypeConditional);
  puts_digit(graph, node, 9);
  cudaGraphExec_t exec = made(graph);
  WANT(run(exec, 0) == 239 && run(exec, 1) == 19 && run(exec, 77) == 19);
  CHECK(cudaGraphExecDestroy(exec));

  CHECK(cudaGraphCreate(&graph, 0));
  CHECK(cudaGraphConditionalHandleCreate(&handle, graph));
  node = conditional(graph, chooses(graph, nullptr, handle), handle, cudaGraphCondTypeSwitch, 4, bodies);
  for (int i = 0; i < 4; i++) puts_digit(bodies[i], nullptr, i + 5);
  exec = made(graph);
  for (int i = 0; i < 4; i++) WANT(run(exec, i) == i + 5);
  WANT(run(exec, 4) == 0 && run(exec, -1) == 0);
  CHECK(cudaGraphExecDestroy(exec));
}

// A loop with an if inside, and a value that the launch begins with.
static void loops() {
  cudaGraph_t graph, body, inner;
  cudaGraphConditionalHandle again, now;
  int *rounds = memory + 2;
  CHECK(cudaGraphCreate(&graph, 0));
  CHECK(cudaGraphConditionalHandleCreate(&again, graph, 1, cudaGraphCondAssignDefault));
  CHECK(cudaGraphConditionalHandleCreate(&now, graph, 0, cudaGraphCondAssignDefault));
  conditional(graph, nullptr, again, cudaGraphCondTypeWhile, 1, &body);
  void *args[] = {&memory, &rounds, &again};
  cudaGraphNode_t node = kernel(body, nullptr, (void *)count_down, args);
  node = chooses(body, node, now);
  conditional(body, node, now, cudaGraphCondTypeIf, 1, &inner);
  puts_digit(inner, nullptr, 4);
  cudaGraphExec_t exec = made(graph);
  // Runs once at least; what is left after each round: 3, 2, 1, 0.
  WANT(run(exec, 4) == 444 && run(exec, 1) == 0 && run(exec, 2) == 4);
  int host;
  CHECK(cudaMemcpy(&host, rounds, sizeof host, cudaMemcpyDeviceToHost));
  WANT(host == 2);
  // A long one: as many nodes as a launch could never list.
  run(exec, 3000);
  CHECK(cudaMemcpy(&host, rounds, sizeof host, cudaMemcpyDeviceToHost));
  WANT(host == 3000);
  CHECK(cudaGraphExecDestroy(exec));
}

// A node put into a stream that captures, and a body that is captured.
static void captured() {
  cudaGraph_t graph, body, ended = nullptr;
  cudaGraphConditionalHandle handle;
  cudaStreamCaptureStatus status;
  const cudaGraphNode_t *before;
  size_t count;
  cudaStream_t other;
  CHECK(cudaStreamCreate(&other));
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  CHECK(cudaStreamGetCaptureInfo(stream, &status, nullptr, &graph, &before, nullptr, &count));
  CHECK(cudaGraphConditionalHandleCreate(&handle, graph));
  choose<<<1, 32, 0, stream>>>(memory, handle);
  CHECK(cudaStreamGetCaptureInfo(stream, &status, nullptr, &graph, &before, nullptr, &count));
  WANT(count == 1);
  cudaGraphNode_t node = conditional(graph, before[0], handle, cudaGraphCondTypeWhile, 1, &body);
  FAILS(cudaErrorInvalidValue,
        cudaStreamUpdateCaptureDependencies(stream, &node, nullptr, 1, 7));
  CHECK(cudaStreamUpdateCaptureDependencies(stream, &node, nullptr, 1,
                                            cudaStreamSetCaptureDependencies));
  put<<<1, 1, 0, stream>>>(memory + 1, 8);
  FAILS(cudaErrorInvalidValue, cudaStreamEndCapture(stream, nullptr));
  CHECK(cudaStreamEndCapture(stream, &ended));
  WANT(ended == graph);
  CHECK(cudaStreamBeginCaptureToGraph(other, body, nullptr, nullptr, 0, cudaStreamCaptureModeGlobal));
  FAILS(cudaErrorIllegalState, cudaStreamBeginCaptureToGraph(stream, body, nullptr, nullptr, 0,
                                                             cudaStreamCaptureModeGlobal));
  count_down<<<1, 1, 0, other>>>(memory, memory + 2, handle);
  CHECK(cudaStreamEndCapture(other, nullptr));
  // And more of it, after what is there.
  size_t nodes = 1;
  CHECK(cudaGraphGetNodes(body, &node, &nodes));
  CHECK(cudaStreamBeginCaptureToGraph(other, body, &node, nullptr, 1, cudaStreamCaptureModeGlobal));
  put<<<1, 1, 0, other>>>(memory + 1, 3);
  CHECK(cudaStreamEndCapture(other, &ended));
  WANT(ended == body);
  cudaGraphExec_t exec = made(graph);
  WANT(run(exec, 3) == 3338 && run(exec, 0) == 8);
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaStreamDestroy(other));
}

static void nothing(void *) {}
static void refused() {
  cudaGraph_t graph, other, body;
  cudaGraphNode_t node;
  cudaGraphExec_t exec;
  cudaGraphConditionalHandle handle;
  CHECK(cudaGraphCreate(&graph, 0));
  CHECK(cudaGraphCreate(&other, 0));
  FAILS(cudaErrorInvalidValue, cudaGraphConditionalHandleCreate(&handle, graph, 0, 2));
  FAILS(cudaErrorInvalidValue, cudaGraphConditionalHandleCreate(&handle, nullptr, 0, 0));
  CHECK(cudaGraphConditionalHandleCreate(&handle, graph));
  cudaGraphNodeParams p = {};
  p.type = cudaGraphNodeTypeConditional;
  p.conditional.handle = handle;
  p.conditional.type = cudaGraphCondTypeWhile;
  p.conditional.size = 2;
  FAILS(cudaErrorInvalidValue, cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &p));
  p.conditional.size = 0;
  FAILS(cudaErrorInvalidValue, cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &p));
  p.conditional.size = 1;
  // Another graph's.
  FAILS(cudaErrorInvalidValue, cudaGraphAddNode(&node, other, nullptr, nullptr, 0, &p));
  p.conditional.handle = 12345;
  FAILS(cudaErrorInvalidValue, cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &p));
  node = conditional(graph, nullptr, handle, cudaGraphCondTypeIf, 1, &body);
  FAILS(cudaErrorNotSupported, cudaGraphClone(&other, graph));
  FAILS(cudaErrorNotSupported, cudaGraphAddChildGraphNode(&node, other, nullptr, 0, graph));
  // What the device would have to wait for may not be in a body.
  cudaHostNodeParams host = {nothing, nullptr};
  CHECK(cudaGraphAddHostNode(&node, body, nullptr, 0, &host));
  FAILS(cudaErrorNotSupported, cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphDestroyNode(node));
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaGraphDestroy(other));
}

int main() {
  CHECK(cudaMalloc(&memory, 3 * sizeof *memory));
  CHECK(cudaStreamCreate(&stream));
  branches();
  loops();
  captured();
  refused();
  set<<<1, 1>>>(memory, 5);
  CHECK(cudaDeviceSynchronize());
  printf("conditional passed\n");
}
