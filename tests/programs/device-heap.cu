// Memory that kernels allocate, C++ objects with virtual functions, recursion, function pointers.
#include "check.h"

struct Shape {
  __device__ virtual float area() const = 0;
  __device__ virtual ~Shape() {}
};
struct Square : Shape {
  float a;
  __device__ Square(float a) : a(a) {}
  __device__ float area() const override { return a * a; }
};
struct Rectangle : Square {
  float b;
  __device__ Rectangle(float a, float b) : Square(a), b(b) {}
  __device__ float area() const override { return a * b; }
};

__global__ void make(Shape **shapes, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) shapes[i] = i % 2 ? (Shape *)new Rectangle(i, 3) : new Square(i);
}
__global__ void measure(Shape **shapes, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = shapes[i]->area();
}
__global__ void drop(Shape **shapes, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) delete shapes[i];
}
__global__ void buffers(int *sums) {
  int n = threadIdx.x + 1;
  int *mine = (int *)malloc(n * sizeof(int));
  if (mine == nullptr) return;
  for (int i = 0; i < n; i++) mine[i] = i;
  int s = 0;
  for (int i = 0; i < n; i++) s += mine[i];
  sums[threadIdx.x] = s;
  free(mine);
}
__device__ __noinline__ int ackermann(int m, int n) {
  return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
__device__ int twice(int x) { return 2 * x; }
__device__ int square(int x) { return x * x; }
__device__ int (*const operations[])(int) = {twice, square};
__global__ void calls(int *out) {
  out[threadIdx.x] = operations[threadIdx.x % 2](threadIdx.x) + ackermann(2, threadIdx.x % 4);
}

int main() {
  const int n = 500;
  Shape **shapes;
  float *areas;
  int *sums;
  CHECK(cudaMalloc(&shapes, n * sizeof *shapes));
  CHECK(cudaMallocManaged(&areas, n * sizeof(float)));
  CHECK(cudaMallocManaged(&sums, 1024));
  for (int round = 0; round < 3; round++) {
    make<<<4, 128>>>(shapes, n);
    measure<<<4, 128>>>(shapes, areas, n);
    drop<<<4, 128>>>(shapes, n);
    CHECK(cudaDeviceSynchronize());
    for (int i = 0; i < n; i++) WANT(areas[i] == (i % 2 ? 3.0f * i : (float)i * i));
  }
  buffers<<<1, 200>>>(sums);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 200; i++) WANT(sums[i] == i * (i + 1) / 2);
  calls<<<1, 64>>>(sums);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 64; i++) WANT(sums[i] == (i % 2 ? i * i : 2 * i) + 2 * (i % 4) + 3);
  printf("device-heap passed\n");
}
