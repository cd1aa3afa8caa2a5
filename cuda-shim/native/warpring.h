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
  int device; /* the ordinal that it is for, as far as that is known here */
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

/* Starts a request for the primary context of the thread's device, and makes that if need be. */
cudaError_t wr_begin(struct wr_call *c, cudaStream_t stream);
/* The same for a device by its ordinal, which may be none. */
cudaError_t wr_begin_on(struct wr_call *c, int device, cudaStream_t stream);
/* Starts a request that needs no context. */
cudaError_t wr_begin_without(struct wr_call *c);
/* Sends it and waits for the answer. Returns the answer's error, or why there is none. */
cudaError_t wr_send(struct wr_call *c, uint32_t command);
/* Sends a launch without waiting: its error, if any, comes with the next synchronising call. */
cudaError_t wr_post(struct wr_call *c, uint32_t command);
/* The device's answer for calls that name a handle as their only field. */
cudaError_t wr_send_handle(uint32_t command, int at, const void *handle);

/* Connection, driver.c. */
cudaError_t wr_connect(void);
/* Connects, and says whether there is a device of that ordinal. */
cudaError_t wr_check_device(int device);
/* The primary context of a device, made if need be. */
cudaError_t wr_context(int device, uint32_t *context);
/* Waits for all work of all devices. */
cudaError_t wr_synchronize_all(void);
/* Counts the resets of each device: after one modules have to be loaded again. */
extern unsigned wr_generations[MAX_DEVICES];
/* Is it an address of the device's memory, which this process shares? */
static inline int wr_is_device(const void *p) {
  return (uintptr_t)p - POINTER_BASE < MAX_MEMORY_BYTES;
}
/* The error that the thread's device has until it is reset, as far as it has said it. */
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
  int device; /* cudaSetDevice */
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

/* The device of a stream, -1 if that is not known here: some are forgotten. */
int wr_device_of(cudaStream_t stream);
/* The device is asked; the thread's device for what is no stream. */
int wr_ask_device_of(cudaStream_t stream);

/* The program's modules and kernels, module.c. */
struct wr_parameter {
  uint32_t offset, bytes;
};
/* A kernel on one device. */
struct wr_here {
  unsigned generation; /* the rest is valid if it is that of the device */
  uint32_t function, max_dynamic, clusters;
};
struct wr_kernel {
  const void *host;
  const char *name;
  struct wr_module *module;
  struct wr_here on[MAX_DEVICES];
  uint32_t parameter_bytes, parameter_count;
  uint32_t shared, local, constant, registers, max_threads, ptx, binary;
  struct wr_parameter *parameters;
};
static inline struct wr_here *wr_here(struct wr_kernel *k) { return &k->on[wr_thread.device]; }
/* The kernel registered under a host function's address, or that is such a handle; on this device. */
cudaError_t wr_find_kernel(const void *func, struct wr_kernel **kernel);
/* The kernel of a registered function, or NULL; nothing is loaded. */
struct wr_kernel *wr_registered(const void *func);
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
