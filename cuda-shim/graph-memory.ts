/** What graphs use of a device's memory. */
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  COMMAND_GRAPH_MEMORY,
  GRAPH_MEMORY_ATTRIBUTE,
  GRAPH_MEMORY_GET,
  GRAPH_MEMORY_RESET,
  GRAPH_MEMORY_TRIM,
  GRAPH_MEMORY_VALUE,
  GRAPH_MEMORY_WHAT,
} from "../runtime/protocol/graphs.ts";
import type { DeviceFile } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import { deviceAt } from "./memory-place.ts";
import { call, type HostThread } from "./thread.ts";
import { isBox, isI32, type Out } from "./types.ts";

/** Begins a request about the memory of a device's graphs. @throws CudaError */
function about(thread: HostThread, ordinal: number, what: number, attribute: number): DeviceFile {
  const device = deviceAt(thread, ordinal).begin();
  if (!isI32(attribute)) throw new CudaError(cudaErrorInvalidValue);
  return device.setU32(GRAPH_MEMORY_WHAT, what).setU32(GRAPH_MEMORY_ATTRIBUTE, attribute);
}

/** Bytes that graphs use or reserve. @param attr `cudaGraphMemAttr…` */
export function cudaDeviceGetGraphMemAttribute(
  device: number,
  attr: number,
  value: Out<number> | null,
): number {
  return call((thread) => {
    if (!isBox(value)) return cudaErrorInvalidValue;
    const file = about(thread, device, GRAPH_MEMORY_GET, attr);
    file.check(COMMAND_GRAPH_MEMORY);
    value.value = file.getU64(GRAPH_MEMORY_VALUE);
    return cudaSuccess;
  });
}

/** Forgets a high mark (`cudaGraphMemAttr…High`). @param value 0 */
export function cudaDeviceSetGraphMemAttribute(
  device: number,
  attr: number,
  value: number,
): number {
  return call((thread) => {
    if (value !== 0) return cudaErrorInvalidValue;
    return about(thread, device, GRAPH_MEMORY_RESET, attr).send(COMMAND_GRAPH_MEMORY);
  });
}

/** Lets go of what the graphs of a device reserve and don't use. */
export function cudaDeviceGraphMemTrim(device: number): number {
  return call((thread) => about(thread, device, GRAPH_MEMORY_TRIM, 0).send(COMMAND_GRAPH_MEMORY));
}
