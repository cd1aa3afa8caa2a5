/* What is done with graphs, for the entry points whose form differs between versions of CUDA. */
#ifndef WARPRING_GRAPH_OBJECT_H
#define WARPRING_GRAPH_OBJECT_H

#include "warpring.h"

/* cudaGraphInstantiateFlag…: memory is given back, uploads are at once, there are no priorities. */
#define WR_INSTANTIATE_FLAGS 15ull
#define WR_INSTANTIATE_FOR_DEVICE 4ull
cudaError_t wr_instantiate(void **exec, const void *graph, unsigned long long flags);
cudaError_t cudaGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags);
/* `result` and `node` may be NULL; they are set if the update was tried. */
cudaError_t wr_exec_update(void *exec, void *graph, int *result, void **node);
/* Handles (or pairs of them) into `first` and `second`, as many as `count` has room for. */
cudaError_t wr_graph_list(const void *object, uint32_t what, void **first, void **second,
                          size_t *count);
cudaError_t wr_graph_edges(void *graph, const void *const *from, const void *const *to, size_t count,
                           uint32_t remove);
struct wr_capture {
  int status;
  unsigned long long id;
  void *graph;
  const void **dependencies; /* good until the thread asks again */
  size_t count;
};
cudaError_t wr_capture_info(cudaStream_t stream, struct wr_capture *info);
/* What the next node of a stream comes after: `replace` 0 these besides, 1 these. */
cudaError_t wr_capture_update(cudaStream_t stream, const void *const *nodes, size_t count,
                              unsigned replace);
/* Into a graph that there is, after some of its nodes; NULL for a new one. */
cudaError_t wr_capture_begin(cudaStream_t stream, const void *graph, const void *const *nodes,
                             size_t count, int mode);
/* The same to wherever the caller wants parts of it. */
cudaError_t wr_capture_info_to(cudaStream_t stream, int *status, unsigned long long *id,
                               void **graph, const void ***dependencies, size_t *count);

#endif
