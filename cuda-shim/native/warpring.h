/*
 * What the files of the library share: the request being built, the driver's entry, the program's
 * modules and kernels, and what belongs to a host thread. Layouts are in protocol.h, which is
 * generated from runtime/protocol/.
 */
#ifndef WARPRING_H
#define WARPRING_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WR_OWN_NAMES
#include "names.h"
#endif
#include "protocol.h"

/* The version of CUDA whose library this is: 1000 major + 10 minor. */
#ifndef WR_CUDA_VERSION
#error "define WR_CUDA_VERSION"
#endif

#define WR_API __attribute__((visibility("default")))

typedef int cudaError_t;
typedef void *cudaStream_t;
typedef void *cudaEvent_t;
typedef void *cudaKernel_t;
typedef struct {
  unsigned x, y, z;
} dim3;

/* Structures that CUDA passes by value: cudaExtent, cudaPos, cudaPitchedPtr, cudaMemLocation. */
struct extent {
  size_t width, height, depth;
};
struct position {
  size_t x, y, z;
};
struct pitched {
  void *start;
  size_t pitch, width, height;
};
struct location {
  int type, id;
};

/* A request and its answer; `out` follows the request, `in` receives what follows the answer. */
struct wr_call {
  _Alignas(8) uint8_t request[REQUEST_SIZE];
  _Alignas(8) uint8_t response[MAX_RESPONSE_SIZE];
  const void *out;
  uint32_t out_bytes;
  void *in;
  uint32_t in_bytes;
};

static inline void wr_put32(struct wr_call *c, int at, uint32_t v) { memcpy(c->request + at, &v, 4); }
static inline void wr_put64(struct wr_call *c, int at, uint64_t v) { memcpy(c->request + at, &v, 8); }
static inline uint32_t wr_get32(const struct wr_call *c, int at) {
  uint32_t v;
  memcpy(&v, c->response + at, 4);
  return v;
}
static inline uint64_t wr_get64(const struct wr_call *c, int at) {
  uint64_t v;
  memcpy(&v, c->response + at, 8);
  return v;
}

/* Starts a request for the primary context; connects to the device if that was not done yet. */
cudaError_t wr_begin(struct wr_call *c, cudaStream_t stream);
/* Sends it and waits for the answer. Returns the answer's error, or why there is none. */
cudaError_t wr_send(struct wr_call *c, uint32_t command);
/* Sends a launch without waiting: its error, if any, comes with the next synchronising call. */
cudaError_t wr_post(struct wr_call *c, uint32_t command);
/* The device's answer for calls that name a handle as their only field. */
cudaError_t wr_send_handle(uint32_t command, int at, const void *handle);

/* Connection, driver.c. */
cudaError_t wr_connect(void);
/* Empties the context: modules have to be loaded again. */
extern unsigned wr_generation;
/* Is it an address of the device's memory, which this process shares? */
static inline int wr_is_device(const void *p) {
  return (uintptr_t)p - POINTER_BASE < MAX_MEMORY_BYTES;
}
/* The error that the context has until it is reset, as far as the device has said it. */
cudaError_t wr_failure(void);
/* The file that backs it. */
int wr_memory_fd(void);
/* Text of kernels, and host functions: takes what the device has said. */
void wr_events(void);

/* What belongs to a host thread. */
struct wr_config {
  dim3 grid, block;
  size_t shared;
  cudaStream_t stream;
};
struct wr_thread {
  cudaError_t last;
  int per_thread_default; /* a *_ptsz or *_ptds entry point is running */
  int capture_mode;       /* cudaStreamCaptureMode of the thread */
  int depth;
  struct wr_config configs[8];
};
extern __thread struct wr_thread wr_thread;
/* Remembers an error as the thread's last one, and returns it. */
static inline cudaError_t wr_result(cudaError_t e) {
  if (e != cudaSuccess) wr_thread.last = e;
  return e;
}
static inline uint32_t wr_handle(const void *p) {
  uintptr_t v = (uintptr_t)p;
  return v > 0xffffffffu ? 0xffffffffu : (uint32_t)v; /* no handle of the device */
}
static inline void *wr_pointer(uint32_t handle) { return (void *)(uintptr_t)handle; }

/* Is it a stream for certain? Some streams are forgotten: then the device is asked. */
int wr_is_stream(cudaStream_t stream);

/* The program's modules and kernels, module.c. */
struct wr_parameter {
  uint32_t offset, bytes;
};
struct wr_kernel {
  const void *host;
  const char *name;
  struct wr_module *module;
  unsigned generation; /* the rest is valid if it is wr_generation */
  uint32_t function, parameter_bytes, parameter_count;
  uint32_t shared, local, constant, registers, max_threads, max_dynamic, ptx, binary, clusters;
  struct wr_parameter *parameters;
};
/* The kernel registered under a host function's address, or that is such a handle. */
cudaError_t wr_find_kernel(const void *func, struct wr_kernel **kernel);
/* The address and size of a registered variable. */
cudaError_t wr_find_symbol(const void *symbol, uint64_t *address, uint64_t *bytes);
/* Where a part of a registered variable is. */
cudaError_t wr_symbol_range(const void *symbol, size_t offset, size_t bytes, void **at);
/* The kernel of a function's handle, or NULL. */
struct wr_kernel *wr_kernel_of(uint32_t function);

#define WR_TRY(expression)                     \
  do {                                         \
    cudaError_t wr_error = (expression);       \
    if (wr_error != cudaSuccess) return wr_result(wr_error); \
  } while (0)

#endif
