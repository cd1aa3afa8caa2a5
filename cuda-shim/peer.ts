import {
  COMMAND_PEER_ACCESS,
  COMMAND_PEER_ATTRIBUTE,
  COPY_ASYNC,
  PEER_ACCESS_DEVICE,
  PEER_ACCESS_ENABLE,
  PEER_ACCESS_SUPPORTED,
  PEER_ATTRIBUTE_ATTRIBUTE,
  PEER_ATTRIBUTE_SOURCE,
  PEER_ATTRIBUTE_TARGET,
  PEER_ATTRIBUTE_VALUE,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
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

/** Whether kernels of one device can use another's memory. A device is no peer of its own. */
export function cudaDeviceCanAccessPeer(
  canAccessPeer: Out<number> | null,
  device: number,
  peerDevice: number,
): number {
  return call((thread) => {
    if (!isBox(canAccessPeer)) return cudaErrorInvalidValue;
    checkDevice(thread, device, peerDevice);
    canAccessPeer.value = 0;
    if (device === peerDevice) return cudaSuccess;
    const file = thread.device().beginWithout();
    file.setU32(PEER_ATTRIBUTE_ATTRIBUTE, PEER_ACCESS_SUPPORTED);
    file.setU32(PEER_ATTRIBUTE_SOURCE, device).setU32(PEER_ATTRIBUTE_TARGET, peerDevice);
    file.check(COMMAND_PEER_ATTRIBUTE);
    canAccessPeer.value = file.getU32(PEER_ATTRIBUTE_VALUE);
    return cudaSuccess;
  });
}

function access(thread: HostThread, peer: number, enable: 0 | 1): number {
  checkDevice(thread, peer);
  const device = thread.device().begin().setU32(PEER_ACCESS_DEVICE, peer);
  return device.setU32(PEER_ACCESS_ENABLE, enable).send(COMMAND_PEER_ACCESS);
}

/**
 * Lets kernels of the current device use another's memory.
 * @returns cudaErrorPeerAccessAlreadyEnabled; cudaErrorInvalidDevice for the device itself
 */
export function cudaDeviceEnablePeerAccess(peerDevice: number, flags = 0): number {
  return call((thread) => (flags === 0 ? access(thread, peerDevice, 1) : cudaErrorInvalidValue));
}

/** Ends what `cudaDeviceEnablePeerAccess` began. @returns cudaErrorPeerAccessNotEnabled */
export function cudaDeviceDisablePeerAccess(peerDevice: number): number {
  return call((thread) => access(thread, peerDevice, 0));
}

/** Copies from one device's memory to another's. */
export function cudaMemcpyPeer(
  dst: CudaPointer,
  dstDevice: number,
  src: CudaPointer,
  srcDevice: number,
  count: number,
): number {
  return call((thread) => copyPeer(thread, dst, dstDevice, src, srcDevice, count, 0, 0));
}

/** `cudaMemcpyPeer`, ordered on a stream. */
export function cudaMemcpyPeerAsync(
  dst: CudaPointer,
  dstDevice: number,
  src: CudaPointer,
  srcDevice: number,
  count: number,
  stream: CudaStream = 0,
): number {
  return call((thread) =>
    copyPeer(thread, dst, dstDevice, src, srcDevice, count, stream, COPY_ASYNC),
  );
}

function copyPeer(
  thread: HostThread,
  dst: CudaPointer,
  dstDevice: number,
  src: CudaPointer,
  srcDevice: number,
  count: number,
  stream: CudaStream,
  flags: number,
): number {
  checkDevice(thread, dstDevice, srcDevice);
  if (!isSize(dst) || !isSize(src)) return cudaErrorInvalidValue;
  return copy(thread, dst, src, count, cudaMemcpyDeviceToDevice, stream, flags);
}
