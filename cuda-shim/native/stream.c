/* Streams, events, and host functions in streams. */
#include <stdlib.h>

#include "host_call.h"
#include "older_errors.h"
#include "warpring.h"

static cudaError_t on_stream(uint32_t command, cudaStream_t stream) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  return wr_result(wr_send(&c, command));
}

/* Streams that were made and not destroyed; of two with the same place the later one. */
#define PLACES 4096
static uint64_t known[PLACES]; /* the handle, and above it the ordinal of the device */
int wr_device_of(cudaStream_t stream) {
  uint32_t handle = wr_handle(stream);
  if (handle <= STREAM_PER_THREAD) return wr_thread.device;
  uint64_t found = __atomic_load_n(&known[handle % PLACES], __ATOMIC_RELAXED);
  return (uint32_t)found == handle ? (int)(found >> 32) : -1;
}

WR_API cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags,
                                                int priority) {
  struct wr_call c;
  if (stream == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, STREAM_CREATE_FLAGS, flags);
  wr_put32(&c, STREAM_CREATE_PRIORITY, (uint32_t)priority);
  WR_TRY(wr_send(&c, COMMAND_STREAM_CREATE));
  uint32_t handle = wr_get32(&c, STREAM_CREATE_STREAM);
  uint64_t entry = (uint64_t)wr_thread.device << 32 | handle;
  __atomic_store_n(&known[handle % PLACES], entry, __ATOMIC_RELAXED);
  *stream = wr_pointer(handle);
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}
WR_API cudaError_t cudaStreamCreate(cudaStream_t *stream) {
  return cudaStreamCreateWithPriority(stream, 0, 0);
}
WR_API cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  int device = wr_device_of(stream);
  uint64_t entry = (uint64_t)(uint32_t)device << 32 | wr_handle(stream);
  uint64_t *place = &known[wr_handle(stream) % PLACES];
  cudaError_t error = on_stream(COMMAND_STREAM_DESTROY, stream);
  if (device >= 0 && wr_handle(stream) > STREAM_PER_THREAD) {
    __atomic_compare_exchange_n(place, &entry, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  }
  return error;
}
WR_API cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return on_stream(COMMAND_STREAM_SYNCHRONIZE, stream);
}
WR_API cudaError_t cudaStreamQuery(cudaStream_t stream) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  cudaError_t error = wr_send(&c, COMMAND_STREAM_QUERY);
  return error == cudaErrorNotReady ? error : wr_result(error);
}
WR_API cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  wr_put32(&c, STREAM_WAIT_EVENT_EVENT, wr_handle(event));
  wr_put32(&c, STREAM_WAIT_EVENT_FLAGS, flags);
  return wr_result(wr_send(&c, COMMAND_STREAM_WAIT_EVENT));
}

static cudaError_t info(cudaStream_t stream, struct wr_call *c) {
  cudaError_t error = wr_begin(c, stream);
  return error == cudaSuccess ? wr_send(c, COMMAND_STREAM_INFO) : error;
}
int wr_ask_device_of(cudaStream_t stream) {
  struct wr_call c;
  if (info(stream, &c) != cudaSuccess) return wr_thread.device;
  uint32_t device = wr_get32(&c, STREAM_INFO_DEVICE);
  uint32_t handle = wr_handle(stream);
  __atomic_store_n(&known[handle % PLACES], (uint64_t)device << 32 | handle, __ATOMIC_RELAXED);
  return (int)device;
}
WR_API cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned *flags) {
  struct wr_call c;
  if (flags == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(info(stream, &c));
  *flags = wr_get32(&c, STREAM_INFO_FLAGS);
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamGetPriority(cudaStream_t stream, int *priority) {
  struct wr_call c;
  if (priority == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(info(stream, &c));
  *priority = (int)wr_get32(&c, STREAM_INFO_PRIORITY);
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long *id) {
  struct wr_call c;
  if (id == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(info(stream, &c));
  *id = wr_get64(&c, STREAM_INFO_ID);
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamGetDevice(cudaStream_t stream, int *device) {
  struct wr_call c;
  if (device == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(info(stream, &c));
  *device = (int)wr_get32(&c, STREAM_INFO_DEVICE);
  return cudaSuccess;
}

/* -- attributes: the device keeps them --------------------------------------------------------- */

static cudaError_t attribute(struct wr_call *c, cudaStream_t stream, uint32_t what, uint32_t number) {
  cudaError_t error = wr_begin(c, stream);
  wr_put32(c, STREAM_ATTRIBUTE_WHAT, what);
  wr_put32(c, STREAM_ATTRIBUTE_NUMBER, number);
  return error;
}
WR_API cudaError_t cudaStreamSetAttribute(cudaStream_t stream, int number, const void *value) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(attribute(&c, stream, ATTRIBUTE_SET, (uint32_t)number));
  memcpy(c.request + STREAM_ATTRIBUTE_VALUE, value, ATTRIBUTE_BYTES);
  return wr_result(wr_send(&c, COMMAND_STREAM_ATTRIBUTE));
}
WR_API cudaError_t cudaStreamGetAttribute(cudaStream_t stream, int number, void *value) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(attribute(&c, stream, ATTRIBUTE_GET, (uint32_t)number));
  WR_TRY(wr_send(&c, COMMAND_STREAM_ATTRIBUTE));
  memcpy(value, c.response + STREAM_ATTRIBUTE_CURRENT, ATTRIBUTE_BYTES);
  return cudaSuccess;
}
WR_API cudaError_t cudaStreamCopyAttributes(cudaStream_t target, cudaStream_t source) {
  struct wr_call c;
  WR_TRY(attribute(&c, target, ATTRIBUTE_COPY, wr_handle(source)));
  return wr_result(wr_send(&c, COMMAND_STREAM_ATTRIBUTE));
}

WR_API cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
  if (least) *least = STREAM_PRIORITY_LEAST;
  if (greatest) *greatest = STREAM_PRIORITY_GREATEST;
  return cudaSuccess;
}

/* -- host functions -------------------------------------------------------------------------- */

void wr_host_call(struct wr_host_call *call, cudaError_t error) {
#if WR_CUDA_VERSION < 10010
  error = wr_older_error(error);
#endif
  if (call->callback != NULL) call->callback(call->stream, error, call->data);
  else call->function(call->data);
  if (call->once) free(call);
}

cudaError_t wr_enqueue_host(cudaStream_t stream, struct wr_host_call call, uint32_t flags) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  struct wr_host_call *own = malloc(sizeof *own);
  if (own == NULL) return wr_result(cudaErrorMemoryAllocation);
  *own = call;
  uint8_t box[BOX_SIZE];
  wr_host_request(&c, box, own, flags);
  cudaError_t error = wr_send(&c, COMMAND_HOST_CALL);
  if (error != cudaSuccess) free(own);
  return wr_result(error);
}

int wr_capturing;

/* A stream that captures calls its functions once for each launch of the graph. */
int wr_captures(cudaStream_t stream) {
  struct wr_call c;
  if (__atomic_load_n(&wr_capturing, __ATOMIC_RELAXED) == 0) return 0;
  if (wr_begin(&c, stream) != cudaSuccess) return 0;
  return wr_send(&c, COMMAND_CAPTURE_INFO) == cudaSuccess && wr_get32(&c, CAPTURE_INFO_STATUS) != 0;
}

WR_API cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void *), void *data) {
  if (function == NULL) return wr_result(cudaErrorInvalidValue);
  struct wr_host_call call = {function, NULL, stream, data, !wr_captures(stream)};
  return wr_enqueue_host(stream, call, 0);
}
WR_API cudaError_t cudaStreamAddCallback(cudaStream_t stream,
                                         void (*callback)(cudaStream_t, cudaError_t, void *),
                                         void *data, unsigned flags) {
  if (callback == NULL || flags != 0) return wr_result(cudaErrorInvalidValue);
  /* No node of a graph: like a question about the stream it ends the capture. */
  if (wr_captures(stream)) return cudaStreamQuery(stream);
  struct wr_host_call call = {NULL, callback, stream, data, 1};
  return wr_enqueue_host(stream, call, HOST_CALL_ALWAYS);
}

/* -- events ---------------------------------------------------------------------------------- */

WR_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
  struct wr_call c;
  if (event == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, EVENT_CREATE_FLAGS, flags);
  WR_TRY(wr_send(&c, COMMAND_EVENT_CREATE));
  *event = wr_pointer(wr_get32(&c, EVENT_CREATE_EVENT));
  return cudaSuccess;
}
WR_API cudaError_t cudaEventCreate(cudaEvent_t *event) { return cudaEventCreateWithFlags(event, 0); }
WR_API cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return wr_send_handle(COMMAND_EVENT_DESTROY, EVENT_DESTROY_EVENT, event);
}
WR_API cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream,
                                            unsigned flags) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  wr_put32(&c, EVENT_RECORD_EVENT, wr_handle(event));
  wr_put32(&c, EVENT_RECORD_FLAGS, flags);
  return wr_result(wr_send(&c, COMMAND_EVENT_RECORD));
}
WR_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, 0);
}
WR_API cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return wr_send_handle(COMMAND_EVENT_SYNCHRONIZE, EVENT_SYNCHRONIZE_EVENT, event);
}
WR_API cudaError_t cudaEventQuery(cudaEvent_t event) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, EVENT_QUERY_EVENT, wr_handle(event));
  cudaError_t error = wr_send(&c, COMMAND_EVENT_QUERY);
  return error == cudaErrorNotReady ? error : wr_result(error);
}
WR_API cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end) {
  struct wr_call c;
  if (milliseconds == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, EVENT_ELAPSED_START, wr_handle(start));
  wr_put32(&c, EVENT_ELAPSED_END, wr_handle(end));
  cudaError_t error = wr_send(&c, COMMAND_EVENT_ELAPSED);
  /* As an answer to a question it is no failure. */
  if (error == cudaErrorNotReady) return error;
  WR_TRY(error);
  uint32_t bits = wr_get32(&c, EVENT_ELAPSED_MILLISECONDS);
  memcpy(milliseconds, &bits, 4);
  return cudaSuccess;
}
