// Several processes, each with a device of its own: children that exec, and one that only forks.
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

__device__ int state;
__global__ void set(int v) { state = v; }
__global__ void add(int *x, int v) { atomicAdd(x, v); }

static int work(int v) {
  int got, *x;
  CHECK(cudaMallocManaged(&x, sizeof *x));
  *x = 0;
  set<<<1, 1>>>(v);
  for (int i = 0; i < 50; i++) {
    add<<<4, 32>>>(x, v);
    if (i % 10 == 0) CHECK(cudaDeviceSynchronize());
  }
  CHECK(cudaMemcpyFromSymbol(&got, state, sizeof got));
  WANT(got == v && *x == 50 * 128 * v);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return work(atoi(argv[1]));
  WANT(work(1) == 0);
  pid_t children[4];
  for (int i = 0; i < 4; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      char number[8];
      snprintf(number, sizeof number, "%d", i + 2);
      execl("/proc/self/exe", argv[0], number, (char *)0);
      _exit(99);
    }
  }
  for (pid_t child : children) {
    int status;
    WANT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  // CUDA does not survive a fork: the child is told, and the parent goes on.
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int *p;
    _exit(cudaMalloc(&p, 4) == cudaErrorInitializationError ? 0 : 1);
  }
  int status;
  WANT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  int got;
  CHECK(cudaMemcpyFromSymbol(&got, state, sizeof got));
  WANT(got == 1);
  printf("processes passed\n");
}
