// Host functions and callbacks: their order with kernels and copies, and threads that wait for them.
#include <atomic>
#include <vector>
#include "check.h"

static std::vector<int> order;
static std::atomic<int> calls;
static int *shared_value;

static void CUDART_CB note(void *data) {
  order.push_back((int)(size_t)data);
  calls++;
}
static void CUDART_CB read_value(void *data) { *(int *)data = *shared_value; }
static void CUDART_CB callback(cudaStream_t, cudaError_t error, void *data) {
  if (error == cudaSuccess) note(data);
}

__global__ void put(int *x, int v) { *x = v; }

int main() {
  cudaStream_t s;
  CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  CHECK(cudaMallocHost(&shared_value, sizeof(int)));
  int seen[10];
  for (int i = 0; i < 10; i++) {
    put<<<1, 1, 0, s>>>(shared_value, i * i);
    CHECK(cudaLaunchHostFunc(s, read_value, &seen[i]));
    if (i % 2) CHECK(cudaLaunchHostFunc(s, note, (void *)(size_t)i));
    else CHECK(cudaStreamAddCallback(s, callback, (void *)(size_t)i, 0));
  }
  CHECK(cudaStreamSynchronize(s));
  WANT(calls == 10);
  for (int i = 0; i < 10; i++) WANT(seen[i] == i * i && order[i] == i);
  FAILS(cudaErrorInvalidValue, cudaLaunchHostFunc(s, nullptr, nullptr));
  FAILS(cudaErrorInvalidValue, cudaStreamAddCallback(s, nullptr, nullptr, 0));
  // An event behind a host function is reached after it.
  cudaEvent_t e;
  CHECK(cudaEventCreate(&e));
  CHECK(cudaLaunchHostFunc(s, note, (void *)10));
  CHECK(cudaEventRecord(e, s));
  CHECK(cudaEventSynchronize(e));
  WANT(calls == 11);
  printf("host-functions passed\n");
}
