/**
 * The driver: what a kernel module is to a CUDA library. A library opens it once a host thread,
 * makes ioctls, maps memory, polls for events and releases it.
 *
 *   const driver = machine.open({ stdout, stderr });          // open(2)
 *   const arg = new DataView(new ArrayBuffer(ARG_SIZE)); // reused
 *   arg.setUint32(REQUEST_CONTEXT, context, true);
 *   arg.setBigUint64(MEMORY_ALLOC_BYTES, 4096n, true);          // or writeU64(arg, field, number)
 *   const rc = driver.ioctl(IOCTL_BASE + COMMAND_MEMORY_ALLOC, arg);
 *   if (rc < 0) …                                               // -errno: the driver refused
 *   arg.getUint32(ARG_RESPONSE + RESPONSE_ERROR, true)          // cudaError_t
 *   readU64(arg, ARG_RESPONSE + MEMORY_ALLOC_ADDRESS)         // the pointer
 *
 * Variable data goes beside the argument: `ioctl(request, arg, out, into)`: `out` follows the
 * request (image, name, packed parameters, host source of a copy), `into` receives what follows
 * the response (parameter table and name, log, fault text, host target of a copy).
 */

export { readU64, writeU64 } from "../protocol/fields.ts";
export { DriverModule, type DriverModuleOptions } from "./module.ts";
export { openFile } from "./open-file.ts";
export type { QueueAddresses, Transport } from "./transport.ts";
export type { DriverOptions, IoctlData, OpenFile } from "./types.ts";
export { POLLERR, POLLIN } from "./types.ts";
