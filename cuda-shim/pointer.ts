import {
  COMMAND_POINTER_ATTRIBUTES,
  MEMORY_DEVICE,
  MEMORY_HOST,
  MEMORY_MANAGED,
  POINTER_ATTRIBUTES_ADDRESS,
  POINTER_ATTRIBUTES_DEVICE,
  POINTER_ATTRIBUTES_FLAGS,
  POINTER_ATTRIBUTES_KIND,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorHostMemoryAlreadyRegistered,
  cudaErrorHostMemoryNotRegistered,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  cudaHostAllocMapped,
  cudaMemoryTypeDevice,
  cudaMemoryTypeHost,
  cudaMemoryTypeManaged,
  cudaMemoryTypeUnregistered,
} from "./constants.ts";
import type { DeviceFile } from "./device-file.ts";
import { call, type HostThread } from "./thread.ts";
import {
  bytesOf,
  type CudaPointer,
  type HostMemory,
  isBox,
  isHostMemory,
  isSize,
  type Out,
} from "./types.ts";

/** `cudaPointerAttributes`. */
export interface CudaPointerAttributes {
  /** `cudaMemoryType…` */
  type: number;
  /** Ordinal of the device, -2 for memory that no device knows. */
  device: number;
  /** The address in kernels, 0 if they can't reach it. */
  devicePointer: CudaPointer;
  /** The address on the host, 0 if it can't reach it. */
  hostPointer: CudaPointer;
}

const TYPES = new Map([
  [MEMORY_HOST, cudaMemoryTypeHost],
  [MEMORY_DEVICE, cudaMemoryTypeDevice],
  [MEMORY_MANAGED, cudaMemoryTypeManaged],
]);

/** Asks what the devices know of an address. */
function query(thread: HostThread, pointer: CudaPointer): DeviceFile {
  const device = thread.device().begin();
  device.setU64(POINTER_ATTRIBUTES_ADDRESS, pointer).check(COMMAND_POINTER_ATTRIBUTES);
  return device;
}

/**
 * What is known of an address. Unknown addresses and JavaScript memory are no error: their type is
 * `cudaMemoryTypeUnregistered` (CUDA 11 and later).
 */
export function cudaPointerGetAttributes(
  attributes: Out<CudaPointerAttributes | null> | null,
  ptr: CudaPointer | HostMemory,
): number {
  return call((thread) => {
    if (!isBox(attributes)) return cudaErrorInvalidValue;
    const unknown = { devicePointer: 0, hostPointer: 0, device: -2 };
    attributes.value = { type: cudaMemoryTypeUnregistered, ...unknown };
    if (isHostMemory(ptr)) return cudaSuccess;
    if (!isSize(ptr) || ptr === 0) return cudaErrorInvalidValue;
    const device = query(thread, ptr);
    const type = TYPES.get(device.getU32(POINTER_ATTRIBUTES_KIND));
    if (type === undefined) {
      attributes.value.hostPointer = ptr;
      return cudaSuccess;
    }
    attributes.value = {
      type,
      device: device.getU32(POINTER_ATTRIBUTES_DEVICE),
      devicePointer: ptr,
      hostPointer: type === cudaMemoryTypeDevice ? 0 : ptr,
    };
    return cudaSuccess;
  });
}

/**
 * The address by which kernels reach pinned memory: the same.
 * @returns cudaErrorInvalidValue if it is not pinned memory
 */
export function cudaHostGetDevicePointer(
  pDevice: Out<CudaPointer> | null,
  pHost: CudaPointer,
  flags = 0,
): number {
  return call((thread) => {
    if (!isBox(pDevice) || !isSize(pHost) || pHost === 0 || flags !== 0)
      return cudaErrorInvalidValue;
    const kind = query(thread, pHost).getU32(POINTER_ATTRIBUTES_KIND);
    if (kind !== MEMORY_HOST) return cudaErrorInvalidValue;
    pDevice.value = pHost;
    return cudaSuccess;
  });
}

/** The flags that pinned memory was allocated with; all of it is mapped. */
export function cudaHostGetFlags(pFlags: Out<number> | null, pHost: CudaPointer): number {
  return call((thread) => {
    if (!isBox(pFlags) || !isSize(pHost) || pHost === 0) return cudaErrorInvalidValue;
    const device = query(thread, pHost);
    if (device.getU32(POINTER_ATTRIBUTES_KIND) !== MEMORY_HOST) return cudaErrorInvalidValue;
    pFlags.value = device.getU32(POINTER_ATTRIBUTES_FLAGS) | cudaHostAllocMapped;
    return cudaSuccess;
  });
}

/**
 * Registering memory of the host. JavaScript's own memory can't be moved under the device's: allocate
 * it by `cudaHostAlloc` and take a `hostView`.
 * @returns cudaErrorNotSupported; cudaErrorHostMemoryAlreadyRegistered for pinned and managed memory
 */
export function cudaHostRegister(
  ptr: HostMemory | CudaPointer | null,
  size: number,
  flags = 0,
): number {
  return call((thread) => {
    if (ptr === null || !isSize(size) || size === 0 || !isSize(flags)) return cudaErrorInvalidValue;
    if (!isHostMemory(ptr)) {
      if (!isSize(ptr) || ptr === 0) return cudaErrorInvalidValue;
      const kind = query(thread, ptr).getU32(POINTER_ATTRIBUTES_KIND);
      return TYPES.has(kind) ? cudaErrorHostMemoryAlreadyRegistered : cudaErrorInvalidValue;
    }
    const view = bytesOf(ptr);
    const pinned = thread.devices.some((device) => device.file.virtToPhys(view) >= 0);
    return pinned ? cudaErrorHostMemoryAlreadyRegistered : cudaErrorNotSupported;
  });
}

/** Takes a registration back. @returns cudaErrorHostMemoryNotRegistered: there can be none */
export function cudaHostUnregister(ptr: HostMemory | CudaPointer | null): number {
  return call((thread) => {
    thread.device().needContext();
    return ptr === null ? cudaErrorInvalidValue : cudaErrorHostMemoryNotRegistered;
  });
}
