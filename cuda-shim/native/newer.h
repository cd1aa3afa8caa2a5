/* What CUDA 12 and 13 have alike under different names, and what they brought. */
#ifndef WARPRING_NEWER_H
#define WARPRING_NEWER_H

#include "graph.h"
#include "warpring.h"

/* cudaGraphNodeParams: a type, and what the type needs. */
struct wr_node_params {
  int type;
  int reserved[3];
  union {
    struct wr_kernel_params kernel;
    struct {
      int flags, reserved[3];
      struct copy_3d params;
    } copy;
    struct wr_set_params set;
    struct wr_host_params host;
    void *child;
    void *event;
    struct wr_alloc_params alloc;
    void *free;
    struct wr_conditional conditional;
    long long reserved[29];
  } of;
  long long last;
};
/* cudaMemcpyAttributes. */
struct wr_copy_attributes {
  int order;
  struct location source_hint, target_hint;
  unsigned flags;
};

/* Edge data is 8 bytes for each edge, and must be 0: there are no ports on this device. */
cudaError_t wr_edges_with_data(void *graph, const void *const *from, const void *const *to,
                               const uint8_t *data, size_t count, uint32_t remove);
cudaError_t wr_list_with_data(const void *object, uint32_t what, void **first, void **second,
                              uint8_t *data, size_t *count);
cudaError_t wr_add_node(void **node, void *graph, const void *const *dependencies,
                        const uint8_t *data, size_t count, struct wr_node_params *params);
cudaError_t wr_update_capture_with_data(cudaStream_t stream, const void *const *nodes,
                                        const uint8_t *data, size_t count, unsigned flags);
/* `failed` receives the index of the copy that cannot be made. */
cudaError_t wr_copy_batch(void *const *dsts, const void *const *srcs, const size_t *sizes,
                          size_t count, const struct wr_copy_attributes *attributes,
                          const size_t *starts, size_t attribute_count, size_t *failed,
                          cudaStream_t stream);

#endif
