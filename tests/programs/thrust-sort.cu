// Thrust: sorting keys of several types, by a comparison of one's own, stably, and with values.
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <algorithm>
#include <vector>
#include "check.h"

struct by_last_digit {
  __host__ __device__ bool operator()(int a, int b) const { return a % 10 < b % 10; }
};

int main() {
  const int n = 20000;
  std::vector<int> h(n);
  unsigned seed = 1;
  for (int &v : h) v = (int)((seed = seed * 1664525 + 1013904223) >> 8) - (1 << 22);
  thrust::device_vector<int> d(h.begin(), h.end());
  thrust::sort(d.begin(), d.end());
  std::vector<int> sorted = h, back(n);
  std::sort(sorted.begin(), sorted.end());
  thrust::copy(d.begin(), d.end(), back.begin());
  WANT(back == sorted);
  WANT(thrust::is_sorted(d.begin(), d.end()));
  for (int &v : h) v &= 0x7fffffff;
  d = h;
  thrust::device_vector<int> where(n);
  thrust::sequence(where.begin(), where.end());
  thrust::stable_sort_by_key(d.begin(), d.end(), where.begin(), by_last_digit());
  std::vector<int> order(n);
  for (int i = 0; i < n; i++) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return h[a] % 10 < h[b] % 10; });
  thrust::copy(where.begin(), where.end(), back.begin());
  WANT(back == order);
  printf("thrust-sort passed\n");
}
