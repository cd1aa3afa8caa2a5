// Vector addition with plain copies, as in every introduction.
#include <cstdio>
#include <vector>

__global__ void add(const float *a, const float *b, float *c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

int main() {
  const int n = 100000;
  std::vector<float> a(n), b(n), c(n);
  for (int i = 0; i < n; i++) a[i] = i * 0.5f, b[i] = n - i;
  float *da, *db, *dc;
  if (cudaMalloc(&da, n * sizeof(float)) != cudaSuccess) return 2;
  cudaMalloc(&db, n * sizeof(float));
  cudaMalloc(&dc, n * sizeof(float));
  cudaMemcpy(da, a.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  cudaMemcpy(db, b.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  add<<<(n + 255) / 256, 256>>>(da, db, dc, n);
  cudaError_t error = cudaMemcpy(c.data(), dc, n * sizeof(float), cudaMemcpyDeviceToHost);
  if (error != cudaSuccess) return printf("%s\n", cudaGetErrorString(error)), 3;
  for (int i = 0; i < n; i++) {
    if (c[i] != a[i] + b[i]) return printf("wrong at %d: %f\n", i, c[i]), 1;
  }
  cudaFree(da), cudaFree(db), cudaFree(dc);
  printf("vector-add passed\n");
}
