// Copies of every kind, size and alignment, rows and boxes, and fills; the errors of each.
#include <vector>
#include <cstring>
#include "check.h"

int main() {
  const size_t sizes[] = {1, 3, 63, 64, 4095, 16384, 16385, 100001, 1 << 20};
  unsigned char *dev, *dev2, *pinned;
  const size_t most = 1 << 21;
  CHECK(cudaMalloc(&dev, most));
  CHECK(cudaMalloc(&dev2, most));
  CHECK(cudaMallocHost(&pinned, most));
  std::vector<unsigned char> in(most), out(most);
  for (size_t i = 0; i < most; i++) in[i] = (unsigned char)(i * 7 + i / 255);
  for (size_t n : sizes) {
    for (size_t off : {0, 1, 5}) {
      CHECK(cudaMemset(dev, 0xee, most));
      CHECK(cudaMemcpy(dev + off, in.data() + 3, n, cudaMemcpyHostToDevice));
      CHECK(cudaMemcpy(dev2 + 2, dev + off, n, cudaMemcpyDeviceToDevice));
      memset(out.data(), 0, most);
      CHECK(cudaMemcpy(out.data() + 1, dev2 + 2, n, cudaMemcpyDefault));
      WANT(memcmp(out.data() + 1, in.data() + 3, n) == 0 && out[n + 1] == 0);
      CHECK(cudaMemcpy(pinned, dev + off, n + 1, cudaMemcpyDefault));
      WANT(memcmp(pinned, in.data() + 3, n) == 0 && pinned[n] == 0xee);
      CHECK(cudaMemcpyAsync(out.data() + 9, pinned, n, cudaMemcpyHostToHost, 0));
      CHECK(cudaStreamSynchronize(0));
      WANT(memcmp(out.data() + 9, pinned, n) == 0);
    }
  }
  CHECK(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyHostToDevice));
  FAILS(cudaErrorInvalidMemcpyDirection, cudaMemcpy(dev, in.data(), 4, (cudaMemcpyKind)77));
  FAILS(cudaErrorInvalidValue, cudaMemcpy(dev, in.data(), 4, cudaMemcpyDeviceToHost));
  FAILS(cudaErrorInvalidValue, cudaMemcpy(dev, in.data(), 1ull << 40, cudaMemcpyHostToDevice));
  FAILS(cudaErrorInvalidValue, cudaMemset(in.data(), 0, 16));
  // A box inside pitched memory and back.
  cudaPitchedPtr box;
  cudaExtent whole = make_cudaExtent(100, 7, 5);
  CHECK(cudaMallocPitch(&box.ptr, &box.pitch, 100, 7 * 5));
  box.xsize = 100, box.ysize = 7;
  CHECK(cudaMemset3D(box, 0x11, whole));
  cudaMemcpy3DParms p = {};
  p.srcPtr = make_cudaPitchedPtr(in.data(), 20, 20, 3);
  p.dstPtr = box;
  p.dstPos = make_cudaPos(10, 2, 1);
  p.extent = make_cudaExtent(20, 3, 2);
  p.kind = cudaMemcpyHostToDevice;
  CHECK(cudaMemcpy3D(&p));
  cudaMemcpy3DParms q = {};
  q.srcPtr = box;
  q.dstPtr = make_cudaPitchedPtr(out.data(), 100, 100, 7);
  q.extent = whole;
  q.kind = cudaMemcpyDeviceToHost;
  CHECK(cudaMemcpy3DAsync(&q, 0));
  CHECK(cudaDeviceSynchronize());
  for (int z = 0; z < 5; z++)
    for (int y = 0; y < 7; y++)
      for (int x = 0; x < 100; x++) {
        bool inside = x >= 10 && x < 30 && y >= 2 && y < 5 && z >= 1 && z < 3;
        int want = inside ? in[((z - 1) * 3 + (y - 2)) * 20 + x - 10] : 0x11;
        WANT(out[(z * 7 + y) * 100 + x] == want);
      }
  FAILS(cudaErrorInvalidPitchValue, cudaMemcpy2D(dev, 8, in.data(), 16, 16, 2, cudaMemcpyHostToDevice));
  CHECK(cudaMemsetAsync(dev + 1, 0x5a, 1001, 0));
  CHECK(cudaMemcpy(out.data(), dev, 1003, cudaMemcpyDeviceToHost));
  for (int i = 1; i < 1002; i++) WANT(out[i] == 0x5a);
  WANT(out[1002] != 0x5a || in[1002] == 0x5a);
  printf("copies passed\n");
}
