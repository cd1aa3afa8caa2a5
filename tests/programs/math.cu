// Device functions against the host's: float and double, integers, bits, halves.
#include <cmath>
#include <cuda_fp16.h>
#include "check.h"

const int KINDS = 14;
__global__ void doubles(const double *x, double *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double v = x[i], *o = out + i * KINDS;
  o[0] = sin(v), o[1] = cos(v), o[2] = exp(v / 10), o[3] = log(fabs(v) + 1), o[4] = sqrt(fabs(v));
  o[5] = pow(fabs(v), 1.5), o[6] = tanh(v), o[7] = atan2(v, 2.0), o[8] = cbrt(v), o[9] = erf(v);
  o[10] = fmod(v, 1.7), o[11] = floor(v) + 2 * ceil(v) + 4 * rint(v), o[12] = fma(v, v, -1.0);
  o[13] = lgamma(fabs(v) + 0.5);
}
__global__ void floats(const double *x, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float v = (float)x[i], *o = out + i * KINDS;
  o[0] = sinf(v), o[1] = cosf(v), o[2] = expf(v / 10), o[3] = logf(fabsf(v) + 1), o[4] = sqrtf(fabsf(v));
  o[5] = powf(fabsf(v), 1.5f), o[6] = tanhf(v), o[7] = atan2f(v, 2.0f), o[8] = cbrtf(v), o[9] = erff(v);
  o[10] = fmodf(v, 1.5f), o[11] = floorf(v) + 2 * ceilf(v) + 4 * rintf(v), o[12] = fmaf(v, v, -1.0f);
  o[13] = lgammaf(fabsf(v) + 0.5f);
}
__global__ void integers(const unsigned *x, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned v = x[i], *o = out + i * 8;
  o[0] = __popc(v), o[1] = __clz(v), o[2] = __ffs(v), o[3] = __brev(v), o[4] = __umulhi(v, 0x9e3779b9);
  o[5] = __byte_perm(v, ~v, 0x5240), o[6] = __funnelshift_l(v, ~v, 11), o[7] = v / 7u + (int)v % 13;
}
__global__ void halves(const half *a, half2 *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  half2 v = __halves2half2(a[i], __hneg(a[i]));
  out[i] = __hfma2(v, __float2half2_rn(0.5f), __float2half2_rn(1.0f));
}

static bool near(double got, double want, double error) {
  return std::fabs(got - want) <= error * (std::fabs(want) + 1);
}

int main() {
  const int n = 1000;
  double *x, *d;
  float *f;
  unsigned *u, *o;
  half *h;
  half2 *h2;
  CHECK(cudaMallocManaged(&x, n * 8));
  CHECK(cudaMallocManaged(&d, n * 8 * KINDS));
  CHECK(cudaMallocManaged(&f, n * 4 * KINDS));
  CHECK(cudaMallocManaged(&u, n * 4));
  CHECK(cudaMallocManaged(&o, n * 32));
  CHECK(cudaMallocManaged(&h, n * 2));
  CHECK(cudaMallocManaged(&h2, n * 4));
  for (int i = 0; i < n; i++) x[i] = (i - 500) * 0.0371, u[i] = i * 2654435761u, h[i] = __float2half(i - 500);
  doubles<<<8, 128>>>(x, d, n);
  floats<<<8, 128>>>(x, f, n);
  integers<<<8, 128>>>(u, o, n);
  halves<<<8, 128>>>(h, h2, n);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 2; k++) {
      double v = k ? (float)x[i] : x[i], a = std::fabs(v), m = k ? 1.5 : 1.7;
      double want[KINDS] = {sin(v), cos(v), exp(v / 10), log(a + 1), sqrt(a), pow(a, 1.5), tanh(v),
                            atan2(v, 2.0), cbrt(v), erf(v), fmod(v, m),
                            floor(v) + 2 * ceil(v) + 4 * rint(v), v * v - 1, lgamma(a + 0.5)};
      for (int j = 0; j < KINDS; j++) {
        double got = k ? f[i * KINDS + j] : d[i * KINDS + j];
        if (!near(got, want[j], k ? 3e-6 : 1e-14)) {
          return printf("%s function %d of %.17g: %.17g, not %.17g\n", k ? "float" : "double", j, v, got, want[j]), 1;
        }
      }
    }
    unsigned v = u[i], *r = o + 8 * i, reversed = 0;
    for (int b = 0; b < 32; b++) reversed |= (v >> b & 1) << (31 - b);
    WANT(r[0] == (unsigned)__builtin_popcount(v) && r[1] == (unsigned)(v ? __builtin_clz(v) : 32));
    WANT(r[2] == (unsigned)__builtin_ffs(v) && r[3] == reversed);
    WANT(r[4] == (unsigned)((unsigned long long)v * 0x9e3779b9 >> 32));
    WANT(r[5] == ((v & 0xff) | (~v & 0xff) << 8 | (v >> 16 & 0xff) << 16 | (~v >> 8 & 0xff) << 24));
    WANT(r[6] == (~v << 11 | v >> 21) && r[7] == v / 7u + (unsigned)((int)v % 13));
    float half_value = (i - 500) * 0.5f;
    WANT(__half2float(__low2half(h2[i])) == half_value + 1 && __half2float(__high2half(h2[i])) == 1 - half_value);
  }
  printf("math passed\n");
}
