// Mipmapped arrays: levels made by a kernel from the one before, and read by textures.
#include <vector>
#include "check.h"

// Each element is the mean of four of the level before.
__global__ void halve(cudaSurfaceObject_t from, cudaSurfaceObject_t to, int width, int height) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  float sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += surf2Dread<float>(from, (2 * x + (i & 1)) * 4, 2 * y + (i >> 1));
  }
  surf2Dwrite(sum / 4, to, x * 4, y);
}
__global__ void sample(cudaTextureObject_t t, float lod, float *out, int width, int height) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < width && y < height) {
    out[y * width + x] = tex2DLod<float>(t, (x + 0.5f) / width, (y + 0.5f) / height, lod);
  }
}

static const int SIZE = 32, LEVELS = 6;

static cudaSurfaceObject_t surface(cudaArray_t array) {
  cudaResourceDesc r = {};
  cudaSurfaceObject_t s;
  r.resType = cudaResourceTypeArray;
  r.res.array.array = array;
  CHECK(cudaCreateSurfaceObject(&s, &r));
  return s;
}

int main() {
  cudaMipmappedArray_t whole;
  cudaChannelFormatDesc desc = cudaCreateChannelDesc<float>();
  cudaArray_t level[LEVELS], none;
  CHECK(cudaMallocMipmappedArray(&whole, &desc, make_cudaExtent(SIZE, SIZE, 0), 99,
                                 cudaArraySurfaceLoadStore));
  for (int i = 0; i < LEVELS; i++) {
    cudaExtent extent;
    unsigned flags;
    CHECK(cudaGetMipmappedArrayLevel(&level[i], whole, i));
    CHECK(cudaArrayGetInfo(nullptr, &extent, &flags, level[i]));
    WANT((int)extent.width == SIZE >> i && (int)extent.height == SIZE >> i && extent.depth == 0);
    WANT(flags == cudaArraySurfaceLoadStore);
  }
  FAILS(cudaErrorInvalidValue, cudaGetMipmappedArrayLevel(&none, whole, LEVELS));
  FAILS(cudaErrorInvalidValue, cudaFreeArray(level[0]));

  // Whole numbers, of which means of four are exact for so many levels.
  std::vector<std::vector<float>> host(1, std::vector<float>(SIZE * SIZE));
  for (int i = 0; i < SIZE * SIZE; i++) host[0][i] = (float)(i * 7919 % 1024);
  CHECK(cudaMemcpy2DToArray(level[0], 0, 0, host[0].data(), SIZE * 4, SIZE * 4, SIZE,
                            cudaMemcpyHostToDevice));
  for (int i = 1; i < LEVELS; i++) {
    int n = SIZE >> i;
    halve<<<dim3(4, 4), dim3(8, 8)>>>(surface(level[i - 1]), surface(level[i]), n, n);
    host.emplace_back(n * n);
    for (int k = 0; k < n * n; k++) {
      const float *from = &host[i - 1][(k / n * 2) * 2 * n + k % n * 2];
      host[i][k] = (from[0] + from[1] + from[2 * n] + from[2 * n + 1]) / 4;
    }
  }

  cudaResourceDesc r = {};
  r.resType = cudaResourceTypeMipmappedArray;
  r.res.mipmap.mipmap = whole;
  cudaTextureDesc t = {};
  t.addressMode[0] = t.addressMode[1] = cudaAddressModeClamp;
  t.normalizedCoords = 1;
  t.mipmapFilterMode = cudaFilterModePoint;
  t.maxMipmapLevelClamp = 4;
  cudaTextureObject_t texture;
  CHECK(cudaCreateTextureObject(&texture, &r, &t, nullptr));
  cudaResourceDesc asked;
  CHECK(cudaGetTextureObjectResourceDesc(&asked, texture));
  WANT(asked.resType == cudaResourceTypeMipmappedArray && asked.res.mipmap.mipmap == whole);
  cudaTextureDesc how;
  CHECK(cudaGetTextureObjectTextureDesc(&how, texture));
  WANT(how.mipmapFilterMode == cudaFilterModePoint && how.maxMipmapLevelClamp == 4);
  float *out;
  CHECK(cudaMallocManaged(&out, SIZE * SIZE * 4));
  for (int i = 0; i < LEVELS; i++) {
    int n = SIZE >> i, got = i < 4 ? i : 4;
    sample<<<dim3(4, 4), dim3(8, 8)>>>(texture, (float)i, out, n, n);
    CHECK(cudaDeviceSynchronize());
    for (int k = 0; k < n * n && got == i; k++) WANT(out[k] == host[i][k]);
    // Not beyond the bound: the last one reads the middle of the one before.
    if (got < i) WANT(out[0] == host[4][3]);
  }
  t.normalizedCoords = 0;
  FAILS(cudaErrorInvalidValue, cudaCreateTextureObject(&texture, &r, &t, nullptr));
  CHECK(cudaDestroyTextureObject(texture));
  CHECK(cudaFreeMipmappedArray(whole));
  FAILS(cudaErrorInvalidResourceHandle, cudaFreeMipmappedArray(whole));
  printf("mipmaps passed\n");
}
