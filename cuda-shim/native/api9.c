/*
 * CUDA 9: launches in three calls, and its own error numbers. The other entry points of this library
 * are generated; each calls the implementation and gives the error its number of CUDA 9.
 */
#include "launch.h"
#include "older_errors.h"
#include "warpring.h"

#define MOST_ARGUMENT_BYTES 4096

/* The launch that the thread configures. Configurations may be nested. */
struct configured {
  struct wr_config config;
  uint8_t arguments[MOST_ARGUMENT_BYTES];
};
static __thread struct configured stack[4];
static __thread int depth;

WR_API cudaError_t cudaConfigureCall(dim3 grid, dim3 block, size_t shared, cudaStream_t stream) {
  if (depth == (int)(sizeof stack / sizeof stack[0])) {
    return wr_result(cudaErrorInvalidConfiguration);
  }
  struct configured *c = &stack[depth++];
  memset(c, 0, sizeof *c);
  c->config = (struct wr_config){grid, block, shared, stream};
  return cudaSuccess;
}
WR_API cudaError_t cudaSetupArgument(const void *argument, size_t bytes, size_t offset) {
  if (depth == 0) return wr_result(cudaErrorMissingConfiguration);
  if (argument == NULL || offset > MOST_ARGUMENT_BYTES || bytes > MOST_ARGUMENT_BYTES - offset) {
    return wr_result(cudaErrorInvalidValue);
  }
  memcpy(stack[depth - 1].arguments + offset, argument, bytes);
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void *func, dim3 grid, dim3 block, void **args, size_t shared,
                             cudaStream_t stream);
#define MOST_PARAMETERS 1024
WR_API cudaError_t cudaLaunch(const void *func) {
  if (depth == 0) return wr_result(cudaErrorMissingConfiguration);
  struct configured *c = &stack[--depth];
  struct wr_kernel *k;
  void *args[MOST_PARAMETERS];
  WR_TRY(wr_find_kernel(func, &k));
  if (k->parameter_count > MOST_PARAMETERS || k->parameter_bytes > MOST_ARGUMENT_BYTES) {
    return wr_result(cudaErrorInvalidValue);
  }
  for (uint32_t i = 0; i < k->parameter_count; i++) args[i] = c->arguments + k->parameters[i].offset;
  return cudaLaunchKernel(func, c->config.grid, c->config.block, args, c->config.shared,
                          c->config.stream);
}

/* -- error numbers: CUDA 10.1 gave most of them new ones ------------------------------------------ */

static const struct {
  int now, then;
} numbers[] = {
    {cudaErrorInvalidValue, 11},
    {cudaErrorMissingConfiguration, 1},
    {cudaErrorLaunchFailure, 4},
    {cudaErrorLaunchTimeout, 6},
    {cudaErrorLaunchOutOfResources, 7},
    {cudaErrorInvalidDeviceFunction, 8},
    {cudaErrorInvalidDevice, 10},
    {cudaErrorInvalidSymbol, 13},
    {cudaErrorUnknown, 30},
    {cudaErrorInvalidResourceHandle, 33},
    {cudaErrorNotReady, 34},
    {cudaErrorNoDevice, 38},
    {cudaErrorECCUncorrectable, 39},
    {cudaErrorUnsupportedLimit, 42},
    {cudaErrorInvalidKernelImage, 47},
    {cudaErrorNoKernelImageForDevice, 48},
    {cudaErrorPeerAccessAlreadyEnabled, 50},
    {cudaErrorPeerAccessNotEnabled, 51},
    {cudaErrorAssert, 59},
    {cudaErrorHostMemoryAlreadyRegistered, 61},
    {cudaErrorHostMemoryNotRegistered, 62},
    {cudaErrorOperatingSystem, 63},
    {cudaErrorPeerAccessUnsupported, 64},
    {cudaErrorNotPermitted, 70},
    {cudaErrorNotSupported, 71},
    {cudaErrorHardwareStackError, 72},
    {cudaErrorIllegalInstruction, 73},
    {cudaErrorMisalignedAddress, 74},
    {cudaErrorInvalidAddressSpace, 75},
    {cudaErrorInvalidPc, 76},
    {cudaErrorIllegalAddress, 77},
    {cudaErrorInvalidPtx, 78},
    {cudaErrorCooperativeLaunchTooLarge, 82},
    {cudaErrorCudartUnloading, 29},
    {cudaErrorProfilerDisabled, 55},
    {cudaErrorPriorLaunchFailure, 5},
    {cudaErrorSetOnActiveProcess, 36},
    {cudaErrorTooManyPeers, 60},
    {cudaErrorDeviceUninitialized, 3},
    {cudaErrorSharedObjectSymbolNotFound, 40},
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])
#define OLD_UNKNOWN 30
#define FIRST_NEW_NUMBER 100

/* Numbers below 100 are what they were, but for those that the table has. */
int wr_older_error(cudaError_t error) {
  for (size_t i = 0; i < NUMBERS; i++) {
    if (numbers[i].now == error) return numbers[i].then;
  }
  return error < FIRST_NEW_NUMBER ? error : OLD_UNKNOWN;
}
static cudaError_t newer_error(int error) {
  for (size_t i = 0; i < NUMBERS; i++) {
    if (numbers[i].then == error) return numbers[i].now;
  }
  return error;
}

const char *cudaGetErrorName(cudaError_t error);
const char *cudaGetErrorString(cudaError_t error);
const char *wr_older_error_name(int error) { return cudaGetErrorName(newer_error(error)); }
const char *wr_older_error_string(int error) { return cudaGetErrorString(newer_error(error)); }
