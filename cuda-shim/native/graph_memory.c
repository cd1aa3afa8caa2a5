/* Nodes of graphs that allocate and free memory, and what graphs use of it. */
#include <stdlib.h>

#include "graph.h"
#include "memory.h"
#include "warpring.h"

static cudaError_t check_alloc(const struct wr_alloc_params *params) {
  if (params == NULL) return cudaErrorInvalidValue;
  const struct wr_pool_properties *p = &params->pool;
  if (params->access_count > 0 && params->access == NULL) return cudaErrorInvalidValue;
  cudaError_t error = wr_check_place(&p->location, p->type);
  if (error == cudaSuccess && p->handles != 0) error = cudaErrorNotSupported;
  for (size_t i = 0; i < params->access_count && error == cudaSuccess; i++) {
    error = wr_check_place(&params->access[i].location, p->type);
  }
  return error;
}
/* The node is its memory's device's. */
cudaError_t wr_alloc_node(struct wr_place *p, struct wr_alloc_params *params) {
  struct wr_call node;
  uint64_t address = 0;
  if (p->kind != WR_NEW_NODE) return wr_result(cudaErrorInvalidValue);
  WR_TRY(check_alloc(params));
  int before = wr_thread.device;
  wr_thread.device = params->pool.location.id;
  p->address = &address;
  cudaError_t error = wr_begin(&node, NULL);
  if (error == cudaSuccess) {
    wr_put64(&node, MEMORY_ALLOC_ASYNC_BYTES, params->bytes);
    error = wr_record(p, &node, COMMAND_MEMORY_ALLOC_ASYNC);
  }
  wr_thread.device = before;
  if (error == cudaSuccess) params->address = (void *)(uintptr_t)address;
  return wr_result(error);
}
cudaError_t wr_free_node(struct wr_place *p, void *address) {
  struct wr_call node;
  if (p->kind != WR_NEW_NODE) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&node, NULL));
  wr_put64(&node, MEMORY_FREE_ASYNC_ADDRESS, (uintptr_t)address);
  return wr_result(wr_record(p, &node, COMMAND_MEMORY_FREE_ASYNC));
}
WR_API cudaError_t cudaGraphAddMemAllocNode(void **node, void *graph,
                                            const void *const *dependencies, size_t count,
                                            struct wr_alloc_params *params) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_alloc_node(&p, params);
}
WR_API cudaError_t cudaGraphAddMemFreeNode(void **node, void *graph,
                                           const void *const *dependencies, size_t count,
                                           void *address) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_free_node(&p, address);
}

/* -- what graphs use of a device's memory ------------------------------------------------------ */

static cudaError_t graph_memory(int device, uint32_t what, int attribute, struct wr_call *c) {
  cudaError_t error = wr_begin_on(c, device, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(c, GRAPH_MEMORY_WHAT, what);
  wr_put32(c, GRAPH_MEMORY_ATTRIBUTE, (uint32_t)attribute);
  return wr_send(c, COMMAND_GRAPH_MEMORY);
}
WR_API cudaError_t cudaDeviceGetGraphMemAttribute(int device, int attribute, void *value) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(graph_memory(device, GRAPH_MEMORY_GET, attribute, &c));
  uint64_t bytes = wr_get64(&c, GRAPH_MEMORY_VALUE);
  memcpy(value, &bytes, sizeof bytes);
  return cudaSuccess;
}
/* High marks can be set to 0, and nothing else. */
WR_API cudaError_t cudaDeviceSetGraphMemAttribute(int device, int attribute, void *value) {
  struct wr_call c;
  uint64_t bytes;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  memcpy(&bytes, value, sizeof bytes);
  if (bytes != 0) return wr_result(cudaErrorInvalidValue);
  return wr_result(graph_memory(device, GRAPH_MEMORY_RESET, attribute, &c));
}
WR_API cudaError_t cudaDeviceGraphMemTrim(int device) {
  struct wr_call c;
  return wr_result(graph_memory(device, GRAPH_MEMORY_TRIM, 0, &c));
}
