// The transpose of an n x n matrix, straight: reads along rows, writes along columns.
extern "C" __global__ void transposeNaive(int n, const float *__restrict__ in,
                                          float *__restrict__ out) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < n && y < n) out[x * n + y] = in[y * n + x];
}
