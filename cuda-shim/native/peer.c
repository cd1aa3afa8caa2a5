/* One device among others: peers, its place on the bus, copies from one to another. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "array.h"
#include "driver.h"
#include "host_call.h"
#include "warpring.h"

WR_API cudaError_t cudaDeviceGetP2PAttribute(int *value, int attribute, int source, int target) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin_without(&c));
  wr_put32(&c, PEER_ATTRIBUTE_ATTRIBUTE, (uint32_t)attribute);
  wr_put32(&c, PEER_ATTRIBUTE_SOURCE, (uint32_t)source);
  wr_put32(&c, PEER_ATTRIBUTE_TARGET, (uint32_t)target);
  WR_TRY(wr_send(&c, COMMAND_PEER_ATTRIBUTE));
  *value = (int)wr_get32(&c, PEER_ATTRIBUTE_VALUE);
  return cudaSuccess;
}
/* A device is no peer of its own. */
WR_API cudaError_t cudaDeviceCanAccessPeer(int *can, int device, int peer) {
  if (can == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_check_device(device));
  if (device != peer) return cudaDeviceGetP2PAttribute(can, PEER_ACCESS_SUPPORTED, device, peer);
  *can = 0;
  return cudaSuccess;
}
static cudaError_t peer_access(int peer, uint32_t enable) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, PEER_ACCESS_DEVICE, (uint32_t)peer);
  wr_put32(&c, PEER_ACCESS_ENABLE, enable);
  return wr_result(wr_send(&c, COMMAND_PEER_ACCESS));
}
WR_API cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  if (flags != 0) return wr_result(cudaErrorInvalidValue);
  return peer_access(peer, 1);
}
WR_API cudaError_t cudaDeviceDisablePeerAccess(int peer) { return peer_access(peer, 0); }

static cudaError_t bus_address(int device, int numbers[3]) {
  const int attributes[3] = {cudaDevAttrPciDomainId, cudaDevAttrPciBusId, cudaDevAttrPciDeviceId};
  for (int i = 0; i < 3; i++) {
    struct wr_call c;
    cudaError_t error = wr_begin_without(&c);
    if (error != cudaSuccess) return error;
    wr_put32(&c, DEVICE_ATTRIBUTE_ATTRIBUTE, (uint32_t)attributes[i]);
    wr_put32(&c, DEVICE_ATTRIBUTE_DEVICE, (uint32_t)device);
    error = wr_send(&c, COMMAND_DEVICE_ATTRIBUTE);
    if (error != cudaSuccess) return error;
    numbers[i] = (int)wr_get32(&c, DEVICE_ATTRIBUTE_VALUE);
  }
  return cudaSuccess;
}
WR_API cudaError_t cudaDeviceGetPCIBusId(char *text, int room, int device) {
  int at[3];
  char own[32];
  if (text == NULL || room <= 0) return wr_result(cudaErrorInvalidValue);
  WR_TRY(bus_address(device, at));
  int length = snprintf(own, sizeof own, "%04X:%02X:%02X.0", at[0], at[1], at[2]);
  if (length >= room) return wr_result(cudaErrorInvalidValue);
  memcpy(text, own, (size_t)length + 1);
  return cudaSuccess;
}
/* Domain and function may be left out. */
WR_API cudaError_t cudaDeviceGetByPCIBusId(int *device, const char *text) {
  unsigned domain = 0, bus, slot, function = 0;
  int at[3];
  if (device == NULL || text == NULL) return wr_result(cudaErrorInvalidValue);
  int found = sscanf(text, "%x:%x:%x.%x", &domain, &bus, &slot, &function) >= 3;
  if (!found) {
    domain = function = 0;
    found = sscanf(text, "%x:%x.%x", &bus, &slot, &function) >= 2;
  }
  if (!found) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  for (int i = 0; i < wr_device.devices; i++) {
    WR_TRY(bus_address(i, at));
    if ((int)domain != at[0] || (int)bus != at[1] || (int)slot != at[2] || function != 0) continue;
    *device = i;
    return cudaSuccess;
  }
  return wr_result(cudaErrorInvalidDevice);
}

/* -- caches and banks: hints that this device has no use for -------------------------------------- */

static int cache_config[MAX_DEVICES], bank_config;
#define LAST_CACHE_CONFIG 3
#define LAST_BANK_CONFIG 2
WR_API cudaError_t cudaDeviceSetCacheConfig(int config) {
  if (config < 0 || config > LAST_CACHE_CONFIG) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  __atomic_store_n(&cache_config[wr_thread.device], config, __ATOMIC_RELAXED);
  return cudaSuccess;
}
WR_API cudaError_t cudaDeviceGetCacheConfig(int *config) {
  if (config == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  *config = __atomic_load_n(&cache_config[wr_thread.device], __ATOMIC_RELAXED);
  return cudaSuccess;
}
WR_API cudaError_t cudaDeviceSetSharedMemConfig(int config) {
  if (config < 0 || config > LAST_BANK_CONFIG) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  __atomic_store_n(&bank_config, config, __ATOMIC_RELAXED);
  return cudaSuccess;
}
#define BANKS_OF_FOUR_BYTES 1
WR_API cudaError_t cudaDeviceGetSharedMemConfig(int *config) {
  if (config == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  *config = BANKS_OF_FOUR_BYTES;
  return cudaSuccess;
}
WR_API cudaError_t cudaFuncSetSharedMemConfig(const void *func, int config) {
  struct wr_kernel *k;
  if (config < 0 || config > LAST_BANK_CONFIG) return wr_result(cudaErrorInvalidValue);
  return wr_result(wr_find_kernel(func, &k));
}
WR_API cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(size_t *width,
                                                        const struct wr_channel *desc,
                                                        int device) {
  struct wr_call c;
  if (width == NULL || desc == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin_without(&c));
  wr_put32(&c, DEVICE_ATTRIBUTE_ATTRIBUTE, cudaDevAttrMaxTexture1DLinearWidth);
  wr_put32(&c, DEVICE_ATTRIBUTE_DEVICE, (uint32_t)device);
  WR_TRY(wr_send(&c, COMMAND_DEVICE_ATTRIBUTE));
  *width = wr_get32(&c, DEVICE_ATTRIBUTE_VALUE);
  return cudaSuccess;
}

/* -- copies ---------------------------------------------------------------------------------- */

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, int kind,
                            cudaStream_t stream);
WR_API cudaError_t cudaMemcpyPeerAsync(void *dst, int to, const void *src, int from, size_t bytes,
                                       cudaStream_t stream) {
  WR_TRY(wr_check_device(to));
  WR_TRY(wr_check_device(from));
  return cudaMemcpyAsync(dst, src, bytes, COPY_DEVICE_TO_DEVICE, stream);
}
cudaError_t cudaMemcpy(void *dst, const void *src, size_t bytes, int kind);
WR_API cudaError_t cudaMemcpyPeer(void *dst, int to, const void *src, int from, size_t bytes) {
  WR_TRY(wr_check_device(to));
  WR_TRY(wr_check_device(from));
  return cudaMemcpy(dst, src, bytes, COPY_DEVICE_TO_DEVICE);
}

/* cudaMemcpy3DPeerParms. */
struct copy_3d_peer {
  void *source_array;
  struct position source_at;
  struct pitched source;
  int from;
  void *target_array;
  struct position target_at;
  struct pitched target;
  int to;
  struct extent extent;
};
static cudaError_t copy_peer(const struct copy_3d_peer *p, cudaStream_t stream, uint32_t flags) {
  struct wr_box b;
  int kind;
  if (p == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_check_device(p->from));
  WR_TRY(wr_check_device(p->to));
  struct copy_3d plain = {p->source_array, p->source_at, p->source,  p->target_array,
                          p->target_at,    p->target,    p->extent, COPY_DEVICE_TO_DEVICE};
  WR_TRY(wr_box_of(&plain, &b, &kind));
  return wr_copy_box(&b, kind, stream, flags);
}
WR_API cudaError_t cudaMemcpy3DPeer(const struct copy_3d_peer *p) { return copy_peer(p, NULL, 0); }
WR_API cudaError_t cudaMemcpy3DPeerAsync(const struct copy_3d_peer *p, cudaStream_t stream) {
  return copy_peer(p, stream, COPY_ASYNC);
}

WR_API cudaError_t cudaMemcpy2DArrayToArray(void *dst, size_t x, size_t y, void *src, size_t from_x,
                                            size_t from_y, size_t width, size_t height, int kind) {
  struct wr_array to, from;
  if (kind != COPY_DEVICE_TO_DEVICE && kind != COPY_DEFAULT) {
    return wr_result(cudaErrorInvalidMemcpyDirection);
  }
  WR_TRY(wr_array_info(dst, &to));
  WR_TRY(wr_array_info(src, &from));
  if (!wr_fits(&to, x, y, width, height) || !wr_fits(&from, from_x, from_y, width, height)) {
    return wr_result(cudaErrorInvalidValue);
  }
  struct wr_box b = {{to.start + y * to.pitch + x, to.pitch, to.slice},
                     {from.start + from_y * from.pitch + from_x, from.pitch, from.slice},
                     width, height, 1};
  return wr_copy_box(&b, COPY_DEVICE_TO_DEVICE, NULL, 0);
}
WR_API cudaError_t cudaMemcpyArrayToArray(void *dst, size_t x, size_t y, void *src, size_t from_x,
                                          size_t from_y, size_t bytes, int kind) {
  return cudaMemcpy2DArrayToArray(dst, x, y, src, from_x, from_y, bytes, 1, kind);
}
