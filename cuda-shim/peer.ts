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
import { boxes3D } from "./array-copy.ts";
import { cudaMemcpyDeviceToDevice } from "./constants.ts";
import { CudaError } from "./errors.ts";
import { copy } from "./memory.ts";
import { type CudaMemcpy3DParms, copyBox } from "./pitched.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaPointer,
  type CudaStream,
  isBox,
  isI32,
  isObject,
  isSize,
  type Out,
} from "./types.ts";

function checkDevice(thread: HostThread, ...ordinals: number[]): void {
  if (ordinals.some((ordinal) => !thread.deviceAt(ordinal))) {
    throw new CudaError(cudaErrorInvalidDevice);
  }
}

/**
 * What one device can do with another's memory.
 * @param attr `cudaDevP2PAttr…`, 1 to 5
 */
export function cudaDeviceGetP2PAttribute(
  value: Out<number> | null,
  attr: number,
  srcDevice: number,
  dstDevice: number,
): number {
  return call((thread) => {
    if (!isBox(value) || !isI32(attr)) return cudaErrorInvalidValue;
    checkDevice(thread, srcDevice, dstDevice);
    value.value = attribute(thread, attr, srcDevice, dstDevice);
    return cudaSuccess;
  });
}

function attribute(thread: HostThread, number: number, source: number, target: number): number {
  const file = thread.device().beginWithout().setU32(PEER_ATTRIBUTE_ATTRIBUTE, number);
  file.setU32(PEER_ATTRIBUTE_SOURCE, source).setU32(PEER_ATTRIBUTE_TARGET, target);
  file.check(COMMAND_PEER_ATTRIBUTE);
  return file.getU32(PEER_ATTRIBUTE_VALUE);
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
    const own = device === peerDevice;
    canAccessPeer.value = own ? 0 : attribute(thread, PEER_ACCESS_SUPPORTED, device, peerDevice);
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

/** `cudaMemcpy3DPeerParms`: `cudaMemcpy3DParms` of two devices. */
export interface CudaMemcpy3DPeerParms extends Omit<CudaMemcpy3DParms, "kind"> {
  srcDevice: number;
  dstDevice: number;
}

function copy3DPeer(p: CudaMemcpy3DPeerParms | null, stream: CudaStream, flags: number): number {
  return call((thread) => {
    if (!isObject(p)) return cudaErrorInvalidValue;
    checkDevice(thread, p.srcDevice, p.dstDevice);
    const { target, source, extent } = boxes3D(thread, { ...p, kind: cudaMemcpyDeviceToDevice });
    return copyBox(thread, target, source, extent, cudaMemcpyDeviceToDevice, stream, flags);
  });
}

/** Copies a box from one device's memory or array to another's and waits for it. */
export function cudaMemcpy3DPeer(p: CudaMemcpy3DPeerParms | null): number {
  return copy3DPeer(p, 0, 0);
}

/** `cudaMemcpy3DPeer`, ordered on a stream. */
export function cudaMemcpy3DPeerAsync(
  p: CudaMemcpy3DPeerParms | null,
  stream: CudaStream = 0,
): number {
  return copy3DPeer(p, stream, COPY_ASYNC);
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
