/** Hints about managed memory. It is where host and kernels both see it, so that they change nothing. */
import {
  COMMAND_POINTER_ATTRIBUTES,
  MEMORY_MANAGED,
  POINTER_ATTRIBUTES_ADDRESS,
  POINTER_ATTRIBUTES_BYTES,
  POINTER_ATTRIBUTES_KIND,
  POINTER_ATTRIBUTES_START,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { COMMAND_STREAM_INFO } from "../runtime/protocol/streams.ts";
import {
  cudaMemAdviseSetReadMostly,
  cudaMemAdviseUnsetAccessedBy,
  cudaMemAttachGlobal,
  cudaMemAttachHost,
  cudaMemAttachSingle,
  cudaMemLocationTypeDevice,
  cudaMemLocationTypeHost,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaPointer, type CudaStream, isI32, isSize } from "./types.ts";

/** `cudaMemLocation`: a device by its ordinal, or the host. */
export interface CudaMemLocation {
  /** `cudaMemLocationType…` */
  type: number;
  id: number;
}

/** Checks that a range is managed memory. @throws CudaError cudaErrorInvalidValue */
function checkManaged(thread: HostThread, devPtr: CudaPointer, count: number): void {
  if (!isSize(devPtr) || devPtr === 0 || !isSize(count) || count === 0) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  const device = thread.device().begin();
  device.setU64(POINTER_ATTRIBUTES_ADDRESS, devPtr).check(COMMAND_POINTER_ATTRIBUTES);
  const end = device.getU64(POINTER_ATTRIBUTES_START) + device.getU64(POINTER_ATTRIBUTES_BYTES);
  if (device.getU32(POINTER_ATTRIBUTES_KIND) !== MEMORY_MANAGED || devPtr + count > end) {
    throw new CudaError(cudaErrorInvalidValue);
  }
}

/** Checks a location. @throws CudaError cudaErrorInvalidDevice, cudaErrorInvalidValue */
function checkLocation(thread: HostThread, location: CudaMemLocation | null): void {
  if (location?.type === cudaMemLocationTypeHost) return;
  if (location?.type !== cudaMemLocationTypeDevice) throw new CudaError(cudaErrorInvalidValue);
  if (!thread.devices[location.id]) throw new CudaError(cudaErrorInvalidDevice);
}

/** Would bring managed memory to a place before it is used there. */
export function cudaMemPrefetchAsync(
  devPtr: CudaPointer,
  count: number,
  location: CudaMemLocation | null,
  flags = 0,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    if (flags !== 0) return cudaErrorInvalidValue;
    checkManaged(thread, devPtr, count);
    checkLocation(thread, location);
    return thread.device().begin(stream).send(COMMAND_STREAM_INFO);
  });
}

/** Says how managed memory will be used. @param advice `cudaMemAdvise…` */
export function cudaMemAdvise(
  devPtr: CudaPointer,
  count: number,
  advice: number,
  location: CudaMemLocation | null,
): number {
  return call((thread) => {
    if (!isI32(advice)) return cudaErrorInvalidValue;
    if (advice < cudaMemAdviseSetReadMostly || advice > cudaMemAdviseUnsetAccessedBy) {
      return cudaErrorInvalidValue;
    }
    checkManaged(thread, devPtr, count);
    checkLocation(thread, location);
    return cudaSuccess;
  });
}

/** Says which stream will use managed memory. @param flags `cudaMemAttach…` */
export function cudaStreamAttachMemAsync(
  stream: CudaStream,
  devPtr: CudaPointer,
  length = 0,
  flags: number = cudaMemAttachSingle,
): number {
  return call((thread) => {
    const known = [cudaMemAttachGlobal, cudaMemAttachHost, cudaMemAttachSingle].includes(flags);
    if (!known || !isSize(length)) return cudaErrorInvalidValue;
    // A length of 0 means the whole allocation.
    checkManaged(thread, devPtr, length || 1);
    return thread.device().begin(stream).send(COMMAND_STREAM_INFO);
  });
}
