// Rows and slices, arrays, textures and surfaces, registered memory, pointer attributes, pools.
#include <cstdio>
#include <cstdlib>
#include <vector>

__global__ void sample(cudaTextureObject_t t, float *out, int w, int h) {
  int x = threadIdx.x, y = blockIdx.x;
  if (x < w && y < h) out[y * w + x] = tex2D<float>(t, x + 0.5f, y + 0.5f);
}
__global__ void mark(cudaSurfaceObject_t s, int w) {
  int x = threadIdx.x;
  if (x < w) surf2Dwrite(100.0f + x, s, x * 4, 1);
}
__global__ void twice(int *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2;
}

#define CHECK(e) do { cudaError_t r = (e); if (r != cudaSuccess) { printf("line %d: %s: %s\n", __LINE__, #e, cudaGetErrorString(r)); return 2; } } while (0)
#define WANT(c) do { if (!(c)) { printf("line %d: %s\n", __LINE__, #c); return 1; } } while (0)

int main() {
  const int w = 20, h = 6;
  std::vector<float> in(w * h), out(w * h);
  for (int i = 0; i < w * h; i++) in[i] = i;
  float *rows;
  size_t pitch;
  CHECK(cudaMallocPitch(&rows, &pitch, w * 4, h));
  CHECK(cudaMemset2D(rows, pitch, 0, w * 4, h));
  CHECK(cudaMemcpy2D(rows, pitch, in.data(), w * 4, w * 4, h - 1, cudaMemcpyHostToDevice));
  CHECK(cudaMemcpy2D(out.data(), w * 4, rows, pitch, w * 4, h, cudaMemcpyDeviceToHost));
  for (int i = 0; i < w * h; i++) WANT(out[i] == (i < w * (h - 1) ? i : 0));

  cudaArray_t array;
  cudaChannelFormatDesc desc = cudaCreateChannelDesc<float>();
  CHECK(cudaMallocArray(&array, &desc, w, h, cudaArraySurfaceLoadStore));
  CHECK(cudaMemcpy2DToArray(array, 0, 0, in.data(), w * 4, w * 4, h, cudaMemcpyHostToDevice));
  cudaResourceDesc resource = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaTextureDesc texture = {};
  texture.addressMode[0] = texture.addressMode[1] = cudaAddressModeClamp;
  cudaTextureObject_t t;
  cudaSurfaceObject_t s;
  CHECK(cudaCreateTextureObject(&t, &resource, &texture, nullptr));
  CHECK(cudaCreateSurfaceObject(&s, &resource));
  mark<<<1, 32>>>(s, w);
  float *dev;
  CHECK(cudaMalloc(&dev, w * h * 4));
  sample<<<h, 32>>>(t, dev, w, h);
  CHECK(cudaMemcpy(out.data(), dev, w * h * 4, cudaMemcpyDeviceToHost));
  for (int i = 0; i < w * h; i++) WANT(out[i] == (i / w == 1 ? 100 + i % w : i));
  CHECK(cudaDestroyTextureObject(t));
  CHECK(cudaDestroySurfaceObject(s));

  // Bytes run on from row to row (these calls are deprecated, and in much code).
  const size_t run = (2 * w + 5) * 4, from = 7;
  cudaChannelFormatDesc read;
  cudaExtent extent;
  unsigned flags;
  CHECK(cudaArrayGetInfo(&read, &extent, &flags, array));
  WANT(read.x == 32 && extent.width == w && extent.height == h);
  CHECK(cudaMemcpyToArray(array, 0, 0, in.data(), w * h * 4, cudaMemcpyHostToDevice));
  CHECK(cudaMemcpyToArray(array, from * 4, 1, in.data(), run, cudaMemcpyHostToDevice));
  CHECK(cudaMemcpyFromArrayAsync(out.data(), array, 0, 0, w * h * 4, cudaMemcpyDeviceToHost, 0));
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < w * h; i++) {
    int first = w + (int)from, last = first + (int)run / 4;
    WANT(out[i] == (i >= first && i < last ? i - first : i));
  }
  WANT(cudaMemcpyToArray(array, 4, 0, in.data(), w * h * 4, cudaMemcpyHostToDevice) ==
       cudaErrorInvalidValue);
  cudaGetLastError();
  CHECK(cudaFreeArray(array));

  const int n = 5000;
  int *own = (int *)malloc(n * sizeof(int)), *alias;
  for (int i = 0; i < n; i++) own[i] = i;
  CHECK(cudaHostRegister(own, n * sizeof(int), cudaHostRegisterMapped));
  CHECK(cudaHostGetDevicePointer(&alias, own, 0));
  twice<<<20, 256>>>(alias, n);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < n; i++) WANT(own[i] == 2 * i);
  cudaPointerAttributes a;
  CHECK(cudaPointerGetAttributes(&a, own));
  WANT(a.type == cudaMemoryTypeHost);
  CHECK(cudaHostUnregister(own));
  WANT(cudaHostUnregister(own) == cudaErrorHostMemoryNotRegistered);
  for (int i = 0; i < n; i++) WANT(own[i] == 2 * i);
  CHECK(cudaPointerGetAttributes(&a, own));
  WANT(a.type == cudaMemoryTypeUnregistered);
  CHECK(cudaPointerGetAttributes(&a, dev));
  WANT(a.type == cudaMemoryTypeDevice && a.device == 0);
  free(own);

  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));
  int *pooled, first;
  CHECK(cudaMallocAsync(&pooled, n * sizeof(int), stream));
  CHECK(cudaMemsetAsync(pooled, 1, n * sizeof(int), stream));
  twice<<<20, 256, 0, stream>>>(pooled, n);
  CHECK(cudaMemcpyAsync(&first, pooled, sizeof first, cudaMemcpyDeviceToHost, stream));
  CHECK(cudaFreeAsync(pooled, stream));
  CHECK(cudaStreamSynchronize(stream));
  WANT(first == 0x02020202);
  printf("pitched passed\n");
}
