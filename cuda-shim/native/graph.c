/* Graphs: nodes are recorded requests. And the capture of streams into graphs. */
#include <stdlib.h>

#include "graph.h"
#include "host_call.h"
#include "launch.h"
#include "warpring.h"

/* A request as it would be sent, for a node. Its variable part is in memory of the maker's. */
static cudaError_t with_request(struct wr_call *node, uint32_t command, struct wr_call *c,
                                uint32_t send, const uint32_t *before, size_t words) {
  size_t bytes = words * 4 + (node ? REQUEST_SIZE + node->out_bytes : 0);
  uint8_t *out = malloc(bytes + 1);
  if (out == NULL) return cudaErrorMemoryAllocation;
  if (words) memcpy(out, before, words * 4);
  if (node != NULL) {
    wr_put32(node, REQUEST_COMMAND, command);
    memcpy(out + words * 4, node->request, REQUEST_SIZE);
    if (node->out_bytes) memcpy(out + words * 4 + REQUEST_SIZE, node->out, node->out_bytes);
  }
  c->out = out;
  c->out_bytes = (uint32_t)bytes;
  cudaError_t error = wr_send(c, send);
  free(out);
  return error;
}

cudaError_t wr_record(const struct wr_place *p, struct wr_call *node, uint32_t command) {
  struct wr_call c;
  uint32_t bytes = node ? REQUEST_SIZE + node->out_bytes : 0;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  if (p->kind == WR_EXEC_NODE) {
    wr_put32(&c, GRAPH_EXEC_NODE_SET_EXEC, wr_handle(p->exec));
    wr_put32(&c, GRAPH_EXEC_NODE_SET_NODE, wr_handle(p->node));
    wr_put32(&c, GRAPH_EXEC_NODE_SET_REQUEST_BYTES, bytes);
    wr_put32(&c, GRAPH_EXEC_NODE_SET_CHILD, wr_handle(p->child));
    return with_request(node, command, &c, COMMAND_GRAPH_EXEC_NODE_SET, NULL, 0);
  }
  if (p->kind == WR_NODE) {
    wr_put32(&c, GRAPH_NODE_SET_NODE, wr_handle(p->node));
    wr_put32(&c, GRAPH_NODE_SET_REQUEST_BYTES, bytes);
    return with_request(node, command, &c, COMMAND_GRAPH_NODE_SET, NULL, 0);
  }
  if (p->result == NULL || (p->count > 0 && p->dependencies == NULL)) return cudaErrorInvalidValue;
  if (p->count > 4096) return cudaErrorInvalidValue;
  uint32_t *handles = malloc((p->count + 1) * sizeof *handles);
  if (handles == NULL) return cudaErrorMemoryAllocation;
  for (size_t i = 0; i < p->count; i++) handles[i] = wr_handle(p->dependencies[i]);
  wr_put32(&c, GRAPH_ADD_NODE_GRAPH, wr_handle(p->graph));
  wr_put32(&c, GRAPH_ADD_NODE_DEPENDENCIES, (uint32_t)p->count);
  wr_put32(&c, GRAPH_ADD_NODE_REQUEST_BYTES, bytes);
  wr_put32(&c, GRAPH_ADD_NODE_CHILD, wr_handle(p->child));
  uint32_t bodies[MAX_BODIES];
  if (p->conditional != NULL) {
    wr_put64(&c, GRAPH_ADD_NODE_CONDITION, p->conditional->handle);
    wr_put32(&c, GRAPH_ADD_NODE_KIND, (uint32_t)p->conditional->type);
    wr_put32(&c, GRAPH_ADD_NODE_BODIES, p->conditional->size);
    c.in = bodies;
    c.in_bytes = sizeof bodies;
  }
  error = with_request(node, command, &c, COMMAND_GRAPH_ADD_NODE, handles, p->count);
  free(handles);
  if (error != cudaSuccess) return error;
  for (uint32_t i = 0; p->conditional != NULL && i < p->conditional->size; i++) {
    p->conditional->bodies[i] = wr_pointer(bodies[i]);
  }
  *p->result = wr_pointer(wr_get32(&c, GRAPH_ADD_NODE_NODE));
  if (p->address != NULL) *p->address = wr_get64(&c, GRAPH_ADD_NODE_ADDRESS);
  return error;
}

/* -- kinds of nodes -------------------------------------------------------------------------- */

cudaError_t wr_kernel_node(const struct wr_place *p, const struct wr_kernel_params *k) {
  if (k == NULL) return wr_result(cudaErrorInvalidValue);
  if (k->extra != NULL) return wr_result(cudaErrorNotSupported);
  struct wr_call node;
  struct wr_kernel *found;
  uint8_t block[MAX_PARAMETER_BYTES + 4];
  WR_TRY(wr_build_launch(&node, block, k->func, k->grid, k->block, k->args, k->shared, NULL, 0,
                         &found));
  return wr_result(wr_shape_error(wr_record(p, &node, COMMAND_LAUNCH)));
}

static cudaError_t host(const struct wr_place *p, struct wr_host_call call) {
  struct wr_call node;
  WR_TRY(wr_begin(&node, NULL));
  struct wr_host_call *own = malloc(sizeof *own);
  if (own == NULL) return wr_result(cudaErrorMemoryAllocation);
  *own = call;
  uint8_t box[BOX_SIZE];
  wr_host_request(&node, box, own, 0);
  cudaError_t error = wr_record(p, &node, COMMAND_HOST_CALL);
  if (error != cudaSuccess) free(own);
  return wr_result(error);
}

/* Memory that the device does not know is copied by this process, when the node's turn comes. */
cudaError_t wr_copy_node(const struct wr_place *p, const struct wr_box *box, int kind) {
  const struct wr_box known = wr_known_box(box), *b = &known;
  struct wr_call node;
  uint8_t bytes[BOX_SIZE];
  WR_TRY(wr_check_box(b, kind));
  if (!wr_is_device(b->target.start) || !wr_is_device(b->source.start)) {
    struct wr_host_call call;
    WR_TRY(wr_copy_call(b, &call));
    return host(p, call);
  }
  WR_TRY(wr_begin(&node, NULL));
  wr_box_request(&node, bytes, b, kind, 0);
  return wr_result(wr_record(p, &node, COMMAND_MEMORY_COPY_3D));
}

cudaError_t wr_symbol_node(const struct wr_place *p, const void *symbol, size_t offset, void *memory,
                           size_t bytes, int kind, int to_symbol) {
  void *at;
  WR_TRY(wr_symbol_range(symbol, offset, bytes, &at));
  struct wr_box b = to_symbol ? wr_line(at, memory, bytes) : wr_line(memory, at, bytes);
  return wr_copy_node(p, &b, kind);
}

cudaError_t wr_set_node(const struct wr_place *p, const struct wr_set_params *s) {
  struct wr_call node;
  uint8_t bytes[BOX_SIZE] = {0};
  if (s == NULL) return wr_result(cudaErrorInvalidValue);
  if (s->element != 1 && s->element != 2 && s->element != 4) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&node, NULL));
  if (s->height <= 1) {
    wr_put64(&node, MEMORY_SET_TARGET, (uintptr_t)s->dst);
    wr_put64(&node, MEMORY_SET_COUNT, s->width);
    wr_put32(&node, MEMORY_SET_VALUE, s->value);
    wr_put32(&node, MEMORY_SET_WIDTH, s->element);
    return wr_result(wr_record(p, &node, COMMAND_MEMORY_SET));
  }
  uint64_t fields[] = {(uintptr_t)s->dst, s->pitch, s->pitch * s->height};
  uint64_t extent[] = {s->width * s->element, s->height, 1};
  memcpy(bytes + BOX_TARGET, fields, sizeof fields);
  memcpy(bytes + BOX_WIDTH, extent, sizeof extent);
  wr_put32(&node, MEMORY_SET_3D_VALUE, s->value);
  wr_put32(&node, MEMORY_SET_3D_ELEMENT, s->element);
  node.out = bytes;
  node.out_bytes = sizeof bytes;
  return wr_result(wr_record(p, &node, COMMAND_MEMORY_SET_3D));
}

cudaError_t wr_host_node(const struct wr_place *p, const struct wr_host_params *h) {
  if (h == NULL || h->function == NULL) return wr_result(cudaErrorInvalidValue);
  return host(p, (struct wr_host_call){h->function, NULL, NULL, h->data, 0});
}

WR_API cudaError_t cudaGraphAddKernelNode(void **node, void *graph, const void *const *dependencies,
                                          size_t count, const struct wr_kernel_params *params) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_kernel_node(&p, params);
}
WR_API cudaError_t cudaGraphAddMemcpyNode(void **node, void *graph, const void *const *dependencies,
                                          size_t count, const struct copy_3d *params) {
  struct wr_place p = WR_NEW_PLACE;
  struct wr_box b;
  int kind;
  WR_TRY(wr_box_of(params, &b, &kind));
  return wr_copy_node(&p, &b, kind);
}
WR_API cudaError_t cudaGraphAddMemcpyNode1D(void **node, void *graph,
                                            const void *const *dependencies, size_t count,
                                            void *dst, const void *src, size_t bytes, int kind) {
  struct wr_place p = WR_NEW_PLACE;
  struct wr_box b = wr_line(dst, src, bytes);
  return wr_copy_node(&p, &b, kind);
}
WR_API cudaError_t cudaGraphAddMemsetNode(void **node, void *graph, const void *const *dependencies,
                                          size_t count, const struct wr_set_params *params) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_set_node(&p, params);
}
WR_API cudaError_t cudaGraphAddHostNode(void **node, void *graph, const void *const *dependencies,
                                        size_t count, const struct wr_host_params *params) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_host_node(&p, params);
}
WR_API cudaError_t cudaGraphAddEmptyNode(void **node, void *graph, const void *const *dependencies,
                                         size_t count) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_result(wr_record(&p, NULL, 0));
}
WR_API cudaError_t cudaGraphAddChildGraphNode(void **node, void *graph,
                                              const void *const *dependencies, size_t count,
                                              void *child) {
  struct wr_place p = WR_NEW_PLACE;
  if (child == NULL) return wr_result(cudaErrorInvalidValue);
  p.child = child;
  return wr_result(wr_record(&p, NULL, 0));
}
/* The list of bodies belongs to CUDA, and lives as long as the node: here as long as the program. */
cudaError_t wr_conditional_node(struct wr_place *p, struct wr_conditional *conditional) {
  if (p->kind != WR_NEW_NODE || conditional->handle == 0) return wr_result(cudaErrorInvalidValue);
  if (conditional->size == 0 || conditional->size > MAX_BODIES) {
    return wr_result(cudaErrorInvalidValue);
  }
  struct wr_conditional made = *conditional;
  made.bodies = calloc(made.size, sizeof *made.bodies);
  if (made.bodies == NULL) return wr_result(cudaErrorMemoryAllocation);
  p->conditional = &made;
  cudaError_t error = wr_record(p, NULL, 0);
  if (error != cudaSuccess) free(made.bodies);
  else conditional->bodies = made.bodies;
  return wr_result(error);
}
cudaError_t wr_event_node(const struct wr_place *p, const void *e, uint32_t command, int field) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, field, wr_handle(e));
  return wr_result(wr_record(p, &c, command));
}
WR_API cudaError_t cudaGraphAddEventRecordNode(void **node, void *graph,
                                               const void *const *dependencies, size_t count,
                                               void *e) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_event_node(&p, e, COMMAND_EVENT_RECORD, EVENT_RECORD_EVENT);
}
WR_API cudaError_t cudaGraphAddEventWaitNode(void **node, void *graph,
                                             const void *const *dependencies, size_t count,
                                             void *e) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_event_node(&p, e, COMMAND_STREAM_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT);
}
WR_API cudaError_t cudaGraphAddMemcpyNodeToSymbol(void **node, void *graph,
                                                  const void *const *dependencies, size_t count,
                                                  const void *symbol, const void *src, size_t bytes,
                                                  size_t offset, int kind) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_symbol_node(&p, symbol, offset, (void *)(uintptr_t)src, bytes, kind, 1);
}
WR_API cudaError_t cudaGraphAddMemcpyNodeFromSymbol(void **node, void *graph,
                                                    const void *const *dependencies, size_t count,
                                                    void *dst, const void *symbol, size_t bytes,
                                                    size_t offset, int kind) {
  struct wr_place p = WR_NEW_PLACE;
  return wr_symbol_node(&p, symbol, offset, dst, bytes, kind, 0);
}
