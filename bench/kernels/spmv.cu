// y = A * x for a sparse matrix in CSR form, one row a thread.
extern "C" __global__ void spmv(int rows, const int *__restrict__ starts,
                                const int *__restrict__ columns, const float *__restrict__ values,
                                const float *__restrict__ x, float *__restrict__ y) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  const int end = starts[row + 1];
  for (int k = starts[row]; k < end; ++k) sum += values[k] * x[columns[k]];
  y[row] = sum;
}
