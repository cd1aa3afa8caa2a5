/* Arrays, texture objects and surface objects. */
#include "array.h"
#include "warpring.h"

/* `levels` of a mipmapped array, or 0. */
static cudaError_t create(void **array, const struct wr_channel *desc, struct extent e,
                          unsigned levels, unsigned flags) {
  struct wr_call c;
  if (array == NULL || desc == NULL) return wr_result(cudaErrorInvalidValue);
  if (e.width > 0xffffffffu || e.height > 0xffffffffu || e.depth > 0xffffffffu) {
    return wr_result(cudaErrorInvalidValue);
  }
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, ARRAY_CREATE_WIDTH, (uint32_t)e.width);
  wr_put32(&c, ARRAY_CREATE_HEIGHT, (uint32_t)e.height);
  wr_put32(&c, ARRAY_CREATE_DEPTH, (uint32_t)e.depth);
  wr_put32(&c, ARRAY_CREATE_LEVELS, levels);
  wr_put32(&c, ARRAY_CREATE_FLAGS, flags);
  wr_put32(&c, ARRAY_CREATE_FORMAT, (uint32_t)desc->kind);
  for (int i = 0; i < 4; i++) wr_put32(&c, ARRAY_CREATE_BITS_X + 4 * i, (uint32_t)desc->bits[i]);
  WR_TRY(wr_send(&c, COMMAND_ARRAY_CREATE));
  *array = wr_pointer(wr_get32(&c, ARRAY_CREATE_ARRAY));
  return cudaSuccess;
}
WR_API cudaError_t cudaMallocArray(void **array, const struct wr_channel *desc, size_t width,
                                   size_t height, unsigned flags) {
  return create(array, desc, (struct extent){width, height, 0}, 0, flags);
}
WR_API cudaError_t cudaMalloc3DArray(void **array, const struct wr_channel *desc, struct extent extent,
                                     unsigned flags) {
  return create(array, desc, extent, 0, flags);
}
WR_API cudaError_t cudaFreeArray(void *array) {
  return array == NULL ? cudaSuccess
                       : wr_send_handle(COMMAND_ARRAY_DESTROY, ARRAY_DESTROY_ARRAY, array);
}

WR_API cudaError_t cudaMallocMipmappedArray(void **mipmapped, const struct wr_channel *desc,
                                            struct extent extent, unsigned levels,
                                            unsigned flags) {
  return create(mipmapped, desc, extent, levels == 0 ? 1 : levels, flags);
}
WR_API cudaError_t cudaFreeMipmappedArray(void *mipmapped) { return cudaFreeArray(mipmapped); }
WR_API cudaError_t cudaGetMipmappedArrayLevel(void **array, const void *mipmapped, unsigned level) {
  struct wr_call c;
  if (array == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, ARRAY_LEVEL_MIPMAPPED, wr_handle(mipmapped));
  wr_put32(&c, ARRAY_LEVEL_LEVEL, level);
  WR_TRY(wr_send(&c, COMMAND_ARRAY_LEVEL));
  *array = wr_pointer(wr_get32(&c, ARRAY_LEVEL_ARRAY));
  return cudaSuccess;
}

cudaError_t wr_array_info(const void *array, struct wr_array *a) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, ARRAY_INFO_ARRAY, wr_handle(array));
  error = wr_send(&c, COMMAND_ARRAY_INFO);
  if (error != cudaSuccess) return error;
  a->start = (uint8_t *)(uintptr_t)wr_get64(&c, ARRAY_INFO_ADDRESS);
  a->pitch = wr_get64(&c, ARRAY_INFO_PITCH);
  a->slice = wr_get64(&c, ARRAY_INFO_SLICE);
  a->width = wr_get32(&c, ARRAY_INFO_WIDTH);
  a->height = wr_get32(&c, ARRAY_INFO_HEIGHT);
  a->depth = wr_get32(&c, ARRAY_INFO_DEPTH);
  a->flags = wr_get32(&c, ARRAY_INFO_FLAGS);
  a->format = wr_get32(&c, ARRAY_INFO_FORMAT);
  uint32_t bits = 0;
  for (int i = 0; i < 4; i++) bits += a->bits[i] = wr_get32(&c, ARRAY_INFO_BITS_X + 4 * i);
  a->element = bits / 8;
  return cudaSuccess;
}
WR_API cudaError_t cudaArrayGetInfo(struct wr_channel *desc, struct extent *extent, unsigned *flags,
                                    void *array) {
  struct wr_array a;
  WR_TRY(wr_array_info(array, &a));
  if (desc != NULL) {
    for (int i = 0; i < 4; i++) desc->bits[i] = (int)a.bits[i];
    desc->kind = (int)a.format;
  }
  if (extent != NULL) *extent = (struct extent){a.width, a.height, a.depth};
  if (flags != NULL) *flags = a.flags;
  return cudaSuccess;
}
WR_API cudaError_t cudaGetChannelDesc(struct wr_channel *desc, const void *array) {
  if (desc == NULL) return wr_result(cudaErrorInvalidValue);
  return cudaArrayGetInfo(desc, NULL, NULL, (void *)(uintptr_t)array);
}

/* -- objects --------------------------------------------------------------------------------- */

static void put32(uint8_t *d, int at, uint32_t value) { memcpy(d + at, &value, 4); }
static void put64(uint8_t *d, int at, uint64_t value) { memcpy(d + at, &value, 8); }

/* Memory as a texture: its format, and how many texels of how many bytes. */
static cudaError_t put_format(uint8_t *d, const struct wr_channel *desc, size_t *element) {
  uint32_t channels = 0;
  while (channels < 4 && desc->bits[channels] != 0) channels++;
  if (channels == 0 || desc->bits[0] % 8 != 0) return cudaErrorInvalidChannelDescriptor;
  *element = channels * (size_t)desc->bits[0] / 8;
  put32(d, DESCRIPTOR_FORMAT, (uint32_t)desc->kind);
  put32(d, DESCRIPTOR_CHANNELS, channels);
  put32(d, DESCRIPTOR_CHANNEL_BYTES, (uint32_t)desc->bits[0] / 8);
  return cudaSuccess;
}

static cudaError_t send_object(unsigned long long *object, uint32_t resource, const void *array,
                               const uint8_t *descriptor) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, TEXTURE_CREATE_RESOURCE, resource);
  wr_put32(&c, TEXTURE_CREATE_ARRAY, wr_handle(array));
  c.out = descriptor;
  c.out_bytes = DESCRIPTOR_SIZE;
  WR_TRY(wr_send(&c, COMMAND_TEXTURE_CREATE));
  *object = wr_get64(&c, TEXTURE_CREATE_OBJECT);
  return cudaSuccess;
}

WR_API cudaError_t cudaCreateTextureObject(unsigned long long *object, const struct wr_resource *r,
                                           const struct wr_texture *t, const void *view) {
  if (object == NULL || r == NULL || t == NULL) return wr_result(cudaErrorInvalidValue);
  if (view != NULL) return wr_result(cudaErrorNotSupported);
  uint8_t d[DESCRIPTOR_SIZE] = {0};
  size_t element;
  const void *array = NULL;
  if (r->type == RESOURCE_ARRAY || r->type == RESOURCE_MIPMAPPED) {
    array = r->of.array;
  } else if (r->type == RESOURCE_LINEAR) {
    WR_TRY(put_format(d, &r->of.linear.desc, &element));
    put64(d, DESCRIPTOR_ADDRESS, (uintptr_t)r->of.linear.start);
    put32(d, DESCRIPTOR_WIDTH, (uint32_t)(r->of.linear.bytes / element));
  } else if (r->type == RESOURCE_PITCH_2D) {
    WR_TRY(put_format(d, &r->of.pitched.desc, &element));
    put64(d, DESCRIPTOR_ADDRESS, (uintptr_t)r->of.pitched.start);
    put64(d, DESCRIPTOR_PITCH, r->of.pitched.pitch);
    put32(d, DESCRIPTOR_WIDTH, (uint32_t)r->of.pitched.width);
    put32(d, DESCRIPTOR_HEIGHT, (uint32_t)r->of.pitched.height);
  } else {
    return wr_result(cudaErrorNotSupported);
  }
  for (int i = 0; i < 3; i++) put32(d, DESCRIPTOR_ADDRESS_MODE_X + 4 * i, (uint32_t)t->address[i]);
  put32(d, DESCRIPTOR_FILTER, (uint32_t)t->filter);
  put32(d, DESCRIPTOR_READ_MODE, (uint32_t)t->read);
  put32(d, DESCRIPTOR_NORMALIZED, t->normalized != 0);
  put32(d, DESCRIPTOR_SRGB, t->srgb != 0);
  memcpy(d + DESCRIPTOR_BORDER, t->border, sizeof t->border);
  /* What is not read has any value in some programs. */
  if (r->type == RESOURCE_MIPMAPPED) {
    put32(d, DESCRIPTOR_MIP_FILTER, (uint32_t)t->mipmap_filter);
    memcpy(d + DESCRIPTOR_MIP_BIAS, &t->mipmap_bias, sizeof t->mipmap_bias);
    memcpy(d + DESCRIPTOR_MIP_LEAST, &t->mipmap_least, sizeof t->mipmap_least);
    memcpy(d + DESCRIPTOR_MIP_MOST, &t->mipmap_most, sizeof t->mipmap_most);
  }
  return send_object(object, (uint32_t)r->type, array, d);
}
WR_API cudaError_t cudaCreateSurfaceObject(unsigned long long *object, const struct wr_resource *r) {
  if (object == NULL || r == NULL) return wr_result(cudaErrorInvalidValue);
  if (r->type != RESOURCE_ARRAY) return wr_result(cudaErrorInvalidValue);
  uint8_t d[DESCRIPTOR_SIZE] = {0};
  return send_object(object, RESOURCE_SURFACE, r->of.array, d);
}

static cudaError_t destroy(unsigned long long object) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put64(&c, TEXTURE_DESTROY_OBJECT, object);
  return wr_result(wr_send(&c, COMMAND_TEXTURE_DESTROY));
}
WR_API cudaError_t cudaDestroyTextureObject(unsigned long long object) { return destroy(object); }
WR_API cudaError_t cudaDestroySurfaceObject(unsigned long long object) { return destroy(object); }
