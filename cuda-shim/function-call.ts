/** Calls about one kernel. */
import type { DeviceFile } from "./device-file.ts";
import type { DeviceFunction } from "./registry.ts";
import { call } from "./thread.ts";
import type { HostSymbol } from "./types.ts";

/** Calls `body` with a kernel on the current device. */
export function withFunction(
  func: HostSymbol | null,
  body: (device: DeviceFile, fn: DeviceFunction) => number,
): number {
  return call((thread) => {
    const device = thread.device();
    return body(device, thread.registry.functionOn(device, thread.registry.kernel(func)));
  });
}
