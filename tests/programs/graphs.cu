// Graphs: built by hand, captured, updated, cloned, launched again; also with pageable memory.
#include <cstdio>
#include <vector>

__global__ void add(int *x, int n, int k) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] += k;
}
static int calls;
static void CUDART_CB called(void *by) { calls += *(int *)by; }

#define CHECK(e) do { cudaError_t r = (e); if (r != cudaSuccess) { printf("line %d: %s: %s\n", __LINE__, #e, cudaGetErrorString(r)); return 2; } } while (0)

int main() {
  int n = 1000, k = 5, by = 3;
  int *dev;
  std::vector<int> in(n, 1), out(n);
  CHECK(cudaMalloc(&dev, n * sizeof(int)));
  cudaStream_t s;
  CHECK(cudaStreamCreate(&s));

  cudaGraph_t graph;
  CHECK(cudaGraphCreate(&graph, 0));
  cudaGraphNode_t set, copy, kernel, back, host;
  cudaMemsetParams sp = {};
  sp.dst = dev, sp.value = 7, sp.elementSize = 4, sp.width = (size_t)n, sp.height = 1;
  CHECK(cudaGraphAddMemsetNode(&set, graph, nullptr, 0, &sp));
  cudaMemcpy3DParms cp = {};
  cp.srcPtr = make_cudaPitchedPtr(in.data(), n * sizeof(int), n, 1);
  cp.dstPtr = make_cudaPitchedPtr(dev, n * sizeof(int), n, 1);
  cp.extent = make_cudaExtent(n / 2 * sizeof(int), 1, 1);
  cp.kind = cudaMemcpyHostToDevice;
  CHECK(cudaGraphAddMemcpyNode(&copy, graph, &set, 1, &cp));
  void *args[] = {&dev, &n, &k};
  cudaKernelNodeParams kp = {};
  kp.func = (void *)add, kp.gridDim = dim3(4), kp.blockDim = dim3(256), kp.kernelParams = args;
  CHECK(cudaGraphAddKernelNode(&kernel, graph, &copy, 1, &kp));
  CHECK(cudaGraphAddMemcpyNode1D(&back, graph, &kernel, 1, out.data(), dev, n * sizeof(int), cudaMemcpyDeviceToHost));
  cudaHostNodeParams hp = {called, &by};
  CHECK(cudaGraphAddHostNode(&host, graph, &back, 1, &hp));
  size_t count = 0;
  CHECK(cudaGraphGetNodes(graph, nullptr, &count));
  if (count != 5) return printf("%zu nodes\n", count), 1;
  cudaGraphExec_t exec;
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  for (int round = 0; round < 3; round++) CHECK(cudaGraphLaunch(exec, s));
  CHECK(cudaStreamSynchronize(s));
  if (out[0] != 6 || out[n - 1] != 12 || calls != 9) return printf("%d %d %d\n", out[0], out[n - 1], calls), 1;
  k = 50;
  CHECK(cudaGraphExecKernelNodeSetParams(exec, kernel, &kp));
  CHECK(cudaGraphLaunch(exec, s));
  CHECK(cudaStreamSynchronize(s));
  if (out[0] != 51 || out[n - 1] != 57) return printf("updated: %d %d\n", out[0], out[n - 1]), 1;

  cudaGraph_t clone, captured;
  CHECK(cudaGraphClone(&clone, graph));
  CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  CHECK(cudaMemcpyAsync(dev, in.data(), n * sizeof(int), cudaMemcpyHostToDevice, s));
  for (int i = 0; i < 10; i++) add<<<4, 256, 0, s>>>(dev, n, i);
  CHECK(cudaMemcpyAsync(out.data(), dev, n * sizeof(int), cudaMemcpyDeviceToHost, s));
  CHECK(cudaStreamEndCapture(s, &captured));
  cudaGraphExec_t second;
  CHECK(cudaGraphInstantiate(&second, captured, 0));
  out.assign(n, 0);
  CHECK(cudaGraphLaunch(second, s));
  CHECK(cudaStreamSynchronize(s));
  if (out[0] != 46 || out[n - 1] != 46) return printf("captured: %d\n", out[0]), 1;
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphExecDestroy(second));
  CHECK(cudaGraphDestroy(clone));
  CHECK(cudaGraphDestroy(captured));
  CHECK(cudaGraphDestroy(graph));
  printf("graphs passed\n");
}
