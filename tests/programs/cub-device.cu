// CUB over the whole device: reduction, scan, run lengths, radix sort.
#include <cub/cub.cuh>
#include <algorithm>
#include <vector>
#include "check.h"

template <typename F> static void with_storage(F f) {
  size_t bytes = 0;
  void *storage = nullptr;
  CHECK(f(storage, bytes));
  CHECK(cudaMalloc(&storage, bytes + 1));
  CHECK(f(storage, bytes));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaFree(storage));
}

int main() {
  const int n = 33333;
  unsigned *in, *out, *out2;
  int *count;
  CHECK(cudaMallocManaged(&in, n * 4));
  CHECK(cudaMallocManaged(&out, n * 4));
  CHECK(cudaMallocManaged(&out2, n * 4));
  CHECK(cudaMallocManaged(&count, 4096));
  unsigned seed = 7;
  for (int i = 0; i < n; i++) in[i] = (seed = seed * 1664525 + 1013904223) >> 4;
  with_storage([&](void *s, size_t &b) { return cub::DeviceReduce::Max(s, b, in, out, n); });
  WANT(out[0] == *std::max_element(in, in + n));
  with_storage([&](void *s, size_t &b) { return cub::DeviceScan::ExclusiveSum(s, b, in, out, n); });
  unsigned sum = 0;
  for (int i = 0; i < n; sum += in[i++]) WANT(out[i] == sum);
  with_storage([&](void *s, size_t &b) { return cub::DeviceRadixSort::SortKeys(s, b, in, out, n, 0, 28); });
  std::vector<unsigned> want(in, in + n);
  std::sort(want.begin(), want.end());
  WANT(std::equal(want.begin(), want.end(), out));
  for (int i = 0; i < n; i++) in[i] = i / 7 % 3;
  unsigned *lengths = out2;
  with_storage([&](void *s, size_t &b) {
    return cub::DeviceRunLengthEncode::Encode(s, b, in, out, lengths, count, n);
  });
  WANT(*count == (n + 6) / 7);
  for (int i = 0; i < *count - 1; i++) WANT(out[i] == (unsigned)i % 3 && lengths[i] == 7);
  printf("cub-device passed\n");
}
