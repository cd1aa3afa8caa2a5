// Runs the kernels of tests/compiler/fixtures/clusters.cu and prints, for each launch, a hash of its
// output and its first words; then what a GPU answers to launches and questions about clusters. What it
// printed on an H100 is tests/compiler/fixtures/clusters.txt.
// build: -arch=compute_90 -Xptxas -w
#include "../compiler/fixtures/clusters.cu"
#include <cstdio>
#include <cstring>

static uint32_t *device_out;
static uint32_t host_out[1 << 16];

template <typename... P, typename... A>
static cudaError_t start(void (*kernel)(P...), dim3 grid, dim3 block, dim3 cluster, size_t shared, A... args) {
  cudaLaunchConfig_t c = {};
  cudaLaunchAttribute a;
  c.gridDim = grid, c.blockDim = block, c.dynamicSmemBytes = shared;
  a.id = cudaLaunchAttributeClusterDimension;
  a.val.clusterDim.x = cluster.x, a.val.clusterDim.y = cluster.y, a.val.clusterDim.z = cluster.z;
  c.attrs = &a, c.numAttrs = cluster.x ? 1 : 0;
  return cudaLaunchKernelEx(&c, kernel, P(args)...);
}

template <typename... P, typename... A>
static void show(const char *name, int words, void (*kernel)(P...), dim3 grid, dim3 block, dim3 cluster,
                 size_t shared, A... args) {
  cudaMemset(device_out, 0, sizeof host_out);
  cudaError_t e = start(kernel, grid, block, cluster, shared, args...);
  if (e == cudaSuccess) e = cudaDeviceSynchronize();
  if (e != cudaSuccess) {
    printf("%s error %d\n", name, e);
    cudaGetLastError();
    return;
  }
  cudaMemcpy(host_out, device_out, sizeof host_out, cudaMemcpyDeviceToHost);
  uint64_t hash = 0xcbf29ce484222325u;
  for (int k = 0; k < words; k++) hash = (hash ^ host_out[k]) * 0x100000001b3u;
  printf("%s %016llx", name, (unsigned long long)hash);
  for (int k = 0; k < words && k < 16; k++) printf(" %u", host_out[k]);
  printf("\n");
}

static void error(const char *name, cudaError_t e) {
  cudaError_t later = cudaDeviceSynchronize();
  printf("%s %d %d\n", name, e, later);
  cudaGetLastError();
}

int main() {
  uint32_t *input, *out, values[4096];
  for (int k = 0; k < 4096; k++) values[k] = k * 2654435761u >> 7;
  cudaMalloc(&input, sizeof values);
  cudaMalloc(&device_out, sizeof host_out);
  out = device_out;
  cudaMemcpy(input, values, sizeof values, cudaMemcpyHostToDevice);
  show("ids-4", 8 * 16, ids, 8, 32, 4, 0, out);
  show("ids-221", 24 * 16, ids, dim3(4, 6), dim3(8, 2, 2), dim3(2, 2), 0, out);
  show("ids-132", 36 * 16, ids, dim3(3, 6, 2), 33, dim3(1, 3, 2), 0, out);
  show("ids-1", 2 * 16, ids, 2, 32, 1, 0, out);
  show("ids-none", 2 * 16, ids, 2, 32, 0, 0, out);
  for (int size = 1; size <= 8; size *= 2)
    show("histogram", 64 * size, histogram, 16, 96, size, 256, out, 64, input, 4096);
  show("ring", 8 * 128, ring, 8, 128, 4, 0, out, 9);
  show("ring-7", 14 * 96, ring, 14, 96, 7, 0, out, 20);
  show("leavers", 12, leavers, 12, 100, 3, 0, out);
  show("leavers-2", 4, leavers, 4, 32, 2, 0, out);
  show("transfers", 8 * 64, transfers, 8, 64, 4, 0, input, out);
  show("transfers-2", 8 * 128, transfers, 8, 128, 2, 0, input, out);
  show("corners", 64 * 96, corners, dim3(4, 4, 4), dim3(8, 4, 3), 0, 96 * 4, out);
  show("locked", 16, locked, 8, 96, 4, 0, out);
  show("addresses", 64, addresses, 8, 32, 4, 0, out);

  error("indivisible", start(ring, 6, 32, 4, 0, out, 1));
  error("nine", start(ring, 9, 32, 9, 0, out, 1));
  error("sixteen", start(ring, 16, 32, 16, 0, out, 1));
  error("sixteen-allowed", cudaFuncSetAttribute(ring, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  error("sixteen-again", start(ring, 16, 32, 16, 0, out, 1));
  error("seventeen", start(ring, 17, 32, 17, 0, out, 1));
  error("thirtytwo", start(ring, 32, 32, 32, 0, out, 1));
  error("zero", start(ring, 8, 32, dim3(2, 0, 1), 0, out, 1));
  error("other-than-required", start(corners, dim3(4, 4, 4), 32, dim3(2, 2, 1), 400, out));
  error("same-as-required", start(corners, dim3(4, 4, 4), 32, dim3(2, 2, 2), 400, out));
  error("required-indivisible", start(corners, dim3(4, 3, 4), 32, 0, 400, out));
  error("required-by-config", (corners<<<dim3(4, 4, 2), 32, 400>>>(out), cudaGetLastError()));
  error("set-width-2", cudaFuncSetAttribute(ids, cudaFuncAttributeRequiredClusterWidth, 2));
  error("set-height-1", cudaFuncSetAttribute(ids, cudaFuncAttributeRequiredClusterHeight, 1));
  error("set-depth-1", cudaFuncSetAttribute(ids, cudaFuncAttributeRequiredClusterDepth, 1));
  error("set-on-required", cudaFuncSetAttribute(corners, cudaFuncAttributeRequiredClusterWidth, 4));
  show("ids-width-2", 4 * 16, ids, 4, 32, 0, 0, out);
  error("must-be-set", cudaFuncSetAttribute(leavers, cudaFuncAttributeClusterDimMustBeSet, 1));
  error("policy", cudaFuncSetAttribute(leavers, cudaFuncAttributeClusterSchedulingPolicyPreference, 1));
  error("policy-3", cudaFuncSetAttribute(leavers, cudaFuncAttributeClusterSchedulingPolicyPreference, 3));
  error("nonportable-2", cudaFuncSetAttribute(leavers, cudaFuncAttributeNonPortableClusterSizeAllowed, 2));
  cudaFuncAttributes f;
  cudaFuncGetAttributes(&f, corners);
  printf("corners-attributes %d %d %d %d %d %d\n", f.clusterDimMustBeSet, f.requiredClusterWidth, f.requiredClusterHeight,
         f.requiredClusterDepth, f.clusterSchedulingPolicyPreference, f.nonPortableClusterSizeAllowed);
  cudaFuncGetAttributes(&f, ring);
  printf("ring-attributes %d %d %d %d %d %d\n", f.clusterDimMustBeSet, f.requiredClusterWidth, f.requiredClusterHeight,
         f.requiredClusterDepth, f.clusterSchedulingPolicyPreference, f.nonPortableClusterSizeAllowed);
  cudaFuncGetAttributes(&f, ids);
  printf("ids-attributes %d %d %d %d %d %d\n", f.clusterDimMustBeSet, f.requiredClusterWidth, f.requiredClusterHeight,
         f.requiredClusterDepth, f.clusterSchedulingPolicyPreference, f.nonPortableClusterSizeAllowed);
  cudaLaunchConfig_t c = {};
  cudaLaunchAttribute a;
  int n = -1;
  c.gridDim = 64, c.blockDim = 128;
  a.id = cudaLaunchAttributeClusterDimension;
  a.val.clusterDim.x = 4, a.val.clusterDim.y = 1, a.val.clusterDim.z = 1;
  c.attrs = &a, c.numAttrs = 0;
  error("max-cluster-size", cudaOccupancyMaxPotentialClusterSize(&n, histogram, &c));
  printf("max-cluster-size %d\n", n);
  error("max-cluster-size-nonportable", cudaOccupancyMaxPotentialClusterSize(&n, ring, &c));
  printf("max-cluster-size-nonportable %d\n", n);
  c.numAttrs = 1;
  error("max-active", cudaOccupancyMaxActiveClusters(&n, histogram, &c));
  printf("max-active %d\n", n);  // 248 on an H100: it has more multiprocessors
  printf("clusters passed\n");
  return 0;
}
