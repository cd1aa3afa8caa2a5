/* What the library needs to know of an array for copies. */
#ifndef WARPRING_ARRAY_H
#define WARPRING_ARRAY_H

#include "warpring.h"

struct wr_array {
  uint8_t *start;
  size_t pitch, slice, width, height, depth, element;
  uint32_t flags, format, bits[4];
};
/* cudaChannelFormatDesc, cudaResourceDesc, cudaTextureDesc. */
struct wr_channel {
  int bits[4], kind;
};
struct wr_resource {
  int type;
  union {
    void *array;
    struct {
      void *start;
      struct wr_channel desc;
      size_t bytes;
    } linear;
    struct {
      void *start;
      struct wr_channel desc;
      size_t width, height, pitch;
    } pitched;
    int reserved[32];
  } of;
  unsigned flags;
};
struct wr_texture {
  int address[3], filter, read, srgb;
  float border[4];
  int normalized;
  unsigned anisotropy;
  int mipmap_filter;
  float mipmap_bias, mipmap_least, mipmap_most;
  int no_trilinear, seamless;
};


cudaError_t wr_array_info(const void *array, struct wr_array *result);
/* Does a part of its first slice, in bytes and rows, lie in it? */
int wr_fits(const struct wr_array *a, size_t x, size_t y, size_t width, size_t height);

#endif
