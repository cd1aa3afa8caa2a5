/* Entry points in the form that they have up to CUDA 12; what CUDA 13 took out. */
#include "graph_object.h"
#include "memory.h"
#include "warpring.h"

/* cudaPointerAttributes. */
struct pointer_attributes {
#if WR_CUDA_VERSION < 11000
  int memory_type; /* host or device; managed memory is device memory */
#endif
#if WR_CUDA_VERSION >= 10000
  int type;
#endif
  int device;
  void *device_pointer, *host_pointer;
#if WR_CUDA_VERSION < 11000
  int is_managed;
#endif
};
WR_API cudaError_t cudaPointerGetAttributes(struct pointer_attributes *result, const void *p) {
  struct wr_pointer known;
  if (result == NULL || p == NULL) return wr_result(cudaErrorInvalidValue);
  memset(result, 0, sizeof *result);
  WR_TRY(wr_pointer_attributes(p, &known));
#if WR_CUDA_VERSION < 11000
  if (known.type == MEMORY_UNREGISTERED) return wr_result(cudaErrorInvalidValue);
  result->memory_type = known.type == MEMORY_HOST ? MEMORY_HOST : MEMORY_DEVICE;
  result->is_managed = known.type == MEMORY_MANAGED;
#endif
#if WR_CUDA_VERSION >= 10000
  result->type = known.type;
#endif
  result->device = known.device;
  result->device_pointer = known.device_pointer;
  result->host_pointer = known.host_pointer;
  return cudaSuccess;
}

WR_API cudaError_t cudaMemPrefetchAsync(const void *p, size_t bytes, int device,
                                        cudaStream_t stream) {
  return wr_prefetch(p, bytes, wr_location_of(device), 0, stream);
}
WR_API cudaError_t cudaMemAdvise(const void *p, size_t bytes, int advice, int device) {
  return wr_advise(p, bytes, advice, wr_location_of(device));
}

WR_API cudaError_t cudaGraphAddDependencies(void *graph, const void *const *from,
                                            const void *const *to, size_t count) {
  return wr_graph_edges(graph, from, to, count, 0);
}
WR_API cudaError_t cudaGraphRemoveDependencies(void *graph, const void *const *from,
                                               const void *const *to, size_t count) {
  return wr_graph_edges(graph, from, to, count, 1);
}
WR_API cudaError_t cudaGraphGetEdges(void *graph, void **from, void **to, size_t *count) {
  return wr_graph_list(graph, LIST_EDGES, from, to, count);
}
WR_API cudaError_t cudaGraphNodeGetDependencies(void *node, void **nodes, size_t *count) {
  return wr_graph_list(node, LIST_DEPENDENCIES, nodes, NULL, count);
}
WR_API cudaError_t cudaGraphNodeGetDependentNodes(void *node, void **nodes, size_t *count) {
  return wr_graph_list(node, LIST_DEPENDENTS, nodes, NULL, count);
}

WR_API cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, int *status,
                                            unsigned long long *id) {
  struct wr_capture info;
  if (status == NULL || id == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_capture_info(stream, &info));
  *status = info.status;
  *id = info.id;
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream, int *status,
                                               unsigned long long *id, void **graph,
                                               const void ***dependencies, size_t *count) {
  return wr_capture_info_to(stream, status, id, graph, dependencies, count);
}

/* -- threads, as CUDA called what became devices -------------------------------------------------- */

cudaError_t cudaDeviceReset(void);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaDeviceSetLimit(int limit, size_t value);
cudaError_t cudaDeviceGetLimit(size_t *value, int limit);
cudaError_t cudaDeviceSetCacheConfig(int config);
cudaError_t cudaDeviceGetCacheConfig(int *config);
WR_API cudaError_t cudaThreadExit(void) { return cudaDeviceReset(); }
WR_API cudaError_t cudaThreadSynchronize(void) { return cudaDeviceSynchronize(); }
WR_API cudaError_t cudaThreadSetLimit(int limit, size_t value) {
  return cudaDeviceSetLimit(limit, value);
}
WR_API cudaError_t cudaThreadGetLimit(size_t *value, int limit) {
  return cudaDeviceGetLimit(value, limit);
}
WR_API cudaError_t cudaThreadSetCacheConfig(int config) { return cudaDeviceSetCacheConfig(config); }
WR_API cudaError_t cudaThreadGetCacheConfig(int *config) {
  return cudaDeviceGetCacheConfig(config);
}

/* Devices without double precision needed these. */
WR_API cudaError_t cudaSetDoubleForDevice(double *value) {
  return value == NULL ? wr_result(cudaErrorInvalidValue) : cudaSuccess;
}
WR_API cudaError_t cudaSetDoubleForHost(double *value) {
  return value == NULL ? wr_result(cudaErrorInvalidValue) : cudaSuccess;
}
