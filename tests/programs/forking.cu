// A child of fork: it may use the device if the parent had not used it, and may only exec otherwise.
#include <cstdio>
#include <cuda_runtime.h>
#include <sys/wait.h>
#include <unistd.h>

__global__ void add(int *x) { x[threadIdx.x] += 1; }

static int use() {
  int *x, host[32] = {0};
  if (cudaMalloc(&x, sizeof host) != cudaSuccess) return 2;
  if (cudaMemcpy(x, host, sizeof host, cudaMemcpyDefault) != cudaSuccess) return 3;
  add<<<1, 32>>>(x);
  if (cudaMemcpy(host, x, sizeof host, cudaMemcpyDefault) != cudaSuccess) return 4;
  return host[31] == 1 ? 0 : 5;
}
static int refused() {
  int *x;
  if (cudaMalloc(&x, 4) != cudaErrorInitializationError) return 2;
  if (cudaGetLastError() != cudaErrorInitializationError) return 3;
  add<<<1, 32>>>(nullptr);
  if (cudaGetLastError() != cudaErrorInitializationError) return 4;
  return cudaDeviceSynchronize() == cudaErrorInitializationError ? 0 : 5;
}
/* Runs it in a child. */
static int child(int (*run)()) {
  pid_t pid = fork();
  if (pid == 0) _exit(run());
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

int main() {
  int first = child(use);
  if (first != 0) return printf("before: %d\n", first), 1;
  if (use() != 0) return 2;
  int second = child(refused);
  if (second != 0) return printf("after: %d\n", second), 1;
  if (use() != 0) return 3;
  printf("forking passed\n");
}
