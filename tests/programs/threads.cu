// Several host threads, with per-thread default streams of their own or the legacy one.
#include <cstdio>
#include <thread>
#include <vector>

__global__ void add(int *x, int n, int k) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] += k;
}

static bool work(int k) {
  const int n = 1000;
  std::vector<int> host(n);
  int *x;
  if (cudaMalloc(&x, n * sizeof(int)) != cudaSuccess) return false;
  cudaMemset(x, 0, n * sizeof(int));
  for (int i = 0; i < 20; i++) add<<<4, 256, 0, cudaStreamPerThread>>>(x, n, k);
  if (cudaStreamSynchronize(cudaStreamPerThread) != cudaSuccess) return false;
  if (cudaMemcpy(host.data(), x, n * sizeof(int), cudaMemcpyDefault) != cudaSuccess) return false;
  for (int v : host) if (v != 20 * k) return false;
  return cudaFree(x) == cudaSuccess;
}

int main() {
  bool ok[6];
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; i++) threads.emplace_back([&ok, i] { ok[i] = work(i + 1); });
  for (auto &t : threads) t.join();
  for (int i = 0; i < 6; i++) if (!ok[i]) return printf("thread %d failed\n", i), 1;
  printf("threads passed\n");
}
