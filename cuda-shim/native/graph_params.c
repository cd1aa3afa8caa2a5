/* The parameters of nodes: given anew, for a graph or an executable one, and asked for. */
#include <stdlib.h>

#include "graph.h"
#include "warpring.h"

#define OF_NODE {.kind = WR_NODE, .node = node}
#define OF_EXEC {.kind = WR_EXEC_NODE, .exec = exec, .node = node}

WR_API cudaError_t cudaGraphKernelNodeSetParams(void *node, const struct wr_kernel_params *params) {
  struct wr_place p = OF_NODE;
  return wr_kernel_node(&p, params);
}
WR_API cudaError_t cudaGraphExecKernelNodeSetParams(void *exec, void *node,
                                                    const struct wr_kernel_params *params) {
  struct wr_place p = OF_EXEC;
  return wr_kernel_node(&p, params);
}
WR_API cudaError_t cudaGraphMemsetNodeSetParams(void *node, const struct wr_set_params *params) {
  struct wr_place p = OF_NODE;
  return wr_set_node(&p, params);
}
WR_API cudaError_t cudaGraphExecMemsetNodeSetParams(void *exec, void *node,
                                                    const struct wr_set_params *params) {
  struct wr_place p = OF_EXEC;
  return wr_set_node(&p, params);
}
WR_API cudaError_t cudaGraphHostNodeSetParams(void *node, const struct wr_host_params *params) {
  struct wr_place p = OF_NODE;
  return wr_host_node(&p, params);
}
WR_API cudaError_t cudaGraphExecHostNodeSetParams(void *exec, void *node,
                                                  const struct wr_host_params *params) {
  struct wr_place p = OF_EXEC;
  return wr_host_node(&p, params);
}

static cudaError_t copy(const struct wr_place *p, const struct copy_3d *params) {
  struct wr_box b;
  int kind;
  WR_TRY(wr_box_of(params, &b, &kind));
  return wr_copy_node(p, &b, kind);
}
static cudaError_t copy_1d(const struct wr_place *p, void *dst, const void *src, size_t bytes,
                           int kind) {
  struct wr_box b = wr_line(dst, src, bytes);
  return wr_copy_node(p, &b, kind);
}
WR_API cudaError_t cudaGraphMemcpyNodeSetParams(void *node, const struct copy_3d *params) {
  struct wr_place p = OF_NODE;
  return copy(&p, params);
}
WR_API cudaError_t cudaGraphExecMemcpyNodeSetParams(void *exec, void *node,
                                                    const struct copy_3d *params) {
  struct wr_place p = OF_EXEC;
  return copy(&p, params);
}
WR_API cudaError_t cudaGraphMemcpyNodeSetParams1D(void *node, void *dst, const void *src,
                                                  size_t bytes, int kind) {
  struct wr_place p = OF_NODE;
  return copy_1d(&p, dst, src, bytes, kind);
}
WR_API cudaError_t cudaGraphExecMemcpyNodeSetParams1D(void *exec, void *node, void *dst,
                                                      const void *src, size_t bytes, int kind) {
  struct wr_place p = OF_EXEC;
  return copy_1d(&p, dst, src, bytes, kind);
}
WR_API cudaError_t cudaGraphMemcpyNodeSetParamsToSymbol(void *node, const void *symbol,
                                                        const void *src, size_t bytes,
                                                        size_t offset, int kind) {
  struct wr_place p = OF_NODE;
  return wr_symbol_node(&p, symbol, offset, (void *)(uintptr_t)src, bytes, kind, 1);
}
WR_API cudaError_t cudaGraphMemcpyNodeSetParamsFromSymbol(void *node, void *dst, const void *symbol,
                                                          size_t bytes, size_t offset, int kind) {
  struct wr_place p = OF_NODE;
  return wr_symbol_node(&p, symbol, offset, dst, bytes, kind, 0);
}
WR_API cudaError_t cudaGraphExecMemcpyNodeSetParamsToSymbol(void *exec, void *node,
                                                            const void *symbol, const void *src,
                                                            size_t bytes, size_t offset, int kind) {
  struct wr_place p = OF_EXEC;
  return wr_symbol_node(&p, symbol, offset, (void *)(uintptr_t)src, bytes, kind, 1);
}
WR_API cudaError_t cudaGraphExecMemcpyNodeSetParamsFromSymbol(void *exec, void *node, void *dst,
                                                              const void *symbol, size_t bytes,
                                                              size_t offset, int kind) {
  struct wr_place p = OF_EXEC;
  return wr_symbol_node(&p, symbol, offset, dst, bytes, kind, 0);
}

WR_API cudaError_t cudaGraphEventRecordNodeSetEvent(void *node, void *event) {
  struct wr_place p = OF_NODE;
  return wr_event_node(&p, event, COMMAND_EVENT_RECORD, EVENT_RECORD_EVENT);
}
WR_API cudaError_t cudaGraphEventWaitNodeSetEvent(void *node, void *event) {
  struct wr_place p = OF_NODE;
  return wr_event_node(&p, event, COMMAND_STREAM_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT);
}
WR_API cudaError_t cudaGraphExecEventRecordNodeSetEvent(void *exec, void *node, void *event) {
  struct wr_place p = OF_EXEC;
  return wr_event_node(&p, event, COMMAND_EVENT_RECORD, EVENT_RECORD_EVENT);
}
WR_API cudaError_t cudaGraphExecEventWaitNodeSetEvent(void *exec, void *node, void *event) {
  struct wr_place p = OF_EXEC;
  return wr_event_node(&p, event, COMMAND_STREAM_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT);
}

WR_API cudaError_t cudaGraphExecChildGraphNodeSetParams(void *exec, void *node, void *child) {
  struct wr_place p = OF_EXEC;
  p.child = child;
  if (child == NULL) return wr_result(cudaErrorInvalidValue);
  return wr_result(wr_record(&p, NULL, 0));
}

/* -- asking ---------------------------------------------------------------------------------- */

/* A node's recorded request, in memory that the caller frees. */
struct recorded {
  int type, device;
  uint64_t address;
  uint8_t *request;
  uint32_t bytes;
};
#define MOST_RECORDED (REQUEST_SIZE + MAX_PARAMETER_BYTES)

static uint32_t get32(const struct recorded *r, int at) {
  uint32_t v;
  memcpy(&v, r->request + at, 4);
  return v;
}
static uint64_t get64(const struct recorded *r, int at) {
  uint64_t v;
  memcpy(&v, r->request + at, 8);
  return v;
}

static const struct wr_box *pageable_copy(const struct recorded *r) {
  if (get32(r, REQUEST_COMMAND) != COMMAND_HOST_CALL) return NULL;
  return wr_box_of_call((const struct wr_host_call *)(uintptr_t)get64(r, HOST_CALL_DATA));
}

/* `type` is the one that the node must have, or -1. */
static cudaError_t ask(const void *node, int type, struct recorded *r) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  r->request = calloc(1, MOST_RECORDED);
  if (r->request == NULL) return cudaErrorMemoryAllocation;
  wr_put32(&c, GRAPH_NODE_GET_NODE, wr_handle(node));
  c.in = r->request;
  c.in_bytes = MOST_RECORDED;
  error = wr_send(&c, COMMAND_GRAPH_NODE_GET);
  r->type = (int)wr_get32(&c, GRAPH_NODE_GET_TYPE);
  r->device = (int)wr_get32(&c, GRAPH_NODE_GET_DEVICE);
  r->bytes = wr_get32(&c, GRAPH_NODE_GET_REQUEST_BYTES);
  r->address = wr_get64(&c, GRAPH_NODE_GET_ADDRESS);
  if (error == cudaSuccess && type >= 0 && r->type != type) error = cudaErrorInvalidValue;
  if (error != cudaSuccess) free(r->request);
  return error;
}

WR_API cudaError_t cudaGraphNodeGetType(void *node, int *type) {
  struct recorded r;
  if (type == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, -1, &r));
  *type = r.type;
  free(r.request);
  return cudaSuccess;
}

/* What kernelParams points to: kept for each node until it is asked for again. */
struct kept {
  struct kept *next;
  const void *node;
  void **args;
};
static struct kept *kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void **keep(const void *node, const struct wr_kernel *k, const uint8_t *block) {
  void **args = malloc(k->parameter_count * sizeof *args + k->parameter_bytes + 1);
  if (args == NULL) return NULL;
  uint8_t *values = (uint8_t *)(args + k->parameter_count);
  memcpy(values, block, k->parameter_bytes);
  for (uint32_t i = 0; i < k->parameter_count; i++) args[i] = values + k->parameters[i].offset;
  pthread_mutex_lock(&lock);
  struct kept *e = kept;
  while (e != NULL && e->node != node) e = e->next;
  if (e == NULL && (e = calloc(1, sizeof *e)) != NULL) {
    e->next = kept;
    kept = e;
  }
  if (e != NULL) {
    free(e->args);
    e->node = node;
    e->args = args;
  }
  pthread_mutex_unlock(&lock);
  return args;
}

WR_API cudaError_t cudaGraphKernelNodeGetParams(void *node, struct wr_kernel_params *params) {
  struct recorded r;
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, NODE_KERNEL, &r));
  const struct wr_kernel *k = wr_kernel_of(get32(&r, LAUNCH_FUNCTION));
  cudaError_t error = k == NULL ? cudaErrorInvalidDeviceFunction : cudaSuccess;
  if (k != NULL) {
    memset(params, 0, sizeof *params);
    params->func = (void *)(uintptr_t)(k->host != NULL ? k->host : k);
    memcpy(&params->grid, r.request + LAUNCH_GRID_X, sizeof params->grid);
    memcpy(&params->block, r.request + LAUNCH_BLOCK_X, sizeof params->block);
    params->shared = get32(&r, LAUNCH_SHARED_BYTES);
    params->args = keep(node, k, r.request + REQUEST_SIZE);
    if (params->args == NULL) error = cudaErrorMemoryAllocation;
  }
  free(r.request);
  return wr_result(error);
}

static struct pitched pitched_of(const struct wr_side *side, size_t width) {
  size_t rows = side->pitch ? side->slice / side->pitch : 0;
  return (struct pitched){side->start, side->pitch, width, rows};
}
static struct wr_side side_of(const uint8_t *box, int at) {
  struct wr_side side;
  uint64_t fields[3];
  memcpy(fields, box + at, sizeof fields);
  side = (struct wr_side){(uint8_t *)(uintptr_t)fields[0], fields[1], fields[2]};
  return side;
}
/* A side that is an array comes back as the memory of the array. */
WR_API cudaError_t cudaGraphMemcpyNodeGetParams(void *node, struct copy_3d *params) {
  struct recorded r;
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, NODE_MEMCPY, &r));
  const struct wr_box *pageable = pageable_copy(&r);
  const uint8_t *box = r.request + REQUEST_SIZE;
  struct wr_box b = {0};
  int kind = COPY_DEFAULT;
  if (pageable != NULL) {
    b = *pageable;
  } else if (get32(&r, REQUEST_COMMAND) == COMMAND_MEMORY_COPY_3D) {
    uint64_t extent[3];
    memcpy(extent, box + BOX_WIDTH, sizeof extent);
    b = (struct wr_box){side_of(box, BOX_TARGET), side_of(box, BOX_SOURCE), extent[0], extent[1],
                        extent[2]};
    kind = (int)get32(&r, MEMORY_COPY_3D_KIND);
  } else {
    b = wr_line((void *)(uintptr_t)get64(&r, MEMORY_COPY_TARGET),
                (void *)(uintptr_t)get64(&r, MEMORY_COPY_SOURCE), get64(&r, MEMORY_COPY_BYTES));
    kind = (int)get32(&r, MEMORY_COPY_KIND);
  }
  free(r.request);
  memset(params, 0, sizeof *params);
  params->source = pitched_of(&b.source, b.width);
  params->target = pitched_of(&b.target, b.width);
  params->extent = (struct extent){b.width, b.height, b.depth};
  params->kind = kind;
  return cudaSuccess;
}

WR_API cudaError_t cudaGraphMemsetNodeGetParams(void *node, struct wr_set_params *params) {
  struct recorded r;
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, NODE_MEMSET, &r));
  if (get32(&r, REQUEST_COMMAND) == COMMAND_MEMORY_SET) {
    size_t width = get64(&r, MEMORY_SET_COUNT);
    unsigned element = get32(&r, MEMORY_SET_WIDTH);
    *params = (struct wr_set_params){(void *)(uintptr_t)get64(&r, MEMORY_SET_TARGET),
                                     width * element, get32(&r, MEMORY_SET_VALUE), element, width, 1};
  } else {
    struct wr_side side = side_of(r.request + REQUEST_SIZE, BOX_TARGET);
    unsigned element = get32(&r, MEMORY_SET_3D_ELEMENT);
    uint64_t extent[2];
    memcpy(extent, r.request + REQUEST_SIZE + BOX_WIDTH, sizeof extent);
    *params = (struct wr_set_params){side.start, side.pitch, get32(&r, MEMORY_SET_3D_VALUE), element,
                                     extent[0] / element, extent[1]};
  }
  free(r.request);
  return cudaSuccess;
}

WR_API cudaError_t cudaGraphHostNodeGetParams(void *node, struct wr_host_params *params) {
  struct recorded r;
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, NODE_HOST, &r));
  const struct wr_host_call *call = (void *)(uintptr_t)get64(&r, HOST_CALL_DATA);
  *params = (struct wr_host_params){call->function, call->data};
  free(r.request);
  return cudaSuccess;
}

static cudaError_t event_of(void *node, int type, int field, void **event) {
  struct recorded r;
  if (event == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, type, &r));
  *event = wr_pointer(get32(&r, field));
  free(r.request);
  return cudaSuccess;
}
WR_API cudaError_t cudaGraphEventRecordNodeGetEvent(void *node, void **event) {
  return event_of(node, NODE_EVENT_RECORD, EVENT_RECORD_EVENT, event);
}
WR_API cudaError_t cudaGraphEventWaitNodeGetEvent(void *node, void **event) {
  return event_of(node, NODE_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT, event);
}
WR_API cudaError_t cudaGraphMemAllocNodeGetParams(void *node, struct wr_alloc_params *params) {
  struct recorded r;
  if (params == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, NODE_MEM_ALLOC, &r));
  memset(params, 0, sizeof *params);
  params->pool.type = WR_ALLOCATION_PINNED;
  params->pool.location = (struct location){WR_LOCATION_DEVICE, r.device};
  params->bytes = get64(&r, MEMORY_ALLOC_ASYNC_BYTES);
  params->address = (void *)(uintptr_t)r.address;
  free(r.request);
  return cudaSuccess;
}
WR_API cudaError_t cudaGraphMemFreeNodeGetParams(void *node, void **address) {
  struct recorded r;
  if (address == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(node, NODE_MEM_FREE, &r));
  *address = (void *)(uintptr_t)r.address;
  free(r.request);
  return cudaSuccess;
}

/* -- attributes of kernel nodes: only the cooperative launch changes anything ------------------- */

#define ATTRIBUTE_COOPERATIVE 2
static int known_attribute(int attribute) {
  return attribute == ATTRIBUTE_ACCESS_POLICY_WINDOW || attribute == ATTRIBUTE_COOPERATIVE ||
         attribute == ATTRIBUTE_PRIORITY;
}

WR_API cudaError_t cudaGraphKernelNodeGetAttribute(void *node, int attribute, void *value) {
  struct recorded r;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  if (!known_attribute(attribute)) return wr_result(cudaErrorNotSupported);
  WR_TRY(ask(node, NODE_KERNEL, &r));
  int cooperative = (get32(&r, LAUNCH_FLAGS) & LAUNCH_COOPERATIVE) != 0;
  free(r.request);
  memset(value, 0, 64); /* cudaLaunchAttributeValue */
  if (attribute == ATTRIBUTE_COOPERATIVE) memcpy(value, &cooperative, sizeof cooperative);
  return cudaSuccess;
}

static cudaError_t set_cooperative(const void *node, struct recorded *r, int cooperative) {
  struct wr_place p = OF_NODE;
  struct wr_call request = {.out = r->request + REQUEST_SIZE, .out_bytes = r->bytes - REQUEST_SIZE};
  uint32_t flags = get32(r, LAUNCH_FLAGS) & ~(uint32_t)LAUNCH_COOPERATIVE;
  memcpy(request.request, r->request, REQUEST_SIZE);
  wr_put32(&request, LAUNCH_FLAGS, flags | (cooperative ? LAUNCH_COOPERATIVE : 0));
  int before = wr_thread.device;
  wr_thread.device = r->device; /* where the node stays */
  cudaError_t error = wr_record(&p, &request, COMMAND_LAUNCH);
  wr_thread.device = before;
  return error;
}
WR_API cudaError_t cudaGraphKernelNodeSetAttribute(void *node, int attribute, const void *value) {
  struct recorded r;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  if (!known_attribute(attribute)) return wr_result(cudaErrorNotSupported);
  WR_TRY(ask(node, NODE_KERNEL, &r));
  cudaError_t error = cudaSuccess;
  int cooperative;
  memcpy(&cooperative, value, sizeof cooperative);
  if (attribute == ATTRIBUTE_COOPERATIVE) error = set_cooperative(node, &r, cooperative);
  free(r.request);
  return wr_result(error);
}
WR_API cudaError_t cudaGraphKernelNodeCopyAttributes(void *target, void *source) {
  struct recorded from, to;
  WR_TRY(ask(source, NODE_KERNEL, &from));
  int cooperative = (get32(&from, LAUNCH_FLAGS) & LAUNCH_COOPERATIVE) != 0;
  free(from.request);
  WR_TRY(ask(target, NODE_KERNEL, &to));
  cudaError_t error = set_cooperative(target, &to, cooperative);
  free(to.request);
  return wr_result(error);
}
