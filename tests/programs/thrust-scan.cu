// Thrust: prefix sums, inclusive and exclusive, by key, in place and over functions of the input.
#include <thrust/device_vector.h>
#include <thrust/functional.h>
#include <thrust/scan.h>
#include <thrust/transform_scan.h>
#include <vector>
#include "check.h"

struct negate2 {
  __host__ __device__ int operator()(int x) const { return -2 * x; }
};

int main() {
  for (int n : {1, 100, 4097, 70000}) {
    std::vector<int> h(n), keys(n);
    for (int i = 0; i < n; i++) h[i] = i % 13 - 5, keys[i] = i / 37;
    thrust::device_vector<int> d(h), k(keys), out(n);
    std::vector<int> got(n);
    thrust::inclusive_scan(d.begin(), d.end(), out.begin());
    thrust::copy(out.begin(), out.end(), got.begin());
    for (int i = 0, s = 0; i < n; i++) WANT(got[i] == (s += h[i]));
    thrust::exclusive_scan(d.begin(), d.end(), out.begin(), 100);
    thrust::copy(out.begin(), out.end(), got.begin());
    for (int i = 0, s = 100; i < n; s += h[i++]) WANT(got[i] == s);
    thrust::inclusive_scan(d.begin(), d.end(), out.begin(), thrust::maximum<int>());
    thrust::copy(out.begin(), out.end(), got.begin());
    for (int i = 0, s = -100; i < n; i++) WANT(got[i] == (s = std::max(s, h[i])));
    thrust::inclusive_scan_by_key(k.begin(), k.end(), d.begin(), out.begin());
    thrust::copy(out.begin(), out.end(), got.begin());
    for (int i = 0, s = 0; i < n; i++) WANT(got[i] == (s = i % 37 ? s + h[i] : h[i]));
    thrust::transform_inclusive_scan(d.begin(), d.end(), d.begin(), negate2(), thrust::plus<int>());
    thrust::copy(d.begin(), d.end(), got.begin());
    for (int i = 0, s = 0; i < n; i++) WANT(got[i] == (s -= 2 * h[i]));
  }
  printf("thrust-scan passed\n");
}
