/* Attributes of kernels, and how many of their blocks a multiprocessor holds. */
#include "launch.h"
#include "warpring.h"

/* cudaFuncAttributes. */
struct function_attributes {
  size_t shared, constant, local;
  int max_threads, registers, ptx, binary, cache, max_dynamic, carveout;
#if WR_CUDA_VERSION >= 12000
  int cluster_must_be_set, cluster_x, cluster_y, cluster_z, cluster_policy, cluster_non_portable;
  int reserved[16];
#endif
};

WR_API cudaError_t cudaFuncGetAttributes(struct function_attributes *result, const void *func) {
  struct wr_kernel *k;
  struct wr_call c;
  if (result == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_find_kernel(func, &k));
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, FUNCTION_ATTRIBUTES_FUNCTION, wr_here(k)->function);
  WR_TRY(wr_send(&c, COMMAND_FUNCTION_ATTRIBUTES));
  memset(result, 0, sizeof *result);
  result->shared = k->shared;
  result->constant = k->constant;
  result->local = k->local;
  result->max_threads = (int)k->max_threads;
  result->registers = (int)k->registers;
  result->ptx = (int)k->ptx;
  result->binary = (int)k->binary;
  result->cache = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CACHE_CONFIG);
  result->max_dynamic = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_MAX_DYNAMIC_SHARED);
  result->carveout = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CARVEOUT);
#if WR_CUDA_VERSION >= 12000
  result->cluster_must_be_set = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_REQUIRED);
  result->cluster_x = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_WIDTH);
  result->cluster_y = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT);
  result->cluster_z = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_DEPTH);
  result->cluster_policy = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_POLICY);
  result->cluster_non_portable = (int)wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_NON_PORTABLE);
#endif
  return cudaSuccess;
}

static cudaError_t set(const void *func, uint32_t attribute, int value) {
  struct wr_kernel *k;
  struct wr_call c;
  WR_TRY(wr_find_kernel(func, &k));
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, FUNCTION_SET_FUNCTION, wr_here(k)->function);
  wr_put32(&c, FUNCTION_SET_ATTRIBUTE, attribute);
  wr_put32(&c, FUNCTION_SET_VALUE, (uint32_t)value);
  WR_TRY(wr_send(&c, COMMAND_FUNCTION_SET));
  if (attribute == FUNCTION_MAX_DYNAMIC_SHARED) wr_here(k)->max_dynamic = (uint32_t)value;
  if (attribute >= FUNCTION_CLUSTER_WIDTH && attribute <= FUNCTION_CLUSTER_DEPTH) wr_here(k)->clusters = 1;
  return cudaSuccess;
}
#define FUNC_ATTRIBUTE_LAST 15
WR_API cudaError_t cudaFuncSetAttribute(const void *func, int attribute, int value) {
  if (attribute < 0 || attribute > FUNC_ATTRIBUTE_LAST) return wr_result(cudaErrorInvalidValue);
  return set(func, (uint32_t)attribute, value);
}
WR_API cudaError_t cudaFuncSetCacheConfig(const void *func, int config) {
  return set(func, FUNCTION_CACHE_CONFIG, config);
}
WR_API cudaError_t cudaFuncGetName(const char **name, const void *func) {
  struct wr_kernel *k;
  if (name == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_find_kernel(func, &k));
  *name = k->name;
  return cudaSuccess;
}
WR_API cudaError_t cudaFuncGetParamInfo(const void *func, size_t index, size_t *offset,
                                        size_t *bytes) {
  struct wr_kernel *k;
  WR_TRY(wr_find_kernel(func, &k));
  if (index >= k->parameter_count || offset == NULL) return wr_result(cudaErrorInvalidValue);
  *offset = k->parameters[index].offset;
  if (bytes != NULL) *bytes = k->parameters[index].bytes;
  return cudaSuccess;
}

WR_API cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks,
                                                                          const void *func,
                                                                          int threads,
                                                                          size_t shared,
                                                                          unsigned flags) {
  struct wr_kernel *k;
  struct wr_call c;
  if (blocks == NULL || flags > 1) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_find_kernel(func, &k));
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, OCCUPANCY_FUNCTION, wr_here(k)->function);
  wr_put32(&c, OCCUPANCY_THREADS, (uint32_t)threads);
  wr_put64(&c, OCCUPANCY_SHARED_BYTES, shared);
  WR_TRY(wr_send(&c, COMMAND_OCCUPANCY));
  *blocks = (int)wr_get32(&c, OCCUPANCY_BLOCKS);
  return cudaSuccess;
}
WR_API cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *func,
                                                                 int threads, size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, func, threads, shared, 0);
}
WR_API cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t *bytes, const void *func,
                                                             int blocks, int threads) {
  struct wr_kernel *k;
  struct wr_call c;
  if (bytes == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_find_kernel(func, &k));
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, OCCUPANCY_SHARED_FUNCTION, wr_here(k)->function);
  wr_put32(&c, OCCUPANCY_SHARED_THREADS, (uint32_t)threads);
  wr_put32(&c, OCCUPANCY_SHARED_BLOCKS, (uint32_t)blocks);
  WR_TRY(wr_send(&c, COMMAND_OCCUPANCY_SHARED));
  *bytes = wr_get32(&c, OCCUPANCY_SHARED_AVAILABLE);
  return cudaSuccess;
}

WR_API cudaError_t cudaGetDevice(int *device);
WR_API cudaError_t cudaDeviceGetAttribute(int *value, int attribute, int device);

/* What clusters of a kernel may be: the most blocks, and the size that is required (0: none). */
static cudaError_t cluster_limits(const void *func, unsigned *most, unsigned *required) {
  struct wr_kernel *k;
  struct wr_call c;
  WR_TRY(wr_find_kernel(func, &k));
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, FUNCTION_ATTRIBUTES_FUNCTION, wr_here(k)->function);
  WR_TRY(wr_send(&c, COMMAND_FUNCTION_ATTRIBUTES));
  *most = wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_BLOCKS);
  *required = wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_WIDTH) *
              wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT) *
              wr_get32(&c, FUNCTION_ATTRIBUTES_CLUSTER_DEPTH);
  return cudaSuccess;
}
WR_API cudaError_t cudaOccupancyMaxPotentialClusterSize(int *size, const void *func,
                                                        const struct launch_config *config) {
  unsigned most, required;
  if (size == NULL || config == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(cluster_limits(func, &most, &required));
  *size = (int)(required ? required : most);
  return cudaSuccess;
}
WR_API cudaError_t cudaOccupancyMaxActiveClusters(int *clusters, const void *func,
                                                  const struct launch_config *config) {
  unsigned most, blocks;
  int each, multiprocessors, device;
  if (clusters == NULL || config == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(cluster_limits(func, &most, &blocks));
  for (unsigned i = 0; i < config->count; i++) {
    const struct launch_attribute *a = &config->attributes[i];
    if (a->id != ATTRIBUTE_CLUSTER) continue;
    blocks = a->value.cluster[0] * a->value.cluster[1] * a->value.cluster[2];
    if (blocks == 0) return wr_result(cudaErrorInvalidValue);
  }
  if (blocks > most) return wr_result(cudaErrorInvalidValue);
  int threads = (int)(config->block.x * config->block.y * config->block.z);
  cudaError_t error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, func, threads,
                                                                    config->shared);
  if (error != cudaSuccess) return error;
  error = cudaGetDevice(&device);
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  }
  if (error == cudaSuccess) *clusters = each * multiprocessors / (int)(blocks ? blocks : 1);
  return error;
}
