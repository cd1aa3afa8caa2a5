// A cooperative launch whose blocks wait for one another, and warp and block reductions.
#include <cooperative_groups.h>
#include <cstdio>
namespace cg = cooperative_groups;

__global__ void rounds(int *x, int *sum) {
  cg::grid_group grid = cg::this_grid();
  int i = grid.thread_rank(), n = grid.size();
  x[i] = i;
  for (int d = 1; d < n; d *= 2) {
    grid.sync();
    int v = i + d < n ? x[i + d] : 0;
    grid.sync();
    x[i] += v;
  }
  int v = i;
  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(cg::this_thread_block());
  for (int d = 16; d > 0; d /= 2) v += warp.shfl_down(v, d);
  if (warp.thread_rank() == 0) atomicAdd(sum, v);
}

int main() {
  int *x, *sum, host[2];
  cudaMalloc(&x, 1024 * 4);
  cudaMalloc(&sum, 4);
  cudaMemset(sum, 0, 4);
  void *args[] = {&x, &sum};
  cudaError_t error = cudaLaunchCooperativeKernel((void *)rounds, dim3(8), dim3(128), args, 0, 0);
  if (error != cudaSuccess) return printf("%s\n", cudaGetErrorString(error)), 2;
  cudaMemcpy(&host[0], x, 4, cudaMemcpyDeviceToHost);
  error = cudaMemcpy(&host[1], sum, 4, cudaMemcpyDeviceToHost);
  if (error != cudaSuccess) return printf("%s\n", cudaGetErrorString(error)), 3;
  if (host[0] != 523776 || host[1] != 523776) return printf("%d %d\n", host[0], host[1]), 1;
  printf("cooperative passed\n");
}
