// A shared library with kernels, loaded, closed and loaded again: this file is the program, and with
// -DLIBRARY the library beside it.
// build: -Xcompiler -fPIC
// library: -Xcompiler -fPIC -shared -DLIBRARY
#include "check.h"

#ifdef LIBRARY

__device__ int calls;
__constant__ int factor = 3;
__global__ void scale(int *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= factor;
  if (i == 0) calls++;
}
extern "C" int run(int *x, int n) {
  int count;
  scale<<<(n + 127) / 128, 128>>>(x, n);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpyFromSymbol(&count, calls, sizeof count));
  return count;
}

#else

#include <dlfcn.h>
#include <string>

__device__ int calls; // as in the library, and another one
__global__ void scale(int *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] += 1;
  if (i == 0) calls++;
}

int main(int, char **argv) {
  const int n = 1000;
  int *x, count;
  CHECK(cudaMallocManaged(&x, n * sizeof(int)));
  for (int i = 0; i < n; i++) x[i] = i;
  std::string path = std::string(argv[0]) + ".so";
  int want = 1, more = 0;
  for (int round = 0; round < 4; round++) {
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return printf("%s\n", dlerror()), 1;
    auto run = (int (*)(int *, int))dlsym(library, "run");
    WANT(run(x, n) == 1); // its variables are new each time
    WANT(run(x, n) == 2);
    want *= 9, more *= 9;
    scale<<<8, 128>>>(x, n);
    CHECK(cudaDeviceSynchronize());
    more += 1;
    for (int i = 0; i < n; i++) WANT(x[i] == i * want + more);
    WANT(dlclose(library) == 0);
  }
  CHECK(cudaMemcpyFromSymbol(&count, calls, sizeof count));
  WANT(count == 4);
  printf("kernels-in-library passed\n");
}

#endif
