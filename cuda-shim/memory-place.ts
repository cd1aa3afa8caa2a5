/** Places that memory can have. */
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
} from "../runtime/protocol/errors.ts";
import {
  cudaMemAllocationTypePinned,
  cudaMemLocationTypeDevice,
  cudaMemLocationTypeHost,
} from "./constants.ts";
import type { DeviceFile } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import type { HostThread } from "./thread.ts";
import { isObject } from "./types.ts";

/** `cudaMemLocation`: a device by its ordinal, or the host. */
export interface CudaMemLocation {
  /** `cudaMemLocationType…` */
  type: number;
  id: number;
}

/** The device with that ordinal. @throws CudaError cudaErrorInvalidDevice */
export function deviceAt(thread: HostThread, ordinal: number): DeviceFile {
  const device = thread.deviceAt(ordinal);
  if (!device) throw new CudaError(cudaErrorInvalidDevice);
  return device;
}

/** The device that memory of a type at a place is on. @throws CudaError */
export function deviceOfPlace(
  thread: HostThread,
  location: CudaMemLocation | null,
  type: number,
): DeviceFile {
  if (!isObject(location) || type !== cudaMemAllocationTypePinned) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  if (location.type !== cudaMemLocationTypeDevice) throw new CudaError(cudaErrorNotSupported);
  return deviceAt(thread, location.id);
}

/** Checks a place of managed memory. @throws CudaError cudaErrorInvalidDevice, cudaErrorInvalidValue */
export function checkLocation(thread: HostThread, location: CudaMemLocation | null): void {
  if (location?.type === cudaMemLocationTypeHost) return;
  if (location?.type !== cudaMemLocationTypeDevice) throw new CudaError(cudaErrorInvalidValue);
  deviceAt(thread, location.id);
}
