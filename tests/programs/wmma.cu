// Matrix products of warps: half with float and half sums, and bytes with integer sums.
#include <cuda_fp16.h>
#include <mma.h>
#include "check.h"
using namespace nvcuda::wmma;

const int N = 64;

__global__ void halves(const half *a, const half *b, float *c) {
  int row = blockIdx.y * 16, col = blockIdx.x * 16;
  fragment<matrix_a, 16, 16, 16, half, row_major> fa;
  fragment<matrix_b, 16, 16, 16, half, col_major> fb;
  fragment<accumulator, 16, 16, 16, float> fc;
  fill_fragment(fc, 1.0f);
  for (int k = 0; k < N; k += 16) {
    load_matrix_sync(fa, a + row * N + k, N);
    load_matrix_sync(fb, b + col * N + k, N);
    mma_sync(fc, fa, fb, fc);
  }
  for (int i = 0; i < fc.num_elements; i++) fc.x[i] *= 2;
  store_matrix_sync(c + row * N + col, fc, N, mem_row_major);
}
__global__ void half_sums(const half *a, const half *b, half *c) {
  fragment<matrix_a, 32, 8, 16, half, row_major> fa;
  fragment<matrix_b, 32, 8, 16, half, row_major> fb;
  fragment<accumulator, 32, 8, 16, half> fc;
  fill_fragment(fc, __float2half(0));
  load_matrix_sync(fa, a, N);
  load_matrix_sync(fb, b, N);
  mma_sync(fc, fa, fb, fc);
  store_matrix_sync(c, fc, N, mem_row_major);
}
__global__ void bytes(const signed char *a, const signed char *b, int *c) {
  fragment<matrix_a, 16, 16, 16, signed char, row_major> fa;
  fragment<matrix_b, 16, 16, 16, signed char, col_major> fb;
  fragment<accumulator, 16, 16, 16, int> fc;
  fill_fragment(fc, 0);
  load_matrix_sync(fa, a, N);
  load_matrix_sync(fb, b, N);
  mma_sync(fc, fa, fb, fc);
  store_matrix_sync(c, fc, N, mem_row_major);
}

int main() {
  half *a, *b, *h;
  float *c;
  signed char *x, *y;
  int *z;
  CHECK(cudaMallocManaged(&a, N * N * sizeof(half)));
  CHECK(cudaMallocManaged(&b, N * N * sizeof(half)));
  CHECK(cudaMallocManaged(&h, N * N * sizeof(half)));
  CHECK(cudaMallocManaged(&c, N * N * sizeof(float)));
  CHECK(cudaMallocManaged(&x, N * N));
  CHECK(cudaMallocManaged(&y, N * N));
  CHECK(cudaMallocManaged(&z, N * N * sizeof(int)));
  for (int i = 0; i < N * N; i++) {
    a[i] = __float2half((float)(i % 7 - 3));
    b[i] = __float2half((float)(i % 5 - 2));
    x[i] = (signed char)(i * 13);
    y[i] = (signed char)(i * 29);
  }
  halves<<<dim3(N / 16, N / 16), 32>>>(a, b, c);
  half_sums<<<1, 32>>>(a, b, h);
  bytes<<<1, 32>>>(x, y, z);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      float want = 1;
      for (int k = 0; k < N; k++) want += ((i * N + k) % 7 - 3) * ((j * N + k) % 5 - 2);
      WANT(c[i * N + j] == 2 * want);
    }
  for (int i = 0; i < 32; i++)
    for (int j = 0; j < 8; j++) {
      float want = 0;
      for (int k = 0; k < 16; k++) want += ((i * N + k) % 7 - 3) * ((k * N + j) % 5 - 2);
      WANT(__half2float(h[i * N + j]) == want);
    }
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      int want = 0;
      for (int k = 0; k < 16; k++) want += x[i * N + k] * y[j * N + k];
      WANT(z[i * N + j] == want);
    }
  printf("wmma passed\n");
}
