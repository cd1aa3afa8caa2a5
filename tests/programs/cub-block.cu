// CUB inside blocks and warps: loads, scans, reductions and sorts over shared memory.
#include <cub/block/block_load.cuh>
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
#include <cub/block/block_store.cuh>
#include <cub/warp/warp_reduce.cuh>
#include <algorithm>
#include <vector>
#include "check.h"

const int THREADS = 128, ITEMS = 4;

__global__ void sort_tile(const unsigned *in, unsigned *out) {
  using Load = cub::BlockLoad<unsigned, THREADS, ITEMS, cub::BLOCK_LOAD_TRANSPOSE>;
  using Store = cub::BlockStore<unsigned, THREADS, ITEMS, cub::BLOCK_STORE_TRANSPOSE>;
  using Sort = cub::BlockRadixSort<unsigned, THREADS, ITEMS>;
  __shared__ union {
    typename Load::TempStorage load;
    typename Store::TempStorage store;
    typename Sort::TempStorage sort;
  } s;
  unsigned keys[ITEMS];
  int base = blockIdx.x * THREADS * ITEMS;
  Load(s.load).Load(in + base, keys);
  __syncthreads();
  Sort(s.sort).Sort(keys);
  __syncthreads();
  Store(s.store).Store(out + base, keys);
}
__global__ void sums(const unsigned *in, unsigned *scan, unsigned *total, unsigned *warps) {
  using Scan = cub::BlockScan<unsigned, THREADS>;
  using Reduce = cub::BlockReduce<unsigned, THREADS>;
  using Warp = cub::WarpReduce<unsigned>;
  __shared__ typename Scan::TempStorage a;
  __shared__ typename Reduce::TempStorage b;
  __shared__ typename Warp::TempStorage c[THREADS / 32];
  unsigned v = in[blockIdx.x * THREADS + threadIdx.x], before;
  Scan(a).ExclusiveSum(v, before);
  scan[blockIdx.x * THREADS + threadIdx.x] = before;
  unsigned sum = Reduce(b).Sum(v);
  if (threadIdx.x == 0) total[blockIdx.x] = sum;
  unsigned w = Warp(c[threadIdx.x / 32]).Sum(v);
  if (threadIdx.x % 32 == 0) warps[(blockIdx.x * THREADS + threadIdx.x) / 32] = w;
}

int main() {
  const int tile = THREADS * ITEMS, blocks = 5, n = tile * blocks;
  unsigned *in, *out, *total, *warps;
  CHECK(cudaMallocManaged(&in, n * 4));
  CHECK(cudaMallocManaged(&out, n * 4));
  CHECK(cudaMallocManaged(&total, n * 4));
  CHECK(cudaMallocManaged(&warps, n * 4));
  for (int i = 0; i < n; i++) in[i] = i * 2654435761u;
  sort_tile<<<blocks, THREADS>>>(in, out);
  CHECK(cudaDeviceSynchronize());
  for (int b = 0; b < blocks; b++) {
    std::vector<unsigned> want(in + b * tile, in + (b + 1) * tile);
    std::sort(want.begin(), want.end());
    WANT(std::equal(want.begin(), want.end(), out + b * tile));
  }
  sums<<<n / THREADS, THREADS>>>(in, out, total, warps);
  CHECK(cudaDeviceSynchronize());
  for (int b = 0; b < n / THREADS; b++) {
    unsigned sum = 0, warp = 0;
    for (int i = 0; i < THREADS; i++) {
      WANT(out[b * THREADS + i] == sum);
      sum += in[b * THREADS + i];
      warp += in[b * THREADS + i];
      if (i % 32 == 31) {
        WANT(warps[(b * THREADS + i) / 32] == warp);
        warp = 0;
      }
    }
    WANT(total[b] == sum);
  }
  printf("cub-block passed\n");
}
