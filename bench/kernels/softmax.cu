// Softmax of each row of a matrix with `columns` columns; a block of 256 threads a row.
#define THREADS 256
extern "C" __global__ void __launch_bounds__(THREADS)
    softmax(int columns, const float *__restrict__ in, float *__restrict__ out) {
  __shared__ float s[THREADS];
  const int t = threadIdx.x;
  const float *row = in + blockIdx.x * columns;

  float top = -3.402823466e38f;
  for (int i = t; i < columns; i += THREADS) top = fmaxf(top, row[i]);
  s[t] = top;
  __syncthreads();
  for (int k = THREADS / 2; k > 0; k >>= 1) {
    if (t < k) s[t] = fmaxf(s[t], s[t + k]);
    __syncthreads();
  }
  top = s[0];
  __syncthreads();

  float sum = 0.0f;
  for (int i = t; i < columns; i += THREADS) sum += expf(row[i] - top);
  s[t] = sum;
  __syncthreads();
  for (int k = THREADS / 2; k > 0; k >>= 1) {
    if (t < k) s[t] += s[t + k];
    __syncthreads();
  }
  const float scale = 1.0f / s[0];
  for (int i = t; i < columns; i += THREADS) {
    out[blockIdx.x * columns + i] = expf(row[i] - top) * scale;
  }
}
