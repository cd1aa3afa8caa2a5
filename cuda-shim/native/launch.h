/* Builds the request of a launch, for a stream or a graph's node. */
#ifndef WARPRING_LAUNCH_H
#define WARPRING_LAUNCH_H

#include "warpring.h"

/* `block_memory` has room for MAX_PARAMETER_BYTES and must live until the request is sent. */
cudaError_t wr_build_launch(struct wr_call *c, uint8_t *block_memory, const void *func, dim3 grid,
                            dim3 block, void **args, size_t shared, cudaStream_t stream,
                            uint32_t flags, struct wr_kernel **kernel);

/* Since CUDA 13 a shape that no device takes is an invalid value like any other. */
static inline cudaError_t wr_shape_error(cudaError_t error) {
  return WR_CUDA_VERSION >= 13000 && error == cudaErrorInvalidConfiguration ? cudaErrorInvalidValue
                                                                            : error;
}

/* cudaLaunchAttribute and cudaLaunchConfig_t. */
struct launch_attribute {
  int id;
  char pad[4];
  union {
    char bytes[64];
    int cooperative;
    unsigned cluster[3];
  } value;
};
struct launch_config {
  dim3 grid, block;
  size_t shared;
  cudaStream_t stream;
  struct launch_attribute *attributes;
  unsigned count;
};
#define ATTRIBUTE_COOPERATIVE 2
#define ATTRIBUTE_CLUSTER 4

#endif
