/* What texture and surface objects were made of. */
#include "array.h"
#include "warpring.h"

static cudaError_t ask(unsigned long long object, uint8_t *descriptor, int *type, void **array) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put64(&c, TEXTURE_INFO_OBJECT, object);
  c.in = descriptor;
  c.in_bytes = DESCRIPTOR_SIZE;
  error = wr_send(&c, COMMAND_TEXTURE_INFO);
  *type = (int)wr_get32(&c, TEXTURE_INFO_RESOURCE);
  *array = wr_pointer(wr_get32(&c, TEXTURE_INFO_ARRAY));
  return error;
}

static uint32_t get32(const uint8_t *d, int at) {
  uint32_t v;
  memcpy(&v, d + at, 4);
  return v;
}
static uint64_t get64(const uint8_t *d, int at) {
  uint64_t v;
  memcpy(&v, d + at, 8);
  return v;
}

static cudaError_t resource(struct wr_resource *r, unsigned long long object, int surface) {
  uint8_t d[DESCRIPTOR_SIZE];
  int type;
  void *array;
  if (r == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(object, d, &type, &array));
  if (surface != (type == RESOURCE_SURFACE)) return wr_result(cudaErrorInvalidValue);
  struct wr_channel desc = {{0}, (int)get32(d, DESCRIPTOR_FORMAT)};
  uint32_t channels = get32(d, DESCRIPTOR_CHANNELS), each = get32(d, DESCRIPTOR_CHANNEL_BYTES);
  for (uint32_t i = 0; i < channels && i < 4; i++) desc.bits[i] = (int)(8 * each);
  /* Up to its flags, which versions of CUDA before 13 have at another place or not at all. */
  memset(r, 0, offsetof(struct wr_resource, of) + sizeof r->of.pitched);
  r->type = surface ? RESOURCE_ARRAY : type;
  void *start = (void *)(uintptr_t)get64(d, DESCRIPTOR_ADDRESS);
  size_t width = get32(d, DESCRIPTOR_WIDTH);
  if (r->type == RESOURCE_ARRAY || r->type == RESOURCE_MIPMAPPED) {
    r->of.array = array;
  } else if (r->type == RESOURCE_LINEAR) {
    r->of.linear.start = start;
    r->of.linear.desc = desc;
    r->of.linear.bytes = width * channels * each;
  } else {
    r->of.pitched.start = start;
    r->of.pitched.desc = desc;
    r->of.pitched.width = width;
    r->of.pitched.height = get32(d, DESCRIPTOR_HEIGHT);
    r->of.pitched.pitch = get64(d, DESCRIPTOR_PITCH);
  }
  return cudaSuccess;
}
WR_API cudaError_t cudaGetTextureObjectResourceDesc(struct wr_resource *r,
                                                    unsigned long long object) {
  return resource(r, object, 0);
}
WR_API cudaError_t cudaGetSurfaceObjectResourceDesc(struct wr_resource *r,
                                                    unsigned long long object) {
  return resource(r, object, 1);
}

WR_API cudaError_t cudaGetTextureObjectTextureDesc(struct wr_texture *t,
                                                   unsigned long long object) {
  uint8_t d[DESCRIPTOR_SIZE];
  int type;
  void *array;
  if (t == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(object, d, &type, &array));
  if (type == RESOURCE_SURFACE) return wr_result(cudaErrorInvalidValue);
  /* Up to the last field that all versions of CUDA have. */
  memset(t, 0, offsetof(struct wr_texture, no_trilinear));
  for (int i = 0; i < 3; i++) t->address[i] = (int)get32(d, DESCRIPTOR_ADDRESS_MODE_X + 4 * i);
  t->filter = (int)get32(d, DESCRIPTOR_FILTER);
  t->read = (int)get32(d, DESCRIPTOR_READ_MODE);
  t->srgb = (int)get32(d, DESCRIPTOR_SRGB);
  t->normalized = (int)get32(d, DESCRIPTOR_NORMALIZED);
  memcpy(t->border, d + DESCRIPTOR_BORDER, sizeof t->border);
  t->mipmap_filter = (int)get32(d, DESCRIPTOR_MIP_FILTER);
  memcpy(&t->mipmap_bias, d + DESCRIPTOR_MIP_BIAS, sizeof t->mipmap_bias);
  memcpy(&t->mipmap_least, d + DESCRIPTOR_MIP_LEAST, sizeof t->mipmap_least);
  memcpy(&t->mipmap_most, d + DESCRIPTOR_MIP_MOST, sizeof t->mipmap_most);
  return cudaSuccess;
}
/* Objects with views are refused when they are made. */
WR_API cudaError_t cudaGetTextureObjectResourceViewDesc(void *view, unsigned long long object) {
  uint8_t d[DESCRIPTOR_SIZE];
  int type;
  void *array;
  if (view == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(ask(object, d, &type, &array));
  return wr_result(cudaErrorInvalidValue);
}
