import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaErrorPeerAccessNotEnabled,
  cudaErrorPeerAccessUnsupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { cudaMemcpyDeviceToDevice } from "./constants.ts";
import { CudaError } from "./errors.ts";
import { copy } from "./memory.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaPointer, type CudaStream, isBox, isSize, type Out } from "./types.ts";

function checkDevice(thread: HostThread, ...ordinals: number[]): void {
  if (ordinals.some((ordinal) => !thread.devices[ordinal])) {
    throw new CudaError(cudaErrorInvalidDevice);
  }
}

/** Whether kernels of one device can use another's memory: each has a memory of its own, so no. */
export function cudaDeviceCanAccessPeer(
  canAccessPeer: Out<number> | null,
  device: number,
  peerDevice: number,
): number {
  return call((thread) => {
    if (!isBox(canAccessPeer)) return cudaErrorInvalidValue;
    checkDevice(thread, device, peerDevice);
    canAccessPeer.value = 0;
    return cudaSuccess;
  });
}

/** Not possible between these devices. @returns cudaErrorPeerAccessUnsupported */
export function cudaDeviceEnablePeerAccess(peerDevice: number, flags = 0): number {
  return call((thread) => {
    checkDevice(thread, peerDevice);
    if (flags !== 0) return cudaErrorInvalidValue;
    return peerDevice === thread.current ? cudaErrorInvalidDevice : cudaErrorPeerAccessUnsupported;
  });
}

/** Never enabled between these devices. @returns cudaErrorPeerAccessNotEnabled */
export function cudaDeviceDisablePeerAccess(peerDevice: number): number {
  return call((thread) => {
    checkDevice(thread, peerDevice);
    return cudaErrorPeerAccessNotEnabled;
  });
}

/** Copies from one device's memory to another's. */
export function cudaMemcpyPeer(
  dst: CudaPointer,
  dstDevice: number,
  src: CudaPointer,
  srcDevice: number,
  count: number,
): number {
  return cudaMemcpyPeerAsync(dst, dstDevice, src, srcDevice, count, 0);
}

/** `cudaMemcpyPeer`, ordered on a stream; between two devices it is done when this returns. */
export function cudaMemcpyPeerAsync(
  dst: CudaPointer,
  dstDevice: number,
  src: CudaPointer,
  srcDevice: number,
  count: number,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    checkDevice(thread, dstDevice, srcDevice);
    if (!isSize(dst) || !isSize(src)) return cudaErrorInvalidValue;
    return copy(thread, dst, src, count, cudaMemcpyDeviceToDevice, stream, 0);
  });
}
