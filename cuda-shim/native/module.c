/* What the program registers before main: fat binaries, kernels, variables. And launches. */
#include <stdio.h>
#include <stdlib.h>

#include "warpring.h"

struct wr_variable {
  struct wr_variable *next;
  const void *host;
  void **managed; /* where the program keeps the address of a __managed__ variable */
  const char *name;
  struct wr_module *module;
};

/* The wrapper that nvcc puts around a fat binary, or around the parts of separately compiled code. */
struct wrapper {
  uint32_t magic, version;
  const uint8_t *data;
  const uint8_t *const *parts; /* of a RELOCATABLE_WRAPPER; the last one is NULL */
};

struct wr_module {
  struct wr_module *next;
  const struct wrapper *wrapper;
  unsigned generation;
  cudaError_t error;
  uint32_t handle;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wr_module *modules;
static struct wr_variable *variables;
static struct wr_kernel **kernels; /* open addressing by host address */
static size_t kernel_room, kernel_count;

#define RELOCATABLE_WRAPPER 2
#define ALIGN8(n) (((n) + 7) & ~(size_t)7)

static size_t place(const void *host, size_t room) {
  return ((uintptr_t)host * 0x9e3779b97f4a7c15u >> 20) & (room - 1);
}

static void insert(struct wr_kernel **table, size_t room, struct wr_kernel *kernel) {
  size_t at = place(kernel->host, room);
  while (table[at] != NULL) at = (at + 1) & (room - 1);
  table[at] = kernel;
}

WR_API void **__cudaRegisterFatBinary(void *wrapper) {
  struct wr_module *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  m->wrapper = wrapper;
  pthread_mutex_lock(&lock);
  m->next = modules;
  modules = m;
  pthread_mutex_unlock(&lock);
  return (void **)m;
}

WR_API void __cudaRegisterFatBinaryEnd(void **module) { (void)module; }

/* At the end of the process, or when a shared library is closed: its kernels are never named again. */
WR_API void __cudaUnregisterFatBinary(void **module) { (void)module; }

WR_API void __cudaRegisterFunction(void **module, const char *host, char *device, const char *name,
                                   int limit, void *tid, void *bid, void *block, void *grid,
                                   int *warp) {
  (void)device, (void)limit, (void)tid, (void)bid, (void)block, (void)grid, (void)warp;
  struct wr_kernel *k = calloc(1, sizeof *k);
  if (k == NULL) return;
  k->host = host;
  k->name = name;
  k->module = (struct wr_module *)module;
  pthread_mutex_lock(&lock);
  if (2 * (kernel_count + 1) > kernel_room) {
    size_t room = kernel_room ? 2 * kernel_room : 64;
    struct wr_kernel **table = calloc(room, sizeof *table);
    for (size_t i = 0; table != NULL && i < kernel_room; i++) {
      if (kernels[i] != NULL) insert(table, room, kernels[i]);
    }
    if (table != NULL) {
      free(kernels);
      kernels = table;
      kernel_room = room;
    }
  }
  if (kernel_count < kernel_room) {
    insert(kernels, kernel_room, k);
    kernel_count++;
  }
  pthread_mutex_unlock(&lock);
}

static void add_variable(void **module, const void *host, void **managed, const char *name) {
  struct wr_variable *v = calloc(1, sizeof *v);
  if (v == NULL) return;
  v->host = host;
  v->managed = managed;
  v->name = name;
  v->module = (struct wr_module *)module;
  pthread_mutex_lock(&lock);
  v->next = variables;
  variables = v;
  pthread_mutex_unlock(&lock);
}

WR_API void __cudaRegisterVar(void **module, char *host, char *device, const char *name, int ext,
                              size_t size, int constant, int global) {
  (void)device, (void)ext, (void)size, (void)constant, (void)global;
  add_variable(module, host, NULL, name);
}

WR_API void __cudaRegisterManagedVar(void **module, void **host, char *device, const char *name,
                                     int ext, size_t size, int constant, int global) {
  (void)device, (void)ext, (void)size, (void)constant, (void)global;
  add_variable(module, host, host, name);
}

/* -- loading -------------------------------------------------------------------------------- */

/* Sends an image through memory that is shared with the device. */
static cudaError_t load_image(struct wr_module *m, const void *image, size_t bytes) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
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
  c.in = log;
  c.in_bytes = sizeof log;
  error = wr_send(&c, COMMAND_MODULE_LOAD);
  m->handle = wr_get32(&c, MODULE_LOAD_MODULE);
  if (error != cudaSuccess) {
    uint32_t length = wr_get32(&c, MODULE_LOAD_LOG_LENGTH);
    if (length > sizeof log) length = sizeof log;
    if (length > 0) fprintf(stderr, "warpring: %.*s\n", (int)length, log);
  }
  wr_begin(&c, NULL);
  wr_put64(&c, MEMORY_FREE_ADDRESS, address);
  wr_put32(&c, MEMORY_FREE_KIND, MEMORY_HOST);
  wr_send(&c, COMMAND_MEMORY_FREE);
  return error;
}

static size_t fatbin_bytes(const uint8_t *fatbin) {
  uint16_t header;
  uint64_t bytes;
  memcpy(&header, fatbin + 6, 2);
  memcpy(&bytes, fatbin + 8, 8);
  return header + (size_t)bytes;
}

/* The parts of separately compiled code, one behind the other: the device links them. */
static cudaError_t load_parts(struct wr_module *m, const uint8_t *const *parts) {
  size_t bytes = 0;
  for (size_t i = 0; parts[i] != NULL; i++) bytes += ALIGN8(fatbin_bytes(parts[i]));
  uint8_t *image = calloc(1, bytes + 1);
  if (image == NULL) return cudaErrorMemoryAllocation;
  for (size_t i = 0, at = 0; parts[i] != NULL; at += ALIGN8(fatbin_bytes(parts[i])), i++) {
    memcpy(image + at, parts[i], fatbin_bytes(parts[i]));
  }
  cudaError_t error = load_image(m, image, bytes);
  free(image);
  return error;
}

static cudaError_t symbol_of(struct wr_module *m, const char *name, uint64_t *at, uint64_t *bytes) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, SYMBOL_GET_MODULE, m->handle);
  wr_put32(&c, SYMBOL_GET_NAME_LENGTH, (uint32_t)strlen(name));
  c.out = name;
  c.out_bytes = (uint32_t)strlen(name);
  error = wr_send(&c, COMMAND_SYMBOL_GET);
  *at = wr_get64(&c, SYMBOL_GET_ADDRESS);
  *bytes = wr_get64(&c, SYMBOL_GET_BYTES);
  return error;
}

/* With the lock held. A module is loaded when something of it is used first, as CUDA does it. */
static cudaError_t load(struct wr_module *m) {
  if (m->generation == wr_generation) return m->error;
  cudaError_t error = wr_connect();
  if (error != cudaSuccess) return error;
  const struct wrapper *w = m->wrapper;
  m->error = w->version == RELOCATABLE_WRAPPER ? load_parts(m, w->parts)
                                               : load_image(m, w->data, fatbin_bytes(w->data));
  m->generation = wr_generation;
  for (struct wr_variable *v = variables; v != NULL && m->error == cudaSuccess; v = v->next) {
    uint64_t at, size;
    if (v->module != m || v->managed == NULL) continue;
    if (symbol_of(m, v->name, &at, &size) == cudaSuccess) *v->managed = (void *)(uintptr_t)at;
  }
  return m->error;
}

WR_API char __cudaInitModule(void **module) {
  pthread_mutex_lock(&lock);
  cudaError_t error = load((struct wr_module *)module);
  pthread_mutex_unlock(&lock);
  wr_result(error);
  return error == cudaSuccess;
}

static cudaError_t look_up(struct wr_kernel *k) {
  cudaError_t error = load(k->module);
  if (error != cudaSuccess || k->generation == wr_generation) return error;
  static uint8_t table[40960];
  struct wr_call c;
  error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, FUNCTION_GET_MODULE, k->module->handle);
  wr_put32(&c, FUNCTION_GET_NAME_LENGTH, (uint32_t)strlen(k->name));
  c.out = k->name;
  c.out_bytes = (uint32_t)strlen(k->name);
  c.in = table;
  c.in_bytes = sizeof table;
  error = wr_send(&c, COMMAND_FUNCTION_GET);
  if (error == cudaErrorSymbolNotFound) error = cudaErrorInvalidDeviceFunction;
  if (error != cudaSuccess) return error;
  k->function = wr_get32(&c, FUNCTION_GET_FUNCTION);
  k->parameter_bytes = wr_get32(&c, FUNCTION_GET_PARAMETER_BYTES);
  k->parameter_count = wr_get32(&c, FUNCTION_GET_PARAMETER_COUNT);
  k->shared = wr_get32(&c, FUNCTION_GET_SHARED_BYTES);
  k->local = wr_get32(&c, FUNCTION_GET_LOCAL_BYTES);
  k->constant = wr_get32(&c, FUNCTION_GET_CONST_BYTES);
  k->registers = wr_get32(&c, FUNCTION_GET_REGISTERS);
  k->max_threads = wr_get32(&c, FUNCTION_GET_MAX_THREADS);
  k->max_dynamic = wr_get32(&c, FUNCTION_GET_MAX_DYNAMIC_SHARED);
  k->ptx = wr_get32(&c, FUNCTION_GET_PTX_VERSION);
  k->binary = wr_get32(&c, FUNCTION_GET_BINARY_VERSION);
  if (k->parameter_count > sizeof table / PARAMETER_SIZE) return cudaErrorInvalidKernelImage;
  free(k->parameters);
  k->parameters = calloc(k->parameter_count + 1, sizeof *k->parameters);
  if (k->parameters == NULL) return cudaErrorMemoryAllocation;
  for (uint32_t i = 0; i < k->parameter_count; i++) {
    memcpy(&k->parameters[i].offset, table + i * PARAMETER_SIZE + PARAMETER_OFFSET, 4);
    memcpy(&k->parameters[i].bytes, table + i * PARAMETER_SIZE + PARAMETER_BYTES, 4);
  }
  k->generation = wr_generation;
  return cudaSuccess;
}

cudaError_t wr_find_kernel(const void *func, struct wr_kernel **kernel) {
  struct wr_kernel *k = NULL;
  pthread_mutex_lock(&lock);
  for (size_t i = place(func, kernel_room); kernel_room; i = (i + 1) & (kernel_room - 1)) {
    if (kernels[i] == NULL) break;
    if (kernels[i]->host == func) k = kernels[i];
    if (k != NULL) break;
  }
  for (size_t i = 0; k == NULL && i < kernel_room; i++) {
    if (kernels[i] != NULL && kernels[i] == func) k = kernels[i];
  }
  cudaError_t error = k == NULL ? cudaErrorInvalidDeviceFunction : cudaSuccess;
  if (k != NULL && k->generation != wr_generation) error = look_up(k);
  pthread_mutex_unlock(&lock);
  *kernel = k;
  return error;
}

cudaError_t wr_find_symbol(const void *symbol, uint64_t *address, uint64_t *bytes) {
  cudaError_t error = cudaErrorInvalidSymbol;
  pthread_mutex_lock(&lock);
  for (struct wr_variable *v = variables; v != NULL; v = v->next) {
    if (v->host != symbol) continue;
    error = load(v->module);
    if (error == cudaSuccess) error = symbol_of(v->module, v->name, address, bytes);
    if (error == cudaErrorSymbolNotFound) error = cudaErrorInvalidSymbol;
    break;
  }
  pthread_mutex_unlock(&lock);
  return error;
}
