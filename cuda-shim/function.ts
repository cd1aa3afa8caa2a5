/** Kernels' attributes, and how many of their blocks a multiprocessor holds. */
import { cudaDevAttrMultiProcessorCount } from "../runtime/protocol/attributes.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidDeviceFunction,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_FUNCTION_ATTRIBUTES,
  COMMAND_FUNCTION_SET,
  COMMAND_OCCUPANCY,
  COMMAND_OCCUPANCY_SHARED,
  FUNCTION_ATTRIBUTES_CACHE_CONFIG,
  FUNCTION_ATTRIBUTES_CARVEOUT,
  FUNCTION_ATTRIBUTES_CLUSTER_DEPTH,
  FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT,
  FUNCTION_ATTRIBUTES_CLUSTER_NON_PORTABLE,
  FUNCTION_ATTRIBUTES_CLUSTER_POLICY,
  FUNCTION_ATTRIBUTES_CLUSTER_REQUIRED,
  FUNCTION_ATTRIBUTES_CLUSTER_WIDTH,
  FUNCTION_ATTRIBUTES_FUNCTION,
  FUNCTION_ATTRIBUTES_MAX_DYNAMIC_SHARED,
  FUNCTION_CACHE_CONFIG,
  FUNCTION_SET_ATTRIBUTE,
  FUNCTION_SET_FUNCTION,
  FUNCTION_SET_VALUE,
  OCCUPANCY_BLOCKS,
  OCCUPANCY_FUNCTION,
  OCCUPANCY_SHARED_AVAILABLE,
  OCCUPANCY_SHARED_BLOCKS,
  OCCUPANCY_SHARED_BYTES,
  OCCUPANCY_SHARED_FUNCTION,
  OCCUPANCY_SHARED_THREADS,
  OCCUPANCY_THREADS,
} from "../runtime/protocol/functions.ts";
import { cudaDeviceGetAttribute } from "./device.ts";
import { withFunction } from "./function-call.ts";
import { isBankSize } from "./misc.ts";
import { call, currentThread } from "./thread.ts";
import {
  type CudaKernel,
  type HostSymbol,
  isBox,
  isI32,
  isSize,
  isU32,
  type Out,
} from "./types.ts";

/** `cudaFuncAttributes`; sizes in bytes, versions 10 major + minor. */
export interface CudaFuncAttributes {
  sharedSizeBytes: number;
  constSizeBytes: number;
  localSizeBytes: number;
  maxThreadsPerBlock: number;
  numRegs: number;
  ptxVersion: number;
  binaryVersion: number;
  cacheModeCA: number;
  maxDynamicSharedSizeBytes: number;
  preferredShmemCarveout: number;
  clusterDimMustBeSet: number;
  requiredClusterWidth: number;
  requiredClusterHeight: number;
  requiredClusterDepth: number;
  clusterSchedulingPolicyPreference: number;
  nonPortableClusterSizeAllowed: number;
}

/** What a kernel needs, and what was set about it. */
export function cudaFuncGetAttributes(
  attr: Out<CudaFuncAttributes | null> | null,
  func: HostSymbol | null,
): number {
  return withFunction(func, (device, fn) => {
    if (!isBox(attr)) return cudaErrorInvalidValue;
    device.begin().setU32(FUNCTION_ATTRIBUTES_FUNCTION, fn.handle);
    device.check(COMMAND_FUNCTION_ATTRIBUTES);
    attr.value = {
      sharedSizeBytes: fn.sharedBytes,
      constSizeBytes: fn.constBytes,
      localSizeBytes: fn.localBytes,
      maxThreadsPerBlock: fn.maxThreads,
      numRegs: fn.registers,
      ptxVersion: fn.ptxVersion,
      binaryVersion: fn.binaryVersion,
      cacheModeCA: device.getU32(FUNCTION_ATTRIBUTES_CACHE_CONFIG),
      maxDynamicSharedSizeBytes: device.getU32(FUNCTION_ATTRIBUTES_MAX_DYNAMIC_SHARED),
      preferredShmemCarveout: device.getI32(FUNCTION_ATTRIBUTES_CARVEOUT),
      clusterDimMustBeSet: device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_REQUIRED),
      requiredClusterWidth: device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_WIDTH),
      requiredClusterHeight: device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT),
      requiredClusterDepth: device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_DEPTH),
      clusterSchedulingPolicyPreference: device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_POLICY),
      nonPortableClusterSizeAllowed: device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_NON_PORTABLE),
    };
    return cudaSuccess;
  });
}

function set(func: HostSymbol | null, attribute: number, value: number): number {
  return withFunction(func, (device, fn) => {
    if (!isI32(attribute) || !isI32(value)) return cudaErrorInvalidValue;
    device.begin().setU32(FUNCTION_SET_FUNCTION, fn.handle);
    device.setU32(FUNCTION_SET_ATTRIBUTE, attribute).setU32(FUNCTION_SET_VALUE, value);
    return device.send(COMMAND_FUNCTION_SET);
  });
}

/**
 * Sets an attribute of a kernel.
 * @param attr `cudaFuncAttributeMaxDynamicSharedMemorySize` (bytes, with the static ones at most 227
 *   KiB), `cudaFuncAttributePreferredSharedMemoryCarveout` (percent, a hint), or one of clusters:
 *   the size that launches must have, whether they may be larger than 8 blocks, their policy (a hint)
 * @returns cudaErrorInvalidValue for other attributes and values out of range
 */
export function cudaFuncSetAttribute(func: HostSymbol | null, attr: number, value: number): number {
  if (attr === FUNCTION_CACHE_CONFIG) return call(() => cudaErrorInvalidValue);
  return set(func, attr, value);
}

/** Sets an attribute of a kernel on one device; the current device stays what it is. */
export function cudaKernelSetAttributeForDevice(
  kernel: CudaKernel,
  attr: number,
  value: number,
  dev: number,
): number {
  const thread = currentThread();
  if (thread === undefined) return cudaFuncSetAttribute(kernel, attr, value);
  if (!thread.deviceAt(dev)) return call(() => cudaErrorInvalidDevice);
  const before = thread.current;
  thread.current = dev;
  const error = cudaFuncSetAttribute(kernel, attr, value);
  thread.current = before;
  return error;
}

/** Prefers shared memory or L1 for a kernel (`cudaFuncCachePrefer…`); a hint. */
export function cudaFuncSetCacheConfig(func: HostSymbol | null, cacheConfig: number): number {
  return set(func, FUNCTION_CACHE_CONFIG, cacheConfig);
}

/** Chooses the width of shared memory's banks for a kernel; a hint. */
export function cudaFuncSetSharedMemConfig(func: HostSymbol | null, config: number): number {
  return withFunction(func, () => (isBankSize(config) ? cudaSuccess : cudaErrorInvalidValue));
}

/** A kernel's name in the PTX. */
export function cudaFuncGetName(name: Out<string> | null, func: HostSymbol | null): number {
  return withFunction(func, (_device, fn) => {
    if (!isBox(name)) return cudaErrorInvalidValue;
    name.value = fn.name;
    return cudaSuccess;
  });
}

/** Where a parameter of a kernel lies in its parameter block, and its size (bytes). */
export function cudaFuncGetParamInfo(
  func: HostSymbol | null,
  paramIndex: number,
  paramOffset: Out<number> | null,
  paramSize: Out<number> | null,
): number {
  return withFunction(func, (_device, fn) => {
    const parameter = fn.parameters[paramIndex];
    if (!isBox(paramOffset) || !parameter) return cudaErrorInvalidValue;
    paramOffset.value = parameter.offset;
    if (isBox(paramSize)) paramSize.value = parameter.size;
    return cudaSuccess;
  });
}

/**
 * How many blocks of a kernel a multiprocessor holds.
 * @param blockSize threads of a block
 * @param dynamicSMemSize dynamic shared memory of a block, in bytes
 */
export function cudaOccupancyMaxActiveBlocksPerMultiprocessor(
  numBlocks: Out<number> | null,
  func: HostSymbol | null,
  blockSize: number,
  dynamicSMemSize: number,
): number {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    numBlocks,
    func,
    blockSize,
    dynamicSMemSize,
    0,
  );
}

/** The same. @param flags `cudaOccupancyDefault` or `cudaOccupancyDisableCachingOverride` */
export function cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
  numBlocks: Out<number> | null,
  func: HostSymbol | null,
  blockSize: number,
  dynamicSMemSize: number,
  flags: number,
): number {
  return withFunction(func, (device, fn) => {
    if (!isBox(numBlocks) || !isU32(blockSize) || !isSize(dynamicSMemSize))
      return cudaErrorInvalidValue;
    if (flags !== 0 && flags !== 1) return cudaErrorInvalidValue;
    device.begin().setU32(OCCUPANCY_FUNCTION, fn.handle).setU32(OCCUPANCY_THREADS, blockSize);
    device.setU64(OCCUPANCY_SHARED_BYTES, dynamicSMemSize).check(COMMAND_OCCUPANCY);
    numBlocks.value = device.getU32(OCCUPANCY_BLOCKS);
    return cudaSuccess;
  });
}

/** How much dynamic shared memory a block can have if a multiprocessor is to hold `numBlocks`. */
export function cudaOccupancyAvailableDynamicSMemPerBlock(
  dynamicSmemSize: Out<number> | null,
  func: HostSymbol | null,
  numBlocks: number,
  blockSize: number,
): number {
  return withFunction(func, (device, fn) => {
    if (!isBox(dynamicSmemSize) || !isU32(numBlocks) || !isU32(blockSize))
      return cudaErrorInvalidValue;
    device.begin().setU32(OCCUPANCY_SHARED_FUNCTION, fn.handle);
    device.setU32(OCCUPANCY_SHARED_THREADS, blockSize).setU32(OCCUPANCY_SHARED_BLOCKS, numBlocks);
    device.check(COMMAND_OCCUPANCY_SHARED);
    dynamicSmemSize.value = device.getU32(OCCUPANCY_SHARED_AVAILABLE);
    return cudaSuccess;
  });
}

/**
 * The block size with which a multiprocessor holds the most threads, and the smallest grid that fills
 * the device (a template of cuda_runtime.h in C++).
 *
 * @param blockSizeLimit threads of a block at most; 0 for no limit
 */
export function cudaOccupancyMaxPotentialBlockSize(
  minGridSize: Out<number> | null,
  blockSize: Out<number> | null,
  func: HostSymbol | null,
  dynamicSMemSize = 0,
  blockSizeLimit = 0,
): number {
  if (!isBox(minGridSize) || !isBox(blockSize) || !isU32(blockSizeLimit))
    return call(() => cudaErrorInvalidValue);
  const attributes: Out<CudaFuncAttributes | null> = { value: null };
  const error = cudaFuncGetAttributes(attributes, func);
  if (error !== cudaSuccess || !attributes.value) return error || cudaErrorInvalidDeviceFunction;
  const most = Math.min(attributes.value.maxThreadsPerBlock, blockSizeLimit || Infinity);
  const blocks = { value: 0 };
  let best = 0;
  for (let size = most; size > 0; size -= size % 32 || 32) {
    const failed = cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      blocks,
      func,
      size,
      dynamicSMemSize,
    );
    if (failed !== cudaSuccess) return failed;
    if (blocks.value * size <= best) continue;
    best = blocks.value * size;
    blockSize.value = size;
    minGridSize.value = blocks.value;
  }
  if (best === 0) return call(() => cudaErrorInvalidValue);
  const multiprocessors = { value: 0 };
  const asked = call((thread) =>
    cudaDeviceGetAttribute(multiprocessors, cudaDevAttrMultiProcessorCount, thread.current),
  );
  minGridSize.value *= multiprocessors.value;
  return asked;
}
