/* Entry points of CUDA 12 and 13: in 11 they had another form, or were not there. */
#include "newer.h"

#include "graph_object.h"

WR_API cudaError_t cudaGraphInstantiate(void **exec, void *graph, unsigned long long flags) {
  return cudaGraphInstantiateWithFlags(exec, graph, flags);
}
/* cudaGraphInstantiateParams. */
struct instantiate_params {
  unsigned long long flags;
  cudaStream_t upload;
  void *node;
  int result;
};
WR_API cudaError_t cudaGraphInstantiateWithParams(void **exec, void *graph,
                                                  struct instantiate_params *params) {
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  cudaError_t error = cudaGraphInstantiateWithFlags(exec, graph, params->flags);
  params->node = NULL;
  params->result = error != cudaSuccess;
  return error;
}

/* cudaGraphExecUpdateResultInfo. */
struct update_result {
  int result;
  void *node, *from;
};
WR_API cudaError_t cudaGraphExecUpdate(void *exec, void *graph, struct update_result *result) {
  if (result == NULL) return wr_exec_update(exec, graph, NULL, NULL);
  result->from = NULL;
  return wr_exec_update(exec, graph, &result->result, &result->node);
}

/* -- edges with data ------------------------------------------------------------------------- */

#define EDGE_DATA 8
static int is_zero(const uint8_t *data, size_t count) {
  for (size_t i = 0; data != NULL && i < EDGE_DATA * count; i++) {
    if (data[i] != 0) return 0;
  }
  return 1;
}
cudaError_t wr_edges_with_data(void *graph, const void *const *from, const void *const *to,
                               const uint8_t *data, size_t count, uint32_t remove) {
  if (!is_zero(data, count)) return wr_result(cudaErrorNotSupported);
  return wr_graph_edges(graph, from, to, count, remove);
}
cudaError_t wr_list_with_data(const void *object, uint32_t what, void **first, void **second,
                              uint8_t *data, size_t *count) {
  cudaError_t error = wr_graph_list(object, what, first, second, count);
  if (error == cudaSuccess && data != NULL) memset(data, 0, EDGE_DATA * *count);
  return error;
}

/* -- nodes of any type ----------------------------------------------------------------------- */

static cudaError_t put_node(struct wr_place *p, struct wr_node_params *params) {
  struct wr_box b;
  int kind;
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  switch (params->type) {
    case NODE_KERNEL: return wr_kernel_node(p, &params->of.kernel);
    case NODE_MEMCPY:
      WR_TRY(wr_box_of(&params->of.copy.params, &b, &kind));
      return wr_copy_node(p, &b, kind);
    case NODE_MEMSET: return wr_set_node(p, &params->of.set);
    case NODE_HOST: return wr_host_node(p, &params->of.host);
    case NODE_WAIT_EVENT:
      return wr_event_node(p, params->of.event, COMMAND_STREAM_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT);
    case NODE_EVENT_RECORD:
      return wr_event_node(p, params->of.event, COMMAND_EVENT_RECORD, EVENT_RECORD_EVENT);
    case NODE_MEM_ALLOC: return wr_alloc_node(p, &params->of.alloc);
    case NODE_MEM_FREE: return wr_free_node(p, params->of.free);
    case NODE_GRAPH:
      p->child = params->of.child;
      if (p->child == NULL) return wr_result(cudaErrorInvalidValue);
      return wr_result(wr_record(p, NULL, 0));
    case NODE_CONDITIONAL: return wr_conditional_node(p, &params->of.conditional);
    case NODE_EMPTY:
      if (p->kind != WR_NEW_NODE) return wr_result(cudaErrorInvalidValue);
      return wr_result(wr_record(p, NULL, 0));
    default: return wr_result(cudaErrorNotSupported);
  }
}
cudaError_t wr_add_node(void **node, void *graph, const void *const *dependencies,
                        const uint8_t *data, size_t count, struct wr_node_params *params) {
  struct wr_place p = WR_NEW_PLACE;
  if (!is_zero(data, count)) return wr_result(cudaErrorNotSupported);
  return put_node(&p, params);
}
WR_API cudaError_t cudaGraphNodeSetParams(void *node, struct wr_node_params *params) {
  struct wr_place p = {.kind = WR_NODE, .node = node};
  return put_node(&p, params);
}
WR_API cudaError_t cudaGraphExecNodeSetParams(void *exec, void *node,
                                              struct wr_node_params *params) {
  struct wr_place p = {.kind = WR_EXEC_NODE, .exec = exec, .node = node};
  return put_node(&p, params);
}

WR_API cudaError_t cudaGraphConditionalHandleCreate(unsigned long long *handle, void *graph,
                                                    unsigned value, unsigned flags) {
  struct wr_call c;
  if (handle == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, GRAPH_CONDITION_CREATE_GRAPH, wr_handle(graph));
  wr_put32(&c, GRAPH_CONDITION_CREATE_VALUE, value);
  wr_put32(&c, GRAPH_CONDITION_CREATE_FLAGS, flags);
  WR_TRY(wr_send(&c, COMMAND_GRAPH_CONDITION_CREATE));
  *handle = wr_get64(&c, GRAPH_CONDITION_CREATE_CONDITION);
  return cudaSuccess;
}

/* -- capture into graphs that there are ------------------------------------------------------ */

WR_API cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, void *graph,
                                                 const void *const *nodes, const uint8_t *data,
                                                 size_t count, int mode) {
  if (graph == NULL) return wr_result(cudaErrorInvalidValue);
  if (!is_zero(data, count)) return wr_result(cudaErrorNotSupported);
  return wr_capture_begin(stream, graph, nodes, count, mode);
}
cudaError_t wr_update_capture_with_data(cudaStream_t stream, const void *const *nodes,
                                        const uint8_t *data, size_t count, unsigned flags) {
  if (!is_zero(data, count)) return wr_result(cudaErrorNotSupported);
  return wr_capture_update(stream, nodes, count, flags);
}

/* -- many copies at once --------------------------------------------------------------------- */

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, int kind,
                            cudaStream_t stream);
cudaError_t wr_copy_batch(void *const *dsts, const void *const *srcs, const size_t *sizes,
                          size_t count, const struct wr_copy_attributes *attributes,
                          const size_t *starts, size_t attribute_count, size_t *failed,
                          cudaStream_t stream) {
  *failed = SIZE_MAX;
  if (dsts == NULL || srcs == NULL || sizes == NULL || count == 0) {
    return wr_result(cudaErrorInvalidValue);
  }
  if (attributes == NULL || starts == NULL || attribute_count == 0 || attribute_count > count) {
    return wr_result(cudaErrorInvalidValue);
  }
  /* Not in the default stream, as in CUDA. What the attributes allow need not be made use of. */
  if (wr_handle(stream) <= STREAM_LEGACY) return wr_result(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; i++) {
    cudaError_t error = cudaMemcpyAsync(dsts[i], srcs[i], sizes[i], COPY_DEFAULT, stream);
    if (error == cudaSuccess) continue;
    *failed = i;
    return error;
  }
  return cudaSuccess;
}

/* -- the driver's own functions: there are none ------------------------------------------------- */

#define SYMBOL_NOT_FOUND 1
static cudaError_t entry_point(const char *symbol, void **function, int *status) {
  if (symbol == NULL || function == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  *function = NULL;
  if (status != NULL) *status = SYMBOL_NOT_FOUND;
  return status != NULL ? cudaSuccess : wr_result(cudaErrorSymbolNotFound);
}
WR_API cudaError_t cudaGetDriverEntryPoint(const char *symbol, void **function,
                                           unsigned long long flags, int *status) {
  (void)flags;
  return entry_point(symbol, function, status);
}
WR_API cudaError_t cudaGetDriverEntryPointByVersion(const char *symbol, void **function,
                                                    unsigned version, unsigned long long flags,
                                                    int *status) {
  (void)version, (void)flags;
  return entry_point(symbol, function, status);
}
