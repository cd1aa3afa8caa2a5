// The benchmark's kernels in plain C with OpenMP, as one would write them for a CPU.
// Usage: native NAME N RUNS OUTPUT. The first run is checked (its outputs are written to OUTPUT),
// then RUNS runs are timed.
#include <limits.h>
#include <omp.h>

#include "problems.h"

#define FOR _Pragma("omp parallel for")
#define FORSIMD _Pragma("omp parallel for simd")

static void saxpy(int n, float alpha, const float *restrict x, float *restrict y) {
  FORSIMD
  for (int i = 0; i < n; ++i) y[i] = alpha * x[i] + y[i];
}

static void triad(int n, float s, const float *restrict b, const float *restrict c,
                  float *restrict a) {
  FORSIMD
  for (int i = 0; i < n; ++i) a[i] = b[i] + s * c[i];
}

static void transpose_naive(int n, const float *restrict in, float *restrict out) {
  FOR
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) out[x * n + y] = in[y * n + x];
}

static void transpose_tiled(int n, const float *restrict in, float *restrict out) {
  FOR
  for (int y0 = 0; y0 < n; y0 += 32)
    for (int x0 = 0; x0 < n; x0 += 32)
      for (int x = x0; x < x0 + 32; ++x)
        for (int y = y0; y < y0 + 32; ++y) out[x * n + y] = in[y * n + x];
}

// A serial sum for the tree.
static void reduce(int n, const float *restrict in, float *restrict out) {
  FOR
  for (int b = 0; b < n / 256; ++b) {
    float s = 0;
#pragma omp simd reduction(+ : s)
    for (int t = 0; t < 256; ++t) s += in[b * 256 + t];
    out[b] = s;
  }
}

// Each thread sums its part, then scans it serially from the sum of the parts before.
static void scan(int n, const int *restrict in, int *restrict out) {
  int part[256] = {0};
#pragma omp parallel
  {
    const int t = omp_get_thread_num(), threads = omp_get_num_threads();
    const int first = (long)n * t / threads, last = (long)n * (t + 1) / threads;
    int sum = 0;
    for (int i = first; i < last; ++i) sum += in[i];
    part[t] = sum;
#pragma omp barrier
    sum = 0;
    for (int i = 0; i < t; ++i) sum += part[i];
    for (int i = first; i < last; ++i) out[i] = sum += in[i];
  }
}

static void histogram_shared(int n, const unsigned *restrict data, unsigned *restrict bins) {
#pragma omp parallel
  {
    unsigned local[256] = {0};
#pragma omp for
    for (int i = 0; i < n; ++i) ++local[data[i] & 255];
    for (int b = 0; b < 256; ++b) {
#pragma omp atomic
      bins[b] += local[b];
    }
  }
}

static void histogram_global(int n, const unsigned *restrict data, unsigned *restrict bins) {
  FOR
  for (int i = 0; i < n; ++i) {
#pragma omp atomic
    ++bins[data[i] & 4095];
  }
}

// Rows of C as sums of rows of B: the loop order that suits a CPU, not the tiles of the kernels.
#define GEMM(name, in, out)                                                        \
  static void name(int n, const in *restrict a, const in *restrict b, out *restrict c) { \
    FOR for (int i = 0; i < n; ++i) {                                              \
      for (int j = 0; j < n; ++j) c[i * n + j] = 0;                                \
      for (int k = 0; k < n; ++k) {                                                \
        const out s = a[i * n + k];                                                \
        _Pragma("omp simd") for (int j = 0; j < n; ++j) c[i * n + j] += s * (out)b[k * n + j]; \
      }                                                                            \
    }                                                                              \
  }
GEMM(sgemm, float, float)
GEMM(dgemm, double, double)

// gcc 12 does not vectorise conversions from f16: both are converted once.
static void hgemm(int n, const _Float16 *restrict a, const _Float16 *restrict b,
                  float *restrict c) {
  float *wide = aligned_alloc(64, (size_t)n * n * 8);
  float *wideA = wide + (size_t)n * n;
  FOR
  for (int i = 0; i < n * n; ++i) wide[i] = b[i], wideA[i] = a[i];
  sgemm(n, wideA, wide, c);
  free(wide);
}

static void convolution(int n, const float *restrict in, const float *restrict filter,
                        float *restrict out) {
  FOR
  for (int y = 0; y < n; ++y) {
    float *row = out + (size_t)y * n;
    for (int x = 0; x < n; ++x) row[x] = 0;
    for (int dy = -3; dy <= 3; ++dy) {
      if (y + dy < 0 || y + dy >= n) continue;
      for (int dx = -3; dx <= 3; ++dx) {
        const float w = filter[(dy + 3) * 7 + dx + 3];
        const float *src = in + (size_t)(y + dy) * n + dx;
        const int first = dx < 0 ? -dx : 0, last = dx > 0 ? n - dx : n;
#pragma omp simd
        for (int x = first; x < last; ++x) row[x] += w * src[x];
      }
    }
  }
}

static void stencil(int n, float k, const float *restrict in, float *restrict out) {
  memcpy(out, in, n * 4);
  memcpy(out + (size_t)(n - 1) * n, in + (size_t)(n - 1) * n, n * 4);
  FOR
  for (int y = 1; y < n - 1; ++y) {
    const float *c = in + (size_t)y * n;
    float *o = out + (size_t)y * n;
    o[0] = c[0];
    o[n - 1] = c[n - 1];
#pragma omp simd
    for (int x = 1; x < n - 1; ++x) {
      o[x] = c[x] + k * (c[x - 1] + c[x + 1] + c[x - n] + c[x + n] - 4 * c[x]);
    }
  }
}

static void nbody(int n, const float *restrict p, float *restrict out) {
  FOR
  for (int i = 0; i < n; ++i) {
    const float px = p[4 * i], py = p[4 * i + 1], pz = p[4 * i + 2];
    float ax = 0, ay = 0, az = 0;
#pragma omp simd reduction(+ : ax, ay, az)
    for (int j = 0; j < n; ++j) {
      const float dx = p[4 * j] - px, dy = p[4 * j + 1] - py, dz = p[4 * j + 2] - pz;
      const float r = 1 / sqrtf(dx * dx + dy * dy + dz * dz + 0.01f);
      const float s = p[4 * j + 3] * r * r * r;
      ax += dx * s, ay += dy * s, az += dz * s;
    }
    out[4 * i] = ax, out[4 * i + 1] = ay, out[4 * i + 2] = az, out[4 * i + 3] = 0;
  }
}

static void mandelbrot(int n, int limit, int *restrict out) {
#pragma omp parallel for schedule(dynamic)
  for (int py = 0; py < n; ++py)
    for (int px = 0; px < n; ++px) {
      const float cx = -2 + 3.0f * px / n, cy = -1.5f + 3.0f * py / n;
      float x = 0, y = 0;
      int it = 0;
      while (it < limit) {
        const float xx = x * x, yy = y * y;
        if (xx + yy > 4) break;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
        ++it;
      }
      out[py * n + px] = it;
    }
}

static inline float normal_cdf(float d) {
  const float k = 1 / (1 + 0.2316419f * fabsf(d));
  const float tail =
      0.39894228040143267794f * expf(-0.5f * d * d) *
      (k * (0.31938153f +
            k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
  const float upper = 1 - tail;  // outside of the choice: gcc then vectorises it
  return d > 0 ? upper : tail;
}
static void black_scholes(int n, float rate, float volatility, const float *restrict spot,
                          const float *restrict strike, const float *restrict years,
                          float *restrict call, float *restrict put) {
  FORSIMD
  for (int i = 0; i < n; ++i) {
    const float s = spot[i], x = strike[i], t = years[i];
    const float spread = volatility * sqrtf(t);
    const float d1 = (logf(s / x) + (rate + 0.5f * volatility * volatility) * t) / spread;
    const float d2 = d1 - spread, c1 = normal_cdf(d1), c2 = normal_cdf(d2);
    const float later = x * expf(-rate * t);
    call[i] = s * c1 - later * c2;
    put[i] = later * (1 - c2) - s * (1 - c1);
  }
}

static void spmv(int rows, const int *restrict starts, const int *restrict columns,
                 const float *restrict values, const float *restrict x, float *restrict y) {
  FOR
  for (int r = 0; r < rows; ++r) {
    float sum = 0;
    for (int k = starts[r]; k < starts[r + 1]; ++k) sum += values[k] * x[columns[k]];
    y[r] = sum;
  }
}

static void bitonic_sort(int n, unsigned *restrict keys) {
  for (int size = 2; size <= n; size <<= 1)
    for (int distance = size >> 1; distance > 0; distance >>= 1) {
      FOR
      for (int first = 0; first < n; first += 2 * distance) {
        const int up = (first & size) == 0;
        for (int i = first; i < first + distance; ++i) {
          const unsigned a = keys[i], b = keys[i + distance];
          const unsigned low = a < b ? a : b, high = a < b ? b : a;
          keys[i] = up ? low : high;
          keys[i + distance] = up ? high : low;
        }
      }
    }
}

static void monte_carlo(int n, int steps, unsigned *restrict hits) {
  FORSIMD
  for (int i = 0; i < n; ++i) {
    unsigned state = (unsigned)i * 2654435761u + 12345u, inside = 0;
    state += state == 0;
    for (int k = 0; k < steps; ++k) {
      state ^= state << 13, state ^= state >> 17, state ^= state << 5;
      const float x = (int)(state >> 8) * 0x1p-24f;
      state ^= state << 13, state ^= state >> 17, state ^= state << 5;
      const float y = (int)(state >> 8) * 0x1p-24f;
      inside += x * x + y * y <= 1;
    }
    hits[i] = inside;
  }
}

static const unsigned K[64] = {
#include "sha256k.h"
};
#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))
static void sha256(int n, const unsigned *restrict messages, unsigned *restrict digests) {
  FORSIMD
  for (int i = 0; i < n; ++i) {
    unsigned w[16];
    for (int j = 0; j < 8; ++j) w[j] = messages[(size_t)j * n + i];
    w[8] = 0x80000000;
    for (int j = 9; j < 15; ++j) w[j] = 0;
    w[15] = 256;
    unsigned a = 0x6a09e667, b = 0xbb67ae85, c = 0x3c6ef372, d = 0xa54ff53a;
    unsigned e = 0x510e527f, f = 0x9b05688c, g = 0x1f83d9ab, h = 0x5be0cd19;
#pragma GCC unroll 64
    for (int r = 0; r < 64; ++r) {
      if (r >= 16) {
        const unsigned p = w[(r + 1) & 15], q = w[(r + 14) & 15];
        w[r & 15] += (ROTR(p, 7) ^ ROTR(p, 18) ^ p >> 3) + w[(r + 9) & 15] +
                     (ROTR(q, 17) ^ ROTR(q, 19) ^ q >> 10);
      }
      const unsigned t1 = h + (ROTR(e, 6) ^ ROTR(e, 11) ^ ROTR(e, 25)) + ((e & f) ^ (~e & g)) +
                          K[r] + w[r & 15];
      const unsigned t2 =
          (ROTR(a, 2) ^ ROTR(a, 13) ^ ROTR(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    digests[i] = a + 0x6a09e667;
  }
}

static void softmax(int rows, int columns, const float *restrict in, float *restrict out) {
  FOR
  for (int r = 0; r < rows; ++r) {
    const float *row = in + (size_t)r * columns;
    float *o = out + (size_t)r * columns;
    float top = -3.402823466e38f, sum = 0;
#pragma omp simd reduction(max : top)
    for (int i = 0; i < columns; ++i) top = row[i] > top ? row[i] : top;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < columns; ++i) sum += o[i] = expf(row[i] - top);
    const float scale = 1 / sum;
#pragma omp simd
    for (int i = 0; i < columns; ++i) o[i] *= scale;
  }
}

static void floyd_warshall(int n, int *d) {
  for (int k = 0; k < n; ++k) {
    const int *via = d + (size_t)k * n;
    FOR
    for (int y = 0; y < n; ++y) {
      int *row = d + (size_t)y * n;
      const int to = row[k];
#pragma omp simd
      for (int x = 0; x < n; ++x) row[x] = to + via[x] < row[x] ? to + via[x] : row[x];
    }
  }
}

static int run(const Problem *p) {
  void *const *b = p->data;
  const int n = p->n;
#define IS(s) (strcmp(p->name, s) == 0)
  if (IS("saxpy")) saxpy(n, 2, b[0], b[1]);
  else if (IS("triad")) triad(n, 3, b[0], b[1], b[2]);
  else if (IS("transpose-naive")) transpose_naive(n, b[0], b[1]);
  else if (IS("transpose-tiled")) transpose_tiled(n, b[0], b[1]);
  else if (IS("reduce")) reduce(n, b[0], b[1]);
  else if (IS("scan")) scan(n, b[0], b[1]);
  else if (IS("histogram-shared")) histogram_shared(n, b[0], b[1]);
  else if (IS("histogram-global")) histogram_global(n, b[0], b[1]);
  else if (IS("sgemm")) sgemm(n, b[0], b[1], b[2]);
  else if (IS("dgemm")) dgemm(n, b[0], b[1], b[2]);
  else if (IS("hgemm-wmma")) hgemm(n, b[0], b[1], b[2]);
  else if (IS("convolution")) convolution(n, b[0], b[1], b[2]);
  else if (IS("stencil")) stencil(n, 0.25f, b[0], b[1]);
  else if (IS("nbody")) nbody(n, b[0], b[1]);
  else if (IS("mandelbrot")) mandelbrot(n, 256, b[0]);
  else if (IS("black-scholes")) black_scholes(n, 0.02f, 0.3f, b[0], b[1], b[2], b[3], b[4]);
  else if (IS("spmv")) spmv(n, b[0], b[1], b[2], b[3], b[4]);
  else if (IS("bitonic-sort")) bitonic_sort(n, b[0]);
  else if (IS("monte-carlo")) monte_carlo(n, 256, b[0]);
  else if (IS("sha256")) sha256(n, b[0], b[1]);
  else if (IS("softmax")) softmax(n, 1024, b[0], b[1]);
  else if (IS("floyd-warshall")) floyd_warshall(n, b[0]);
  else return 0;
  return 1;
#undef IS
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: native NAME N OUTPUT\n"), 2;
  Problem p;
  if (!problem_make(&p, argv[1], atoi(argv[2])) || !run(&p)) {
    return fprintf(stderr, "no kernel %s\n", argv[1]), 3;
  }
  if (!problem_write(&p, argv[3])) return 1;
  while (next_turn()) {
    for (int i = 0; i < p.buffers; ++i) {
      if (p.reset >> i & 1) memcpy(p.data[i], p.first[i], p.bytes[i]);
    }
    const double start = now();
    run(&p);
    end_turn((now() - start) * 1e3);
  }
  return 0;
}
