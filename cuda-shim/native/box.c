/* Copies and fills of rows and slices (2-D and 3-D), and copies between memory and arrays. */
#include <stdlib.h>

#include "array.h"
#include "host_call.h"
#include "memory.h"
#include "warpring.h"

/* cudaDevAttrMaxPitch. */
#define MAX_PITCH 0x7fffffffu

void wr_move_box(const struct wr_box *b) {
  for (size_t z = 0; z < b->depth; z++) {
    for (size_t y = 0; y < b->height; y++) {
      memmove(b->target.start + z * b->target.slice + y * b->target.pitch,
              b->source.start + z * b->source.slice + y * b->source.pitch, b->width);
    }
  }
}

static void move_box(void *box) { wr_move_box(box); }

const struct wr_box *wr_box_of_call(const struct wr_host_call *call) {
  return call->function == move_box ? call->data : NULL;
}

cudaError_t wr_copy_call(const struct wr_box *box, struct wr_host_call *call) {
  struct wr_box *own = malloc(sizeof *own);
  if (own == NULL) return cudaErrorMemoryAllocation;
  *own = *box;
  *call = (struct wr_host_call){move_box, NULL, NULL, own, 0};
  return cudaSuccess;
}

static void put(uint8_t *bytes, int at, uint64_t value) { memcpy(bytes + at, &value, 8); }

static void put_side(uint8_t *bytes, int at, const struct wr_side *side) {
  put(bytes, at, wr_is_device(side->start) ? (uintptr_t)side->start : 0);
  put(bytes, at + BOX_TARGET_PITCH - BOX_TARGET, side->pitch);
  put(bytes, at + BOX_TARGET_SLICE - BOX_TARGET, side->slice);
}

static void put_box(struct wr_call *c, uint8_t *bytes, const struct wr_box *b) {
  put_side(bytes, BOX_TARGET, &b->target);
  put_side(bytes, BOX_SOURCE, &b->source);
  put(bytes, BOX_WIDTH, b->width);
  put(bytes, BOX_HEIGHT, b->height);
  put(bytes, BOX_DEPTH, b->depth);
  c->out = bytes;
  c->out_bytes = BOX_SIZE;
}

void wr_host_request(struct wr_call *c, uint8_t *bytes, const struct wr_host_call *call,
                     uint32_t flags) {
  const struct wr_box *box = wr_box_of_call(call);
  if (box != NULL) put_box(c, bytes, box);
  wr_put64(c, HOST_CALL_DATA, (uintptr_t)call);
  wr_put32(c, HOST_CALL_FLAGS, flags | (box != NULL ? HOST_CALL_COPY : 0));
}

void wr_box_request(struct wr_call *c, uint8_t *bytes, const struct wr_box *b, int kind,
                    uint32_t flags) {
  put_box(c, bytes, b);
  wr_put32(c, MEMORY_COPY_3D_KIND, (uint32_t)kind);
  wr_put32(c, MEMORY_COPY_3D_FLAGS, flags);
}

/* The bytes from a side's start to the end of its last row. */
static size_t side_bytes(const struct wr_side *side, const struct wr_box *b) {
  return (b->depth - 1) * side->slice + (b->height - 1) * side->pitch + b->width;
}
struct wr_box wr_known_box(const struct wr_box *b) {
  struct wr_box known = *b;
  if (b->width == 0 || b->height == 0 || b->depth == 0) return known;
  known.target.start = wr_known(b->target.start, side_bytes(&b->target, b));
  known.source.start = wr_known(b->source.start, side_bytes(&b->source, b));
  return known;
}

cudaError_t wr_check_box(const struct wr_box *b, int kind) {
  if (kind < 0 || kind > COPY_DEFAULT) return cudaErrorInvalidMemcpyDirection;
  int rows = b->height > 1 || b->depth > 1;
  if (rows && (b->width > b->target.pitch || b->width > b->source.pitch)) {
    return cudaErrorInvalidPitchValue;
  }
  if (rows && (b->target.pitch > MAX_PITCH || b->source.pitch > MAX_PITCH)) {
    return cudaErrorInvalidValue;
  }
  int from_host = !wr_is_device(b->source.start), to_host = !wr_is_device(b->target.start);
  int from_device = kind == COPY_DEVICE_TO_HOST || kind == COPY_DEVICE_TO_DEVICE;
  int to_device = kind == COPY_HOST_TO_DEVICE || kind == COPY_DEVICE_TO_DEVICE;
  if ((from_host && from_device) || (to_host && to_device)) return cudaErrorInvalidValue;
  if (b->source.start == NULL || b->target.start == NULL) return cudaErrorInvalidValue;
  return cudaSuccess;
}

cudaError_t wr_copy_box(const struct wr_box *box, int kind, cudaStream_t stream, uint32_t flags) {
  const struct wr_box known = wr_known_box(box), *b = &known;
  uint8_t bytes[BOX_SIZE];
  struct wr_call c;
  if (b->width == 0 || b->height == 0 || b->depth == 0) return cudaSuccess;
  WR_TRY(wr_check_box(b, kind));
  int from_host = !wr_is_device(b->source.start), to_host = !wr_is_device(b->target.start);
  if ((from_host || to_host) && flags & COPY_ASYNC && wr_captures(stream)) {
    struct wr_host_call call;
    WR_TRY(wr_copy_call(b, &call));
    return wr_enqueue_host(stream, call, 0);
  }
  WR_TRY(wr_begin(&c, stream));
  if (from_host && to_host) {
    WR_TRY(wr_send(&c, COMMAND_STREAM_SYNCHRONIZE));
  } else {
    flags |= (from_host ? COPY_SOURCE_MAPPED : 0) | (to_host ? COPY_TARGET_MAPPED : 0);
    wr_box_request(&c, bytes, b, kind, flags);
    WR_TRY(wr_send(&c, COMMAND_MEMORY_COPY_3D));
  }
  if (from_host || to_host) wr_move_box(b);
  return cudaSuccess;
}

static cudaError_t copy_2d(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
                           size_t height, int kind, cudaStream_t stream, uint32_t flags) {
  if (dpitch > MAX_PITCH || spitch > MAX_PITCH) return wr_result(cudaErrorInvalidValue);
  if (width > dpitch || width > spitch) return wr_result(cudaErrorInvalidPitchValue);
  struct wr_box b = {{dst, dpitch, dpitch * height},
                     {(uint8_t *)(uintptr_t)src, spitch, spitch * height},
                     width, height, 1};
  return wr_copy_box(&b, kind, stream, flags);
}
WR_API cudaError_t cudaMemcpy2D(void *dst, size_t dpitch, const void *src, size_t spitch,
                                size_t width, size_t height, int kind) {
  return copy_2d(dst, dpitch, src, spitch, width, height, kind, NULL, 0);
}
WR_API cudaError_t cudaMemcpy2DAsync(void *dst, size_t dpitch, const void *src, size_t spitch,
                                     size_t width, size_t height, int kind, cudaStream_t stream) {
  return copy_2d(dst, dpitch, src, spitch, width, height, kind, stream, COPY_ASYNC);
}

int wr_fits(const struct wr_array *a, size_t x, size_t y, size_t width, size_t height) {
  size_t row = a->width * a->element, rows = a->height ? a->height : 1;
  return x <= row && width <= row - x && y <= rows && height <= rows - y;
}

static cudaError_t array_copy(void *array, size_t x, size_t y, const void *memory, size_t pitch,
                              size_t width, size_t height, int kind, cudaStream_t stream,
                              int to_array, uint32_t flags) {
  struct wr_array a;
  WR_TRY(wr_array_info(array, &a));
  if (!wr_fits(&a, x, y, width, height)) {
    return wr_result(cudaErrorInvalidValue);
  }
  if (pitch > MAX_PITCH) return wr_result(cudaErrorInvalidValue);
  if (height > 1 && width > pitch) return wr_result(cudaErrorInvalidPitchValue);
  struct wr_side in_array = {a.start + y * a.pitch + x, a.pitch, a.slice};
  struct wr_side in_memory = {(uint8_t *)(uintptr_t)memory, pitch, pitch * height};
  struct wr_box b = {to_array ? in_array : in_memory, to_array ? in_memory : in_array,
                     width, height, 1};
  return wr_copy_box(&b, kind, stream, flags);
}
WR_API cudaError_t cudaMemcpy2DToArray(void *dst, size_t x, size_t y, const void *src, size_t pitch,
                                       size_t width, size_t height, int kind) {
  return array_copy(dst, x, y, src, pitch, width, height, kind, NULL, 1, 0);
}
WR_API cudaError_t cudaMemcpy2DToArrayAsync(void *dst, size_t x, size_t y, const void *src,
                                            size_t pitch, size_t width, size_t height, int kind,
                                            cudaStream_t stream) {
  return array_copy(dst, x, y, src, pitch, width, height, kind, stream, 1, COPY_ASYNC);
}
WR_API cudaError_t cudaMemcpy2DFromArray(void *dst, size_t pitch, void *src, size_t x, size_t y,
                                         size_t width, size_t height, int kind) {
  return array_copy(src, x, y, dst, pitch, width, height, kind, NULL, 0, 0);
}
WR_API cudaError_t cudaMemcpy2DFromArrayAsync(void *dst, size_t pitch, void *src, size_t x,
                                              size_t y, size_t width, size_t height, int kind,
                                              cudaStream_t stream) {
  return array_copy(src, x, y, dst, pitch, width, height, kind, stream, 0, COPY_ASYNC);
}
/* Bytes that run on from row to row of an array: the rest of a row, whole rows, the start of one. */
static cudaError_t array_run(void *array, size_t x, size_t y, const void *memory, size_t bytes,
                             int kind, cudaStream_t stream, int to_array, uint32_t flags) {
  struct wr_array a;
  WR_TRY(wr_array_info(array, &a));
  size_t row = a.width * a.element, rows = a.height ? a.height : 1;
  if (x >= row || y >= rows || bytes > (rows - y) * row - x) return wr_result(cudaErrorInvalidValue);
  const uint8_t *at = memory;
  while (bytes > 0) {
    size_t width = bytes < row - x ? bytes : row - x;
    size_t height = x == 0 && bytes >= row ? bytes / row : 1;
    WR_TRY(array_copy(array, x, y, at, width, width, height, kind, stream, to_array, flags));
    at += width * height;
    bytes -= width * height;
    y += height;
    x = 0;
  }
  return cudaSuccess;
}
WR_API cudaError_t cudaMemcpyToArray(void *dst, size_t x, size_t y, const void *src, size_t bytes,
                                     int kind) {
  return array_run(dst, x, y, src, bytes, kind, NULL, 1, 0);
}
WR_API cudaError_t cudaMemcpyToArrayAsync(void *dst, size_t x, size_t y, const void *src,
                                          size_t bytes, int kind, cudaStream_t stream) {
  return array_run(dst, x, y, src, bytes, kind, stream, 1, COPY_ASYNC);
}
WR_API cudaError_t cudaMemcpyFromArray(void *dst, void *src, size_t x, size_t y, size_t bytes,
                                       int kind) {
  return array_run(src, x, y, dst, bytes, kind, NULL, 0, 0);
}
WR_API cudaError_t cudaMemcpyFromArrayAsync(void *dst, void *src, size_t x, size_t y, size_t bytes,
                                            int kind, cudaStream_t stream) {
  return array_run(src, x, y, dst, bytes, kind, stream, 0, COPY_ASYNC);
}

/* `scale` receives the bytes of an element where the side is an array. */
static cudaError_t side_of(void *array, struct position at, struct pitched memory,
                           struct wr_side *side, size_t *scale) {
  if ((array == NULL) == (memory.start == NULL)) return cudaErrorInvalidValue;
  if (array == NULL) {
    side->pitch = memory.pitch;
    side->slice = memory.pitch * memory.height;
    side->start = (uint8_t *)memory.start + at.z * side->slice + at.y * side->pitch + at.x;
    return cudaSuccess;
  }
  struct wr_array a;
  cudaError_t error = wr_array_info(array, &a);
  if (error != cudaSuccess) return error;
  *side = (struct wr_side){a.start + at.z * a.slice + at.y * a.pitch + at.x * a.element, a.pitch,
                           a.slice};
  *scale = a.element;
  return cudaSuccess;
}

cudaError_t wr_box_of(const struct copy_3d *p, struct wr_box *b, int *kind) {
  if (p == NULL) return cudaErrorInvalidValue;
  size_t scale = 1;
  cudaError_t error = side_of(p->source_array, p->source_at, p->source, &b->source, &scale);
  if (error == cudaSuccess) {
    error = side_of(p->target_array, p->target_at, p->target, &b->target, &scale);
  }
  b->width = p->extent.width * scale;
  b->height = p->extent.height;
  b->depth = p->extent.depth;
  *kind = p->kind;
  return error;
}

WR_API cudaError_t cudaMemcpy3D(const struct copy_3d *p) {
  struct wr_box b;
  int kind;
  WR_TRY(wr_box_of(p, &b, &kind));
  return wr_copy_box(&b, kind, NULL, 0);
}
WR_API cudaError_t cudaMemcpy3DAsync(const struct copy_3d *p, cudaStream_t stream) {
  struct wr_box b;
  int kind;
  WR_TRY(wr_box_of(p, &b, &kind));
  return wr_copy_box(&b, kind, stream, COPY_ASYNC);
}

static cudaError_t fill_box(struct pitched p, int value, struct extent e, cudaStream_t stream,
                            uint32_t flags) {
  uint8_t bytes[BOX_SIZE] = {0};
  struct wr_call c;
  if (e.width == 0 || e.height == 0 || e.depth == 0) return cudaSuccess;
  WR_TRY(wr_begin(&c, stream));
  put(bytes, BOX_TARGET, (uintptr_t)p.start);
  put(bytes, BOX_TARGET_PITCH, p.pitch);
  put(bytes, BOX_TARGET_SLICE, p.pitch * p.height);
  put(bytes, BOX_WIDTH, e.width);
  put(bytes, BOX_HEIGHT, e.height);
  put(bytes, BOX_DEPTH, e.depth);
  wr_put32(&c, MEMORY_SET_3D_VALUE, (uint32_t)value & 255);
  wr_put32(&c, MEMORY_SET_3D_ELEMENT, 1);
  wr_put32(&c, MEMORY_SET_3D_FLAGS, flags);
  c.out = bytes;
  c.out_bytes = sizeof bytes;
  return wr_result(wr_send(&c, COMMAND_MEMORY_SET_3D));
}
static cudaError_t check_rows(size_t pitch, size_t width) {
  if (pitch > MAX_PITCH) return cudaErrorInvalidValue;
  return width > pitch ? cudaErrorInvalidPitchValue : cudaSuccess;
}
WR_API cudaError_t cudaMemset2D(void *dst, size_t pitch, int value, size_t width, size_t height) {
  WR_TRY(check_rows(pitch, width));
  struct pitched p = {dst, pitch, width, height};
  return fill_box(p, value, (struct extent){width, height, 1}, NULL, 0);
}
WR_API cudaError_t cudaMemset2DAsync(void *dst, size_t pitch, int value, size_t width,
                                     size_t height, cudaStream_t stream) {
  WR_TRY(check_rows(pitch, width));
  struct pitched p = {dst, pitch, width, height};
  return fill_box(p, value, (struct extent){width, height, 1}, stream, COPY_ASYNC);
}
WR_API cudaError_t cudaMemset3D(struct pitched p, int value, struct extent extent) {
  return fill_box(p, value, extent, NULL, 0);
}
WR_API cudaError_t cudaMemset3DAsync(struct pitched p, int value, struct extent extent,
                                     cudaStream_t stream) {
  return fill_box(p, value, extent, stream, COPY_ASYNC);
}
