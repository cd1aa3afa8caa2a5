/* Registered host memory, and what is known of pointers. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "warpring.h"

/* -- registered memory: the program's pages become a piece of the device's memory --------------- */

struct registration {
  struct registration *next;
  uint8_t *start; /* as registered */
  int device;
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
  r->device = wr_thread.device;
  pthread_mutex_lock(&lock);
  cudaError_t error = cudaSuccess;
  for (struct registration *o = registrations; o != NULL && error == cudaSuccess; o = o->next) {
    int apart = r->start + bytes <= o->pages || r->start >= o->pages + o->pages_bytes;
    if (!apart) error = cudaErrorHostMemoryAlreadyRegistered;
  }
  if (error == cudaSuccess) error = move_pages(r);
  if (error == cudaSuccess) {
    r->next = registrations;
    __atomic_store_n(&registrations, r, __ATOMIC_RELEASE);
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
  cudaError_t error = wr_synchronize_all();
  void *own = mmap(NULL, r->pages_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (own == MAP_FAILED) return wr_result(cudaErrorMemoryAllocation);
  memcpy(own, r->alias, r->pages_bytes);
  void *back = mremap(own, r->pages_bytes, r->pages_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, r->pages);
  if (back != r->pages) return wr_result(cudaErrorMemoryAllocation);
  if (error == cudaSuccess) error = wr_begin(&c, NULL);
  if (error == cudaSuccess) {
    wr_put64(&c, MEMORY_FREE_ADDRESS, (uintptr_t)r->allocation);
    wr_put32(&c, MEMORY_FREE_KIND, MEMORY_HOST);
    error = wr_send(&c, COMMAND_MEMORY_FREE);
  }
  free(r);
  return wr_result(error);
}

cudaError_t wr_about(const void *p, struct wr_call *c) {
  cudaError_t error = wr_begin(c, NULL);
  if (error != cudaSuccess) return error;
  wr_put64(c, POINTER_ATTRIBUTES_ADDRESS, (uintptr_t)p);
  return wr_send(c, COMMAND_POINTER_ATTRIBUTES);
}

/* The address that kernels use for registered memory; NULL if it is none. */
static uint8_t *alias_of(const void *p, int *device) {
  pthread_mutex_lock(&lock);
  struct registration *r = find(p);
  uint8_t *alias = r == NULL ? NULL : r->alias + ((const uint8_t *)p - r->pages);
  if (r != NULL) *device = r->device;
  pthread_mutex_unlock(&lock);
  return alias;
}

void *wr_known(const void *p, size_t bytes) {
  if (__atomic_load_n(&registrations, __ATOMIC_ACQUIRE) == NULL || wr_is_device(p)) {
    return (void *)(uintptr_t)p;
  }
  pthread_mutex_lock(&lock);
  struct registration *r = find(p);
  const uint8_t *at = p;
  if (r != NULL && bytes <= (size_t)(r->start + r->bytes - at)) at = r->alias + (at - r->pages);
  pthread_mutex_unlock(&lock);
  return (void *)(uintptr_t)at;
}

/*
 * Kernels reach registered memory at its place in the device's memory only. Where an argument holds an
 * address of it, as unified addressing lets programs do, that place is what the kernel gets; it is the
 * same memory for the program, too.
 */
void wr_translate_arguments(uint8_t *block, size_t bytes) {
  if (__atomic_load_n(&registrations, __ATOMIC_ACQUIRE) == NULL) return;
  for (size_t at = 0; at + 8 <= bytes; at += 8) {
    void *p;
    int device;
    memcpy(&p, block + at, 8);
    uint8_t *alias = p == NULL ? NULL : alias_of(p, &device);
    if (alias != NULL) memcpy(block + at, &alias, 8);
  }
}

WR_API cudaError_t cudaHostGetDevicePointer(void **device, void *host, unsigned flags) {
  struct wr_call c;
  if (device == NULL || host == NULL || flags != 0) return wr_result(cudaErrorInvalidValue);
  int registered_by;
  uint8_t *alias = alias_of(host, &registered_by);
  if (alias == NULL && wr_is_device(host)) {
    WR_TRY(wr_about(host, &c));
    if (wr_get32(&c, POINTER_ATTRIBUTES_KIND) == MEMORY_HOST) alias = host;
  }
  if (alias == NULL) return wr_result(cudaErrorInvalidValue);
  *device = alias;
  return cudaSuccess;
}
#define HOST_MAPPED 2u
#define NO_DEVICE (-2)
WR_API cudaError_t cudaHostGetFlags(unsigned *flags, void *p) {
  struct wr_call c;
  if (flags == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_about(p, &c));
  if (wr_get32(&c, POINTER_ATTRIBUTES_KIND) != MEMORY_HOST) return wr_result(cudaErrorInvalidValue);
  *flags = wr_get32(&c, POINTER_ATTRIBUTES_FLAGS) | HOST_MAPPED;
  return cudaSuccess;
}

cudaError_t wr_pointer_attributes(const void *p, struct wr_pointer *result) {
  struct wr_call c;
  *result = (struct wr_pointer){0, NO_DEVICE, NULL, (void *)(uintptr_t)p};
  int device;
  uint8_t *alias = alias_of(p, &device);
  if (alias != NULL) {
    *result = (struct wr_pointer){MEMORY_HOST, device, alias, (void *)(uintptr_t)p};
    return cudaSuccess;
  }
  cudaError_t error = wr_about(p, &c);
  if (error != cudaSuccess) return error;
  uint32_t kind = wr_get32(&c, POINTER_ATTRIBUTES_KIND);
  if (kind != MEMORY_HOST && kind != MEMORY_DEVICE && kind != MEMORY_MANAGED) return cudaSuccess;
  result->type = (int)kind;
  result->device = (int)wr_get32(&c, POINTER_ATTRIBUTES_DEVICE);
  result->device_pointer = (void *)(uintptr_t)p;
  if (kind == MEMORY_DEVICE) result->host_pointer = NULL;
  return cudaSuccess;
}
