// printf inside a kernel: the text reaches the host when the kernel has finished. The order
// between threads is open, as on a real card; the text of one call is never torn.

#include <cstdio>

extern "C" __global__ void greet(const float *values, const char *name) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  printf("%s: block %d thread %2u value %8.3f hex %#06x\n", name, blockIdx.x, threadIdx.x,
         values[i], i * 17);
  if (i == 0) {
    printf("long %lld, char '%c', scientific %.2e, percent 100%%\n", 1234567890123LL, 'w',
           (double)values[0]);
  }
}
