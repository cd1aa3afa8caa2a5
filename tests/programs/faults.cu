// Faults of kernels, each in a process of its own: the error, that it sticks, and what a reset mends.
#include <cassert>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

__global__ void nothing() {}
__global__ void wild(int *x) { *x = 1; }
__global__ void crooked(char *x) { *(int *)(x + 1) = 1; }
__global__ void trap() { asm("trap;"); }
__global__ void asserts(int x) { assert(x == 0); }
__global__ void shared_wild(int i) {
  extern __shared__ int s[];
  s[i] = 1;
}

static int child(const char *what) {
  int *x;
  CHECK(cudaMalloc(&x, 64));
  cudaError_t want = cudaErrorIllegalAddress;
  if (!strcmp(what, "wild")) wild<<<1, 1>>>((int *)0x123400000000);
  if (!strcmp(what, "null")) wild<<<1, 1>>>(nullptr);
  if (!strcmp(what, "crooked")) crooked<<<1, 1>>>((char *)x), want = cudaErrorMisalignedAddress;
  if (!strcmp(what, "trap")) trap<<<1, 1>>>(), want = cudaErrorLaunchFailure;
  if (!strcmp(what, "assert")) asserts<<<1, 1>>>(1), want = cudaErrorAssert;
  if (!strcmp(what, "shared")) shared_wild<<<1, 1, 64>>>(1 << 28);
  cudaError_t got = cudaDeviceSynchronize();
  // A real device says "illegal instruction" or "unspecified launch failure" for a trap.
  if (!strcmp(what, "trap") && got == cudaErrorIllegalInstruction) want = got;
  if (got != want) return printf("%s: %s\n", what, cudaGetErrorName(got)), 1;
  // It sticks: to every call, and to launches.
  WANT(cudaGetLastError() == want && cudaMalloc(&x, 64) == want);
  nothing<<<1, 1>>>();
  WANT(cudaGetLastError() == want);
  // A kernel that was asked for first in the meantime can be launched, too.
  CHECK(cudaDeviceReset());
  nothing<<<1, 1>>>();
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return child(argv[1]);
  for (const char *what : {"wild", "null", "crooked", "trap", "assert", "shared"}) {
    pid_t pid = fork();
    if (pid == 0) {
      if (!strcmp(what, "assert")) freopen("/dev/null", "w", stderr);
      execl("/proc/self/exe", argv[0], what, (char *)0);
      _exit(99);
    }
    int status;
    WANT(waitpid(pid, &status, 0) == pid);
    WANT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  printf("faults passed\n");
}
