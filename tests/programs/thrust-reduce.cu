// Thrust: reductions, inner products, extrema, counts and reductions by key.
#include <thrust/count.h>
#include <thrust/device_vector.h>
#include <thrust/extrema.h>
#include <thrust/functional.h>
#include <thrust/inner_product.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/reduce.h>
#include <thrust/transform_reduce.h>
#include <vector>
#include "check.h"

struct square {
  __host__ __device__ long long operator()(int x) const { return (long long)x * x; }
};
struct odd {
  __host__ __device__ bool operator()(int x) const { return x % 2 != 0; }
};

int main() {
  const int n = 30001;
  std::vector<int> h(n);
  for (int i = 0; i < n; i++) h[i] = (i * 7919) % 10007;
  thrust::device_vector<int> d(h);
  long long sum = 0, squares = 0, odds = 0;
  int most = 0, least = 1 << 30;
  for (int v : h) {
    sum += v, squares += (long long)v * v, odds += v % 2;
    most = std::max(most, v), least = std::min(least, v);
  }
  WANT(thrust::reduce(d.begin(), d.end(), 0ll) == sum);
  WANT(thrust::transform_reduce(d.begin(), d.end(), square(), 0ll, thrust::plus<long long>()) == squares);
  WANT(thrust::inner_product(d.begin(), d.end(), d.begin(), 0ll) == squares);
  WANT(thrust::count_if(d.begin(), d.end(), odd()) == odds);
  auto ends = thrust::minmax_element(d.begin(), d.end());
  WANT(*ends.first == least && *ends.second == most);
  // Keys in runs of different lengths.
  std::vector<int> keys(n);
  std::vector<long long> want;
  for (int i = 0, k = 0, rest = 1; i < n; i++) {
    if (rest-- == 0) k++, rest = k % 50;
    keys[i] = k;
    if ((int)want.size() <= k) want.resize(k + 1);
    want[k] += h[i];
  }
  thrust::device_vector<int> dk(keys), out_keys(n);
  thrust::device_vector<int> sums(n);
  auto end = thrust::reduce_by_key(dk.begin(), dk.end(), d.begin(), out_keys.begin(), sums.begin());
  size_t runs = end.first - out_keys.begin();
  WANT(runs == want.size());
  std::vector<int> got(runs);
  thrust::copy(sums.begin(), sums.begin() + runs, got.begin());
  for (size_t i = 0; i < runs; i++) WANT(got[i] == want[i]);
  thrust::counting_iterator<int> first(0);
  WANT(thrust::reduce(first, first + 1000) == 499500);
  printf("thrust-reduce passed\n");
}
