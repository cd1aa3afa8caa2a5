// Libraries of kernels, and small things: places on the bus, ranges, batches, peers, capture modes.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cuda_runtime.h>

#define CHECK(call)                                                                       \
  do {                                                                                    \
    cudaError_t e = (call);                                                               \
    if (e != cudaSuccess) return printf("line %d: %s\n", __LINE__, cudaGetErrorName(e)), 1; \
  } while (0)
#define WANT(condition) \
  do {                  \
    if (!(condition)) return printf("line %d: %s\n", __LINE__, #condition), 1; \
  } while (0)

static const char ptx[] = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .global .align 4 .u32 factor = 3;
.visible .entry other() { ret; }
.visible .entry scale(.param .u64 p) {
  .reg .u64 %a, %b, %f;
  .reg .u32 %t, %v, %w;
  ld.param.u64 %a, [p];
  mov.u32 %t, %tid.x;
  mul.wide.u32 %b, %t, 4;
  add.u64 %a, %a, %b;
  ld.global.u32 %v, [%a];
  mov.u64 %f, factor;
  ld.global.u32 %w, [%f];
  mul.lo.u32 %v, %v, %w;
  st.global.u32 [%a], %v;
  ret;
})";
__global__ void twice(int *x) { x[threadIdx.x] *= 2; }

static int use_library() {
  cudaLibrary_t library;
  cudaKernel_t kernel, kernels[2];
  unsigned count;
  int *x, host[32], four = 4;
  void *factor;
  size_t bytes;
  CHECK(cudaLibraryLoadData(&library, ptx, nullptr, nullptr, 0, nullptr, nullptr, 0));
  CHECK(cudaLibraryGetKernelCount(&count, library));
  WANT(count == 2);
  CHECK(cudaLibraryEnumerateKernels(kernels, 2, library));
  CHECK(cudaLibraryGetKernel(&kernel, library, "scale"));
  WANT(kernel == kernels[0] || kernel == kernels[1]);
  const char *name;
  CHECK(cudaFuncGetName(&name, kernel));
  WANT(strcmp(name, "scale") == 0);
  WANT(cudaLibraryGetKernel(&kernel, library, "nobody") == cudaErrorSymbolNotFound);
  CHECK(cudaLibraryGetGlobal(&factor, &bytes, library, "factor"));
  WANT(bytes == 4);
  CHECK(cudaMemcpy(factor, &four, 4, cudaMemcpyHostToDevice));
  CHECK(cudaMalloc(&x, sizeof host));
  for (int i = 0; i < 32; i++) host[i] = i;
  CHECK(cudaMemcpy(x, host, sizeof host, cudaMemcpyHostToDevice));
  void *args[] = {&x};
  CHECK(cudaLaunchKernel((void *)kernel, 1, 32, args, 0, nullptr));
  CHECK(cudaMemcpy(host, x, sizeof host, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 32; i++) WANT(host[i] == 4 * i);
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, (void *)kernel));
  CHECK(cudaLibraryUnload(library));
  WANT(cudaLaunchKernel((void *)kernel, 1, 32, args, 0, nullptr) != cudaSuccess);
  WANT(cudaLibraryUnload(library) == cudaErrorInvalidResourceHandle);
  WANT(cudaLibraryLoadFromFile(&library, "/no/such/file", 0, 0, 0, 0, 0, 0) ==
       cudaErrorFileNotFound);
  cudaGetLastError();
  return 0;
}

static int use_memory(cudaStream_t stream) {
  int *managed, *a, *b, *own = (int *)malloc(4096), place;
  CHECK(cudaMallocManaged(&managed, 8192));
  cudaMemLocation device = {cudaMemLocationTypeDevice, 0};
  CHECK(cudaMemRangeGetAttribute(&place, 4, cudaMemRangeAttributeLastPrefetchLocation, managed, 8192));
  WANT(place == cudaInvalidDeviceId);
  CHECK(cudaMemPrefetchAsync(managed, 8192, device, 0, stream));
  CHECK(cudaMemRangeGetAttribute(&place, 4, cudaMemRangeAttributeLastPrefetchLocation, managed, 4096));
  WANT(place == 0);
  CHECK(cudaMemAdvise(managed, 4096, cudaMemAdviseSetReadMostly, device));
  CHECK(cudaMemRangeGetAttribute(&place, 4, cudaMemRangeAttributeReadMostly, managed, 4096));
  WANT(place == 1);
  CHECK(cudaMemRangeGetAttribute(&place, 4, cudaMemRangeAttributeReadMostly, managed, 8192));
  WANT(place == 0);

  CHECK(cudaMalloc(&a, 256));
  CHECK(cudaMalloc(&b, 256));
  for (int i = 0; i < 64; i++) managed[i] = i;
  void *targets[] = {a, b};
  const void *sources[] = {managed, managed + 32};
  size_t sizes[] = {128, 128}, start = 0;
  cudaMemcpyAttributes how = {cudaMemcpySrcAccessOrderStream};
  CHECK(cudaMemcpyBatchAsync(targets, sources, sizes, 2, &how, &start, 1, stream));
  twice<<<1, 32, 0, stream>>>(b);
  CHECK(cudaMemcpyPeerAsync(a, 0, b, 0, 128, stream));
  CHECK(cudaMemcpyAsync(own, a, 128, cudaMemcpyDeviceToHost, stream));
  CHECK(cudaStreamSynchronize(stream));
  for (int i = 0; i < 32; i++) WANT(own[i] == 2 * (32 + i));

  // Registered memory by its own address, in kernels and copies.
  CHECK(cudaHostRegister(own, 4096, cudaHostRegisterDefault));
  twice<<<1, 32, 0, stream>>>(own);
  CHECK(cudaMemcpyAsync(a, own, 128, cudaMemcpyHostToDevice, stream));
  CHECK(cudaMemsetAsync(own + 16, 0, 64, stream));
  CHECK(cudaStreamSynchronize(stream));
  for (int i = 0; i < 32; i++) WANT(own[i] == (i < 16 ? 4 * (32 + i) : 0));
  CHECK(cudaHostUnregister(own));
  CHECK(cudaMemcpy(own, a, 128, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 32; i++) WANT(own[i] == 4 * (32 + i));
  cudaPitchedPtr box;
  CHECK(cudaMalloc3D(&box, make_cudaExtent(100, 3, 2)));
  WANT(box.pitch >= 100 && box.xsize == 100 && box.ysize == 3);
  return 0;
}

static int use_capture(cudaStream_t stream) {
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  cudaGraph_t graph;
  int *x;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  CHECK(cudaThreadExchangeStreamCaptureMode(&mode));
  WANT(mode == cudaStreamCaptureModeGlobal);
  CHECK(cudaMalloc(&x, 4));
  CHECK(cudaThreadExchangeStreamCaptureMode(&mode));
  WANT(mode == cudaStreamCaptureModeRelaxed);
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  WANT(cudaMalloc(&x, 4) == cudaErrorStreamCaptureUnsupported);
  WANT(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  cudaGetLastError();
  return 0;
}

int main() {
  char bus[32];
  int device = 7, can = 1;
  CHECK(cudaDeviceGetPCIBusId(bus, sizeof bus, 0));
  CHECK(cudaDeviceGetByPCIBusId(&device, bus));
  WANT(device == 0);
  CHECK(cudaDeviceCanAccessPeer(&can, 0, 0));
  WANT(can == 0 && cudaDeviceEnablePeerAccess(0, 0) == cudaErrorPeerAccessUnsupported);
  void *function = &can;
  cudaDriverEntryPointQueryResult found;
  CHECK(cudaGetDriverEntryPoint("cuInit", &function, cudaEnableDefault, &found));
  WANT(function == nullptr && found == cudaDriverEntryPointSymbolNotFound);
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));
  if (use_library() || use_memory(stream) || use_capture(stream)) return 1;
  printf("libraries passed\n");
}
