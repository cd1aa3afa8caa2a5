/* Entry points in the form that they have in CUDA 13. */
#include <stdlib.h>

#include "graph_object.h"
#include "memory.h"
#include "newer.h"
#include "warpring.h"

/* cudaPointerAttributes. */
struct pointer_attributes {
  struct wr_pointer known;
  long reserved[8];
};
WR_API cudaError_t cudaPointerGetAttributes(struct pointer_attributes *result, const void *p) {
  if (result == NULL || p == NULL) return wr_result(cudaErrorInvalidValue);
  memset(result, 0, sizeof *result);
  return wr_result(wr_pointer_attributes(p, &result->known));
}

WR_API cudaError_t cudaMemPrefetchAsync(const void *p, size_t bytes, struct location location,
                                        unsigned flags, cudaStream_t stream) {
  return wr_prefetch(p, bytes, location, flags, stream);
}
WR_API cudaError_t cudaMemAdvise(const void *p, size_t bytes, int advice,
                                 struct location location) {
  return wr_advise(p, bytes, advice, location);
}

WR_API cudaError_t cudaGraphAddDependencies(void *graph, const void *const *from,
                                            const void *const *to, const uint8_t *data,
                                            size_t count) {
  return wr_edges_with_data(graph, from, to, data, count, 0);
}
WR_API cudaError_t cudaGraphRemoveDependencies(void *graph, const void *const *from,
                                               const void *const *to, const uint8_t *data,
                                               size_t count) {
  return wr_edges_with_data(graph, from, to, data, count, 1);
}
WR_API cudaError_t cudaGraphGetEdges(void *graph, void **from, void **to, uint8_t *data,
                                     size_t *count) {
  return wr_list_with_data(graph, LIST_EDGES, from, to, data, count);
}
WR_API cudaError_t cudaGraphNodeGetDependencies(void *node, void **nodes, uint8_t *data,
                                                size_t *count) {
  return wr_list_with_data(node, LIST_DEPENDENCIES, nodes, NULL, data, count);
}
WR_API cudaError_t cudaGraphNodeGetDependentNodes(void *node, void **nodes, uint8_t *data,
                                                  size_t *count) {
  return wr_list_with_data(node, LIST_DEPENDENTS, nodes, NULL, data, count);
}
WR_API cudaError_t cudaGraphAddNode(void **node, void *graph, const void *const *dependencies,
                                    const uint8_t *data, size_t count,
                                    struct wr_node_params *params) {
  return wr_add_node(node, graph, dependencies, data, count, params);
}

WR_API cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, int *status,
                                            unsigned long long *id, void **graph,
                                            const void ***dependencies, const void **data,
                                            size_t *count) {
  if (data != NULL) *data = NULL;
  return wr_capture_info_to(stream, status, id, graph, dependencies, count);
}

WR_API cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream,
                                                       const void *const *nodes,
                                                       const uint8_t *data, size_t count,
                                                       unsigned flags) {
  return wr_update_capture_with_data(stream, nodes, data, count, flags);
}

WR_API cudaError_t cudaMemcpyBatchAsync(void *const *dsts, const void *const *srcs,
                                        const size_t *sizes, size_t count,
                                        const struct wr_copy_attributes *attributes,
                                        const size_t *starts, size_t attribute_count,
                                        cudaStream_t stream) {
  size_t failed;
  return wr_copy_batch(dsts, srcs, sizes, count, attributes, starts, attribute_count, &failed,
                       stream);
}
