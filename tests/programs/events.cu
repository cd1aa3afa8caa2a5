// Events: order, queries, waits across streams, timing, and the errors of each.
#include "check.h"

__global__ void add(int *x, int k, int rounds) {
  for (int i = 0; i < rounds; i++) atomicAdd(x, k);
}
__global__ void square(int *x) { *x *= *x; }

int main() {
  int *x, host = 0;
  cudaEvent_t a, b, untimed;
  cudaStream_t s, t;
  CHECK(cudaMalloc(&x, sizeof *x));
  CHECK(cudaMemset(x, 0, sizeof *x));
  CHECK(cudaEventCreate(&a));
  CHECK(cudaEventCreateWithFlags(&b, cudaEventBlockingSync));
  CHECK(cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming));
  CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  CHECK(cudaStreamCreateWithFlags(&t, cudaStreamNonBlocking));
  float ms = -1;
  // Never recorded: complete for queries and waits, without a time.
  CHECK(cudaEventQuery(a));
  CHECK(cudaEventSynchronize(a));
  CHECK(cudaStreamWaitEvent(s, a, 0));
  FAILS(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&ms, a, b));
  CHECK(cudaEventRecord(a, s));
  add<<<1, 1, 0, s>>>(x, 1, 20000);
  CHECK(cudaEventRecord(b, s));
  CHECK(cudaEventRecord(untimed, s));
  CHECK(cudaStreamWaitEvent(t, untimed, 0));
  square<<<1, 1, 0, t>>>(x);
  CHECK(cudaStreamSynchronize(t));
  CHECK(cudaEventQuery(b));
  CHECK(cudaEventElapsedTime(&ms, a, b));
  WANT(ms >= 0 && ms < 60000);
  FAILS(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&ms, a, untimed));
  CHECK(cudaMemcpy(&host, x, sizeof host, cudaMemcpyDeviceToHost));
  WANT(host == 20000 * 20000);
  // A record replaces the one before it; a wait takes the record at the time of the call.
  CHECK(cudaEventRecord(b, t));
  CHECK(cudaEventSynchronize(b));
  CHECK(cudaEventElapsedTime(&ms, a, b));
  WANT(ms >= 0);
  CHECK(cudaEventDestroy(a));
  FAILS(cudaErrorInvalidValue, cudaEventCreateWithFlags(&a, 0x100));
  CHECK(cudaStreamDestroy(s));
  CHECK(cudaStreamDestroy(t));
  printf("events passed\n");
}
