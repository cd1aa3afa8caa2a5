/* Pools of stream-ordered allocation. */
#include "memory.h"
#include "warpring.h"

static cudaError_t current_pool(void **pool, int device, uint32_t set, int field) {
  struct wr_call c;
  WR_TRY(wr_begin_on(&c, device, NULL));
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
WR_API cudaError_t cudaMemPoolCreate(void **pool, const struct wr_pool_properties *p) {
  struct wr_call c;
  if (pool == NULL || p == NULL) return wr_result(cudaErrorInvalidValue);
  if (p->handles != 0) return wr_result(cudaErrorNotSupported);
  if (p->type != WR_ALLOCATION_PINNED) return wr_result(cudaErrorInvalidValue);
  if (p->location.type != WR_LOCATION_DEVICE) {
    return wr_result(p->location.type == 0 ? cudaErrorInvalidValue : cudaErrorNotSupported);
  }
  WR_TRY(wr_begin_on(&c, p->location.id, NULL));
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

/* -- where they are, and who reaches them ------------------------------------------------------ */

cudaError_t wr_check_place(const struct location *location, int type) {
  if (location == NULL || type != WR_ALLOCATION_PINNED) return cudaErrorInvalidValue;
  if (location->type != WR_LOCATION_DEVICE) return cudaErrorNotSupported;
  return wr_check_device(location->id);
}
WR_API cudaError_t cudaMemGetDefaultMemPool(void **pool, struct location *location, int type) {
  WR_TRY(wr_check_place(location, type));
  return cudaDeviceGetDefaultMemPool(pool, location->id);
}
WR_API cudaError_t cudaMemGetMemPool(void **pool, struct location *location, int type) {
  WR_TRY(wr_check_place(location, type));
  return cudaDeviceGetMemPool(pool, location->id);
}
WR_API cudaError_t cudaMemSetMemPool(struct location *location, int type, void *pool) {
  WR_TRY(wr_check_place(location, type));
  return cudaDeviceSetMemPool(location->id, pool);
}

static cudaError_t pool_access(void *pool, const struct location *location, struct wr_call *c) {
  cudaError_t error = wr_check_place(location, WR_ALLOCATION_PINNED);
  if (error == cudaSuccess) error = wr_begin(c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(c, POOL_ACCESS_POOL, wr_handle(pool));
  wr_put32(c, POOL_ACCESS_DEVICE, (uint32_t)location->id);
  return cudaSuccess;
}
WR_API cudaError_t cudaMemPoolGetAccess(int *flags, void *pool, struct location *location) {
  struct wr_call c;
  if (flags == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(pool_access(pool, location, &c));
  WR_TRY(wr_send(&c, COMMAND_POOL_ACCESS));
  *flags = (int)wr_get32(&c, POOL_ACCESS_ALLOWED);
  return cudaSuccess;
}
WR_API cudaError_t cudaMemPoolSetAccess(void *pool, const struct wr_access *list, size_t count) {
  if (list == NULL && count > 0) return wr_result(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; i++) {
    struct wr_call c;
    WR_TRY(pool_access(pool, &list[i].location, &c));
    wr_put32(&c, POOL_ACCESS_SET, 1);
    wr_put32(&c, POOL_ACCESS_FLAGS, (uint32_t)list[i].flags);
    WR_TRY(wr_send(&c, COMMAND_POOL_ACCESS));
  }
  return cudaSuccess;
}
