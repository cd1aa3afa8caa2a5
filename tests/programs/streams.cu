// Several streams with pinned memory, events between them, and host functions.
#include <atomic>
#include <cstdio>

__global__ void scale(float *x, int n, float f) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) x[i] *= f;
}

static std::atomic<int> called;
static void CUDART_CB count(void *data) { called += *(int *)data; }
static void CUDART_CB callback(cudaStream_t, cudaError_t error, void *data) {
  if (error == cudaSuccess) called += *(int *)data;
}

#define CHECK(e) do { cudaError_t r = (e); if (r != cudaSuccess) { printf("%s: %s\n", #e, cudaGetErrorString(r)); return 2; } } while (0)

int main() {
  const int streams = 4, n = 50000;
  cudaStream_t s[streams];
  cudaEvent_t done[streams], start, stop;
  float *host, *dev;
  int one = 1, ten = 10;
  CHECK(cudaMallocHost(&host, streams * n * sizeof(float)));
  CHECK(cudaMalloc(&dev, streams * n * sizeof(float)));
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  for (int i = 0; i < streams * n; i++) host[i] = i % 1000;
  CHECK(cudaEventRecord(start));
  for (int i = 0; i < streams; i++) {
    CHECK(cudaStreamCreateWithFlags(&s[i], cudaStreamNonBlocking));
    CHECK(cudaEventCreateWithFlags(&done[i], cudaEventDisableTiming));
    CHECK(cudaMemcpyAsync(dev + i * n, host + i * n, n * sizeof(float), cudaMemcpyHostToDevice, s[i]));
    scale<<<32, 128, 0, s[i]>>>(dev + i * n, n, i + 1.0f);
    CHECK(cudaGetLastError());
    CHECK(cudaEventRecord(done[i], s[i]));
    CHECK(cudaLaunchHostFunc(s[i], count, &one));
  }
  for (int i = 1; i < streams; i++) CHECK(cudaStreamWaitEvent(s[0], done[i], 0));
  scale<<<32, 128, 0, s[0]>>>(dev, streams * n, 2.0f);
  CHECK(cudaMemcpyAsync(host, dev, streams * n * sizeof(float), cudaMemcpyDeviceToHost, s[0]));
  CHECK(cudaStreamAddCallback(s[0], callback, &ten, 0));
  CHECK(cudaStreamSynchronize(s[0]));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaEventRecord(stop));
  CHECK(cudaEventSynchronize(stop));
  float ms = -1;
  CHECK(cudaEventElapsedTime(&ms, start, stop));
  if (ms < 0) return printf("elapsed %f\n", ms), 1;
  for (int i = 0; i < streams; i++) {
    for (int j = 0; j < n; j++) {
      float want = ((i * n + j) % 1000) * (i + 1.0f) * 2.0f;
      if (host[i * n + j] != want) return printf("%d %d: %f, not %f\n", i, j, host[i * n + j], want), 1;
    }
    CHECK(cudaStreamQuery(s[i]));
    CHECK(cudaStreamDestroy(s[i]));
    CHECK(cudaEventDestroy(done[i]));
  }
  if (called != 14) return printf("host functions: %d\n", called.load()), 1;
  CHECK(cudaFreeHost(host));
  CHECK(cudaFree(dev));
  printf("streams passed\n");
}
