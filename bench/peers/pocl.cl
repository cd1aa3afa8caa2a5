// The benchmark's kernels in OpenCL C: the same algorithms as bench/kernels/*.cu, line for line where
// the languages allow. The file is built with what it needs only: a driver passes -DNAME.

#ifdef SAXPY
__kernel void saxpy(int n, float alpha, __global const float *restrict x,
                    __global float *restrict y) {
  const int i = get_global_id(0);
  if (i < n) y[i] = fma(alpha, x[i], y[i]);
}
#endif

#ifdef TRIAD
__kernel void triad(int n, float scalar, __global const float *restrict b,
                    __global const float *restrict c, __global float *restrict a) {
  const int i = get_global_id(0);
  if (i < n) a[i] = fma(scalar, c[i], b[i]);
}
#endif

#ifdef TRANSPOSE_NAIVE
__kernel void transposeNaive(int n, __global const float *restrict in,
                             __global float *restrict out) {
  const int x = get_global_id(0), y = get_global_id(1);
  if (x < n && y < n) out[x * n + y] = in[y * n + x];
}
#endif

#ifdef TRANSPOSE_TILED
#define TILE 32
#define ROWS 8
__kernel void transposeTiled(int n, __global const float *restrict in,
                             __global float *restrict out) {
  __local float tile[TILE][TILE + 1];
  const int tx = get_local_id(0), ty = get_local_id(1);
  int x = get_group_id(0) * TILE + tx, y = get_group_id(1) * TILE + ty;
  for (int j = 0; j < TILE; j += ROWS) tile[ty + j][tx] = in[(y + j) * n + x];
  barrier(CLK_LOCAL_MEM_FENCE);
  x = get_group_id(1) * TILE + tx, y = get_group_id(0) * TILE + ty;
  for (int j = 0; j < TILE; j += ROWS) out[(y + j) * n + x] = tile[tx][ty + j];
}
#endif

#ifdef REDUCE
__kernel void blockReduce(int n, __global const float *restrict in, __global float *restrict out) {
  __local float s[256];
  const int t = get_local_id(0), i = get_global_id(0);
  s[t] = i < n ? in[i] : 0.0f;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 128; k > 0; k >>= 1) {
    if (t < k) s[t] += s[t + k];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (t == 0) out[get_group_id(0)] = s[0];
}
#endif

#ifdef SCAN
#define THREADS 256
int scanInBlock(__local int *s, int value) {
  const int t = get_local_id(0);
  int in = 0, out = THREADS;
  s[t] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int d = 1; d < THREADS; d <<= 1) {
    s[out + t] = t >= d ? s[in + t] + s[in + t - d] : s[in + t];
    barrier(CLK_LOCAL_MEM_FENCE);
    in ^= THREADS;
    out ^= THREADS;
  }
  return s[in + t];
}
__kernel void scanBlocks(__global const int *restrict in, __global int *restrict out,
                         __global int *restrict sums) {
  __local int s[2 * THREADS];
  const int i = get_global_id(0);
  const int value = scanInBlock(s, in[i]);
  out[i] = value;
  if (get_local_id(0) == THREADS - 1) sums[get_group_id(0)] = value;
}
__kernel void scanSums(int n, __global int *restrict sums) {
  __local int s[2 * THREADS];
  __local int carry;
  const int t = get_local_id(0);
  if (t == 0) carry = 0;
  for (int first = 0; first < n; first += THREADS) {
    const int i = first + t;
    barrier(CLK_LOCAL_MEM_FENCE);
    const int value = scanInBlock(s, i < n ? sums[i] : 0) + carry;
    if (i < n) sums[i] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t == THREADS - 1) carry = value;
  }
}
__kernel void scanAdd(__global int *restrict out, __global const int *restrict sums) {
  if (get_group_id(0) == 0) return;
  out[get_global_id(0)] += sums[get_group_id(0) - 1];
}
#endif

#ifdef HISTOGRAM_SHARED
#define BINS 256
#define PER_THREAD 16
__kernel void histogramShared(__global const uint *restrict data, __global uint *restrict bins) {
  __local uint local_bins[BINS];
  const int t = get_local_id(0);
  local_bins[t] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  const int first = get_group_id(0) * BINS * PER_THREAD + t;
  for (int j = 0; j < PER_THREAD; ++j) atomic_inc(&local_bins[data[first + j * BINS] & 255u]);
  barrier(CLK_LOCAL_MEM_FENCE);
  atomic_add(&bins[t], local_bins[t]);
}
#endif

#ifdef HISTOGRAM_GLOBAL
__kernel void histogramGlobal(int n, __global const uint *restrict data,
                              __global uint *restrict bins) {
  const int i = get_global_id(0);
  if (i < n) atomic_inc(&bins[data[i] & 4095u]);
}
#endif

#if defined(SGEMM) || defined(DGEMM) || defined(HGEMM_WMMA)
#define TILE 16
#ifdef DGEMM
typedef double real;
#else
typedef float real;
#endif
#ifdef HGEMM_WMMA  // PoCL has no matrix units to address: the tiled product, with f16 in memory
#define INPUT half
#define LOAD(p, i) vload_half(i, p)
#else
#define INPUT real
#define LOAD(p, i) p[i]
#endif
__kernel void gemm(int n, __global const INPUT *restrict a, __global const INPUT *restrict b,
                   __global real *restrict c) {
  __local real as[TILE][TILE], bs[TILE][TILE];
  const int tx = get_local_id(0), ty = get_local_id(1);
  const int row = get_group_id(1) * TILE + ty, col = get_group_id(0) * TILE + tx;
  real sum = 0;
  for (int t = 0; t < n; t += TILE) {
    as[ty][tx] = LOAD(a, row * n + t + tx);
    bs[ty][tx] = LOAD(b, (t + ty) * n + col);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < TILE; ++k) sum += as[ty][k] * bs[k][tx];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  c[row * n + col] = sum;
}
#endif

#ifdef CONVOLUTION
__kernel void convolution(int n, __global const float *restrict in,
                          __constant const float *restrict filter, __global float *restrict out) {
  const int x = get_global_id(0), y = get_global_id(1);
  float sum = 0.0f;
  for (int dy = -3; dy <= 3; ++dy) {
    for (int dx = -3; dx <= 3; ++dx) {
      const int sx = x + dx, sy = y + dy;
      if (sx >= 0 && sx < n && sy >= 0 && sy < n) {
        sum += filter[(dy + 3) * 7 + dx + 3] * in[sy * n + sx];
      }
    }
  }
  out[y * n + x] = sum;
}
#endif

#ifdef STENCIL
__kernel void stencil(int n, float k, __global const float *restrict in,
                      __global float *restrict out) {
  const int x = get_global_id(0), y = get_global_id(1);
  if (x >= n || y >= n) return;
  const int i = y * n + x;
  const float c = in[i];
  if (x == 0 || y == 0 || x == n - 1 || y == n - 1) {
    out[i] = c;
    return;
  }
  const float around = in[i - 1] + in[i + 1] + in[i - n] + in[i + n];
  out[i] = c + k * (around - 4.0f * c);
}
#endif

#ifdef NBODY
__kernel void nbody(int n, __global const float4 *restrict p, __global float4 *restrict out) {
  const int i = get_global_id(0);
  const float4 me = p[i];
  float ax = 0.0f, ay = 0.0f, az = 0.0f;
  for (int j = 0; j < n; ++j) {
    const float4 q = p[j];
    const float dx = q.x - me.x, dy = q.y - me.y, dz = q.z - me.z;
    const float d = dx * dx + dy * dy + dz * dz + 0.01f;
    const float r = 1.0f / sqrt(d);
    const float s = q.w * r * r * r;
    ax += dx * s;
    ay += dy * s;
    az += dz * s;
  }
  out[i] = (float4)(ax, ay, az, 0.0f);
}
#endif

#ifdef MANDELBROT
__kernel void mandelbrot(int n, int limit, __global int *restrict out) {
  const int px = get_global_id(0), py = get_global_id(1);
  if (px >= n || py >= n) return;
  const float cx = -2.0f + 3.0f * px / n, cy = -1.5f + 3.0f * py / n;
  float x = 0.0f, y = 0.0f;
  int it = 0;
  while (it < limit) {
    const float xx = x * x, yy = y * y;
    if (xx + yy > 4.0f) break;
    y = 2.0f * x * y + cy;
    x = xx - yy + cx;
    ++it;
  }
  out[py * n + px] = it;
}
#endif

#ifdef BLACK_SCHOLES
float normalCdf(float d) {
  const float k = 1.0f / (1.0f + 0.2316419f * fabs(d));
  const float tail =
      0.39894228040143267794f * exp(-0.5f * d * d) *
      (k * (0.31938153f +
            k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
  return d > 0.0f ? 1.0f - tail : tail;
}
__kernel void blackScholes(int n, float rate, float volatility, __global const float *restrict spot,
                           __global const float *restrict strike,
                           __global const float *restrict years, __global float *restrict call,
                           __global float *restrict put) {
  const int i = get_global_id(0);
  if (i >= n) return;
  const float s = spot[i], x = strike[i], t = years[i];
  const float spread = volatility * sqrt(t);
  const float d1 = (log(s / x) + (rate + 0.5f * volatility * volatility) * t) / spread;
  const float d2 = d1 - spread;
  const float c1 = normalCdf(d1), c2 = normalCdf(d2);
  const float later = x * exp(-rate * t);
  call[i] = s * c1 - later * c2;
  put[i] = later * (1.0f - c2) - s * (1.0f - c1);
}
#endif

#ifdef SPMV
__kernel void spmv(int rows, __global const int *restrict starts,
                   __global const int *restrict columns, __global const float *restrict values,
                   __global const float *restrict x, __global float *restrict y) {
  const int row = get_global_id(0);
  if (row >= rows) return;
  float sum = 0.0f;
  const int end = starts[row + 1];
  for (int k = starts[row]; k < end; ++k) sum += values[k] * x[columns[k]];
  y[row] = sum;
}
#endif

#ifdef BITONIC_SORT
__kernel void bitonicStage(__global uint *restrict keys, int size, int distance) {
  const int t = get_global_id(0);
  const int i = 2 * t - (t & (distance - 1));
  const uint a = keys[i], b = keys[i + distance];
  if ((a > b) == ((i & size) == 0)) {
    keys[i] = b;
    keys[i + distance] = a;
  }
}
#endif

#ifdef MONTE_CARLO
uint xorshift(uint *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}
__kernel void monteCarlo(int steps, __global uint *restrict hits) {
  const uint i = get_global_id(0);
  uint state = i * 2654435761u + 12345u;
  if (state == 0) state = 1;
  uint inside = 0;
  for (int k = 0; k < steps; ++k) {
    const float x = (xorshift(&state) >> 8) * 0x1p-24f;
    const float y = (xorshift(&state) >> 8) * 0x1p-24f;
    if (x * x + y * y <= 1.0f) ++inside;
  }
  hits[i] = inside;
}
#endif

#ifdef SHA256
__constant uint K[64] = {
#include "sha256k.h"
};
__kernel void sha256(int n, __global const uint *restrict messages, __global uint *restrict digests) {
  const int i = get_global_id(0);
  if (i >= n) return;
  uint w[16];
  for (int j = 0; j < 8; ++j) w[j] = messages[j * n + i];
  w[8] = 0x80000000;
  for (int j = 9; j < 15; ++j) w[j] = 0;
  w[15] = 256;
  uint a = 0x6a09e667, b = 0xbb67ae85, c = 0x3c6ef372, d = 0xa54ff53a;
  uint e = 0x510e527f, f = 0x9b05688c, g = 0x1f83d9ab, h = 0x5be0cd19;
#define ROTR(x, k) rotate(x, 32u - k)
#pragma unroll
  for (int r = 0; r < 64; ++r) {
    if (r >= 16) {
      const uint p = w[(r + 1) & 15], q = w[(r + 14) & 15];
      w[r & 15] += (ROTR(p, 7u) ^ ROTR(p, 18u) ^ (p >> 3)) + w[(r + 9) & 15] +
                   (ROTR(q, 17u) ^ ROTR(q, 19u) ^ (q >> 10));
    }
    const uint t1 = h + (ROTR(e, 6u) ^ ROTR(e, 11u) ^ ROTR(e, 25u)) + ((e & f) ^ (~e & g)) + K[r] +
                    w[r & 15];
    const uint t2 = (ROTR(a, 2u) ^ ROTR(a, 13u) ^ ROTR(a, 22u)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  digests[i] = a + 0x6a09e667;
}
#endif

#ifdef SOFTMAX
__kernel void softmax(int columns, __global const float *restrict in, __global float *restrict out) {
  __local float s[256];
  const int t = get_local_id(0);
  __global const float *row = in + get_group_id(0) * columns;
  float top = -3.402823466e38f;
  for (int i = t; i < columns; i += 256) top = fmax(top, row[i]);
  s[t] = top;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 128; k > 0; k >>= 1) {
    if (t < k) s[t] = fmax(s[t], s[t + k]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  top = s[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  float sum = 0.0f;
  for (int i = t; i < columns; i += 256) sum += exp(row[i] - top);
  s[t] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 128; k > 0; k >>= 1) {
    if (t < k) s[t] += s[t + k];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float scale = 1.0f / s[0];
  for (int i = t; i < columns; i += 256) {
    out[get_group_id(0) * columns + i] = exp(row[i] - top) * scale;
  }
}
#endif

#ifdef FLOYD_WARSHALL
__kernel void floydWarshall(int n, int k, __global int *restrict distances) {
  const int x = get_global_id(0), y = get_global_id(1);
  const int through = distances[y * n + k] + distances[k * n + x];
  if (through < distances[y * n + x]) distances[y * n + x] = through;
}
#endif
