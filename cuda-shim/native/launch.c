/* Launches: between <<< and >>>, and by function. */
#include "launch.h"
#include "memory.h"
#include "warpring.h"

#define CONFIGS (sizeof wr_thread.configs / sizeof wr_thread.configs[0])

WR_API unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream) {
  if (wr_thread.depth >= (int)CONFIGS) return (unsigned)wr_result(cudaErrorInvalidConfiguration);
  wr_thread.configs[wr_thread.depth++] = (struct wr_config){grid, block, shared, stream};
  return 0;
}

WR_API cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared,
                                              void *stream) {
  if (wr_thread.depth == 0) return wr_result(cudaErrorMissingConfiguration);
  struct wr_config *c = &wr_thread.configs[--wr_thread.depth];
  *grid = c->grid;
  *block = c->block;
  *shared = c->shared;
  *(cudaStream_t *)stream = c->stream;
  return cudaSuccess;
}

/* What the device checks without looking at its state: then no answer has to be waited for. */
static int is_certain(struct wr_kernel *k, dim3 grid, dim3 block, size_t shared) {
  if (grid.x - 1u >= 0x7fffffffu || grid.y - 1u >= 65535 || grid.z - 1u >= 65535) return 0;
  const struct wr_here *here = wr_here(k);
  if (here->clusters) return 0;
  if (block.x - 1u >= 1024 || block.y - 1u >= 1024 || block.z - 1u >= 64) return 0;
  return (uint64_t)block.x * block.y * block.z <= k->max_threads && shared <= here->max_dynamic;
}

cudaError_t wr_build_launch(struct wr_call *c, uint8_t *block_memory, const void *func, dim3 grid,
                            dim3 block, void **args, size_t shared, cudaStream_t stream,
                            uint32_t flags, struct wr_kernel **kernel) {
  cudaError_t error = wr_find_kernel(func, kernel);
  if (error != cudaSuccess) return error;
  struct wr_kernel *k = *kernel;
  if (k->parameter_bytes > MAX_PARAMETER_BYTES || shared > 0xffffffffu) return cudaErrorInvalidValue;
  if (k->parameter_count > 0 && args == NULL) return cudaErrorInvalidValue;
  error = wr_begin(c, stream);
  if (error != cudaSuccess) return error;
  memset(block_memory, 0, k->parameter_bytes);
  for (uint32_t i = 0; i < k->parameter_count; i++) {
    memcpy(block_memory + k->parameters[i].offset, args[i], k->parameters[i].bytes);
  }
  wr_translate_arguments(block_memory, k->parameter_bytes);
  wr_put32(c, LAUNCH_FUNCTION, wr_here(k)->function);
  wr_put32(c, LAUNCH_GRID_X, grid.x);
  wr_put32(c, LAUNCH_GRID_Y, grid.y);
  wr_put32(c, LAUNCH_GRID_Z, grid.z);
  wr_put32(c, LAUNCH_BLOCK_X, block.x);
  wr_put32(c, LAUNCH_BLOCK_Y, block.y);
  wr_put32(c, LAUNCH_BLOCK_Z, block.z);
  wr_put32(c, LAUNCH_SHARED_BYTES, (uint32_t)shared);
  wr_put32(c, LAUNCH_PARAMETER_BYTES, k->parameter_bytes);
  wr_put32(c, LAUNCH_FLAGS, flags);
  c->out = block_memory;
  c->out_bytes = k->parameter_bytes;
  return cudaSuccess;
}

static cudaError_t launch_here(const void *func, dim3 grid, dim3 block, void **args, size_t shared,
                               cudaStream_t stream, uint32_t flags, int is_stream) {
  struct wr_call c;
  struct wr_kernel *k;
  uint8_t parameters[MAX_PARAMETER_BYTES + 4];
  WR_TRY(wr_failure());
  WR_TRY(wr_build_launch(&c, parameters, func, grid, block, args, shared, stream, flags, &k));
  if (flags == 0 && is_certain(k, grid, block, shared) && is_stream) {
    return wr_result(wr_post(&c, COMMAND_LAUNCH));
  }
  return wr_result(wr_shape_error(wr_send(&c, COMMAND_LAUNCH)));
}

/* On the device of the stream, whichever is current. */
static cudaError_t launch(const void *func, dim3 grid, dim3 block, void **args, size_t shared,
                          cudaStream_t stream, uint32_t flags) {
  int current = wr_thread.device;
  int device = wr_device_of(stream);
  int is_stream = device >= 0;
  if (!is_stream) device = wr_ask_device_of(stream);
  if (device == current) {
    return launch_here(func, grid, block, args, shared, stream, flags, is_stream);
  }
  wr_thread.device = device;
  cudaError_t error = launch_here(func, grid, block, args, shared, stream, flags, is_stream);
  wr_thread.device = current;
  return error;
}

WR_API cudaError_t cudaLaunchKernel(const void *func, dim3 grid, dim3 block, void **args,
                                    size_t shared, cudaStream_t stream) {
  return launch(func, grid, block, args, shared, stream, 0);
}

WR_API cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **args,
                                      size_t shared, cudaStream_t stream) {
  return launch(kernel, grid, block, args, shared, stream, 0);
}

WR_API cudaError_t cudaLaunchCooperativeKernel(const void *func, dim3 grid, dim3 block, void **args,
                                               size_t shared, cudaStream_t stream) {
  return launch(func, grid, block, args, shared, stream, LAUNCH_COOPERATIVE);
}

/* cudaLaunchAttributeID, but for those that launch.h has, and those of streams. */
enum {
  ATTRIBUTE_IGNORE = 0,
  ATTRIBUTE_CLUSTER_POLICY = 5,
  ATTRIBUTE_PROGRAMMATIC_SERIALIZATION = 6,
  ATTRIBUTE_DOMAIN_MAP = 9,
  ATTRIBUTE_DOMAIN = 10,
  ATTRIBUTE_PREFERRED_CARVEOUT = 14
};

/*
 * Hints (how to cache, wait and order memory) have no effect; a kernel that may begin before the one
 * before it has ended may as well begin after it. What a program could wait for is refused.
 */
static cudaError_t check_attribute(const struct launch_attribute *a) {
  switch (a->id) {
    case ATTRIBUTE_IGNORE:
    case ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case ATTRIBUTE_COOPERATIVE:
    case ATTRIBUTE_CLUSTER:
    case ATTRIBUTE_CLUSTER_POLICY:
    case ATTRIBUTE_PROGRAMMATIC_SERIALIZATION:
    case ATTRIBUTE_PRIORITY:
    case ATTRIBUTE_DOMAIN_MAP:
    case ATTRIBUTE_DOMAIN:
    case ATTRIBUTE_PREFERRED_CARVEOUT: return cudaSuccess;
    default: return cudaErrorNotSupported;
  }
}

WR_API cudaError_t cudaLaunchKernelExC(const struct launch_config *config, const void *func,
                                       void **args) {
  if (config == NULL) return wr_result(cudaErrorInvalidValue);
  uint32_t flags = 0;
  if (config->count > 0 && config->attributes == NULL) return wr_result(cudaErrorInvalidValue);
  for (unsigned i = 0; i < config->count; i++) {
    const struct launch_attribute *a = &config->attributes[i];
    if (a->id == ATTRIBUTE_COOPERATIVE && a->value.cooperative) flags |= LAUNCH_COOPERATIVE;
    WR_TRY(check_attribute(a));
    if (a->id != ATTRIBUTE_CLUSTER) continue;
    const unsigned *blocks = a->value.cluster;
    for (int k = 0; k < 3; k++) {
      if (blocks[k] - 1u >= 255) return wr_result(cudaErrorInvalidClusterSize);
    }
    flags |= blocks[0] << LAUNCH_CLUSTER_X_BIT | blocks[1] << LAUNCH_CLUSTER_Y_BIT |
             blocks[2] << LAUNCH_CLUSTER_Z_BIT;
  }
  return launch(func, config->grid, config->block, args, config->shared, config->stream, flags);
}

WR_API cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *func) {
  if (kernel == NULL) return wr_result(cudaErrorInvalidValue);
  /* What was registered, whatever state the device is in: programs ask once and keep the answer. */
  struct wr_kernel *k = wr_registered(func);
  if (k == NULL) return wr_result(cudaErrorInvalidDeviceFunction);
  *kernel = k;
  return cudaSuccess;
}

WR_API cudaError_t cudaGetKernel(cudaKernel_t *kernel, const void *func) {
  return __cudaGetKernel(kernel, func);
}

WR_API cudaError_t cudaGetFuncBySymbol(void **function, const void *symbol) {
  return cudaGetKernel(function, symbol);
}
