/* Attributes of kernels, and how many of their blocks a multiprocessor holds. */
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
  wr_put32(&c, FUNCTION_ATTRIBUTES_FUNCTION, k->function);
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
  return cudaSuccess;
}

static cudaError_t set(const void *func, uint32_t attribute, int value) {
  struct wr_kernel *k;
  struct wr_call c;
  WR_TRY(wr_find_kernel(func, &k));
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, FUNCTION_SET_FUNCTION, k->function);
  wr_put32(&c, FUNCTION_SET_ATTRIBUTE, attribute);
  wr_put32(&c, FUNCTION_SET_VALUE, (uint32_t)value);
  WR_TRY(wr_send(&c, COMMAND_FUNCTION_SET));
  if (attribute == FUNCTION_MAX_DYNAMIC_SHARED) k->max_dynamic = (uint32_t)value;
  return cudaSuccess;
}
#define FUNC_ATTRIBUTE_LAST 9
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
  wr_put32(&c, OCCUPANCY_FUNCTION, k->function);
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
  wr_put32(&c, OCCUPANCY_SHARED_FUNCTION, k->function);
  wr_put32(&c, OCCUPANCY_SHARED_THREADS, (uint32_t)threads);
  wr_put32(&c, OCCUPANCY_SHARED_BLOCKS, (uint32_t)blocks);
  WR_TRY(wr_send(&c, COMMAND_OCCUPANCY_SHARED));
  *bytes = wr_get32(&c, OCCUPANCY_SHARED_AVAILABLE);
  return cudaSuccess;
}
