// printf in kernels: every conversion, flag, width and precision that CUDA documents, from one thread at a
// time. What it prints is held against what an H100 printed.
#include <cfloat>
#include <climits>
#include <cstdio>

__global__ void integers(int i, unsigned u, long long l, unsigned long long w) {
  printf("[%d] [%i] [%u] [%x] [%X] [%o] [%c]\n", i, -i, u, u, u, u, 'q');
  printf("[%5d] [%-5d] [%05d] [%+d] [% d] [%+5d] [%-+5d|] [% 05d]\n", i, i, i, i, i, i, i, i);
  printf("[%.3d] [%8.3d] [%-8.3d] [%08.3d] [%.0d] [%+.4d]\n", i, i, i, i, 0, i);
  printf("[%#x] [%#X] [%#o] [%#10x] [%#010x] [%-#10x|] [%#x] [%#o]\n", u, u, u, u, u, u, 0, 0);
  printf("[%lld] [%llu] [%llx] [%llX] [%llo] [%20lld] [%-20llu|] [%020llx]\n", l, w, w, w, w, l, w, w);
  printf("[%ld] [%lu] [%lx] [%hd] [%hu] [%hx]\n", (long)l, (unsigned long)w,
         (unsigned long)w, i * 65537, u, u);
  printf("[%*d] [%-*d|] [%*d|] [%0*d]\n", 7, i, 7, i, -7, i, 6, i);
  printf("[%d] [%d] [%u] [%lld] [%llu]\n", INT_MIN, INT_MAX, UINT_MAX, LLONG_MIN, ULLONG_MAX);
}

__global__ void floats(double d, double big, double tiny, float f) {
  printf("[%f] [%F] [%e] [%E] [%g] [%G] [%a] [%A]\n", d, d, d, d, d, d, d, d);
  printf("[%.0f] [%.1f] [%.10f] [%10.2f] [%-10.2f|] [%010.2f] [%+.2f] [% .2f]\n", d, d, d, d, d, d, d, d);
  printf("[%.0e] [%.1e] [%12.3e] [%-12.3e|] [%012.3e] [%+.3E]\n", d, d, d, d, d, d);
  printf("[%.0g] [%.3g] [%.17g] [%10.3g] [%-10.3g|] [%010.3g] [%#.3g] [%#g]\n", d, d, d, d, d, d, d, 1.0);
  printf("[%.0a] [%.2a] [%20a] [%-20a|] [%+a]\n", d, d, d, d, d);
  printf("[%f] [%e] [%g] [%.30f]\n", big, big, big, big);
  printf("[%f] [%e] [%g] [%.30f] [%.3a]\n", tiny, tiny, tiny, tiny, tiny);
  printf("[%f] [%g] [%.9g] [%a]\n", f, f, f, f);
  printf("[%f] [%F] [%e] [%g] [%G] [%a]\n", 1 / 0.0 * d, 1 / 0.0 * d, -1 / 0.0 * d, 1 / 0.0 * d, -1 / 0.0 * d, 1 / 0.0 * d);
  printf("[%10f] [%-10f|] [%010f] [%+f] [% f]\n", 1 / 0.0 * d, 1 / 0.0 * d, 1 / 0.0 * d, 1 / 0.0 * d, 1 / 0.0 * d);
  printf("[%f] [%e] [%g] [%.1f] [%.0f] [%.0f] [%.0f] [%.0f]\n", 0.0, 0.0, 0.0, -0.0, 0.5, 1.5, 2.5, -0.5);
  printf("[%f] [%e] [%g] [%e]\n", DBL_MAX, DBL_MAX, DBL_MIN, DBL_MIN / 1024);
  printf("[%#.0f] [%#.0e] [%.50g] [%*.5f] [%-*.2e|]\n", d, d, d, 14, d, 14, d);
}

__global__ void others(const char *text, void *p) {
  printf("[%s] [%10s] [%-10s|] [%.2s] [%10.2s] [%-10.2s|] [%*s]\n", text, text, text, text, text,
         text, 8, text);
  printf("[%s] [%s]\n", "", "a longer text with % in it");
  printf("[%c] [%3c] [%-3c|] [%c%c]\n", 'a', 'b', 'c', 'd', 'e');
  printf("100%% plain\n");
  printf("[%p] [%20p] [%-20p|] [%p]\n", p, p, p, (void *)0);
  printf("no arguments\n");
  printf("one too many %d\n", 1, 2);
  printf("%d %f %s %lld %c %x %e %u\n", 1, 2.5, "three", 4ll, '5', 6, 7.0, 8u);
  printf("returned %d %d %d\n", printf("abc\n"), printf("%d\n", 5), printf("%s %d %d\n", "x", 1, 2));
  printf("a line without an end");
  printf(", its end\n%d lines\nin one\n", 3);
}

__global__ void threads(int n) {
  if (threadIdx.x < n)
    for (int i = 0; i < 2; i++) printf("thread %d says %d\n", threadIdx.x, i);
}

int main() {
  integers<<<1, 1>>>(42, 0xbeef, -1234567890123ll, 0xfedcba9876543210ull);
  integers<<<1, 1>>>(-7, 0x80000001, 99, 1);
  cudaDeviceSynchronize();
  for (double d : {3.14159265358979, -2.5e-7, 123456789.125, 1e21, 0.1}) {
    floats<<<1, 1>>>(d, d * 1e200, d * 1e-200, (float)d);
    cudaDeviceSynchronize();
  }
  char *text;
  cudaMallocManaged(&text, 16);
  for (int i = 0; i < 5; i++) text[i] = 'h' + i;
  text[5] = 0;
  others<<<1, 1>>>(text, (void *)0x1234abcd);
  cudaDeviceSynchronize();
  threads<<<1, 1>>>(1);
  threads<<<1, 1>>>(1);
  if (cudaDeviceSynchronize() != cudaSuccess) return 1;
  printf("formats passed\n");
}
