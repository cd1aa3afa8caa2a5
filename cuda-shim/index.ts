/**
 * The CUDA runtime API in TypeScript. Calls by CUDA's own names return a `cudaError_t` number and put
 * results into `{ value }` boxes; the classes over them throw a `CudaError`.
 */
export * from "../runtime/protocol/attributes.ts";
export * from "../runtime/protocol/errors.ts";
export * from "./async.ts";
export * from "./classes/index.ts";
export * from "./constants.ts";
export * from "./device.ts";
export { CudaError, cudaGetErrorName, cudaGetErrorString } from "./errors.ts";
export * from "./event.ts";
export * from "./function.ts";
export * from "./host-call.ts";
export {
  __cudaLaunchKernel,
  __cudaPopCallConfiguration,
  __cudaPushCallConfiguration,
  cudaConfigureCall,
  cudaLaunch,
  cudaLaunchCooperativeKernel,
  cudaLaunchKernel,
  cudaSetupArgument,
} from "./launch.ts";
export * from "./limit.ts";
export {
  cudaFree,
  cudaFreeHost,
  cudaHostAlloc,
  cudaMalloc,
  cudaMallocHost,
  cudaMallocManaged,
  cudaMemcpy,
  cudaMemGetInfo,
  cudaMemset,
  hostView,
} from "./memory.ts";
export * from "./misc.ts";
export * from "./module.ts";
export * from "./peer.ts";
export * from "./pitched.ts";
export * from "./pointer.ts";
export * from "./pool.ts";
export type { CudaDeviceProp } from "./properties.ts";
export type { KernelParameter } from "./registry.ts";
export * from "./stream.ts";
export {
  cudaGetSymbolAddress,
  cudaGetSymbolSize,
  cudaMemcpyFromSymbol,
  cudaMemcpyToSymbol,
} from "./symbol.ts";
export {
  attachCuda,
  type CudaHandle,
  type CudaOptions,
  cudaGetLastError,
  cudaPeekAtLastError,
  HostThread,
  openCuda,
  useThread,
} from "./thread.ts";
export type * from "./types.ts";
