/** Stream-ordered allocation. */
import {
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_MEMORY_ALLOC_ASYNC,
  COMMAND_MEMORY_FREE_ASYNC,
  COMMAND_POOL_ACCESS,
  COMMAND_POOL_CREATE,
  COMMAND_POOL_CURRENT,
  COMMAND_POOL_DESTROY,
  COMMAND_POOL_GET,
  COMMAND_POOL_SET,
  COMMAND_POOL_TRIM,
  MEMORY_ALLOC_ASYNC_ADDRESS,
  MEMORY_ALLOC_ASYNC_BYTES,
  MEMORY_ALLOC_ASYNC_POOL,
  MEMORY_FREE_ASYNC_ADDRESS,
  POOL_ACCESS_ALLOWED,
  POOL_ACCESS_DEVICE,
  POOL_ACCESS_FLAGS,
  POOL_ACCESS_POOL,
  POOL_ACCESS_SET,
  POOL_CREATE_MAX_BYTES,
  POOL_CREATE_POOL,
  POOL_CURRENT_CURRENT,
  POOL_CURRENT_DEFAULT,
  POOL_CURRENT_POOL,
  POOL_DESTROY_POOL,
  POOL_GET_ATTRIBUTE,
  POOL_GET_POOL,
  POOL_GET_VALUE,
  POOL_SET_ATTRIBUTE,
  POOL_SET_POOL,
  POOL_SET_VALUE,
  POOL_TRIM_KEEP,
  POOL_TRIM_POOL,
} from "../runtime/protocol/pools.ts";
import {
  cudaMemAllocationTypePinned,
  cudaMemHandleTypeNone,
  cudaMemLocationTypeDevice,
} from "./constants.ts";
import type { DeviceFile } from "./device-file.ts";
import { sizeError } from "./memory.ts";
import { type CudaMemLocation, deviceAt, deviceOfPlace } from "./memory-place.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaMemPool,
  type CudaPointer,
  type CudaStream,
  isBox,
  isI32,
  isObject,
  isSize,
  isU32,
  type Out,
} from "./types.ts";

/** `cudaMemPoolProps`. */
export interface CudaMemPoolProps {
  /** `cudaMemAllocationTypePinned` */
  allocType: number;
  /** `cudaMemHandleTypeNone`, unless given */
  handleTypes?: number;
  /** Where the memory is: `{ type: cudaMemLocationTypeDevice, id: ordinal }` */
  location: { type: number; id: number };
  /** Bytes at most; 0, unless given, for no limit but the device's */
  maxSize?: number;
}

/** Begins a request about a pool. @throws CudaError cudaErrorInvalidValue */
function about(thread: HostThread, memPool: CudaMemPool, field: number): DeviceFile {
  const device = thread.device().begin();
  return device.setHandle(field, memPool, cudaErrorInvalidValue);
}

/** Makes a pool of device memory. */
export function cudaMemPoolCreate(
  memPool: Out<CudaMemPool> | null,
  poolProps: CudaMemPoolProps | null,
): number {
  return call((thread) => {
    if (!isBox(memPool) || !isObject(poolProps) || !isObject(poolProps.location))
      return cudaErrorInvalidValue;
    const { allocType, handleTypes = cudaMemHandleTypeNone, location, maxSize = 0 } = poolProps;
    if (allocType !== cudaMemAllocationTypePinned || !isSize(maxSize)) return cudaErrorInvalidValue;
    if (handleTypes !== cudaMemHandleTypeNone) return cudaErrorNotSupported;
    if (location.type !== cudaMemLocationTypeDevice) return cudaErrorInvalidValue;
    const device = deviceAt(thread, location.id).begin();
    device.setU64(POOL_CREATE_MAX_BYTES, maxSize).check(COMMAND_POOL_CREATE);
    memPool.value = device.getU32(POOL_CREATE_POOL);
    return cudaSuccess;
  });
}

/** Ends a pool; what was allocated from it stays until it is freed. */
export function cudaMemPoolDestroy(memPool: CudaMemPool): number {
  return call((thread) => {
    const device = about(thread, memPool, POOL_DESTROY_POOL);
    return device.send(COMMAND_POOL_DESTROY);
  });
}

function askPool(memPool: Out<CudaMemPool> | null, ordinal: number, field: number): number {
  return call((thread) => {
    if (!isBox(memPool)) return cudaErrorInvalidValue;
    const device = deviceAt(thread, ordinal).begin();
    device.check(COMMAND_POOL_CURRENT);
    memPool.value = device.getU32(field);
    return cudaSuccess;
  });
}

/** The pool that a device has from the start. */
export function cudaDeviceGetDefaultMemPool(
  memPool: Out<CudaMemPool> | null,
  device: number,
): number {
  return askPool(memPool, device, POOL_CURRENT_DEFAULT);
}

/** The pool that `cudaMallocAsync` takes from. */
export function cudaDeviceGetMemPool(memPool: Out<CudaMemPool> | null, device: number): number {
  return askPool(memPool, device, POOL_CURRENT_CURRENT);
}

/** Chooses the pool that `cudaMallocAsync` takes from. */
export function cudaDeviceSetMemPool(device: number, memPool: CudaMemPool): number {
  return call((thread) => {
    const file = deviceAt(thread, device).begin();
    file.setHandle(POOL_CURRENT_POOL, memPool, cudaErrorInvalidValue);
    return file.send(COMMAND_POOL_CURRENT);
  });
}

/** Checks a place and calls `body` with its device's ordinal. */
function atPlace(
  location: CudaMemLocation | null,
  type: number,
  body: (ordinal: number) => number,
): number {
  let ordinal = 0;
  const error = call((thread) => {
    ordinal = deviceOfPlace(thread, location, type).ordinal;
    return cudaSuccess;
  });
  return error === cudaSuccess ? body(ordinal) : error;
}

/** The pool that a place has from the start. @param type `cudaMemAllocationTypePinned` */
export function cudaMemGetDefaultMemPool(
  memPool: Out<CudaMemPool> | null,
  location: CudaMemLocation | null,
  type: number,
): number {
  return atPlace(location, type, (ordinal) => cudaDeviceGetDefaultMemPool(memPool, ordinal));
}

/** The pool that `cudaMallocAsync` takes from at a place. */
export function cudaMemGetMemPool(
  memPool: Out<CudaMemPool> | null,
  location: CudaMemLocation | null,
  type: number,
): number {
  return atPlace(location, type, (ordinal) => cudaDeviceGetMemPool(memPool, ordinal));
}

/** Chooses the pool that `cudaMallocAsync` takes from at a place. */
export function cudaMemSetMemPool(
  location: CudaMemLocation | null,
  type: number,
  memPool: CudaMemPool,
): number {
  return atPlace(location, type, (ordinal) => cudaDeviceSetMemPool(ordinal, memPool));
}

/** `cudaMemAccessDesc` */
export interface CudaMemAccessDesc {
  location: CudaMemLocation;
  /** `cudaMemAccessFlagsProt…` */
  flags: number;
}

/** Begins a request about a device's access to a pool. @throws CudaError */
function poolAccess(
  thread: HostThread,
  memPool: CudaMemPool,
  location: CudaMemLocation | null,
): DeviceFile {
  const { ordinal } = deviceOfPlace(thread, location, cudaMemAllocationTypePinned);
  return about(thread, memPool, POOL_ACCESS_POOL).setU32(POOL_ACCESS_DEVICE, ordinal);
}

/** Who may use a pool's memory (`cudaMemAccessFlagsProt…`). */
export function cudaMemPoolGetAccess(
  flags: Out<number> | null,
  memPool: CudaMemPool,
  location: CudaMemLocation | null,
): number {
  return call((thread) => {
    if (!isBox(flags)) return cudaErrorInvalidValue;
    const device = poolAccess(thread, memPool, location);
    device.check(COMMAND_POOL_ACCESS);
    flags.value = device.getU32(POOL_ACCESS_ALLOWED);
    return cudaSuccess;
  });
}

/**
 * Lets devices use a pool's memory, or no longer; its own device always may.
 * @param descList places, each with `cudaMemAccessFlagsProtNone` or `cudaMemAccessFlagsProtReadWrite`
 */
export function cudaMemPoolSetAccess(
  memPool: CudaMemPool,
  descList: readonly CudaMemAccessDesc[] | null,
): number {
  return call((thread) => {
    if (!Array.isArray(descList)) return cudaErrorInvalidValue;
    for (const { location, flags } of descList as readonly CudaMemAccessDesc[]) {
      if (!isU32(flags)) return cudaErrorInvalidValue;
      const device = poolAccess(thread, memPool, location).setU32(POOL_ACCESS_SET, 1);
      device.setU32(POOL_ACCESS_FLAGS, flags).check(COMMAND_POOL_ACCESS);
    }
    return cudaSuccess;
  });
}

/**
 * Sets an attribute of a pool (`cudaMemPoolAttr…`).
 * @param value bytes or a switch; a bigint for what a number doesn't hold exactly (`2n ** 64n - 1n`)
 */
export function cudaMemPoolSetAttribute(
  memPool: CudaMemPool,
  attr: number,
  value: number | bigint,
): number {
  return call((thread) => {
    if (!isI32(attr)) return cudaErrorInvalidValue;
    if (typeof value === "bigint" ? value < 0n || value >> 64n !== 0n : !isSize(value)) {
      return cudaErrorInvalidValue;
    }
    const device = about(thread, memPool, POOL_SET_POOL);
    const bits = BigInt(value);
    device.setU32(POOL_SET_ATTRIBUTE, attr).setU32(POOL_SET_VALUE, Number(bits & 0xffffffffn));
    return device.setU32(POOL_SET_VALUE + 4, Number(bits >> 32n)).send(COMMAND_POOL_SET);
  });
}

/** An attribute of a pool; above 2⁵³ rounded. */
export function cudaMemPoolGetAttribute(
  memPool: CudaMemPool,
  attr: number,
  value: Out<number> | null,
): number {
  return call((thread) => {
    if (!isBox(value) || !isI32(attr)) return cudaErrorInvalidValue;
    const device = about(thread, memPool, POOL_GET_POOL);
    device.setU32(POOL_GET_ATTRIBUTE, attr).check(COMMAND_POOL_GET);
    value.value = device.getU64(POOL_GET_VALUE);
    return cudaSuccess;
  });
}

/** Gives memory that a pool keeps back to the device, down to `minBytesToKeep`. */
export function cudaMemPoolTrimTo(memPool: CudaMemPool, minBytesToKeep: number): number {
  return call((thread) => {
    if (!isSize(minBytesToKeep)) return cudaErrorInvalidValue;
    const device = about(thread, memPool, POOL_TRIM_POOL);
    return device.setU64(POOL_TRIM_KEEP, minBytesToKeep).send(COMMAND_POOL_TRIM);
  });
}

function allocate(
  devPtr: Out<CudaPointer> | null,
  size: number,
  pool: number,
  stream: CudaStream,
): number {
  return call((thread) => {
    if (!isBox(devPtr)) return cudaErrorInvalidValue;
    if (!isSize(size)) return sizeError(size);
    const device = thread.device().begin(stream).setU64(MEMORY_ALLOC_ASYNC_BYTES, size);
    if (pool !== 0) device.setHandle(MEMORY_ALLOC_ASYNC_POOL, pool, cudaErrorInvalidValue);
    device.check(COMMAND_MEMORY_ALLOC_ASYNC);
    devPtr.value = device.getU64(MEMORY_ALLOC_ASYNC_ADDRESS);
    return cudaSuccess;
  });
}

/** Allocates device memory from the current pool, to be used by later work of the stream. */
export function cudaMallocAsync(
  devPtr: Out<CudaPointer> | null,
  size: number,
  stream: CudaStream = 0,
): number {
  return allocate(devPtr, size, 0, stream);
}

/** Allocates device memory from a pool, to be used by later work of the stream. */
export function cudaMallocFromPoolAsync(
  devPtr: Out<CudaPointer> | null,
  size: number,
  memPool: CudaMemPool,
  stream: CudaStream = 0,
): number {
  if (memPool === 0) return call(() => cudaErrorInvalidValue);
  return allocate(devPtr, size, memPool, stream);
}

/** Frees memory when the stream gets there. Null is no error. */
export function cudaFreeAsync(devPtr: CudaPointer, stream: CudaStream = 0): number {
  return call((thread) => {
    if (!isSize(devPtr)) return cudaErrorInvalidValue;
    const device = thread.device().begin(stream);
    return device.setU64(MEMORY_FREE_ASYNC_ADDRESS, devPtr).send(COMMAND_MEMORY_FREE_ASYNC);
  });
}
