/* Memory: allocation, copies and fills. */
#include "host_call.h"
#include "memory.h"
#include "warpring.h"

static cudaError_t allocate(void **result, size_t bytes, uint32_t kind, uint32_t flags) {
  if (result == NULL) return wr_result(cudaErrorInvalidValue);
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put64(&c, MEMORY_ALLOC_BYTES, bytes);
  wr_put32(&c, MEMORY_ALLOC_KIND, kind);
  wr_put32(&c, MEMORY_ALLOC_FLAGS, flags);
  WR_TRY(wr_send(&c, COMMAND_MEMORY_ALLOC));
  *result = (void *)(uintptr_t)wr_get64(&c, MEMORY_ALLOC_ADDRESS);
  return cudaSuccess;
}

static cudaError_t give_back(void *p, uint32_t kind) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put64(&c, MEMORY_FREE_ADDRESS, (uintptr_t)p);
  wr_put32(&c, MEMORY_FREE_KIND, kind);
  return wr_result(wr_send(&c, COMMAND_MEMORY_FREE));
}

WR_API cudaError_t cudaMalloc(void **p, size_t bytes) {
  return allocate(p, bytes, MEMORY_DEVICE, 0);
}
WR_API cudaError_t cudaFree(void *p) { return give_back(p, MEMORY_DEVICE); }
WR_API cudaError_t cudaMallocHost(void **p, size_t bytes) {
  return allocate(p, bytes, MEMORY_HOST, 0);
}
WR_API cudaError_t cudaHostAlloc(void **p, size_t bytes, unsigned flags) {
  return allocate(p, bytes, MEMORY_HOST, flags);
}
WR_API cudaError_t cudaFreeHost(void *p) { return give_back(p, MEMORY_HOST); }
WR_API cudaError_t cudaMallocManaged(void **p, size_t bytes, unsigned flags) {
  return allocate(p, bytes, MEMORY_MANAGED, flags);
}

#define PITCH_ALIGNMENT 512
WR_API cudaError_t cudaMallocPitch(void **p, size_t *pitch, size_t width, size_t height) {
  if (pitch == NULL) return wr_result(cudaErrorInvalidValue);
  if (width > MAX_MEMORY_BYTES || height > MAX_MEMORY_BYTES) {
    return wr_result(cudaErrorMemoryAllocation);
  }
  size_t row = (width + PITCH_ALIGNMENT - 1) / PITCH_ALIGNMENT * PITCH_ALIGNMENT;
  if (row != 0 && height > MAX_MEMORY_BYTES / row) return wr_result(cudaErrorMemoryAllocation);
  *pitch = row;
  return allocate(p, row * height, MEMORY_DEVICE, 0);
}

WR_API cudaError_t cudaMalloc3D(struct pitched *result, struct extent extent) {
  if (result == NULL) return wr_result(cudaErrorInvalidValue);
  if (extent.depth != 0 && extent.height > MAX_MEMORY_BYTES / extent.depth) {
    return wr_result(cudaErrorMemoryAllocation);
  }
  void *start;
  size_t pitch;
  cudaError_t error = cudaMallocPitch(&start, &pitch, extent.width, extent.height * extent.depth);
  if (error == cudaSuccess) *result = (struct pitched){start, pitch, extent.width, extent.height};
  return error;
}

WR_API cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, MEMORY_INFO_DEVICE, (uint32_t)wr_thread.device);
  WR_TRY(wr_send(&c, COMMAND_MEMORY_INFO));
  if (available) *available = wr_get64(&c, MEMORY_INFO_FREE);
  if (total) *total = wr_get64(&c, MEMORY_INFO_TOTAL);
  return cudaSuccess;
}

/* -- copies --------------------------------------------------------------------------------- */

/* Memory that the device does not know goes in the request up to this size, else by the mapping. */
#define INLINE_BYTES 16384

static cudaError_t synchronize(cudaStream_t stream) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, stream);
  return error == cudaSuccess ? wr_send(&c, COMMAND_STREAM_SYNCHRONIZE) : error;
}

static cudaError_t copy(void *dst, const void *src, size_t bytes, int kind, cudaStream_t stream,
                        uint32_t flags) {
  struct wr_call c;
  if (kind < 0 || kind > COPY_DEFAULT) return wr_result(cudaErrorInvalidMemcpyDirection);
  if (bytes == 0) return cudaSuccess;
  dst = wr_known(dst, bytes);
  src = wr_known(src, bytes);
  int from_host = !wr_is_device(src), to_host = !wr_is_device(dst);
  if (from_host && (kind == COPY_DEVICE_TO_HOST || kind == COPY_DEVICE_TO_DEVICE)) {
    return wr_result(cudaErrorInvalidValue);
  }
  if (to_host && (kind == COPY_HOST_TO_DEVICE || kind == COPY_DEVICE_TO_DEVICE)) {
    return wr_result(cudaErrorInvalidValue);
  }
  if (dst == NULL || src == NULL) return wr_result(cudaErrorInvalidValue);
  if ((from_host || to_host) && flags & COPY_ASYNC && wr_captures(stream)) {
    struct wr_box box = {{dst, bytes, bytes}, {(uint8_t *)(uintptr_t)src, bytes, bytes}, bytes, 1, 1};
    struct wr_host_call call;
    WR_TRY(wr_copy_call(&box, &call));
    return wr_enqueue_host(stream, call, 0);
  }
  if (from_host && to_host) {
    WR_TRY(synchronize(stream));
    memmove(dst, src, bytes);
    return cudaSuccess;
  }
  WR_TRY(wr_begin(&c, stream));
  wr_put64(&c, MEMORY_COPY_TARGET, to_host ? 0 : (uintptr_t)dst);
  wr_put64(&c, MEMORY_COPY_SOURCE, from_host ? 0 : (uintptr_t)src);
  wr_put64(&c, MEMORY_COPY_BYTES, bytes);
  wr_put32(&c, MEMORY_COPY_KIND, (uint32_t)kind);
  int small = bytes <= INLINE_BYTES;
  if (from_host && small) {
    flags |= COPY_SOURCE_INLINE;
    c.out = src;
    c.out_bytes = (uint32_t)bytes;
  } else if (from_host) {
    flags |= COPY_SOURCE_MAPPED;
  } else if (to_host && small) {
    flags |= COPY_TARGET_INLINE;
    c.in = dst;
    c.in_bytes = (uint32_t)bytes;
  } else if (to_host) {
    flags |= COPY_TARGET_MAPPED;
  }
  wr_put32(&c, MEMORY_COPY_FLAGS, flags);
  WR_TRY(wr_send(&c, COMMAND_MEMORY_COPY));
  /* The device has checked the range and the stream's turn has come: the bytes move once. */
  if (flags & (COPY_SOURCE_MAPPED | COPY_TARGET_MAPPED)) memcpy(dst, src, bytes);
  return cudaSuccess;
}

WR_API cudaError_t cudaMemcpy(void *dst, const void *src, size_t bytes, int kind) {
  return copy(dst, src, bytes, kind, NULL, 0);
}
WR_API cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, int kind,
                                   cudaStream_t stream) {
  return copy(dst, src, bytes, kind, stream, COPY_ASYNC);
}

cudaError_t wr_symbol_range(const void *symbol, size_t offset, size_t bytes, void **at) {
  uint64_t address, size;
  cudaError_t error = wr_find_symbol(symbol, &address, &size);
  if (error != cudaSuccess) return error;
  if (offset > size || bytes > size - offset) return cudaErrorInvalidValue;
  *at = (void *)(uintptr_t)(address + offset);
  return cudaSuccess;
}

WR_API cudaError_t cudaMemcpyToSymbol(const void *symbol, const void *src, size_t bytes,
                                      size_t offset, int kind) {
  void *at;
  WR_TRY(wr_symbol_range(symbol, offset, bytes, &at));
  return copy(at, src, bytes, kind, NULL, 0);
}
WR_API cudaError_t cudaMemcpyToSymbolAsync(const void *symbol, const void *src, size_t bytes,
                                           size_t offset, int kind, cudaStream_t stream) {
  void *at;
  WR_TRY(wr_symbol_range(symbol, offset, bytes, &at));
  return copy(at, src, bytes, kind, stream, COPY_ASYNC);
}
WR_API cudaError_t cudaMemcpyFromSymbol(void *dst, const void *symbol, size_t bytes, size_t offset,
                                        int kind) {
  void *at;
  WR_TRY(wr_symbol_range(symbol, offset, bytes, &at));
  return copy(dst, at, bytes, kind, NULL, 0);
}
WR_API cudaError_t cudaMemcpyFromSymbolAsync(void *dst, const void *symbol, size_t bytes,
                                             size_t offset, int kind, cudaStream_t stream) {
  void *at;
  WR_TRY(wr_symbol_range(symbol, offset, bytes, &at));
  return copy(dst, at, bytes, kind, stream, COPY_ASYNC);
}
WR_API cudaError_t cudaGetSymbolAddress(void **address, const void *symbol) {
  if (address == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_symbol_range(symbol, 0, 0, address));
  return cudaSuccess;
}
WR_API cudaError_t cudaGetSymbolSize(size_t *size, const void *symbol) {
  uint64_t address, bytes;
  if (size == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_find_symbol(symbol, &address, &bytes));
  *size = bytes;
  return cudaSuccess;
}

/* -- fills ---------------------------------------------------------------------------------- */

static cudaError_t fill(void *dst, int value, size_t bytes, cudaStream_t stream, uint32_t flags) {
  struct wr_call c;
  if (bytes == 0) return cudaSuccess;
  WR_TRY(wr_begin(&c, stream));
  wr_put64(&c, MEMORY_SET_TARGET, (uintptr_t)wr_known(dst, bytes));
  wr_put64(&c, MEMORY_SET_COUNT, bytes);
  wr_put32(&c, MEMORY_SET_VALUE, (uint32_t)value & 255);
  wr_put32(&c, MEMORY_SET_WIDTH, 1);
  wr_put32(&c, MEMORY_SET_FLAGS, flags);
  return wr_result(wr_send(&c, COMMAND_MEMORY_SET));
}
WR_API cudaError_t cudaMemset(void *dst, int value, size_t bytes) {
  return fill(dst, value, bytes, NULL, 0);
}
WR_API cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t stream) {
  return fill(dst, value, bytes, stream, COPY_ASYNC);
}

/* -- stream-ordered allocation --------------------------------------------------------------- */

static cudaError_t allocate_async(void **p, size_t bytes, const void *pool, cudaStream_t stream) {
  struct wr_call c;
  if (p == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, stream));
  wr_put64(&c, MEMORY_ALLOC_ASYNC_BYTES, bytes);
  wr_put32(&c, MEMORY_ALLOC_ASYNC_POOL, wr_handle(pool));
  WR_TRY(wr_send(&c, COMMAND_MEMORY_ALLOC_ASYNC));
  *p = (void *)(uintptr_t)wr_get64(&c, MEMORY_ALLOC_ASYNC_ADDRESS);
  return cudaSuccess;
}
WR_API cudaError_t cudaMallocAsync(void **p, size_t bytes, cudaStream_t stream) {
  return allocate_async(p, bytes, NULL, stream);
}
WR_API cudaError_t cudaMallocFromPoolAsync(void **p, size_t bytes, void *pool,
                                           cudaStream_t stream) {
  if (pool == NULL) return wr_result(cudaErrorInvalidValue);
  return allocate_async(p, bytes, pool, stream);
}
WR_API cudaError_t cudaFreeAsync(void *p, cudaStream_t stream) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, stream));
  wr_put64(&c, MEMORY_FREE_ASYNC_ADDRESS, (uintptr_t)p);
  return wr_result(wr_send(&c, COMMAND_MEMORY_FREE_ASYNC));
}
