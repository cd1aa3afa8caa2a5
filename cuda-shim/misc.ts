/** Calls that have nothing to do on this device, and such as need no device. */
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  cudaFuncCachePreferEqual,
  cudaSharedMemBankSizeEightByte,
  cudaSharedMemBankSizeFourByte,
} from "./constants.ts";
import { call, type HostThread } from "./thread.ts";
import { isBox, isI32, type Out } from "./types.ts";

/** Success where there is a device. */
function nothingToDo(thread: HostThread): number {
  thread.device().needContext();
  return cudaSuccess;
}

/** Starts a profiler that is attached; none can be. */
export function cudaProfilerStart(): number {
  return call(nothingToDo);
}

/** Stops a profiler that is attached; none can be. */
export function cudaProfilerStop(): number {
  return call(nothingToDo);
}

/** Resets lines of the L2 cache that persist; the device has no such cache. */
export function cudaCtxResetPersistingL2Cache(): number {
  return call(nothingToDo);
}

/** Prefers shared memory or L1 on the device; it has no such split. */
export function cudaDeviceSetCacheConfig(cacheConfig: number): number {
  return call((thread) => {
    if (!isI32(cacheConfig) || cacheConfig < 0 || cacheConfig > cudaFuncCachePreferEqual) {
      return cudaErrorInvalidValue;
    }
    thread.device().needContext();
    return cudaSuccess;
  });
}

/** `cudaFuncCachePreferNone`: the device has no split of shared memory and L1. */
export function cudaDeviceGetCacheConfig(pCacheConfig: Out<number> | null): number {
  return call(() => {
    if (!isBox(pCacheConfig)) return cudaErrorInvalidValue;
    pCacheConfig.value = 0;
    return cudaSuccess;
  });
}

/** Chooses the width of shared memory's banks; the device has none. @param config 0 to 2 */
export function cudaDeviceSetSharedMemConfig(config: number): number {
  return call((thread) => (isBankSize(config) ? nothingToDo(thread) : cudaErrorInvalidValue));
}

/** `cudaSharedMemBankSizeFourByte`: what every device of this compute capability has. */
export function cudaDeviceGetSharedMemConfig(pConfig: Out<number> | null): number {
  return call((thread) => {
    if (!isBox(pConfig)) return cudaErrorInvalidValue;
    pConfig.value = cudaSharedMemBankSizeFourByte;
    return nothingToDo(thread);
  });
}

/** Whether that is a `cudaSharedMemBankSize…`. */
export function isBankSize(config: number): boolean {
  return isI32(config) && config >= 0 && config <= cudaSharedMemBankSizeEightByte;
}

/** `cudaChannelFormatDesc`: bits of each component, and their kind. */
export interface CudaChannelFormatDesc {
  x: number;
  y: number;
  z: number;
  w: number;
  /** `cudaChannelFormatKind…` */
  f: number;
}

/** Makes a channel description; it is returned as it is, not as an error. */
export function cudaCreateChannelDesc(
  x: number,
  y: number,
  z: number,
  w: number,
  f: number,
): CudaChannelFormatDesc {
  return { x, y, z, w, f };
}
