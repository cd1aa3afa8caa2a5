/* Loads modules into the device, and asks it for their kernels and variables. */
#include <stdio.h>
#include <stdlib.h>

#include "module.h"

#define ALIGN8(n) (((n) + 7) & ~(size_t)7)

/* A device that has the module already: all of them have the same managed variables. */
static uint32_t twin(const struct wr_module *m) {
  for (int device = 0; device < MAX_DEVICES; device++) {
    const struct wr_loaded *on = &m->on[device];
    if (on->generation == wr_generations[device] && on->handle != 0) return on->handle;
  }
  return 0;
}

/* Sends an image through memory that is shared with the device. */
static cudaError_t load_image(struct wr_module *m, const void *image, size_t bytes) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  /* A kernel may be loaded because a stream that captures launches it. */
  wr_put32(&c, REQUEST_FLAGS, CAPTURE_RELAXED);
  wr_put64(&c, MEMORY_ALLOC_BYTES, bytes);
  wr_put32(&c, MEMORY_ALLOC_KIND, MEMORY_HOST);
  error = wr_send(&c, COMMAND_MEMORY_ALLOC);
  if (error != cudaSuccess) return error;
  uint64_t address = wr_get64(&c, MEMORY_ALLOC_ADDRESS);
  memcpy((void *)(uintptr_t)address, image, bytes);
  char log[4096];
  wr_begin(&c, NULL);
  wr_put32(&c, MODULE_LOAD_BYTES, (uint32_t)bytes);
  wr_put32(&c, MODULE_LOAD_FLAGS, MODULE_IMAGE_MAPPED);
  wr_put64(&c, MODULE_LOAD_ADDRESS, address);
  wr_put32(&c, MODULE_LOAD_TWIN, twin(m));
  c.in = log;
  c.in_bytes = sizeof log;
  error = wr_send(&c, COMMAND_MODULE_LOAD);
  wr_module_here(m)->handle = wr_get32(&c, MODULE_LOAD_MODULE);
  m->functions = wr_get32(&c, MODULE_LOAD_FUNCTIONS);
  if (error != cudaSuccess) {
    uint32_t length = wr_get32(&c, MODULE_LOAD_LOG_LENGTH);
    if (length > sizeof log) length = sizeof log;
    if (length > 0) fprintf(stderr, "warpring: %.*s\n", (int)length, log);
  }
  wr_begin(&c, NULL);
  wr_put32(&c, REQUEST_FLAGS, CAPTURE_RELAXED);
  wr_put64(&c, MEMORY_FREE_ADDRESS, address);
  wr_put32(&c, MEMORY_FREE_KIND, MEMORY_HOST);
  wr_send(&c, COMMAND_MEMORY_FREE);
  return error;
}

size_t wr_fatbin_bytes(const uint8_t *fatbin) {
  uint16_t header;
  uint64_t bytes;
  memcpy(&header, fatbin + 6, 2);
  memcpy(&bytes, fatbin + 8, 8);
  return header + (size_t)bytes;
}

/* The parts of separately compiled code, one behind the other: the device links them. */
static cudaError_t load_parts(struct wr_module *m, const uint8_t *const *parts) {
  size_t bytes = 0;
  for (size_t i = 0; parts[i] != NULL; i++) bytes += ALIGN8(wr_fatbin_bytes(parts[i]));
  uint8_t *image = calloc(1, bytes + 1);
  if (image == NULL) return cudaErrorMemoryAllocation;
  for (size_t i = 0, at = 0; parts[i] != NULL; at += ALIGN8(wr_fatbin_bytes(parts[i])), i++) {
    memcpy(image + at, parts[i], wr_fatbin_bytes(parts[i]));
  }
  cudaError_t error = load_image(m, image, bytes);
  free(image);
  return error;
}

cudaError_t wr_symbol_of(struct wr_module *m, const char *name, uint64_t *at, uint64_t *bytes) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, SYMBOL_GET_MODULE, wr_module_here(m)->handle);
  wr_put32(&c, SYMBOL_GET_NAME_LENGTH, (uint32_t)strlen(name));
  c.out = name;
  c.out_bytes = (uint32_t)strlen(name);
  error = wr_send(&c, COMMAND_SYMBOL_GET);
  *at = wr_get64(&c, SYMBOL_GET_ADDRESS);
  *bytes = wr_get64(&c, SYMBOL_GET_BYTES);
  return error;
}

static cudaError_t load_registered(struct wr_module *m) {
  const struct wr_wrapper *w = m->wrapper;
  cudaError_t error = w->version == WR_RELOCATABLE_WRAPPER
                          ? load_parts(m, w->parts)
                          : load_image(m, w->data, wr_fatbin_bytes(w->data));
  for (struct wr_variable *v = wr_variables; v != NULL && error == cudaSuccess; v = v->next) {
    uint64_t at, size;
    if (v->module != m || v->managed == NULL) continue;
    if (wr_symbol_of(m, v->name, &at, &size) == cudaSuccess) *v->managed = (void *)(uintptr_t)at;
  }
  return error;
}

cudaError_t wr_load_module(struct wr_module *m) {
  struct wr_loaded *here = wr_module_here(m);
  unsigned generation = wr_generations[wr_thread.device];
  if (here->generation == generation) return here->error;
  cudaError_t error = wr_connect();
  if (error != cudaSuccess) return error;
  here->handle = 0;
  here->error = m->is_library ? load_image(m, m->image, m->image_bytes) : load_registered(m);
  here->generation = generation;
  return here->error;
}

WR_API char __cudaInitModule(void **module) {
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = wr_load_module((struct wr_module *)module);
  pthread_mutex_unlock(&wr_module_lock);
  wr_result(error);
  return error == cudaSuccess;
}

cudaError_t wr_look_up(struct wr_kernel *k) {
  cudaError_t error = wr_load_module(k->module);
  struct wr_here *here = wr_here(k);
  unsigned generation = wr_generations[wr_thread.device];
  if (error != cudaSuccess || here->generation == generation) return error;
  static uint8_t table[40960];
  struct wr_call c;
  error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, FUNCTION_GET_MODULE, wr_module_here(k->module)->handle);
  wr_put32(&c, FUNCTION_GET_NAME_LENGTH, (uint32_t)strlen(k->name));
  c.out = k->name;
  c.out_bytes = (uint32_t)strlen(k->name);
  c.in = table;
  c.in_bytes = sizeof table;
  error = wr_send(&c, COMMAND_FUNCTION_GET);
#if WR_CUDA_VERSION < 13000
  if (error == cudaErrorSymbolNotFound) error = cudaErrorInvalidDeviceFunction;
#endif
  if (error != cudaSuccess) return error;
  here->function = wr_get32(&c, FUNCTION_GET_FUNCTION);
  k->parameter_bytes = wr_get32(&c, FUNCTION_GET_PARAMETER_BYTES);
  k->parameter_count = wr_get32(&c, FUNCTION_GET_PARAMETER_COUNT);
  k->shared = wr_get32(&c, FUNCTION_GET_SHARED_BYTES);
  k->local = wr_get32(&c, FUNCTION_GET_LOCAL_BYTES);
  k->constant = wr_get32(&c, FUNCTION_GET_CONST_BYTES);
  k->registers = wr_get32(&c, FUNCTION_GET_REGISTERS);
  k->max_threads = wr_get32(&c, FUNCTION_GET_MAX_THREADS);
  here->max_dynamic = wr_get32(&c, FUNCTION_GET_MAX_DYNAMIC_SHARED);
  k->ptx = wr_get32(&c, FUNCTION_GET_PTX_VERSION);
  k->binary = wr_get32(&c, FUNCTION_GET_BINARY_VERSION);
  here->clusters = wr_get32(&c, FUNCTION_GET_CLUSTERS);
  if (k->parameter_count > sizeof table / PARAMETER_SIZE) return cudaErrorInvalidKernelImage;
  /* They are the same on every device, and after every reset; other threads may be reading them. */
  struct wr_parameter *parameters = k->parameters;
  if (parameters == NULL) parameters = calloc(k->parameter_count + 1, sizeof *parameters);
  if (parameters == NULL) return cudaErrorMemoryAllocation;
  for (uint32_t i = 0; i < k->parameter_count; i++) {
    memcpy(&parameters[i].offset, table + i * PARAMETER_SIZE + PARAMETER_OFFSET, 4);
    memcpy(&parameters[i].bytes, table + i * PARAMETER_SIZE + PARAMETER_BYTES, 4);
  }
  k->parameters = parameters;
  here->generation = generation;
  return cudaSuccess;
}

/* What a function that nobody registered is: since CUDA 13 no handle of anything. */
#if WR_CUDA_VERSION >= 13000
#define NO_KERNEL cudaErrorInvalidResourceHandle
#else
#define NO_KERNEL cudaErrorInvalidDeviceFunction
#endif

cudaError_t wr_find_kernel(const void *func, struct wr_kernel **kernel) {
  pthread_mutex_lock(&wr_module_lock);
  struct wr_kernel *k = wr_registered_kernel(func);
  cudaError_t error = cudaSuccess;
  if (k == NULL) error = func == NULL ? cudaErrorInvalidDeviceFunction : NO_KERNEL;
  if (k != NULL && wr_here(k)->generation != wr_generations[wr_thread.device]) error = wr_look_up(k);
  pthread_mutex_unlock(&wr_module_lock);
  *kernel = k;
  return error;
}

struct wr_kernel *wr_registered(const void *func) {
  pthread_mutex_lock(&wr_module_lock);
  struct wr_kernel *k = wr_registered_kernel(func);
  pthread_mutex_unlock(&wr_module_lock);
  return k;
}

static int has_function(const struct wr_kernel *k, const void *function) {
  for (int device = 0; device < MAX_DEVICES; device++) {
    const struct wr_here *on = &k->on[device];
    if (on->generation == wr_generations[device] && on->function == *(const uint32_t *)function) {
      return 1;
    }
  }
  return 0;
}
struct wr_kernel *wr_kernel_of(uint32_t function) {
  pthread_mutex_lock(&wr_module_lock);
  struct wr_kernel *found = wr_some_kernel(has_function, &function);
  pthread_mutex_unlock(&wr_module_lock);
  return found;
}

cudaError_t wr_find_symbol(const void *symbol, uint64_t *address, uint64_t *bytes) {
  cudaError_t error = cudaErrorInvalidSymbol;
  pthread_mutex_lock(&wr_module_lock);
  for (struct wr_variable *v = wr_variables; v != NULL; v = v->next) {
    if (v->host != symbol) continue;
    error = wr_load_module(v->module);
    if (error == cudaSuccess) error = wr_symbol_of(v->module, v->name, address, bytes);
#if WR_CUDA_VERSION < 13000
    if (error == cudaErrorSymbolNotFound) error = cudaErrorInvalidSymbol;
#endif
    break;
  }
  pthread_mutex_unlock(&wr_module_lock);
  return error;
}
