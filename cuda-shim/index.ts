/**
 * The CUDA runtime API in TypeScript. Calls by CUDA's own names return a `cudaError_t` number and put
 * results into `{ value }` boxes; the classes over them throw a `CudaError`.
 */
export * from "../runtime/protocol/attributes.ts";
export { cudaGetErrorName, cudaGetErrorString } from "../runtime/protocol/error-texts.ts";
export * from "../runtime/protocol/errors.ts";
export {
  cudaArrayGetInfo,
  cudaFreeArray,
  cudaFreeMipmappedArray,
  cudaGetChannelDesc,
  cudaGetMipmappedArrayLevel,
  cudaMalloc3DArray,
  cudaMallocArray,
  cudaMallocMipmappedArray,
} from "./array.ts";
export {
  cudaMemcpy2DArrayToArray,
  cudaMemcpy2DFromArray,
  cudaMemcpy2DFromArrayAsync,
  cudaMemcpy2DToArray,
  cudaMemcpy2DToArrayAsync,
  cudaMemcpy3D,
  cudaMemcpy3DAsync,
  cudaMemcpyArrayToArray,
  cudaMemcpyFromArray,
  cudaMemcpyFromArrayAsync,
  cudaMemcpyToArray,
  cudaMemcpyToArrayAsync,
} from "./array-copy.ts";
export * from "./async.ts";
export * from "./attributes.ts";
export * from "./capture.ts";
export * from "./classes/index.ts";
export * from "./clusters.ts";
export * from "./constants.ts";
export * from "./device.ts";
export { CudaError } from "./errors.ts";
export * from "./event.ts";
export * from "./function.ts";
export {
  cudaGraphAddDependencies,
  cudaGraphChildGraphNodeGetGraph,
  cudaGraphClone,
  cudaGraphConditionalHandleCreate,
  cudaGraphCreate,
  cudaGraphDestroy,
  cudaGraphDestroyNode,
  cudaGraphGetEdges,
  cudaGraphGetNodes,
  cudaGraphGetRootNodes,
  cudaGraphNodeFindInClone,
  cudaGraphNodeGetDependencies,
  cudaGraphNodeGetDependentNodes,
  cudaGraphNodeGetType,
  cudaGraphRemoveDependencies,
} from "./graph.ts";
export * from "./graph-exec.ts";
export * from "./graph-info.ts";
export * from "./graph-memory.ts";
export * from "./graph-nodes.ts";
export * from "./graph-params.ts";
export type { CudaConditionalNodeParams, CudaGraphEdgeData } from "./graph-place.ts";
export type {
  CudaGraphNodeParams,
  CudaHostNodeParams,
  CudaKernelNodeParams,
  CudaMemAllocNodeParams,
  CudaMemsetParams,
} from "./graph-record.ts";
export { cudaLaunchHostFunc, cudaStreamAddCallback, type StreamCallback } from "./host-call.ts";
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
export * from "./managed.ts";
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
export type { CudaMemLocation } from "./memory-place.ts";
export {
  type CudaChannelFormatDesc,
  cudaCreateChannelDesc,
  cudaCtxResetPersistingL2Cache,
  cudaDeviceGetCacheConfig,
  cudaDeviceGetSharedMemConfig,
  cudaDeviceSetCacheConfig,
  cudaDeviceSetSharedMemConfig,
  cudaProfilerStart,
  cudaProfilerStop,
} from "./misc.ts";
export * from "./module.ts";
export * from "./peer.ts";
export {
  type CudaExtent,
  type CudaMemcpy3DParms,
  type CudaPitchedPtr,
  type CudaPos,
  cudaMalloc3D,
  cudaMallocPitch,
  cudaMemcpy2D,
  cudaMemcpy2DAsync,
  cudaMemset2D,
  cudaMemset2DAsync,
  cudaMemset3D,
  cudaMemset3DAsync,
} from "./pitched.ts";
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
export * from "./texture.ts";
export * from "./texture-info.ts";
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
export * from "./user-object.ts";
