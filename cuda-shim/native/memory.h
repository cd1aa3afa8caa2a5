/* What is known of memory: for the entry points whose form differs between versions of CUDA. */
#ifndef WARPRING_MEMORY_H
#define WARPRING_MEMORY_H

#include "warpring.h"

/* Sends POINTER_ATTRIBUTES. */
cudaError_t wr_about(const void *p, struct wr_call *c);

/* cudaPointerAttributes of CUDA 11 and 12. */
struct wr_pointer {
  int type, device;
  void *device_pointer, *host_pointer;
};
cudaError_t wr_pointer_attributes(const void *p, struct wr_pointer *result);

/* Where the device knows memory: registered memory's place in the device's memory, else `p` itself. */
void *wr_known(const void *p, size_t bytes);
/* Addresses of registered memory among a kernel's arguments become the ones that kernels use. */
void wr_translate_arguments(uint8_t *block, size_t bytes);

/* Places of managed memory: a device, or the host. */
#define WR_LOCATION_DEVICE 1
#define WR_LOCATION_HOST 2
#define WR_CPU_DEVICE (-1)
/* The location of a device's number, of which cudaCpuDeviceId is the host's. */
static inline struct location wr_location_of(int device) {
  int on_host = device == WR_CPU_DEVICE;
  return (struct location){on_host ? WR_LOCATION_HOST : WR_LOCATION_DEVICE, on_host ? 0 : device};
}
/* Is it a place that memory of pools and graphs can have? */
#define WR_ALLOCATION_PINNED 1
cudaError_t wr_check_place(const struct location *location, int type);
/* cudaMemPoolProps, cudaMemAccessDesc. */
struct wr_pool_properties {
  int type, handles;
  struct location location;
  void *security;
  size_t most;
  unsigned short usage;
  unsigned char reserved[54];
};
struct wr_access {
  struct location location;
  int flags;
};
cudaError_t wr_prefetch(const void *p, size_t bytes, struct location location, unsigned flags,
                        cudaStream_t stream);
cudaError_t wr_advise(const void *p, size_t bytes, int advice, struct location location);

#endif
