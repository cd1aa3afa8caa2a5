/**
 * The functions that the runtime provides to kernels: bytes of their arguments (12: three words) and
 * of their result.
 */
export const HOST_FUNCTIONS: Record<string, { args: number[]; result: number }> = {
  vprintf: { args: [8, 8], result: 4 },
  malloc: { args: [8], result: 8 },
  free: { args: [8], result: 0 },
  __assertfail: { args: [8, 8, 4, 8, 8], result: 0 },
  cudaGraphSetConditional: { args: [8, 4], result: 0 },
  // The device runtime of CUDA 12 and later (CUDA Programming Guide, "CUDA Dynamic Parallelism").
  __cudaCDP2GetParameterBufferV2: { args: [8, 12, 12, 4], result: 8 },
  __cudaCDP2LaunchDeviceV2: { args: [8, 8], result: 4 },
  __cudaCDP2GetLastError: { args: [], result: 4 },
  __cudaCDP2PeekAtLastError: { args: [], result: 4 },
  __cudaCDP2StreamCreateWithFlags: { args: [8, 4], result: 4 },
  __cudaCDP2StreamDestroy: { args: [8], result: 4 },
  __cudaCDP2StreamWaitEvent: { args: [8, 8, 4], result: 4 },
  __cudaCDP2EventCreateWithFlags: { args: [8, 4], result: 4 },
  __cudaCDP2EventRecord: { args: [8, 8], result: 4 },
  __cudaCDP2EventRecordWithFlags: { args: [8, 8, 4], result: 4 },
  __cudaCDP2EventDestroy: { args: [8], result: 4 },
  __cudaCDP2GetDevice: { args: [8], result: 4 },
  __cudaCDP2GetDeviceCount: { args: [8], result: 4 },
  __cudaCDP2GetErrorName: { args: [4], result: 8 },
  __cudaCDP2GetErrorString: { args: [4], result: 8 },
  __cudaCDP2MemcpyAsync: { args: [8, 8, 8, 4, 8], result: 4 },
  __cudaCDP2Memcpy2DAsync: { args: [8, 8, 8, 8, 8, 8, 4, 8], result: 4 },
  __cudaCDP2MemsetAsync: { args: [8, 4, 8, 8], result: 4 },
  __cudaCDP2Memset2DAsync: { args: [8, 8, 4, 8, 8, 8], result: 4 },
};
