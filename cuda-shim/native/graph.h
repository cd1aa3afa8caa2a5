/* Nodes of graphs: recorded requests, for a new node, a node, or a node of an executable graph. */
#ifndef WARPRING_GRAPH_H
#define WARPRING_GRAPH_H

#include "host_call.h"
#include "memory.h"
#include "warpring.h"

/* Where a recorded request goes. */
struct wr_place {
  enum { WR_NEW_NODE, WR_NODE, WR_EXEC_NODE } kind;
  void **result; /* the rest of a new one */
  const void *graph;
  const void *const *dependencies;
  size_t count;
  const void *child;
  uint64_t *address; /* receives that of an allocation; may be NULL */
  struct wr_conditional *conditional; /* or NULL */
  const void *exec, *node; /* the others */
};
#define WR_NEW_PLACE \
  {.result = node, .graph = graph, .dependencies = dependencies, .count = count}

/* cudaKernelNodeParams, cudaMemsetParams, cudaHostNodeParams. */
struct wr_kernel_params {
  void *func;
  dim3 grid, block;
  unsigned shared;
  void **args, **extra;
};
struct wr_set_params {
  void *dst;
  size_t pitch;
  unsigned value, element;
  size_t width, height;
};
struct wr_host_params {
  void (*function)(void *);
  void *data;
};

/* cudaConditionalNodeParams. */
struct wr_conditional {
  unsigned long long handle;
  int type;
  unsigned size;
  void **bodies;
};

/* cudaMemAllocNodeParams. */
struct wr_alloc_params {
  struct wr_pool_properties pool;
  const struct wr_access *access;
  size_t access_count, bytes;
  void *address;
};

/* Puts a request there; without one an empty node or a child graph. Not remembered as last error. */
cudaError_t wr_record(const struct wr_place *p, struct wr_call *node, uint32_t command);
cudaError_t wr_kernel_node(const struct wr_place *p, const struct wr_kernel_params *k);
cudaError_t wr_copy_node(const struct wr_place *p, const struct wr_box *b, int kind);
/* A copy between a variable and memory. */
cudaError_t wr_symbol_node(const struct wr_place *p, const void *symbol, size_t offset, void *memory,
                           size_t bytes, int kind, int to_symbol);
cudaError_t wr_set_node(const struct wr_place *p, const struct wr_set_params *s);
cudaError_t wr_host_node(const struct wr_place *p, const struct wr_host_params *h);
cudaError_t wr_alloc_node(struct wr_place *p, struct wr_alloc_params *params);
cudaError_t wr_free_node(struct wr_place *p, void *address);
cudaError_t wr_conditional_node(struct wr_place *p, struct wr_conditional *conditional);
cudaError_t wr_event_node(const struct wr_place *p, const void *event, uint32_t command, int field);

static inline struct wr_box wr_line(void *dst, const void *src, size_t bytes) {
  return (struct wr_box){{dst, bytes, bytes}, {(uint8_t *)(uintptr_t)src, bytes, bytes}, bytes, 1, 1};
}

#endif
