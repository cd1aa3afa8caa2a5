/* Devices, errors, limits, and what belongs to the process as a whole. */
#include "driver.h"
#include "warpring.h"

WR_API cudaError_t cudaGetDeviceCount(int *count) {
  if (count == NULL) return wr_result(cudaErrorInvalidValue);
  *count = 0;
  WR_TRY(wr_connect());
  *count = wr_device.devices;
  return cudaSuccess;
}
WR_API cudaError_t cudaSetDevice(int device) {
  uint32_t context;
  WR_TRY(wr_context(device, &context));
  wr_thread.device = device;
  return cudaSuccess;
}
WR_API cudaError_t cudaGetDevice(int *device) {
  if (device == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  *device = wr_thread.device;
  return cudaSuccess;
}
WR_API cudaError_t cudaInitDevice(int device, unsigned flags, unsigned more) {
  uint32_t context;
  (void)flags, (void)more;
  return wr_result(wr_context(device, &context));
}
WR_API cudaError_t cudaSetValidDevices(int *devices, int count) {
  for (int i = 0; i < count; i++) {
    if (devices == NULL) return wr_result(cudaErrorInvalidDevice);
    WR_TRY(wr_check_device(devices[i]));
  }
  return wr_result(wr_connect());
}
/* All devices are alike. */
WR_API cudaError_t cudaChooseDevice(int *device, const void *properties) {
  if (device == NULL || properties == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_connect());
  *device = 0;
  return cudaSuccess;
}
WR_API cudaError_t cudaDeviceGetAttribute(int *value, int attribute, int device) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin_without(&c));
  wr_put32(&c, DEVICE_ATTRIBUTE_ATTRIBUTE, (uint32_t)attribute);
  wr_put32(&c, DEVICE_ATTRIBUTE_DEVICE, (uint32_t)device);
  WR_TRY(wr_send(&c, COMMAND_DEVICE_ATTRIBUTE));
  *value = (int)wr_get32(&c, DEVICE_ATTRIBUTE_VALUE);
  return cudaSuccess;
}
WR_API cudaError_t cudaDeviceSynchronize(void) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  return wr_result(wr_send(&c, COMMAND_CONTEXT_SYNCHRONIZE));
}
WR_API cudaError_t cudaDeviceReset(void) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  cudaError_t error = wr_send(&c, COMMAND_CONTEXT_RESET);
  wr_generations[wr_thread.device]++;
  return wr_result(error);
}

/* A driver is as old as the library, or newer. */
#define DRIVER_VERSION 13000
WR_API cudaError_t cudaRuntimeGetVersion(int *version) {
  if (version == NULL) return wr_result(cudaErrorInvalidValue);
  *version = WR_CUDA_VERSION;
  return cudaSuccess;
}
WR_API cudaError_t cudaDriverGetVersion(int *version) {
  if (version == NULL) return wr_result(cudaErrorInvalidValue);
  *version = DRIVER_VERSION;
  return cudaSuccess;
}

static unsigned device_flags[MAX_DEVICES];
#define SCHEDULE_MASK 7u
#define DEVICE_FLAGS_MASK 0xffu
#define DEVICE_MAP_HOST 8u
WR_API cudaError_t cudaSetDeviceFlags(unsigned flags) {
  if (flags & ~DEVICE_FLAGS_MASK) return wr_result(cudaErrorInvalidValue);
  unsigned schedule = flags & SCHEDULE_MASK;
  if (schedule & (schedule - 1)) return wr_result(cudaErrorInvalidValue);
  device_flags[wr_thread.device] = flags;
  return cudaSuccess;
}
WR_API cudaError_t cudaGetDeviceFlags(unsigned *flags) {
  if (flags == NULL) return wr_result(cudaErrorInvalidValue);
  *flags = device_flags[wr_thread.device] | DEVICE_MAP_HOST;
  return cudaSuccess;
}

WR_API cudaError_t cudaDeviceSetLimit(int limit, size_t value) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, LIMIT_SET_LIMIT, (uint32_t)limit);
  wr_put64(&c, LIMIT_SET_VALUE, value);
  return wr_result(wr_send(&c, COMMAND_LIMIT_SET));
}
WR_API cudaError_t cudaDeviceGetLimit(size_t *value, int limit) {
  struct wr_call c;
  if (value == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, LIMIT_GET_LIMIT, (uint32_t)limit);
  WR_TRY(wr_send(&c, COMMAND_LIMIT_GET));
  *value = wr_get64(&c, LIMIT_GET_VALUE);
  return cudaSuccess;
}

/* There is nothing to profile, and no cache whose lines could be given back. */
WR_API cudaError_t cudaProfilerStart(void) { return wr_result(wr_connect()); }
WR_API cudaError_t cudaProfilerStop(void) { return wr_result(wr_connect()); }
WR_API cudaError_t cudaCtxResetPersistingL2Cache(void) { return wr_result(wr_connect()); }

/* -- errors ---------------------------------------------------------------------------------- */

WR_API cudaError_t cudaGetLastError(void) {
  cudaError_t error = wr_thread.last;
  wr_thread.last = cudaSuccess;
  return error;
}
WR_API cudaError_t cudaPeekAtLastError(void) { return wr_thread.last; }

static const struct {
  cudaError_t error;
  const char *name, *text;
} errors[] = {
#define WR_ERROR(number, name, text) {number, name, text},
#include "errors.h"
};
#define ERRORS (sizeof errors / sizeof errors[0])

WR_API const char *cudaGetErrorName(cudaError_t error) {
  for (size_t i = 0; i < ERRORS; i++) {
    if (errors[i].error == error) return errors[i].name;
  }
  return "unrecognized error code";
}
WR_API const char *cudaGetErrorString(cudaError_t error) {
  for (size_t i = 0; i < ERRORS; i++) {
    if (errors[i].error == error) return errors[i].text;
  }
  return "unrecognized error code";
}

/* -- channels -------------------------------------------------------------------------------- */

struct channel {
  int x, y, z, w, kind;
};
WR_API struct channel cudaCreateChannelDesc(int x, int y, int z, int w, int kind) {
  return (struct channel){x, y, z, w, kind};
}
