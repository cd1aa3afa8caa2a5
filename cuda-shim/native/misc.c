/* Registered host memory, what is known of pointers, hints for managed memory, and pools. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "warpring.h"

/* -- registered memory: the program's pages become a piece of the device's memory --------------- */

struct registration {
  struct registration *next;
  uint8_t *start; /* as registered */
  size_t bytes, pages_bytes;
  uint8_t *pages, *allocation, *alias; /* page-aligned; of the device; where the pages are in it */
};
static struct registration *registrations;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct registration *find(const void *p) {
  const uint8_t *at = p;
  for (struct registration *r = registrations; r != NULL; r = r->next) {
    if (at >= r->start && at < r->start + r->bytes) return r;
  }
  return NULL;
}

static cudaError_t move_pages(struct registration *r) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  r->pages = (uint8_t *)((uintptr_t)r->start & ~(page - 1));
  uintptr_t end = ((uintptr_t)r->start + r->bytes + page - 1) & ~(page - 1);
  r->pages_bytes = end - (uintptr_t)r->pages;
  wr_put64(&c, MEMORY_ALLOC_BYTES, r->pages_bytes + page);
  wr_put32(&c, MEMORY_ALLOC_KIND, MEMORY_HOST);
  error = wr_send(&c, COMMAND_MEMORY_ALLOC);
  if (error != cudaSuccess) return error;
  r->allocation = (uint8_t *)(uintptr_t)wr_get64(&c, MEMORY_ALLOC_ADDRESS);
  r->alias = (uint8_t *)(((uintptr_t)r->allocation + page - 1) & ~(page - 1));
  memcpy(r->alias, r->pages, r->pages_bytes);
  off_t at = (off_t)((uintptr_t)r->alias - POINTER_BASE);
  void *got = mmap(r->pages, r->pages_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                   wr_memory_fd(), at);
  return got == r->pages ? cudaSuccess : cudaErrorMemoryAllocation;
}

WR_API cudaError_t cudaHostRegister(void *p, size_t bytes, unsigned flags) {
  (void)flags;
  if (p == NULL || bytes == 0 || bytes > MAX_MEMORY_BYTES) return wr_result(cudaErrorInvalidValue);
  if (wr_is_device(p)) return wr_result(cudaErrorHostMemoryAlreadyRegistered);
  struct registration *r = calloc(1, sizeof *r);
  if (r == NULL) return wr_result(cudaErrorMemoryAllocation);
  r->start = p;
  r->bytes = bytes;
  pthread_mutex_lock(&lock);
  cudaError_t error = cudaSuccess;
  for (struct registration *o = registrations; o != NULL && error == cudaSuccess; o = o->next) {
    int apart = r->start + bytes <= o->pages || r->start >= o->pages + o->pages_bytes;
    if (!apart) error = cudaErrorHostMemoryAlreadyRegistered;
  }
  if (error == cudaSuccess) error = move_pages(r);
  if (error == cudaSuccess) {
    r->next = registrations;
    registrations = r;
  } else {
    free(r);
  }
  pthread_mutex_unlock(&lock);
  return wr_result(error);
}

WR_API cudaError_t cudaHostUnregister(void *p) {
  pthread_mutex_lock(&lock);
  struct registration **at = &registrations;
  while (*at != NULL && (*at)->start != p) at = &(*at)->next;
  struct registration *r = *at;
  if (r != NULL) *at = r->next;
  pthread_mutex_unlock(&lock);
  if (r == NULL) return wr_result(cudaErrorHostMemoryNotRegistered);
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error == cudaSuccess) error = wr_send(&c, COMMAND_CONTEXT_SYNCHRONIZE);
  void *own = mmap(NULL, r->pages_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (own == MAP_FAILED) return wr_result(cudaErrorMemoryAllocation);
  memcpy(own, r->alias, r->pages_bytes);
  void *back = mremap(own, r->pages_bytes, r->pages_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, r->pages);
  if (back != r->pages) return wr_result(cudaErrorMemoryAllocation);
  if (error == cudaSuccess) {
    wr_begin(&c, NULL);
    wr_put64(&c, MEMORY_FREE_ADDRESS, (uintptr_t)r->allocation);
    wr_put32(&c, MEMORY_FREE_KIND, MEMORY_HOST);
    error = wr_send(&c, COMMAND_MEMORY_FREE);
  }
  free(r);
  return wr_result(error);
}

static cudaError_t about(const void *p, struct wr_call *c) {
  cudaError_t error = wr_begin(c, NULL);
  if (error != cudaSuccess) return error;
  wr_put64(c, POINTER_ATTRIBUTES_ADDRESS, (uintptr_t)p);
  return wr_send(c, COMMAND_POINTER_ATTRIBUTES);
}

/* The address that kernels use for registered memory; NULL if it is none. */
static uint8_t *alias_of(const void *p) {
  pthread_mutex_lock(&lock);
  struct registration *r = find(p);
  uint8_t *alias = r == NULL ? NULL : r->alias + ((const uint8_t *)p - r->pages);
  pthread_mutex_unlock(&lock);
  return alias;
}

WR_API cudaError_t cudaHostGetDevicePointer(void **device, void *host, unsigned flags) {
  struct wr_call c;
  if (device == NULL || host == NULL || flags != 0) return wr_result(cudaErrorInvalidValue);
  uint8_t *alias = alias_of(host);
  if (alias == NULL && wr_is_device(host)) {
    WR_TRY(about(host, &c));
    if (wr_get32(&c, POINTER_ATTRIBUTES_KIND) == MEMORY_HOST) alias = host;
  }
  if (alias == NULL) return wr_result(cudaErrorInvalidValue);
  *device = alias;
  return cudaSuccess;
}
#define HOST_MAPPED 2u
WR_API cudaError_t cudaHostGetFlags(unsigned *flags, void *p) {
  struct wr_call c;
  if (flags == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(about(p, &c));
  if (wr_get32(&c, POINTER_ATTRIBUTES_KIND) != MEMORY_HOST) return wr_result(cudaErrorInvalidValue);
  *flags = wr_get32(&c, POINTER_ATTRIBUTES_FLAGS) | HOST_MAPPED;
  return cudaSuccess;
}

struct pointer_attributes {
  int type, device;
  void *device_pointer, *host_pointer;
  long reserved[8];
};
WR_API cudaError_t cudaPointerGetAttributes(struct pointer_attributes *result, const void *p) {
  struct wr_call c;
  if (result == NULL || p == NULL) return wr_result(cudaErrorInvalidValue);
  memset(result, 0, sizeof *result);
  result->device = -2;
  result->host_pointer = (void *)(uintptr_t)p;
  uint8_t *alias = alias_of(p);
  if (alias != NULL) {
    result->type = MEMORY_HOST;
    result->device = 0;
    result->device_pointer = alias;
    return cudaSuccess;
  }
  WR_TRY(about(p, &c));
  uint32_t kind = wr_get32(&c, POINTER_ATTRIBUTES_KIND);
  if (kind != MEMORY_HOST && kind != MEMORY_DEVICE && kind != MEMORY_MANAGED) return cudaSuccess;
  result->type = (int)kind;
  result->device = 0;
  result->device_pointer = (void *)(uintptr_t)p;
  if (kind == MEMORY_DEVICE) result->host_pointer = NULL;
  return cudaSuccess;
}

/* -- managed memory: host and device share it, so hints have nothing to move -------------------- */

static cudaError_t check_managed(const void *p, size_t bytes) {
  struct wr_call c;
  cudaError_t error = about(p, &c);
  if (error != cudaSuccess) return error;
  uint64_t start = wr_get64(&c, POINTER_ATTRIBUTES_START);
  uint64_t size = wr_get64(&c, POINTER_ATTRIBUTES_BYTES);
  int managed = wr_get32(&c, POINTER_ATTRIBUTES_KIND) == MEMORY_MANAGED;
  return managed && bytes <= start + size - (uintptr_t)p ? cudaSuccess : cudaErrorInvalidValue;
}
WR_API cudaError_t cudaMemPrefetchAsync(const void *p, size_t bytes, struct location location,
                                        unsigned flags, cudaStream_t stream) {
  (void)location, (void)stream;
  if (flags != 0) return wr_result(cudaErrorInvalidValue);
  return wr_result(check_managed(p, bytes));
}
WR_API cudaError_t cudaMemAdvise(const void *p, size_t bytes, int advice,
                                 struct location location) {
  (void)location;
  if (advice < 1 || advice > 6) return wr_result(cudaErrorInvalidValue);
  return wr_result(check_managed(p, bytes));
}

/* -- pools ----------------------------------------------------------------------------------- */

static cudaError_t current_pool(void **pool, int device, uint32_t set, int field) {
  struct wr_call c;
  if (device != 0) return wr_result(cudaErrorInvalidDevice);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, POOL_CURRENT_POOL, set);
  WR_TRY(wr_send(&c, COMMAND_POOL_CURRENT));
  if (pool != NULL) *pool = wr_pointer(wr_get32(&c, field));
  return cudaSuccess;
}
WR_API cudaError_t cudaDeviceGetDefaultMemPool(void **pool, int device) {
  if (pool == NULL) return wr_result(cudaErrorInvalidValue);
  return current_pool(pool, device, 0, POOL_CURRENT_DEFAULT);
}
WR_API cudaError_t cudaDeviceGetMemPool(void **pool, int device) {
  if (pool == NULL) return wr_result(cudaErrorInvalidValue);
  return current_pool(pool, device, 0, POOL_CURRENT_CURRENT);
}
WR_API cudaError_t cudaDeviceSetMemPool(int device, void *pool) {
  if (pool == NULL) return wr_result(cudaErrorInvalidValue);
  return current_pool(NULL, device, wr_handle(pool), POOL_CURRENT_CURRENT);
}
struct pool_properties {
  int type, handles;
  struct location location;
  void *security;
  size_t most;
  unsigned short usage;
  unsigned char reserved[54];
};
WR_API cudaError_t cudaMemPoolCreate(void **pool, const struct pool_properties *p) {
  struct wr_call c;
  if (pool == NULL || p == NULL) return wr_result(cudaErrorInvalidValue);
  if (p->handles != 0) return wr_result(cudaErrorNotSupported);
  WR_TRY(wr_begin(&c, NULL));
  wr_put64(&c, POOL_CREATE_MAX_BYTES, p->most);
  WR_TRY(wr_send(&c, COMMAND_POOL_CREATE));
  *pool = wr_pointer(wr_get32(&c, POOL_CREATE_POOL));
  return cudaSuccess;
}
WR_API cudaError_t cudaMemPoolDestroy(void *pool) {
  return wr_send_handle(COMMAND_POOL_DESTROY, POOL_DESTROY_POOL, pool);
}
/* The first three attributes are ints, the others 64-bit numbers. */
WR_API cudaError_t cudaMemPoolSetAttribute(void *pool, int attribute, const void *value) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  uint64_t number = 0;
  memcpy(&number, value, attribute <= POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES ? 4 : 8);
  wr_put32(&c, POOL_SET_POOL, wr_handle(pool));
  wr_put32(&c, POOL_SET_ATTRIBUTE, (uint32_t)attribute);
  wr_put64(&c, POOL_SET_VALUE, number);
  return wr_result(wr_send(&c, COMMAND_POOL_SET));
}
WR_API cudaError_t cudaMemPoolGetAttribute(void *pool, int attribute, void *value) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, POOL_GET_POOL, wr_handle(pool));
  wr_put32(&c, POOL_GET_ATTRIBUTE, (uint32_t)attribute);
  WR_TRY(wr_send(&c, COMMAND_POOL_GET));
  uint64_t number = wr_get64(&c, POOL_GET_VALUE);
  memcpy(value, &number, attribute <= POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES ? 4 : 8);
  return cudaSuccess;
}
WR_API cudaError_t cudaMemPoolTrimTo(void *pool, size_t keep) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, POOL_TRIM_POOL, wr_handle(pool));
  wr_put64(&c, POOL_TRIM_KEEP, keep);
  return wr_result(wr_send(&c, COMMAND_POOL_TRIM));
}
