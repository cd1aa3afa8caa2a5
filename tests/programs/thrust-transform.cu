// Thrust: transforms, zipped iterators, sequences, gather and fill.
#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/fill.h>
#include <thrust/gather.h>
#include <thrust/iterator/zip_iterator.h>
#include <thrust/sequence.h>
#include <thrust/transform.h>
#include <thrust/tuple.h>
#include <vector>
#include "check.h"

struct axpy {
  float a;
  __host__ __device__ float operator()(float x, float y) const { return a * x + y; }
};
struct weigh {
  __host__ __device__ float operator()(thrust::tuple<float, float> t) const {
    return thrust::get<0>(t) * 2 + thrust::get<1>(t);
  }
};

int main() {
  const int n = 25000;
  thrust::device_vector<float> x(n), y(n, 3.0f), z(n);
  thrust::sequence(x.begin(), x.end());
  thrust::transform(x.begin(), x.end(), y.begin(), z.begin(), axpy{2});
  std::vector<float> f(n);
  thrust::copy(z.begin(), z.end(), f.begin());
  for (int i = 0; i < n; i++) WANT(f[i] == 2.0f * i + 3);
  auto pairs = thrust::make_zip_iterator(thrust::make_tuple(x.begin(), y.begin()));
  thrust::transform(pairs, pairs + n, z.begin(), weigh());
  WANT(z[n - 1] == 2.0f * (n - 1) + 3);
  thrust::device_vector<int> a(n), b(n);
  thrust::sequence(a.begin(), a.end(), n - 1, -1);
  thrust::sequence(b.begin(), b.end(), 0, 10);
  thrust::device_vector<int> c(n);
  thrust::gather(a.begin(), a.end(), b.begin(), c.begin());
  WANT(c[0] == 10 * (n - 1) && c[n - 1] == 0);
  thrust::fill(c.begin(), c.end(), 9);
  WANT(c[77] == 9);
  printf("thrust-transform passed\n");
}
