// Texture objects: dimensions, formats, filters, borders, normalised coordinates, linear and pitched memory.
#include <cmath>
#include <vector>
#include "check.h"

__global__ void line(cudaTextureObject_t t, const float *at, float *out, int n) {
  int i = threadIdx.x;
  if (i < n) out[i] = tex1D<float>(t, at[i]);
}
__global__ void plane(cudaTextureObject_t t, const float *at, float *out, int n) {
  int i = threadIdx.x;
  if (i < n) out[i] = tex2D<float>(t, at[2 * i], at[2 * i + 1]);
}
__global__ void fetch(cudaTextureObject_t t, float4 *out, int n) {
  int i = threadIdx.x;
  if (i < n) out[i] = tex1Dfetch<float4>(t, i);
}
__global__ void box(cudaTextureObject_t t, float *out, int w, int h, int d) {
  int x = threadIdx.x, y = threadIdx.y, z = threadIdx.z;
  if (x < w && y < h && z < d) out[(z * h + y) * w + x] = tex3D<float>(t, x + 0.5f, y + 0.5f, z + 0.5f);
}
__global__ void layers(cudaTextureObject_t t, float *out, int w, int h) {
  int x = threadIdx.x, y = threadIdx.y, z = threadIdx.z;
  out[(z * h + y) * w + x] = tex2DLayered<float>(t, x + 0.5f, y + 0.5f, z);
}

int main() {
  float *at, *out;
  CHECK(cudaMallocManaged(&at, 256 * sizeof(float)));
  CHECK(cudaMallocManaged(&out, 4096 * sizeof(float)));
  // A line of eight: linear filter, each address mode.
  cudaChannelFormatDesc f = cudaCreateChannelDesc<float>();
  float eight[8] = {0, 10, 20, 30, 40, 50, 60, 70};
  cudaArray_t a;
  CHECK(cudaMallocArray(&a, &f, 8));
  CHECK(cudaMemcpy2DToArray(a, 0, 0, eight, 32, 32, 1, cudaMemcpyHostToDevice));
  cudaResourceDesc r = {};
  r.resType = cudaResourceTypeArray;
  r.res.array.array = a;
  cudaTextureDesc d = {};
  d.filterMode = cudaFilterModeLinear;
  const float where[4] = {-3, 1, 3.75f, 100};
  for (int i = 0; i < 4; i++) at[i] = where[i];
  const float want[2][4] = {{0, 5, 32.5f, 70}, {0, 5, 32.5f, 0}};
  for (int mode = 0; mode < 2; mode++) {
    d.addressMode[0] = mode == 0 ? cudaAddressModeClamp : cudaAddressModeBorder;
    cudaTextureObject_t t;
    CHECK(cudaCreateTextureObject(&t, &r, &d, nullptr));
    line<<<1, 32>>>(t, at, out, 4);
    CHECK(cudaDeviceSynchronize());
    for (int i = 0; i < 4; i++) WANT(out[i] == want[mode][i]);
    CHECK(cudaDestroyTextureObject(t));
  }
  // Wrap and mirror need normalised coordinates.
  d.filterMode = cudaFilterModePoint;
  d.normalizedCoords = 1;
  at[0] = 1.0625f, at[1] = -0.0625f, at[2] = 0.5f;
  for (int mode = 0; mode < 2; mode++) {
    d.addressMode[0] = mode == 0 ? cudaAddressModeWrap : cudaAddressModeMirror;
    cudaTextureObject_t t;
    CHECK(cudaCreateTextureObject(&t, &r, &d, nullptr));
    line<<<1, 32>>>(t, at, out, 3);
    CHECK(cudaDeviceSynchronize());
    WANT(out[0] == (mode == 0 ? 0 : 70) && out[1] == (mode == 0 ? 70 : 0) && out[2] == 40);
    CHECK(cudaDestroyTextureObject(t));
  }
  CHECK(cudaFreeArray(a));
  // Bytes read as normalised floats, from pitched memory.
  unsigned char *bytes;
  size_t pitch;
  CHECK(cudaMallocPitch(&bytes, &pitch, 16, 4));
  std::vector<unsigned char> image(64);
  for (int i = 0; i < 64; i++) image[i] = i * 4;
  CHECK(cudaMemcpy2D(bytes, pitch, image.data(), 16, 16, 4, cudaMemcpyHostToDevice));
  cudaResourceDesc rows = {};
  rows.resType = cudaResourceTypePitch2D;
  rows.res.pitch2D = {bytes, cudaCreateChannelDesc<unsigned char>(), 16, 4, pitch};
  cudaTextureDesc n = {};
  n.readMode = cudaReadModeNormalizedFloat;
  n.addressMode[0] = n.addressMode[1] = cudaAddressModeClamp;
  cudaTextureObject_t t;
  CHECK(cudaCreateTextureObject(&t, &rows, &n, nullptr));
  at[0] = 3.5f, at[1] = 2.5f, at[2] = 15.9f, at[3] = 3.1f;
  plane<<<1, 32>>>(t, at, out, 2);
  CHECK(cudaDeviceSynchronize());
  WANT(fabsf(out[0] - image[35] / 255.0f) < 1e-6f && fabsf(out[1] - image[63] / 255.0f) < 1e-6f);
  CHECK(cudaDestroyTextureObject(t));
  // Linear memory by index.
  float4 *vectors, *got;
  CHECK(cudaMallocManaged(&vectors, 20 * sizeof(float4)));
  CHECK(cudaMallocManaged(&got, 24 * sizeof(float4)));
  for (int i = 0; i < 20; i++) vectors[i] = make_float4(i, -i, i * 0.5f, 1);
  cudaResourceDesc linear = {};
  linear.resType = cudaResourceTypeLinear;
  linear.res.linear = {vectors, cudaCreateChannelDesc<float4>(), 20 * sizeof(float4)};
  cudaTextureDesc plain = {};
  CHECK(cudaCreateTextureObject(&t, &linear, &plain, nullptr));
  fetch<<<1, 32>>>(t, got, 24);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 24; i++) WANT(got[i].x == (i < 20 ? i : 0) && got[i].y == (i < 20 ? -i : 0));
  CHECK(cudaDestroyTextureObject(t));
  // A box and layers.
  std::vector<float> volume(6 * 5 * 4);
  for (size_t i = 0; i < volume.size(); i++) volume[i] = i;
  for (int kind = 0; kind < 2; kind++) {
    cudaArray_t v;
    cudaExtent e = make_cudaExtent(6, 5, 4);
    CHECK(cudaMalloc3DArray(&v, &f, e, kind == 0 ? 0 : cudaArrayLayered));
    cudaMemcpy3DParms p = {};
    p.srcPtr = make_cudaPitchedPtr(volume.data(), 24, 6, 5);
    p.dstArray = v;
    p.extent = e;
    p.kind = cudaMemcpyHostToDevice;
    CHECK(cudaMemcpy3D(&p));
    r.res.array.array = v;
    CHECK(cudaCreateTextureObject(&t, &r, &plain, nullptr));
    if (kind == 0) box<<<1, dim3(6, 5, 4)>>>(t, out, 6, 5, 4);
    else layers<<<1, dim3(6, 5, 4)>>>(t, out, 6, 5);
    CHECK(cudaDeviceSynchronize());
    for (size_t i = 0; i < volume.size(); i++) WANT(out[i] == volume[i]);
    CHECK(cudaDestroyTextureObject(t));
    CHECK(cudaFreeArray(v));
  }
  printf("textures passed\n");
}
