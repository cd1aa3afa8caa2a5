/* cudaGetDeviceProperties, whose structure differs from version to version. */
#include "warpring.h"

/* Two versions of a structure have the same name in CUDA: 12 kept the entry point of 11. */
#if WR_CUDA_VERSION >= 12000 && WR_CUDA_VERSION < 13000
#define PROPERTIES_VERSION 11000
#else
#define PROPERTIES_VERSION WR_CUDA_VERSION
#endif
#define PROPERTIES_NAME(x) x
#include "properties.h"

WR_API cudaError_t cudaGetDeviceProperties(struct device_properties *p, int device) {
  return get_properties(p, device);
}
