// Stream capture: forks and joins, what may not be done meanwhile, and launches of the result.
#include "check.h"

__global__ void add(int *x, int k) { *x += k; }
__global__ void sum(int *out, const int *a, const int *b) { *out = *a + *b; }

int main() {
  int *x, host[3];
  CHECK(cudaMalloc(&x, 3 * sizeof *x));
  CHECK(cudaMemset(x, 0, 3 * sizeof *x));
  cudaStream_t s, t;
  cudaEvent_t fork, join;
  CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  CHECK(cudaStreamCreateWithFlags(&t, cudaStreamNonBlocking));
  CHECK(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming));
  CHECK(cudaEventCreateWithFlags(&join, cudaEventDisableTiming));
  cudaStreamCaptureStatus status;
  CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
  CHECK(cudaStreamIsCapturing(s, &status));
  WANT(status == cudaStreamCaptureStatusActive);
  add<<<1, 1, 0, s>>>(x, 1);
  CHECK(cudaEventRecord(fork, s));
  CHECK(cudaStreamWaitEvent(t, fork, 0));
  CHECK(cudaStreamIsCapturing(t, &status));
  WANT(status == cudaStreamCaptureStatusActive);
  add<<<1, 1, 0, t>>>(x + 1, 10);
  add<<<1, 1, 0, s>>>(x, 2);
  CHECK(cudaEventRecord(join, t));
  CHECK(cudaStreamWaitEvent(s, join, 0));
  sum<<<1, 1, 0, s>>>(x + 2, x, x + 1);
  cudaGraph_t graph;
  CHECK(cudaStreamEndCapture(s, &graph));
  CHECK(cudaStreamIsCapturing(t, &status));
  WANT(status == cudaStreamCaptureStatusNone);
  size_t nodes, edges = 0;
  CHECK(cudaGraphGetNodes(graph, nullptr, &nodes));
  WANT(nodes == 4);
  CHECK(cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges));
  WANT(edges == 4);
  CHECK(cudaMemcpy(host, x, sizeof host, cudaMemcpyDeviceToHost));
  WANT(host[0] == 0 && host[1] == 0); // captured, not run
  cudaGraphExec_t exec;
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  for (int i = 0; i < 5; i++) CHECK(cudaGraphLaunch(exec, s));
  CHECK(cudaStreamSynchronize(s));
  CHECK(cudaMemcpy(host, x, sizeof host, cudaMemcpyDeviceToHost));
  WANT(host[0] == 15 && host[1] == 50 && host[2] == 65);
  // Waiting for a stream that is captured spoils the capture.
  CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
  add<<<1, 1, 0, s>>>(x, 1);
  FAILS(cudaErrorStreamCaptureUnsupported, cudaStreamSynchronize(s));
  CHECK(cudaStreamIsCapturing(s, &status));
  WANT(status == cudaStreamCaptureStatusInvalidated);
  cudaGraph_t none = (cudaGraph_t)1;
  FAILS(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(s, &none));
  WANT(none == nullptr);
  // A fork that was never joined.
  CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
  CHECK(cudaEventRecord(fork, s));
  CHECK(cudaStreamWaitEvent(t, fork, 0));
  add<<<1, 1, 0, t>>>(x, 1);
  FAILS(cudaErrorStreamCaptureUnjoined, cudaStreamEndCapture(s, &none));
  FAILS(cudaErrorIllegalState, cudaStreamEndCapture(s, &none));
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphDestroy(graph));
  printf("capture passed\n");
}
