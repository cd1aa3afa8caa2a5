/* Entry points of CUDA 12 with a number in their name: the form that CUDA 13 then took. */
#include "graph_object.h"
#include "memory.h"
#include "newer.h"
#include "warpring.h"

#define PROPERTIES_VERSION 12000
#define PROPERTIES_NAME(x) x##_v2
#include "properties.h"

WR_API cudaError_t cudaGetDeviceProperties_v2(struct device_properties_v2 *p, int device) {
  return get_properties_v2(p, device);
}

WR_API cudaError_t cudaMemPrefetchAsync_v2(const void *p, size_t bytes, struct location location,
                                           unsigned flags, cudaStream_t stream) {
  return wr_prefetch(p, bytes, location, flags, stream);
}
WR_API cudaError_t cudaMemAdvise_v2(const void *p, size_t bytes, int advice,
                                    struct location location) {
  return wr_advise(p, bytes, advice, location);
}

WR_API cudaError_t cudaGraphAddDependencies_v2(void *graph, const void *const *from,
                                               const void *const *to, const uint8_t *data,
                                               size_t count) {
  return wr_edges_with_data(graph, from, to, data, count, 0);
}
WR_API cudaError_t cudaGraphRemoveDependencies_v2(void *graph, const void *const *from,
                                                  const void *const *to, const uint8_t *data,
                                                  size_t count) {
  return wr_edges_with_data(graph, from, to, data, count, 1);
}
WR_API cudaError_t cudaGraphGetEdges_v2(void *graph, void **from, void **to, uint8_t *data,
                                        size_t *count) {
  return wr_list_with_data(graph, LIST_EDGES, from, to, data, count);
}
WR_API cudaError_t cudaGraphNodeGetDependencies_v2(void *node, void **nodes, uint8_t *data,
                                                   size_t *count) {
  return wr_list_with_data(node, LIST_DEPENDENCIES, nodes, NULL, data, count);
}
WR_API cudaError_t cudaGraphNodeGetDependentNodes_v2(void *node, void **nodes, uint8_t *data,
                                                     size_t *count) {
  return wr_list_with_data(node, LIST_DEPENDENTS, nodes, NULL, data, count);
}
WR_API cudaError_t cudaGraphAddNode(void **node, void *graph, const void *const *dependencies,
                                    size_t count, struct wr_node_params *params) {
  return wr_add_node(node, graph, dependencies, NULL, count, params);
}
WR_API cudaError_t cudaGraphAddNode_v2(void **node, void *graph, const void *const *dependencies,
                                       const uint8_t *data, size_t count,
                                       struct wr_node_params *params) {
  return wr_add_node(node, graph, dependencies, data, count, params);
}
WR_API cudaError_t cudaStreamGetCaptureInfo_v3(cudaStream_t stream, int *status,
                                               unsigned long long *id, void **graph,
                                               const void ***dependencies, const void **data,
                                               size_t *count) {
  if (data != NULL) *data = NULL;
  return wr_capture_info_to(stream, status, id, graph, dependencies, count);
}

WR_API cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream,
                                                       const void *const *nodes, size_t count,
                                                       unsigned flags) {
  return wr_capture_update(stream, nodes, count, flags);
}
WR_API cudaError_t cudaStreamUpdateCaptureDependencies_v2(cudaStream_t stream,
                                                          const void *const *nodes,
                                                          const uint8_t *data, size_t count,
                                                          unsigned flags) {
  return wr_update_capture_with_data(stream, nodes, data, count, flags);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end);
WR_API cudaError_t cudaEventElapsedTime_v2(float *milliseconds, cudaEvent_t start,
                                           cudaEvent_t end) {
  return cudaEventElapsedTime(milliseconds, start, end);
}
WR_API cudaError_t cudaMemcpyBatchAsync(void *const *dsts, const void *const *srcs,
                                        const size_t *sizes, size_t count,
                                        const struct wr_copy_attributes *attributes,
                                        const size_t *starts, size_t attribute_count,
                                        size_t *failed, cudaStream_t stream) {
  size_t own;
  return wr_copy_batch(dsts, srcs, sizes, count, attributes, starts, attribute_count,
                       failed != NULL ? failed : &own, stream);
}
