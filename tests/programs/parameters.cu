// Parameters that kernels index, up to the largest that a launch takes.
#include <cstdio>

template <int N> struct Words { int at[N]; };

template <int N> __global__ void sum(const __grid_constant__ Words<N> words, int step, int *out) {
  int total = 0;
  for (int i = threadIdx.x; i < N; i += step) total += words.at[i];
  out[threadIdx.x] = total;
}
template <int N> __global__ void sumAll(const __grid_constant__ Words<N> words, int *out) {
  int total = 0;
  for (int i = 0; i < N; i++) total += words.at[i];
  *out = total;
}

template <int N> static bool check(int *dev) {
  static Words<N> words;
  int all = 0, host[32];
  for (int i = 0; i < N; i++) all += words.at[i] = i * 7 % 1001;
  sum<N><<<1, 32>>>(words, 32, dev);
  if (cudaMemcpy(host, dev, sizeof host, cudaMemcpyDeviceToHost) != cudaSuccess) return false;
  int total = 0;
  for (int part : host) total += part;
  if (total != all) return false;
  // One loop over neighbouring words: nvcc walks a pointer in parameter space.
  sumAll<N><<<1, 1>>>(words, dev);
  if (cudaMemcpy(host, dev, sizeof(int), cudaMemcpyDeviceToHost) != cudaSuccess) return false;
  return host[0] == all;
}

int main() {
  int *dev;
  if (cudaMalloc(&dev, 32 * sizeof(int)) != cudaSuccess) return 2;
  if (!check<5>(dev) || !check<1022>(dev) || !check<8180>(dev)) {
    printf("parameters: %s\n", cudaGetErrorString(cudaGetLastError()));
    return 1;
  }
  printf("parameters passed\n");
}
