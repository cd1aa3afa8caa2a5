// Surface objects: reads and writes of arrays in one, two and three dimensions, and at their borders.
#include <vector>
#include "check.h"

__global__ void line(cudaSurfaceObject_t s, int n) {
  int i = threadIdx.x;
  if (i < n) surf1Dwrite<int>(i * 3, s, i * 4);
}
__global__ void plane(cudaSurfaceObject_t from, cudaSurfaceObject_t to, int w, int h) {
  int x = threadIdx.x, y = threadIdx.y;
  float2 v;
  surf2Dread(&v, from, x * 8, y);
  surf2Dwrite(make_float2(v.y, v.x), to, (w - 1 - x) * 8, h - 1 - y);
}
__global__ void border(cudaSurfaceObject_t s, int *out) {
  out[0] = surf1Dread<int>(s, -4, cudaBoundaryModeZero);
  out[1] = surf1Dread<int>(s, 4000, cudaBoundaryModeClamp);
  out[2] = surf1Dread<int>(s, 8);
}
__global__ void box(cudaSurfaceObject_t s) {
  short v = threadIdx.x + 10 * threadIdx.y + 100 * threadIdx.z;
  surf3Dwrite(v, s, threadIdx.x * 2, threadIdx.y, threadIdx.z);
}

static cudaSurfaceObject_t surface(cudaArray_t a) {
  cudaResourceDesc r = {};
  r.resType = cudaResourceTypeArray;
  r.res.array.array = a;
  cudaSurfaceObject_t s;
  CHECK(cudaCreateSurfaceObject(&s, &r));
  return s;
}

int main() {
  cudaArray_t a, b, c;
  cudaChannelFormatDesc i32 = cudaCreateChannelDesc<int>();
  CHECK(cudaMallocArray(&a, &i32, 20, 0, cudaArraySurfaceLoadStore));
  cudaSurfaceObject_t s = surface(a);
  int *out, host[20];
  CHECK(cudaMallocManaged(&out, 64));
  line<<<1, 32>>>(s, 20);
  border<<<1, 1>>>(s, out);
  CHECK(cudaDeviceSynchronize());
  WANT(out[0] == 0 && out[1] == 57 && out[2] == 6);
  CHECK(cudaMemcpy2DFromArray(host, 80, a, 0, 0, 80, 1, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 20; i++) WANT(host[i] == 3 * i);
  CHECK(cudaDestroySurfaceObject(s));
  const int w = 12, h = 9;
  cudaChannelFormatDesc f2 = cudaCreateChannelDesc<float2>();
  CHECK(cudaMallocArray(&b, &f2, w, h, cudaArraySurfaceLoadStore));
  CHECK(cudaMallocArray(&c, &f2, w, h, cudaArraySurfaceLoadStore));
  std::vector<float2> in(w * h), back(w * h);
  for (int i = 0; i < w * h; i++) in[i] = make_float2(i, -i);
  CHECK(cudaMemcpy2DToArray(b, 0, 0, in.data(), w * 8, w * 8, h, cudaMemcpyHostToDevice));
  plane<<<1, dim3(w, h)>>>(surface(b), surface(c), w, h);
  CHECK(cudaMemcpy2DFromArray(back.data(), w * 8, c, 0, 0, w * 8, h, cudaMemcpyDeviceToHost));
  for (int i = 0; i < w * h; i++) WANT(back[i].x == -in[w * h - 1 - i].x && back[i].y == in[w * h - 1 - i].x);
  cudaArray_t v;
  cudaChannelFormatDesc i16 = cudaCreateChannelDesc<short>();
  cudaExtent e = make_cudaExtent(5, 4, 3);
  CHECK(cudaMalloc3DArray(&v, &i16, e, cudaArraySurfaceLoadStore));
  box<<<1, dim3(5, 4, 3)>>>(surface(v));
  short volume[60];
  cudaMemcpy3DParms p = {};
  p.srcArray = v;
  p.dstPtr = make_cudaPitchedPtr(volume, 10, 5, 4);
  p.extent = e;
  p.kind = cudaMemcpyDeviceToHost;
  CHECK(cudaMemcpy3D(&p));
  for (int i = 0; i < 60; i++) WANT(volume[i] == i % 5 + 10 * (i / 5 % 4) + 100 * (i / 20));
  printf("surfaces passed\n");
}
