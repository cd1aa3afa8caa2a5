// Atomic operations of many blocks on the same words, and what they return.
#include <cstdio>

const int N = 1 << 19, WORDS = 32;

template <typename T> __global__ void count(T *words, T *last, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    atomicAdd(words + (i & (WORDS - 1)), T(1));
    atomicMax((unsigned long long *)last, (unsigned long long)atomicAdd(words + WORDS, T(1)));
  }
}

template <typename T> static bool check(const char *name) {
  T *dev, words[WORDS + 1];
  unsigned long long *last, most;
  if (cudaMalloc(&dev, sizeof words) != cudaSuccess || cudaMalloc(&last, 8) != cudaSuccess) return false;
  for (int round = 0; round < 3; round++) {
    cudaMemset(dev, 0, sizeof words);
    cudaMemset(last, 0, 8);
    count<T><<<128, 256>>>(dev, (T *)last, N);
    if (cudaMemcpy(words, dev, sizeof words, cudaMemcpyDeviceToHost) != cudaSuccess) return false;
    cudaMemcpy(&most, last, 8, cudaMemcpyDeviceToHost);
    bool good = words[WORDS] == T(N) && most == N - 1;
    for (int i = 0; i < WORDS; i++) good = good && words[i] == T(N / WORDS);
    if (!good) {
      printf("%s: round %d: %.0f of %d\n", name, round, (double)words[WORDS], N);
      return false;
    }
  }
  return true;
}

int main() {
  if (!check<int>("int") || !check<unsigned long long>("unsigned long long")) return 1;
  if (!check<float>("float") || !check<double>("double")) return 1;
  printf("contention passed\n");
}
