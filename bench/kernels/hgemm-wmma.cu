// nvcc: -arch=sm_75
// C = A * B, n x n, f16 inputs and f32 sums, by the tensor cores' 16 x 16 x 16 products (wmma).
// A block of 8 warps computes 32 x 64 of C, one 16 x 16 tile a warp.
#include <mma.h>
using namespace nvcuda;
extern "C" __global__ void __launch_bounds__(256)
    hgemm(int n, const half *__restrict__ a, const half *__restrict__ b, float *__restrict__ c) {
  const int warp = threadIdx.x / 32;
  const int row = blockIdx.y * 32 + warp / 4 * 16;
  const int col = blockIdx.x * 64 + warp % 4 * 16;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fill_fragment(fc, 0.0f);
  for (int k = 0; k < n; k += 16) {
    wmma::load_matrix_sync(fa, a + row * n + k, n);
    wmma::load_matrix_sync(fb, b + k * n + col, n);
    wmma::mma_sync(fc, fa, fb, fc);
  }
  wmma::store_matrix_sync(c + row * n + col, fc, n, wmma::mem_row_major);
}
