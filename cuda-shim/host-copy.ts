/**
 * Copies of JavaScript's own memory that wait for their turn, in graphs and captures: a function of the host
 * moves the bytes, by the mapping of the device's memory.
 */
import { cudaErrorInvalidValue } from "../runtime/protocol/errors.ts";
import {
  CAPTURE_INFO_STATUS,
  CAPTURE_STATUS_NONE,
  COMMAND_CAPTURE_INFO,
} from "../runtime/protocol/graphs.ts";
import { HOST_CALL_COPY } from "../runtime/protocol/streams.ts";
import type { HostFunction } from "./callbacks.ts";
import { CudaError } from "./errors.ts";
import { sendHostCall } from "./host-call.ts";
import { type CopySide, checkKind } from "./memory.ts";
import {
  type BoxSide,
  boxBytes,
  boxSide,
  type CudaExtent,
  type CudaMemcpy3DParms,
  type CudaPitchedPtr,
  copyRows,
  isExtent,
  reach,
} from "./pitched.ts";
import type { HostThread } from "./thread.ts";
import { bytesOf, type CopyOperand, type CudaStream, isHostMemory } from "./types.ts";

/** A copy of a box. */
export interface BoxCopy {
  readonly target: BoxSide;
  readonly source: BoxSide;
  /** Width in bytes. */
  readonly extent: CudaExtent;
  readonly kind: number;
}

/** `count` bytes as a box of one row. */
export function lineCopy(dst: CopyOperand, src: CopyOperand, count: number, kind: number): BoxCopy {
  const side = (operand: CopyOperand) => ({ operand, offset: 0, pitch: count, slice: count });
  const extent = { width: count, height: 1, depth: 1 };
  return { target: side(dst), source: side(src), extent, kind };
}

/** Does a copy have a side that the device does not know? */
export function isHostCopy({ target, source }: BoxCopy): boolean {
  return isHostMemory(target.operand) || isHostMemory(source.operand);
}

/** The bytes of a side, and where the box begins in them. @throws CudaError if it is not in memory */
function bytesOfSide(thread: HostThread, side: CopySide, box: BoxSide, extent: CudaExtent) {
  if (side.bytes) return { bytes: side.bytes, offset: side.address };
  const bytes = thread.device().file.mmap(side.address, reach(box, extent));
  if (typeof bytes === "number") throw new CudaError(cudaErrorInvalidValue);
  return { bytes, offset: 0 };
}

/** A side as it is given back to those who ask. */
function pitched({ operand, offset, pitch, slice }: BoxSide, xsize: number): CudaPitchedPtr {
  const own = isHostMemory(operand);
  const moved = () => (own ? bytesOf(operand).subarray(offset) : (operand as number) + offset);
  return { ptr: offset === 0 ? operand : moved(), pitch, xsize, ysize: pitch ? slice / pitch : 0 };
}

/**
 * The function that makes a copy.
 * @throws CudaError for sides that are no memory or too short, and for copies of nothing
 */
function hostCopy(thread: HostThread, { target, source, extent, kind }: BoxCopy): HostFunction {
  if (!isExtent(extent) || extent.width * extent.height * extent.depth === 0) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  const to = boxSide(target, extent);
  const from = boxSide(source, extent);
  checkKind(kind, to, from);
  const fn = (): void => {
    const there = bytesOfSide(thread, to, target, extent);
    const here = bytesOfSide(thread, from, source, extent);
    const aside = { ...source, offset: here.offset };
    copyRows(there.bytes, { ...target, offset: there.offset }, here.bytes, aside, extent);
  };
  const copied: CudaMemcpy3DParms = {
    srcPtr: pitched(source, extent.width),
    dstPtr: pitched(target, extent.width),
    extent,
    kind,
  };
  return { fn, userData: undefined, copied };
}

/**
 * Sends a copy as a host call, to a stream that captures or to be recorded.
 * @throws CudaError
 */
export function sendHostCopy(thread: HostThread, copy: BoxCopy, stream: CudaStream): number {
  const given = hostCopy(thread, copy);
  const ticket = thread.hostCalls.add(() => given.fn(undefined), false, given);
  const box = boxBytes(copy.target, copy.source, copy.extent);
  const error = sendHostCall(thread.device(), stream, ticket, HOST_CALL_COPY, box);
  if (error !== 0) thread.hostCalls.delete(ticket);
  return error;
}

/** Is a stream being captured, by a capture that this JavaScript thread began? */
export function isCaptured(thread: HostThread, stream: CudaStream): boolean {
  if (thread.captures === 0) return false;
  const device = thread.device().begin(stream);
  device.check(COMMAND_CAPTURE_INFO);
  return device.getU32(CAPTURE_INFO_STATUS) !== CAPTURE_STATUS_NONE;
}
