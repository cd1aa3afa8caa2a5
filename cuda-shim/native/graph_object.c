/* Graphs as objects: made, cloned, listed, instantiated, launched; and the capture of streams. */
#include <stdlib.h>

#include "graph_object.h"
#include "host_call.h"
#include "user_object.h"
#include "warpring.h"

/* A request with one or two handles whose answer is a handle. */
static cudaError_t ask(void **result, uint32_t command, int answer, int at, const void *object,
                       int second, const void *other) {
  struct wr_call c;
  if (result == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  if (at) wr_put32(&c, at, wr_handle(object));
  if (second) wr_put32(&c, second, wr_handle(other));
  WR_TRY(wr_send(&c, command));
  *result = wr_pointer(wr_get32(&c, answer));
  return cudaSuccess;
}

WR_API cudaError_t cudaGraphCreate(void **graph, unsigned flags) {
  if (flags != 0) return wr_result(cudaErrorInvalidValue);
  return ask(graph, COMMAND_GRAPH_CREATE, GRAPH_CREATE_GRAPH, 0, NULL, 0, NULL);
}
WR_API cudaError_t cudaGraphDestroy(void *graph) {
  cudaError_t error = wr_send_handle(COMMAND_GRAPH_DESTROY, GRAPH_DESTROY_GRAPH, graph);
  if (error == cudaSuccess) wr_graph_destroyed(graph);
  return error;
}
WR_API cudaError_t cudaGraphClone(void **clone, void *graph) {
  cudaError_t error = ask(clone, COMMAND_GRAPH_CLONE, GRAPH_CLONE_GRAPH, GRAPH_CLONE_SOURCE, graph, 0,
                          NULL);
  if (error == cudaSuccess) wr_graph_copied(graph, *clone);
  return error;
}
WR_API cudaError_t cudaGraphDestroyNode(void *node) {
  return wr_send_handle(COMMAND_GRAPH_NODE_DESTROY, GRAPH_NODE_DESTROY_NODE, node);
}
WR_API cudaError_t cudaGraphNodeFindInClone(void **found, void *node, void *clone) {
  return ask(found, COMMAND_GRAPH_FIND_IN_CLONE, GRAPH_FIND_IN_CLONE_FOUND,
             GRAPH_FIND_IN_CLONE_NODE, node, GRAPH_FIND_IN_CLONE_CLONE, clone);
}
WR_API cudaError_t cudaGraphChildGraphNodeGetGraph(void *node, void **graph) {
  return ask(graph, COMMAND_GRAPH_NODE_GET, GRAPH_NODE_GET_CHILD, GRAPH_NODE_GET_NODE, node, 0, NULL);
}
cudaError_t wr_instantiate(void **exec, const void *graph, unsigned long long flags) {
  struct wr_call c;
  if (exec == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, GRAPH_INSTANTIATE_GRAPH, wr_handle(graph));
  wr_put32(&c, GRAPH_INSTANTIATE_FLAGS, (uint32_t)flags & INSTANTIATE_FREE_ON_LAUNCH);
  WR_TRY(wr_send(&c, COMMAND_GRAPH_INSTANTIATE));
  *exec = wr_pointer(wr_get32(&c, GRAPH_INSTANTIATE_EXEC));
  wr_graph_copied(graph, *exec);
  return cudaSuccess;
}
WR_API cudaError_t cudaGraphInstantiateWithFlags(void **exec, void *graph,
                                                 unsigned long long flags) {
  if (flags & ~WR_INSTANTIATE_FLAGS) return wr_result(cudaErrorInvalidValue);
  if (flags & WR_INSTANTIATE_FOR_DEVICE) return wr_result(cudaErrorNotSupported);
  return wr_instantiate(exec, graph, flags);
}
WR_API cudaError_t cudaGraphExecDestroy(void *exec) {
  cudaError_t error = wr_send_handle(COMMAND_GRAPH_EXEC_DESTROY, GRAPH_EXEC_DESTROY_EXEC, exec);
  if (error == cudaSuccess) wr_graph_destroyed(exec);
  return error;
}
static cudaError_t launch(const void *exec, cudaStream_t stream, uint32_t only_check) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  wr_put32(&c, GRAPH_LAUNCH_EXEC, wr_handle(exec));
  wr_put32(&c, GRAPH_LAUNCH_ONLY_CHECK, only_check);
  return wr_result(wr_send(&c, COMMAND_GRAPH_LAUNCH));
}
WR_API cudaError_t cudaGraphLaunch(void *exec, cudaStream_t stream) {
  return launch(exec, stream, 0);
}
/* The device has the graph already. */
WR_API cudaError_t cudaGraphUpload(void *exec, cudaStream_t stream) {
  return launch(exec, stream, 1);
}

cudaError_t wr_exec_update(void *exec, void *graph, int *result, void **node) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, GRAPH_EXEC_UPDATE_EXEC, wr_handle(exec));
  wr_put32(&c, GRAPH_EXEC_UPDATE_GRAPH, wr_handle(graph));
  cudaError_t error = wr_send(&c, COMMAND_GRAPH_EXEC_UPDATE);
  if (error == cudaSuccess || error == cudaErrorGraphExecUpdateFailure) {
    if (result != NULL) *result = (int)wr_get32(&c, GRAPH_EXEC_UPDATE_RESULT);
    if (node != NULL) *node = wr_pointer(wr_get32(&c, GRAPH_EXEC_UPDATE_NODE));
  }
  return wr_result(error);
}

#define ENABLE_ONLY_ASK 2
static cudaError_t enable(void *exec, void *node, uint32_t set, unsigned *result) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, GRAPH_EXEC_NODE_ENABLE_EXEC, wr_handle(exec));
  wr_put32(&c, GRAPH_EXEC_NODE_ENABLE_NODE, wr_handle(node));
  wr_put32(&c, GRAPH_EXEC_NODE_ENABLE_SET, set);
  WR_TRY(wr_send(&c, COMMAND_GRAPH_EXEC_NODE_ENABLE));
  if (result != NULL) *result = wr_get32(&c, GRAPH_EXEC_NODE_ENABLE_ENABLED);
  return cudaSuccess;
}
WR_API cudaError_t cudaGraphNodeSetEnabled(void *exec, void *node, unsigned enabled) {
  return enable(exec, node, enabled != 0, NULL);
}
WR_API cudaError_t cudaGraphNodeGetEnabled(void *exec, void *node, unsigned *enabled) {
  if (enabled == NULL) return wr_result(cudaErrorInvalidValue);
  return enable(exec, node, ENABLE_ONLY_ASK, enabled);
}

/* -- lists ----------------------------------------------------------------------------------- */

#define MOST_LISTED 8192

/* Handles (or pairs of them) into `first` and `second`, as many as `count` has room for. */
cudaError_t wr_graph_list(const void *object, uint32_t what, void **first, void **second,
                        size_t *count) {
  struct wr_call c;
  size_t each = what == LIST_EDGES ? 2 : 1;
  if (count == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  uint32_t *handles = calloc(MOST_LISTED, sizeof *handles);
  if (handles == NULL) return wr_result(cudaErrorMemoryAllocation);
  wr_put32(&c, GRAPH_LIST_OBJECT, wr_handle(object));
  wr_put32(&c, GRAPH_LIST_WHAT, what);
  c.in = handles;
  c.in_bytes = MOST_LISTED * sizeof *handles;
  cudaError_t error = wr_send(&c, COMMAND_GRAPH_LIST);
  size_t there = wr_get32(&c, GRAPH_LIST_COUNT);
  if (error == cudaSuccess && first != NULL && there * each > MOST_LISTED) {
    error = cudaErrorNotSupported;
  }
  for (size_t i = 0; error == cudaSuccess && first != NULL && i < *count; i++) {
    first[i] = i < there ? wr_pointer(handles[each * i]) : NULL;
    if (second != NULL) second[i] = i < there ? wr_pointer(handles[each * i + 1]) : NULL;
  }
  free(handles);
  if (error == cudaSuccess && (first == NULL || there < *count)) *count = there;
  return wr_result(error);
}
WR_API cudaError_t cudaGraphGetNodes(void *graph, void **nodes, size_t *count) {
  return wr_graph_list(graph, LIST_NODES, nodes, NULL, count);
}
WR_API cudaError_t cudaGraphGetRootNodes(void *graph, void **nodes, size_t *count) {
  return wr_graph_list(graph, LIST_ROOTS, nodes, NULL, count);
}
cudaError_t wr_graph_edges(void *graph, const void *const *from, const void *const *to, size_t count,
                           uint32_t remove) {
  struct wr_call c;
  if (count == 0) return cudaSuccess;
  if (from == NULL || to == NULL || count > 4096) return wr_result(cudaErrorInvalidValue);
  uint32_t pairs[8192];
  for (size_t i = 0; i < count; i++) {
    pairs[2 * i] = wr_handle(from[i]);
    pairs[2 * i + 1] = wr_handle(to[i]);
  }
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, GRAPH_EDGES_GRAPH, wr_handle(graph));
  wr_put32(&c, GRAPH_EDGES_COUNT, (uint32_t)count);
  wr_put32(&c, GRAPH_EDGES_REMOVE, remove);
  c.out = pairs;
  c.out_bytes = (uint32_t)(8 * count);
  return wr_result(wr_send(&c, COMMAND_GRAPH_EDGES));
}
#define MOST_DEPENDENCIES 1024

/* -- capture --------------------------------------------------------------------------------- */

/* Sends a request with handles of nodes. */
static cudaError_t send_nodes(struct wr_call *c, uint32_t command, const void *const *nodes,
                              size_t count) {
  uint32_t handles[MOST_DEPENDENCIES];
  if (count > MOST_DEPENDENCIES || (count > 0 && nodes == NULL)) return cudaErrorInvalidValue;
  for (size_t i = 0; i < count; i++) handles[i] = wr_handle(nodes[i]);
  c->out = handles;
  c->out_bytes = (uint32_t)(4 * count);
  return wr_send(c, command);
}
cudaError_t wr_capture_begin(cudaStream_t stream, const void *graph, const void *const *nodes,
                             size_t count, int mode) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  wr_put32(&c, CAPTURE_BEGIN_MODE, (uint32_t)mode);
  wr_put32(&c, CAPTURE_BEGIN_GRAPH, wr_handle(graph));
  wr_put32(&c, CAPTURE_BEGIN_DEPENDENCIES, (uint32_t)count);
  WR_TRY(send_nodes(&c, COMMAND_CAPTURE_BEGIN, nodes, count));
  __atomic_add_fetch(&wr_capturing, 1, __ATOMIC_SEQ_CST);
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int mode) {
  return wr_capture_begin(stream, NULL, NULL, 0, mode);
}
cudaError_t wr_capture_update(cudaStream_t stream, const void *const *nodes, size_t count,
                              unsigned replace) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  wr_put32(&c, CAPTURE_UPDATE_REPLACE, replace);
  wr_put32(&c, CAPTURE_UPDATE_COUNT, (uint32_t)count);
  return wr_result(send_nodes(&c, COMMAND_CAPTURE_UPDATE, nodes, count));
}
/* Without a place for the graph it must be one that was there before. */
WR_API cudaError_t cudaStreamEndCapture(cudaStream_t stream, void **graph) {
  struct wr_call c;
  void *own;
  WR_TRY(wr_begin(&c, stream));
  wr_put32(&c, CAPTURE_END_KNOWN, graph == NULL);
  if (graph == NULL) graph = &own;
  *graph = NULL;
  cudaError_t error = wr_send(&c, COMMAND_CAPTURE_END);
  int goes_on = error == cudaErrorInvalidValue || error == cudaErrorIllegalState || error == cudaErrorStreamCaptureUnmatched ||
                error == cudaErrorStreamCaptureWrongThread;
  if (!goes_on) __atomic_sub_fetch(&wr_capturing, 1, __ATOMIC_SEQ_CST);
  if (error == cudaSuccess) *graph = wr_pointer(wr_get32(&c, CAPTURE_END_GRAPH));
  return wr_result(error);
}
WR_API cudaError_t cudaStreamIsCapturing(cudaStream_t stream, int *status) {
  struct wr_call c;
  if (status == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, stream));
  WR_TRY(wr_send(&c, COMMAND_CAPTURE_INFO));
  *status = (int)wr_get32(&c, CAPTURE_INFO_STATUS);
  return cudaSuccess;
}
cudaError_t wr_capture_info(cudaStream_t stream, struct wr_capture *info) {
  struct wr_call c;
  static __thread uint32_t handles[MOST_DEPENDENCIES];
  static __thread const void *nodes[MOST_DEPENDENCIES];
  WR_TRY(wr_begin(&c, stream));
  c.in = handles;
  c.in_bytes = sizeof handles;
  WR_TRY(wr_send(&c, COMMAND_CAPTURE_INFO));
  size_t there = wr_get32(&c, CAPTURE_INFO_DEPENDENCIES);
  if (there > MOST_DEPENDENCIES) return wr_result(cudaErrorNotSupported);
  for (size_t i = 0; i < there; i++) nodes[i] = wr_pointer(handles[i]);
  *info = (struct wr_capture){(int)wr_get32(&c, CAPTURE_INFO_STATUS),
                              wr_get64(&c, CAPTURE_INFO_ID),
                              wr_pointer(wr_get32(&c, CAPTURE_INFO_GRAPH)), nodes, there};
  return cudaSuccess;
}

cudaError_t wr_capture_info_to(cudaStream_t stream, int *status, unsigned long long *id,
                               void **graph, const void ***dependencies, size_t *count) {
  struct wr_capture info;
  if (status == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_capture_info(stream, &info));
  *status = info.status;
  if (id != NULL) *id = info.id;
  if (graph != NULL) *graph = info.graph;
  if (dependencies != NULL) *dependencies = info.dependencies;
  if (count != NULL) *count = info.count;
  return cudaSuccess;
}

/* What this thread may do while a stream captures is said with each of its requests. */
WR_API cudaError_t cudaThreadExchangeStreamCaptureMode(int *mode) {
  if (mode == NULL || *mode < CAPTURE_GLOBAL || *mode > CAPTURE_RELAXED) {
    return wr_result(cudaErrorInvalidValue);
  }
  int before = wr_thread.capture_mode;
  wr_thread.capture_mode = *mode;
  *mode = before;
  return cudaSuccess;
}
