import { cudaDevAttrMaxTexture1DLinearWidth } from "../runtime/protocol/attributes.ts";
import {
  COMMAND_CONTEXT_RESET,
  COMMAND_CONTEXT_SYNCHRONIZE,
  COMMAND_DEVICE_ATTRIBUTE,
  DEVICE_ATTRIBUTE_ATTRIBUTE,
  DEVICE_ATTRIBUTE_DEVICE,
  DEVICE_ATTRIBUTE_VALUE,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaErrorNoDevice,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { CUDART_VERSION } from "./constants.ts";
import type { DeviceFile } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import type { CudaChannelFormatDesc } from "./misc.ts";
import { type CudaDeviceProp, readProperties } from "./properties.ts";
import { call, type HostThread } from "./thread.ts";
import { isBox, isI32, isObject, type Out } from "./types.ts";

/** The device with that ordinal. @throws CudaError cudaErrorInvalidDevice */
function deviceAt(thread: HostThread, ordinal: number): DeviceFile {
  const device = thread.deviceAt(ordinal);
  if (!device) throw new CudaError(cudaErrorInvalidDevice);
  return device;
}

/** How many devices there are. @returns cudaErrorNoDevice if there are none */
export function cudaGetDeviceCount(count: Out<number> | null): number {
  return call((thread) => {
    if (!isBox(count)) return cudaErrorInvalidValue;
    count.value = thread.devices.length;
    return count.value === 0 ? cudaErrorNoDevice : cudaSuccess;
  });
}

/**
 * Makes a device the current one of this host thread, and its primary context if need be.
 * @returns cudaErrorInvalidDevice if there is none of that ordinal
 */
export function cudaSetDevice(device: number): number {
  return call((thread) => {
    deviceAt(thread, device).needContext();
    thread.current = device;
    return cudaSuccess;
  });
}

/** Makes a device's primary context, and leaves the current device as it is. Flags are hints. */
export function cudaInitDevice(device: number, _deviceFlags = 0, _flags = 0): number {
  return call((thread) => {
    deviceAt(thread, device).needContext();
    return cudaSuccess;
  });
}

/** Would say which devices are chosen from, where none was chosen: there is nothing to choose. */
export function cudaSetValidDevices(devices: readonly number[] | null, len: number): number {
  return call((thread) => {
    if (!isI32(len)) return cudaErrorInvalidValue;
    for (let i = 0; i < len; i++) deviceAt(thread, devices?.[i] ?? -1);
    return cudaSuccess;
  });
}

/** The ordinal of the current device. */
export function cudaGetDevice(device: Out<number> | null): number {
  return call((thread) => {
    if (!isBox(device)) return cudaErrorInvalidValue;
    device.value = thread.current;
    return cudaSuccess;
  });
}

/** All properties of a device. */
export function cudaGetDeviceProperties(
  prop: Out<CudaDeviceProp | null> | null,
  device: number,
): number {
  return call((thread) => {
    if (!isBox(prop)) return cudaErrorInvalidValue;
    prop.value = readProperties(deviceAt(thread, device));
    return cudaSuccess;
  });
}

/**
 * One attribute of a device.
 * @param attr a `cudaDevAttr…` number
 * @returns cudaErrorInvalidValue if there is no such attribute, cudaErrorInvalidDevice
 */
export function cudaDeviceGetAttribute(
  value: Out<number> | null,
  attr: number,
  device: number,
): number {
  return call((thread) => {
    if (!isBox(value) || !isI32(attr)) return cudaErrorInvalidValue;
    const file = deviceAt(thread, device).beginWithout();
    file.setU32(DEVICE_ATTRIBUTE_ATTRIBUTE, attr).setU32(DEVICE_ATTRIBUTE_DEVICE, device);
    file.check(COMMAND_DEVICE_ATTRIBUTE);
    value.value = file.getI32(DEVICE_ATTRIBUTE_VALUE);
    return cudaSuccess;
  });
}

/** Texels that a linear texture of a device may have, whatever they are made of. */
export function cudaDeviceGetTexture1DLinearMaxWidth(
  maxWidthInElements: Out<number> | null,
  fmtDesc: CudaChannelFormatDesc | null,
  device: number,
): number {
  if (!isObject(fmtDesc)) return call(() => cudaErrorInvalidValue);
  return cudaDeviceGetAttribute(maxWidthInElements, cudaDevAttrMaxTexture1DLinearWidth, device);
}

/** The PCI address of a device: `domain:bus:device.function`, in hexadecimal. */
export function cudaDeviceGetPCIBusId(pciBusId: Out<string> | null, device: number): number {
  return call((thread) => {
    if (!isBox(pciBusId)) return cudaErrorInvalidValue;
    pciBusId.value = pciAddress(deviceAt(thread, device));
    return cudaSuccess;
  });
}

/** The device at a PCI address. @returns cudaErrorInvalidDevice if there is none */
export function cudaDeviceGetByPCIBusId(device: Out<number> | null, pciBusId: string): number {
  return call((thread) => {
    if (!isBox(device) || typeof pciBusId !== "string") return cudaErrorInvalidValue;
    const wanted = pciBusId.toUpperCase();
    const found = thread.devices.findIndex((file) => {
      const address = pciAddress(file);
      // Domain and function may be left out.
      return [address, address.slice(5), address.slice(0, -2), address.slice(5, -2)].includes(
        wanted,
      );
    });
    if (found < 0) return cudaErrorInvalidDevice;
    device.value = found;
    return cudaSuccess;
  });
}

function pciAddress(device: DeviceFile): string {
  const { pciDomainID, pciBusID, pciDeviceID } = readProperties(device);
  const hex = (value: number, digits: number) =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  return `${hex(pciDomainID, 4)}:${hex(pciBusID, 2)}:${hex(pciDeviceID, 2)}.0`;
}

/** The device that fits best what is asked for: the first one of at least that compute capability. */
export function cudaChooseDevice(
  device: Out<number> | null,
  prop: Partial<CudaDeviceProp> | null,
): number {
  return call((thread) => {
    if (!isBox(device) || !isObject(prop)) return cudaErrorInvalidValue;
    const { major = 0, minor = 0, totalGlobalMem = 0 } = prop;
    const fits = thread.devices.findIndex((file) => {
      const has = readProperties(file);
      const newer = has.major > major || (has.major === major && has.minor >= minor);
      return newer && has.totalGlobalMem >= totalGlobalMem;
    });
    device.value = Math.max(fits, 0);
    return thread.devices.length === 0 ? cudaErrorNoDevice : cudaSuccess;
  });
}

/**
 * Waits for all work of the current device.
 * @returns the fault of a kernel, if one had one (cudaErrorIllegalAddress, cudaErrorAssert …)
 */
export function cudaDeviceSynchronize(): number {
  return call((thread) => {
    const device = thread.device();
    const error = device.begin().send(COMMAND_CONTEXT_SYNCHRONIZE);
    // What kernels printed is delivered now.
    device.file.poll();
    return error;
  });
}

/** `cudaDeviceSynchronize` by its name up to CUDA 9. */
export function cudaThreadSynchronize(): number {
  return cudaDeviceSynchronize();
}

/**
 * Frees all that this process has on the current device and clears its fault. Addresses and handles
 * end; registered kernels are loaded again when they are used.
 */
export function cudaDeviceReset(): number {
  return call((thread) => {
    const device = thread.device();
    device.begin().check(COMMAND_CONTEXT_RESET);
    device.wasReset();
    thread.lastError = cudaSuccess;
    return cudaSuccess;
  });
}

/** The version of CUDA that the driver supports: 1000 major + 10 minor. */
export function cudaDriverGetVersion(version: Out<number> | null): number {
  return cudaRuntimeGetVersion(version);
}

/** The version of CUDA that this API follows: 1000 major + 10 minor. */
export function cudaRuntimeGetVersion(version: Out<number> | null): number {
  return call(() => {
    if (!isBox(version)) return cudaErrorInvalidValue;
    version.value = CUDART_VERSION;
    return cudaSuccess;
  });
}
