// Programs of several kernels, whose results are printed as hashes and held against an H100's: floating
// point with and without fused multiply-adds, sums by warps, sorting, sparse products, a stencil, a
// simulation, hashing, dynamic programming, graphs, random numbers.
#include <cstdint>
#include <cstring>
#include <vector>
#include "check.h"

static uint32_t state = 1;
static uint32_t next() {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}
static float unit() { return (next() >> 8) * (1.0f / (1 << 24)); }

template <class T> struct Device {
  T *p;
  size_t n;
  explicit Device(size_t n) : n(n) {
    CHECK(cudaMalloc(&p, n * sizeof(T)));
    CHECK(cudaMemset(p, 0, n * sizeof(T)));
  }
  explicit Device(const std::vector<T> &v) : Device(v.size()) {
    CHECK(cudaMemcpy(p, v.data(), n * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~Device() { cudaFree(p); }
  std::vector<T> read() const {
    std::vector<T> v(n);
    CHECK(cudaMemcpy(v.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost));
    return v;
  }
};

template <class T> static void say(const char *name, const Device<T> &d) {
  std::vector<T> v = d.read();
  uint64_t hash = 0xcbf29ce484222325ull;
  const unsigned char *bytes = (const unsigned char *)v.data();
  for (size_t i = 0; i < v.size() * sizeof(T); i++) hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  printf("%s %016llx", name, (unsigned long long)hash);
  for (int i = 0; i < 4; i++) {
    uint64_t bits = 0;
    memcpy(&bits, &v[i * (v.size() - 1) / 3], sizeof(T));
    printf(" %llx", (unsigned long long)bits);
  }
  printf("\n");
}

template <class T> static std::vector<T> numbers(size_t n, T scale, T shift) {
  std::vector<T> v(n);
  for (T &x : v) x = T(unit()) * scale + shift;
  return v;
}

// A matrix product in tiles.
template <class T> __global__ void product(const T *a, const T *b, T *c, int n) {
  __shared__ T as[16][16], bs[16][17];
  int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 16 + threadIdx.y;
  T sum = 0;
  for (int k = 0; k < n; k += 16) {
    as[threadIdx.y][threadIdx.x] = a[y * n + k + threadIdx.x];
    bs[threadIdx.y][threadIdx.x] = b[(k + threadIdx.y) * n + x];
    __syncthreads();
    for (int i = 0; i < 16; i++) sum += as[threadIdx.y][i] * bs[i][threadIdx.x];
    __syncthreads();
  }
  c[y * n + x] = sum;
}

// Sums by shuffles, in a fixed order.
__global__ void sums(const float *in, float *out, int n) {
  __shared__ float parts[8];
  float v = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += in[i];
  for (int k = 16; k; k >>= 1) v += __shfl_down_sync(~0u, v, k);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x == 0) {
    float s = 0;
    for (int i = 0; i < 8; i++) s += parts[i];
    out[blockIdx.x] = s;
  }
}

__global__ void stencil(const double *in, double *out, int w, int h) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < 1 || y < 1 || x >= w - 1 || y >= h - 1) return;
  int i = y * w + x;
  out[i] = in[i] + 0.17 * (in[i - 1] + in[i + 1] + in[i - w] + in[i + w] - 4 * in[i]);
}

__global__ void bodies(const float4 *p, float4 *v, float4 *to, int n, float dt) {
  __shared__ float4 tile[64];
  int i = blockIdx.x * 64 + threadIdx.x;
  float4 me = p[i];
  float ax = 0, ay = 0, az = 0;
  for (int k = 0; k < n; k += 64) {
    tile[threadIdx.x] = p[k + threadIdx.x];
    __syncthreads();
    for (int j = 0; j < 64; j++) {
      float x = tile[j].x - me.x, y = tile[j].y - me.y, z = tile[j].z - me.z;
      float d = __fsqrt_rn(x * x + y * y + z * z + 0.01f);
      float s = __fdiv_rn(tile[j].w, d * d * d);
      ax += x * s, ay += y * s, az += z * s;
    }
    __syncthreads();
  }
  v[i].x += ax * dt, v[i].y += ay * dt, v[i].z += az * dt;
  to[i] = make_float4(me.x + v[i].x * dt, me.y + v[i].y * dt, me.z + v[i].z * dt, me.w);
}

__global__ void bitonic(uint32_t *v, int j, int k) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, other = i ^ j;
  if (other > i && (v[i] > v[other]) == ((i & k) == 0)) {
    uint32_t t = v[i];
    v[i] = v[other], v[other] = t;
  }
}

__global__ void histogram(const uint32_t *in, unsigned *bins, int n) {
  __shared__ unsigned own[256];
  own[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) atomicAdd(&own[in[i] >> 24], 1);
  __syncthreads();
  atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);
}

__global__ void sparse(const int *rows, const int *columns, const float *values, const float *x, float *y, int n) {
  int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= n) return;
  float sum = 0;
  for (int i = rows[row] + lane; i < rows[row + 1]; i += 32) sum += values[i] * x[columns[i]];
  for (int k = 16; k; k >>= 1) sum += __shfl_xor_sync(~0u, sum, k);
  if (lane == 0) y[row] = sum;
}

__global__ void breadth(const int *rows, const int *columns, int *level, int depth, int n, int *changed) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || level[i] != depth) return;
  for (int e = rows[i]; e < rows[i + 1]; e++)
    if (atomicCAS(&level[columns[e]], -1, depth + 1) == -1) *changed = 1;
}

__device__ uint32_t rotated(uint32_t v, int k) { return v << k | v >> (32 - k); }
__global__ void hashes(uint32_t *out, int rounds) {
  uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, a = i * 0x9e3779b9u, b = ~i, c = i ^ 0x85ebca6b, d = 7;
  for (int r = 0; r < rounds; r++) {
    a += b, d = rotated(d ^ a, 16), c += d, b = rotated(b ^ c, 12);
    a += b, d = rotated(d ^ a, 8), c += d, b = rotated(b ^ c, 7);
    a ^= __brev(c) + __popc(d) * __clz(b | 1), c += __byte_perm(a, b, 0x2153), d -= __umulhi(a, c);
  }
  out[i] = a ^ b ^ c ^ d;
}

// Lengths of the longest common parts, a diagonal at a time.
__global__ void diagonal(const char *a, const char *b, int *table, int n, int sum) {
  int i = blockIdx.x * blockDim.x + threadIdx.x + 1, j = sum - i;
  if (i > n || j < 1 || j > n) return;
  int w = n + 1, best = max(table[(i - 1) * w + j], table[i * w + j - 1]);
  table[i * w + j] = a[i - 1] == b[j - 1] ? table[(i - 1) * w + j - 1] + 1 : best;
}

__global__ void conversions(const double *in, double *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double d = in[i];
  float f = (float)d;
  double s = 0;
  s += __double2int_rn(d) + __double2int_rz(d) + __double2int_ru(d) + __double2int_rd(d);
  s += __float2uint_rz(f) + (double)__float2ll_rn(f) + (double)(unsigned short)(short)f;
  s += __double2float_ru(d) - __double2float_rd(d) + __dadd_ru(d, 0.1) - __dmul_rd(d, 0.3);
  s += __ddiv_rz(d, 3.0) + __dsqrt_ru(fabs(d)) + __fma_rd(d, d, 1.0) + __frcp_ru(f) + __fadd_rz(f, 1e-3f);
  s += ceil(d) + floor(d) + trunc(d) + rint(d) + fmod(d, 1.7) + fmin(d, 0.5) + copysign(1.5, d);
  out[i] = s;
}

__global__ void functions(const double *in, double *out, int n, int which) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double d = in[i], x = 0;
  switch (which) {
    case 0: x = sin(d); break;
    case 1: x = cos(d); break;
    case 2: x = exp(d); break;
    case 3: x = log(fabs(d)); break;
    case 4: x = pow(fabs(d), 1.25); break;
    case 5: x = atan2(d, 2.0); break;
    case 6: x = cbrt(d); break;
    case 7: x = erf(d * 0.01); break;
    case 8: x = tgamma(fabs(d) * 0.01 + 1); break;
    case 9: x = sinh(d * 0.01); break;
    case 10: x = expm1(d * 0.1); break;
    case 11: x = log1p(fabs(d)); break;
    case 12: x = hypot(d, 3.0); break;
    case 13: x = tanh(d * 0.1); break;
    case 14: x = tan(d); break;
  }
  out[i] = x;
}

__global__ void functions_f(const float *in, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float d = in[i];
  out[i] = atanf(d) + fmodf(d, 0.7f) + remainderf(d, 0.3f) + ldexpf(d, 3) + nextafterf(d, 9.0f) + cbrtf(fabsf(d)) * 0 +
           truncf(d) + roundf(d) + rintf(d) + fdimf(d, 0.5f) + scalbnf(d, -2) + (float)ilogbf(d) + logbf(d) + erff(d) * 0;
}

int main() {
  {
    Device<float> a(numbers<float>(64 * 64, 2, -1)), b(numbers<float>(64 * 64, 2, -1)), c(64 * 64);
    product<<<dim3(4, 4), dim3(16, 16)>>>(a.p, b.p, c.p, 64);
    say("product-f32", c);
    Device<double> x(numbers<double>(48 * 48, 2, -1)), y(numbers<double>(48 * 48, 2, -1)), z(48 * 48);
    product<<<dim3(3, 3), dim3(16, 16)>>>(x.p, y.p, z.p, 48);
    say("product-f64", z);
  }
  {
    Device<float> in(numbers<float>(100000, 8, -4)), out(16), last(1);
    sums<<<16, 256>>>(in.p, out.p, 100000);
    sums<<<1, 256>>>(out.p, last.p, 16);
    say("sums", out);
    say("sum", last);
  }
  {
    Device<double> a(numbers<double>(100 * 70, 1, 0)), b(a.read());
    for (int i = 0; i < 20; i++)
      stencil<<<dim3(4, 18), dim3(32, 4)>>>(i % 2 ? b.p : a.p, i % 2 ? a.p : b.p, 100, 70);
    say("stencil", a);
  }
  {
    std::vector<float4> start(256);
    for (float4 &p : start) p = make_float4(unit() * 4 - 2, unit() * 4 - 2, unit() * 4 - 2, unit() + 0.1f);
    Device<float4> p(start), v(256), q(256);
    for (int i = 0; i < 6; i++) bodies<<<4, 64>>>(i % 2 ? q.p : p.p, v.p, i % 2 ? p.p : q.p, 256, 0.01f);
    Device<float> flat(1024);
    CHECK(cudaMemcpy(flat.p, p.p, 4096, cudaMemcpyDeviceToDevice));
    say("bodies", flat);
  }
  std::vector<uint32_t> words(1 << 14);
  for (uint32_t &w : words) w = next();
  {
    Device<uint32_t> v(words);
    for (int k = 2; k <= 1 << 14; k *= 2)
      for (int j = k / 2; j; j /= 2) bitonic<<<64, 256>>>(v.p, j, k);
    say("bitonic", v);
    Device<unsigned> bins(256);
    histogram<<<8, 256>>>(v.p, bins.p, 1 << 14);
    say("histogram", bins);
  }
  {
    const int n = 500;
    std::vector<int> rows(1, 0), columns;
    for (int i = 0; i < n; i++) {
      for (int k = next() % 40; k >= 0; k--) columns.push_back(next() % n);
      rows.push_back((int)columns.size());
    }
    Device<int> r(rows), c(columns);
    Device<float> values(numbers<float>(columns.size(), 2, -1)), x(numbers<float>(n, 2, -1)), y(n);
    sparse<<<(n + 7) / 8, 256>>>(r.p, c.p, values.p, x.p, y.p, n);
    say("sparse", y);
    std::vector<int> unseen(n, -1);
    unseen[3] = 0;
    Device<int> level(unseen), changed(1);
    int any = 1;
    for (int depth = 0; any; depth++) {
      CHECK(cudaMemset(changed.p, 0, 4));
      breadth<<<4, 128>>>(r.p, c.p, level.p, depth, n, changed.p);
      CHECK(cudaMemcpy(&any, changed.p, 4, cudaMemcpyDeviceToHost));
    }
    say("breadth", level);
  }
  {
    Device<uint32_t> out(4096);
    hashes<<<16, 256>>>(out.p, 100);
    say("hashes", out);
  }
  {
    const int n = 150;
    std::vector<char> a(n), b(n);
    for (int i = 0; i < n; i++) a[i] = 'a' + next() % 4, b[i] = 'a' + next() % 4;
    Device<char> x(a), y(b);
    Device<int> table((n + 1) * (n + 1));
    for (int s = 2; s <= 2 * n; s++) diagonal<<<2, 96>>>(x.p, y.p, table.p, n, s);
    say("diagonals", table);
  }
  {
    Device<double> in(numbers<double>(5000, 200, -100)), out(5000);
    conversions<<<20, 256>>>(in.p, out.p, 5000);
    say("conversions", out);
    const char *const names[] = {"sin", "cos", "exp", "log", "pow", "atan2", "cbrt", "erf",
                                 "tgamma", "sinh", "expm1", "log1p", "hypot", "tanh", "tan"};
    for (int which = 0; which < 15; which++) {
      functions<<<20, 256>>>(in.p, out.p, 5000, which);
      say(names[which], out);
    }
    Device<float> f(numbers<float>(5000, 200, -100)), g(5000);
    functions_f<<<20, 256>>>(f.p, g.p, 5000);
    say("functions-f32", g);
  }
  printf("pipelines passed\n");
}
