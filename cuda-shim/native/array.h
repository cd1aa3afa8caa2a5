/* What the library needs to know of an array for copies. */
#ifndef WARPRING_ARRAY_H
#define WARPRING_ARRAY_H

#include "warpring.h"

struct wr_array {
  uint8_t *start;
  size_t pitch, slice, width, height, depth, element;
  uint32_t flags, format, bits[4];
};
cudaError_t wr_array_info(const void *array, struct wr_array *result);

#endif
