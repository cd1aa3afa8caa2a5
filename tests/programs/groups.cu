// Cooperative groups inside a block: tiles, coalesced and labelled groups, scans, reductions, copies.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include "check.h"
namespace cg = cooperative_groups;

__global__ void tiles(int *out) {
  cg::thread_block block = cg::this_thread_block();
  auto tile = cg::tiled_partition<8>(block);
  int v = block.thread_rank();
  int sum = cg::reduce(tile, v, cg::plus<int>());
  int most = cg::reduce(tile, v, cg::greater<int>());
  int before = cg::exclusive_scan(tile, 1, cg::plus<int>());
  int first = tile.shfl(v, 0), next = tile.shfl_down(v, 1);
  out[v] = sum + 1000 * most + 1000000 * before + (first == v - (int)tile.thread_rank() ? 0 : -1) +
           (tile.thread_rank() == 7 || next == v + 1 ? 0 : -1);
}
__global__ void coalesced(int *out, int *counter) {
  int i = threadIdx.x;
  if (i % 3 == 0) {
    cg::coalesced_group g = cg::coalesced_threads();
    int base = 0;
    if (g.thread_rank() == 0) base = atomicAdd(counter, g.size());
    base = g.shfl(base, 0);
    out[base + g.thread_rank()] = i;
  }
}
__global__ void labelled(int *out) {
  auto warp = cg::tiled_partition<32>(cg::this_thread_block());
  auto g = cg::labeled_partition(warp, (int)(threadIdx.x % 3));
  out[threadIdx.x] = g.size() * 100 + g.thread_rank();
  bool any = g.any(threadIdx.x == 4), all = g.all(threadIdx.x % 3 == 1);
  out[32 + threadIdx.x] = any + 2 * all;
}
__global__ void copies(const int *in, int *out) {
  __shared__ int s[256];
  cg::thread_block block = cg::this_thread_block();
  cg::memcpy_async(block, s, in + blockIdx.x * 256, sizeof s);
  cg::wait(block);
  out[blockIdx.x * 256 + threadIdx.x] = s[255 - threadIdx.x];
}

int main() {
  int *out, *counter, *in;
  CHECK(cudaMallocManaged(&out, 4096));
  CHECK(cudaMallocManaged(&in, 4096));
  CHECK(cudaMallocManaged(&counter, 4));
  tiles<<<1, 64>>>(out);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 64; i++) {
    int first = i / 8 * 8;
    WANT(out[i] == 8 * first + 28 + 1000 * (first + 7) + 1000000 * (i % 8));
  }
  *counter = 0;
  coalesced<<<1, 96>>>(out, counter);
  CHECK(cudaDeviceSynchronize());
  WANT(*counter == 32);
  int seen = 0;
  for (int i = 0; i < 32; i++) seen += out[i];
  WANT(seen == 3 * (31 * 32 / 2));
  labelled<<<1, 32>>>(out);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 32; i++) {
    WANT(out[i] == (i % 3 == 2 ? 10 : 11) * 100 + i / 3);
    WANT(out[32 + i] == (i % 3 == 1 ? 3 : 0));
  }
  for (int i = 0; i < 1024; i++) in[i] = i;
  copies<<<4, 256>>>(in, out);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 1024; i++) WANT(out[i] == i / 256 * 256 + 255 - i % 256);
  printf("groups passed\n");
}
