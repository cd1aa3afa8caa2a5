/** Copies whose host side may be any bytes of this thread. */
import * as P from "../protocol/definitions.ts";
import { EFAULT } from "../protocol/errno.ts";
import { readU64, writeU64 } from "../protocol/fields.ts";
import { moveBytes } from "./bulk.ts";
import { COMMAND_SHAPES } from "./commands.ts";
import type { DriverModule } from "./module.ts";
import type { IoctlData } from "./types.ts";

/** Host data up to this size is staged in the request; longer data is moved through the mapping. */
const INLINE_BYTES = 2048;

/**
 * A view of device memory (shared memory region 0).
 * @param pointer CUDA pointer
 * @returns the view, or -EFAULT if the range is not inside device memory
 */
export function mapDevice(
  module: DriverModule,
  pointer: number,
  bytes: number,
): Uint8Array | number {
  const { memory } = module;
  const offset = memory.offsetOf(pointer, bytes);
  return offset < memory.map.deviceMemory.start ? -EFAULT : memory.bytes(offset, bytes);
}

/** @returns the guest physical address of a view, or -EFAULT if it is not of guest memory */
export function virtToPhys(module: DriverModule, view: ArrayBufferView): number {
  return module.memory.owns(view.buffer) ? view.byteOffset : -EFAULT;
}

/**
 * MEMORY_COPY: pinned memory goes by its address, little data in the request, long data once,
 * through the mapping of device memory, after the device has checked the range and the stream's
 * turn has come.
 * @param out host source, or nothing
 * @param into host target, or nothing
 * @returns 0 or -errno
 */
export function copyLinear(
  module: DriverModule,
  thread: number,
  arg: DataView,
  out: IoctlData | undefined,
  into: IoctlData | undefined,
): number {
  const command = P.COMMAND_MEMORY_COPY;
  const shape = COMMAND_SHAPES[command];
  const bytes = readU64(arg, P.MEMORY_COPY_BYTES);
  const host = out ?? into;
  const kept = arg.getUint32(P.MEMORY_COPY_FLAGS, true) & P.COPY_ASYNC;
  arg.setUint32(P.MEMORY_COPY_FLAGS, kept, true);
  if (host === undefined) return module.transact(command, shape, arg, thread);
  if (host.length < bytes) return -EFAULT;
  const pinned = virtToPhys(module, host);
  if (pinned >= 0) {
    const field = out ? P.MEMORY_COPY_SOURCE : P.MEMORY_COPY_TARGET;
    writeU64(arg, field, module.memory.pointerOf(pinned));
    return module.transact(command, shape, arg, thread);
  }
  const data = host.length === bytes ? host : host.subarray(0, bytes);
  if (bytes <= INLINE_BYTES) {
    const flag = out ? P.COPY_SOURCE_INLINE : P.COPY_TARGET_INLINE;
    arg.setUint32(P.MEMORY_COPY_FLAGS, kept | flag, true);
    return out
      ? module.transact(command, shape, arg, thread, data)
      : module.transact(command, shape, arg, thread, undefined, data);
  }
  const flag = out ? P.COPY_SOURCE_MAPPED : P.COPY_TARGET_MAPPED;
  arg.setUint32(P.MEMORY_COPY_FLAGS, kept | flag, true);
  const result = module.transact(command, shape, arg, thread);
  if (result < 0 || failed(arg)) return result;
  const device = readU64(arg, out ? P.MEMORY_COPY_TARGET : P.MEMORY_COPY_SOURCE);
  const mapped = mapDevice(module, device, bytes);
  if (typeof mapped === "number") return mapped;
  if (out) moveBytes(mapped, data);
  else moveBytes(data, mapped);
  return 0;
}

/**
 * MEMORY_COPY_3D. A host side that is no guest memory is moved here, row by row.
 * @param box BOX_SIZE bytes; the address of a host side is an offset in `host`
 * @param host the host side, by COPY_SOURCE_MAPPED or COPY_TARGET_MAPPED in `arg`
 * @returns 0 or -errno
 */
export function copyBox(
  module: DriverModule,
  thread: number,
  arg: DataView,
  box: IoctlData | undefined,
  host: IoctlData | undefined,
): number {
  const command = P.COMMAND_MEMORY_COPY_3D;
  const shape = COMMAND_SHAPES[command];
  if (box === undefined || box.length < P.BOX_SIZE) return -EFAULT;
  const flags = arg.getUint32(P.MEMORY_COPY_3D_FLAGS, true);
  const fromHost = (flags & P.COPY_SOURCE_MAPPED) !== 0;
  const mapped = (flags & (P.COPY_SOURCE_MAPPED | P.COPY_TARGET_MAPPED)) !== 0;
  if (mapped !== (host !== undefined)) return -EFAULT;
  if (host === undefined) return module.transact(command, shape, arg, thread, box);
  const view = new DataView(box.buffer, box.byteOffset, P.BOX_SIZE);
  const field = (at: number): number => readU64(view, at);
  const target = [field(P.BOX_TARGET), field(P.BOX_TARGET_PITCH), field(P.BOX_TARGET_SLICE)];
  const source = [field(P.BOX_SOURCE), field(P.BOX_SOURCE_PITCH), field(P.BOX_SOURCE_SLICE)];
  const [hostAt = 0, hostPitch = 0, hostSlice = 0] = fromHost ? source : target;
  const [deviceAt = 0, devicePitch = 0, deviceSlice = 0] = fromHost ? target : source;
  const width = field(P.BOX_WIDTH);
  const height = field(P.BOX_HEIGHT);
  const depth = field(P.BOX_DEPTH);
  const empty = width === 0 || height === 0 || depth === 0;
  const last = (depth - 1) * hostSlice + (height - 1) * hostPitch + width;
  if (!empty && !(hostAt + last <= host.length)) return -EFAULT;
  const result = module.transact(command, shape, arg, thread, box);
  if (result < 0 || failed(arg) || empty) return result;
  const bytes = (depth - 1) * deviceSlice + (height - 1) * devicePitch + width;
  const device = mapDevice(module, deviceAt, bytes);
  if (typeof device === "number") return device;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const h = hostAt + z * hostSlice + y * hostPitch;
      const d = z * deviceSlice + y * devicePitch;
      if (fromHost) device.set(host.subarray(h, h + width), d);
      else host.set(device.subarray(d, d + width), h);
    }
  }
  return 0;
}

function failed(arg: DataView): boolean {
  return arg.getUint32(P.ARG_RESPONSE + P.RESPONSE_ERROR, true) !== 0;
}
