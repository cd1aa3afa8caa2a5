// What a program pays for calls: one line "NAME NUMBER" for each figure, microseconds or GB/s; the
// best and the median of some rounds. bench/overhead/in-process.ts measures the same without the
// process boundary. Built with: nvcc -std=c++17 -O2 -cudart shared -arch=compute_75.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

__global__ void empty() {}

#define CHECK(e) do { cudaError_t r = (e); if (r != cudaSuccess) { printf("%s: %s\n", #e, cudaGetErrorName(r)); exit(2); } } while (0)

static double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Seconds of one call of `body`, `count` at a time: best and median of the rounds.
template <typename F> static void measure(const char *name, int rounds, int count, double bytes, F body) {
  std::vector<double> seconds;
  for (int i = 0; i < count; i++) body();
  CHECK(cudaDeviceSynchronize());
  for (int r = 0; r < rounds; r++) {
    double start = now();
    for (int i = 0; i < count; i++) body();
    seconds.push_back((now() - start) / count);
    CHECK(cudaDeviceSynchronize());
  }
  std::sort(seconds.begin(), seconds.end());
  double best = seconds[0], median = seconds[seconds.size() / 2];
  if (bytes > 0) printf("%s %.3f %.3f\n", name, bytes / best / 1e9, bytes / median / 1e9);
  else printf("%s %.3f %.3f\n", name, best * 1e6, median * 1e6);
}

int main() {
  const size_t large = 64 << 20, small = 1 << 10;
  char *dev, *dev2, *pinned, *host = (char *)malloc(large), *host2 = (char *)malloc(large);
  CHECK(cudaMalloc(&dev, large));
  CHECK(cudaMalloc(&dev2, large));
  CHECK(cudaMallocHost(&pinned, large));
  memset(host, 1, large);
  memset(host2, 2, large);
  memset(pinned, 3, large);
  measure("synchronise", 40, 200, 0, [] { CHECK(cudaDeviceSynchronize()); });
  measure("launch-queued", 40, 200, 0, [] { empty<<<1, 1>>>(); });
  measure("launch-wait", 40, 100, 0, [] { empty<<<1, 1>>>(); CHECK(cudaDeviceSynchronize()); });
  measure("copy-small-to", 40, 100, 0, [&] { CHECK(cudaMemcpy(dev, host, small, cudaMemcpyHostToDevice)); });
  measure("copy-small-from", 40, 100, 0, [&] { CHECK(cudaMemcpy(host, dev, small, cudaMemcpyDeviceToHost)); });
  measure("copy-large-to", 9, 1, large, [&] { CHECK(cudaMemcpy(dev, host, large, cudaMemcpyHostToDevice)); });
  measure("copy-large-from", 9, 1, large, [&] { CHECK(cudaMemcpy(host, dev, large, cudaMemcpyDeviceToHost)); });
  measure("copy-pinned-to", 9, 1, large, [&] { CHECK(cudaMemcpy(dev, pinned, large, cudaMemcpyHostToDevice)); });
  measure("copy-device", 9, 1, large, [&] {
    CHECK(cudaMemcpy(dev2, dev, large, cudaMemcpyDeviceToDevice));
    CHECK(cudaDeviceSynchronize());
  });
  measure("memcpy", 9, 1, large, [&] { memcpy(host2, host, large); });
}
