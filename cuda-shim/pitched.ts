/** Pitched memory: rows and slices at a distance from one another (2-D and 3-D copies and sets). */
import {
  BOX_DEPTH,
  BOX_HEIGHT,
  BOX_SIZE,
  BOX_SOURCE,
  BOX_TARGET,
  BOX_WIDTH,
  COMMAND_MEMORY_COPY_3D,
  COMMAND_MEMORY_SET_3D,
  COPY_ASYNC,
  COPY_SOURCE_MAPPED,
  COPY_TARGET_MAPPED,
  MEMORY_COPY_3D_FLAGS,
  MEMORY_COPY_3D_KIND,
  MEMORY_SET_3D_ELEMENT,
  MEMORY_SET_3D_FLAGS,
  MEMORY_SET_3D_VALUE,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidPitchValue,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { writeU64 } from "../runtime/protocol/fields.ts";
import { COMMAND_STREAM_SYNCHRONIZE } from "../runtime/protocol/streams.ts";
import { CudaError } from "./errors.ts";
import { isCaptured, sendHostCopy } from "./host-copy.ts";
import { byteOf, type CopySide, checkKind, copySide, cudaMalloc } from "./memory.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CopyOperand,
  type CudaArray,
  type CudaPointer,
  type CudaStream,
  isBox,
  isObject,
  isSize,
  type Out,
} from "./types.ts";

/** Rows of `cudaMallocPitch` are this far apart, or a multiple: what texture bases are aligned to. */
const PITCH_ALIGNMENT = 512;

/** `cudaExtent`: width in bytes (elements for arrays), height in rows, depth in slices. */
export interface CudaExtent {
  width: number;
  height: number;
  depth: number;
}

/** `cudaPos`: where a box begins. */
export interface CudaPos {
  x: number;
  y: number;
  z: number;
}

/** `cudaPitchedPtr`: memory of rows that are `pitch` bytes apart, `ysize` of them a slice. */
export interface CudaPitchedPtr {
  ptr: CopyOperand;
  pitch: number;
  xsize: number;
  ysize: number;
}

/**
 * `cudaMemcpy3DParms`: each side is pitched memory or an array. Positions are 0 unless given; those in
 * arrays, and the width where an array takes part, are in elements.
 */
export interface CudaMemcpy3DParms {
  srcArray?: CudaArray;
  srcPos?: CudaPos;
  srcPtr?: CudaPitchedPtr;
  dstArray?: CudaArray;
  dstPos?: CudaPos;
  dstPtr?: CudaPitchedPtr;
  extent: CudaExtent;
  kind: number;
}

/** One side of a box: where it begins, and how far its rows and slices are apart (bytes). */
export interface BoxSide {
  readonly operand: CopyOperand;
  /** Bytes from the operand's start to the box. */
  readonly offset: number;
  readonly pitch: number;
  readonly slice: number;
}

/** Bytes from a box's first to behind its last, on one side. */
export function reach({ pitch, slice }: BoxSide, { width, height, depth }: CudaExtent): number {
  return (depth - 1) * slice + (height - 1) * pitch + width;
}

export function isExtent(extent: CudaExtent): boolean {
  if (!isObject(extent)) return false;
  const { width, height, depth } = extent;
  return isSize(width) && isSize(height) && isSize(depth);
}

/** Checks one side and takes it as a copy's side. @throws CudaError */
export function boxSide(side: BoxSide, extent: CudaExtent): CopySide {
  if (!isSize(side.pitch) || !isSize(side.slice) || !isSize(side.offset)) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  // The width must not be over the pitch (CUDA Runtime API, cudaMemcpy2D).
  if (extent.width > side.pitch) throw new CudaError(cudaErrorInvalidPitchValue);
  const bytes = side.offset + reach(side, extent);
  if (!isSize(bytes)) throw new CudaError(cudaErrorInvalidValue);
  const { address, bytes: memory } = copySide(side.operand, bytes);
  if (memory) return { address: side.offset, bytes: memory };
  return { address: address + side.offset, bytes: undefined };
}

const box = new Uint8Array(BOX_SIZE);
const boxView = new DataView(box.buffer);

/** Writes a side (BOX_TARGET or BOX_SOURCE) into the box that goes with a request. */
function putSide(field: number, address: number, side: BoxSide): void {
  writeU64(boxView, field, address);
  writeU64(boxView, field + 8, side.pitch);
  writeU64(boxView, field + 16, side.slice);
}

function putExtent({ width, height, depth }: CudaExtent): void {
  writeU64(boxView, BOX_WIDTH, width);
  writeU64(boxView, BOX_HEIGHT, height);
  writeU64(boxView, BOX_DEPTH, depth);
}

/** The box of a copy that JavaScript makes, for the device to check: a side of its own has the address 0. */
export function boxBytes(dst: BoxSide, src: BoxSide, extent: CudaExtent): Uint8Array {
  const address = (side: BoxSide) =>
    typeof side.operand === "number" ? side.operand + side.offset : 0;
  putSide(BOX_TARGET, address(dst), dst);
  putSide(BOX_SOURCE, address(src), src);
  putExtent(extent);
  return box.slice();
}

/** Copies a box, ordered on a stream. @throws CudaError */
export function copyBox(
  thread: HostThread,
  dst: BoxSide,
  src: BoxSide,
  extent: CudaExtent,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  if (!isExtent(extent)) return cudaErrorInvalidValue;
  thread.device().begin(stream);
  if (extent.width === 0 || extent.height === 0 || extent.depth === 0) return cudaSuccess;
  const target = boxSide(dst, extent);
  const source = boxSide(src, extent);
  checkKind(kind, target, source);
  if ((target.bytes || source.bytes) && flags === COPY_ASYNC && isCaptured(thread, stream)) {
    return sendHostCopy(thread, { target: dst, source: src, extent, kind }, stream);
  }
  const device = thread.device().begin(stream);
  if (target.bytes && source.bytes) {
    device.check(COMMAND_STREAM_SYNCHRONIZE);
    copyRows(target.bytes, dst, source.bytes, src, extent);
    return cudaSuccess;
  }
  putSide(BOX_TARGET, target.address, dst);
  putSide(BOX_SOURCE, source.address, src);
  putExtent(extent);
  const mapped = (target.bytes ? COPY_TARGET_MAPPED : 0) | (source.bytes ? COPY_SOURCE_MAPPED : 0);
  device.setU32(MEMORY_COPY_3D_KIND, kind).setU32(MEMORY_COPY_3D_FLAGS, flags | mapped);
  return device.send(COMMAND_MEMORY_COPY_3D, box, target.bytes ?? source.bytes);
}

/** Copies rows where both sides are bytes. */
export function copyRows(
  target: Uint8Array,
  dst: BoxSide,
  source: Uint8Array,
  src: BoxSide,
  { width, height, depth }: CudaExtent,
): void {
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const from = src.offset + z * src.slice + y * src.pitch;
      target.set(source.subarray(from, from + width), dst.offset + z * dst.slice + y * dst.pitch);
    }
  }
}

/** Rows of one slice, from the operand's start. */
export function rows(operand: CopyOperand, pitch: number): BoxSide {
  return { operand, offset: 0, pitch, slice: 0 };
}

/**
 * Allocates rows of `width` bytes each, aligned for coalesced access.
 * @param pitch receives the bytes from one row to the next
 * @param height rows
 */
export function cudaMallocPitch(
  devPtr: Out<CudaPointer> | null,
  pitch: Out<number> | null,
  width: number,
  height: number,
): number {
  if (!isBox(devPtr) || !isBox(pitch) || !isSize(width) || !isSize(height)) {
    return call(() => cudaErrorInvalidValue);
  }
  const bytes = Math.ceil(width / PITCH_ALIGNMENT) * PITCH_ALIGNMENT;
  const size = Math.min(bytes * height, Number.MAX_SAFE_INTEGER);
  const error = cudaMalloc(devPtr, size);
  if (error === cudaSuccess) pitch.value = bytes;
  return error;
}

/** Allocates slices of pitched rows. @param extent width in bytes */
export function cudaMalloc3D(
  pitchedDevPtr: Out<CudaPitchedPtr | null> | null,
  extent: CudaExtent,
): number {
  if (!isBox(pitchedDevPtr) || !isExtent(extent)) return call(() => cudaErrorInvalidValue);
  const devPtr = { value: 0 };
  const pitch = { value: 0 };
  const rowCount = Math.min(extent.height * extent.depth, Number.MAX_SAFE_INTEGER);
  const error = cudaMallocPitch(devPtr, pitch, extent.width, rowCount);
  if (error === cudaSuccess) {
    const { width: xsize, height: ysize } = extent;
    pitchedDevPtr.value = { ptr: devPtr.value, pitch: pitch.value, xsize, ysize };
  }
  return error;
}

/**
 * Copies rows and waits for it.
 *
 * @param dpitch bytes from one row of the target to the next; `spitch` of the source
 * @param width bytes of each row that are copied; `height` rows
 * @returns cudaErrorInvalidPitchValue if `width` is over a pitch; as `cudaMemcpy` else
 */
export function cudaMemcpy2D(
  dst: CopyOperand,
  dpitch: number,
  src: CopyOperand,
  spitch: number,
  width: number,
  height: number,
  kind: number,
): number {
  const extent = { width, height, depth: 1 };
  return call((thread) =>
    copyBox(thread, rows(dst, dpitch), rows(src, spitch), extent, kind, 0, 0),
  );
}

/** `cudaMemcpy2D`, ordered on a stream; see `cudaMemcpyAsync`. */
export function cudaMemcpy2DAsync(
  dst: CopyOperand,
  dpitch: number,
  src: CopyOperand,
  spitch: number,
  width: number,
  height: number,
  kind: number,
  stream: CudaStream = 0,
): number {
  const extent = { width, height, depth: 1 };
  return call((thread) =>
    copyBox(thread, rows(dst, dpitch), rows(src, spitch), extent, kind, stream, COPY_ASYNC),
  );
}

export function box3D(
  { ptr, pitch, ysize }: CudaPitchedPtr,
  pos: CudaPos = { x: 0, y: 0, z: 0 },
): BoxSide {
  const slice = pitch * ysize;
  return { operand: ptr, offset: pos.x + pos.y * pitch + pos.z * slice, pitch, slice };
}

/**
 * Sets a box of elements of 1, 2 or 4 bytes, ordered on a stream.
 * @param extent width in bytes
 */
export function setBox(
  thread: HostThread,
  { operand, pitch, slice }: BoxSide,
  value: number,
  extent: CudaExtent,
  stream: CudaStream,
  flags: number,
  element: 1 | 2 | 4 = 1,
): number {
  if (!isExtent(extent) || !isSize(pitch) || !isSize(slice)) return cudaErrorInvalidValue;
  if (typeof operand !== "number" || !isSize(operand)) return cudaErrorInvalidValue;
  const device = thread.device().begin(stream);
  if (extent.width === 0 || extent.height === 0 || extent.depth === 0) return cudaSuccess;
  if (extent.width > pitch) return cudaErrorInvalidPitchValue;
  putSide(BOX_TARGET, operand, { operand, offset: 0, pitch, slice });
  putSide(BOX_SOURCE, 0, { operand: 0, offset: 0, pitch: 0, slice: 0 });
  putExtent(extent);
  device.setU32(MEMORY_SET_3D_VALUE, value).setU32(MEMORY_SET_3D_ELEMENT, element);
  return device.setU32(MEMORY_SET_3D_FLAGS, flags).send(COMMAND_MEMORY_SET_3D, box);
}

/** Sets `width` bytes of each of `height` rows to the low byte of `value`. */
export function cudaMemset2D(
  devPtr: CudaPointer,
  pitch: number,
  value: number,
  width: number,
  height: number,
): number {
  const extent = { width, height, depth: 1 };
  return call((thread) => setBox(thread, rows(devPtr, pitch), byteOf(value), extent, 0, 0));
}

/** `cudaMemset2D`, ordered on a stream. */
export function cudaMemset2DAsync(
  devPtr: CudaPointer,
  pitch: number,
  value: number,
  width: number,
  height: number,
  stream: CudaStream = 0,
): number {
  const extent = { width, height, depth: 1 };
  return call((thread) =>
    setBox(thread, rows(devPtr, pitch), byteOf(value), extent, stream, COPY_ASYNC),
  );
}

/** Sets a box of pitched memory to the low byte of `value`. */
export function cudaMemset3D(
  pitchedDevPtr: CudaPitchedPtr | null,
  value: number,
  extent: CudaExtent,
): number {
  return call((thread) => {
    if (!isObject(pitchedDevPtr)) return cudaErrorInvalidValue;
    return setBox(thread, box3D(pitchedDevPtr), byteOf(value), extent, 0, 0);
  });
}

/** `cudaMemset3D`, ordered on a stream. */
export function cudaMemset3DAsync(
  pitchedDevPtr: CudaPitchedPtr | null,
  value: number,
  extent: CudaExtent,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    if (!isObject(pitchedDevPtr)) return cudaErrorInvalidValue;
    return setBox(thread, box3D(pitchedDevPtr), byteOf(value), extent, stream, COPY_ASYNC);
  });
}
