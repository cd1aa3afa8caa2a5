/** Copies from and to arrays. */
import { COPY_ASYNC } from "../runtime/protocol/definitions.ts";
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import { type ArrayLayout, arrayLayout, checkInArray } from "./array.ts";
import { CudaError } from "./errors.ts";
import {
  type BoxSide,
  box3D,
  type CudaExtent,
  type CudaMemcpy3DParms,
  type CudaPos,
  copyBox,
  isExtent,
  rows,
} from "./pitched.ts";
import { call, type HostThread } from "./thread.ts";
import { type CopyOperand, type CudaArray, type CudaStream, isObject, isSize } from "./types.ts";

/** The part of an array that begins at `pos` (in elements), as a side of a copy. */
function arraySide(layout: ArrayLayout, pos: CudaPos): BoxSide {
  const { address, pitch, slice, elementBytes } = layout;
  const offset = pos.x * elementBytes + pos.y * pitch + pos.z * slice;
  // One row of a one-dimensional array is all there is.
  return { operand: address, offset, pitch: pitch || layout.width * elementBytes, slice };
}

/**
 * A part of an array given in bytes of a row and rows, in elements.
 * @throws CudaError cudaErrorInvalidValue if it is not inside, or cuts elements
 */
function part(
  layout: ArrayLayout,
  wOffset: number,
  hOffset: number,
  width: number,
  height: number,
): BoxSide {
  const { elementBytes } = layout;
  const sizes = [wOffset, hOffset, width, height];
  if (!sizes.every(isSize) || wOffset % elementBytes || width % elementBytes) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  const pos = { x: wOffset / elementBytes, y: hOffset, z: 0 };
  if (width > 0 && height > 0) {
    checkInArray(layout, pos, { width: width / elementBytes, height, depth: 1 });
  }
  return arraySide(layout, pos);
}

function copy2D(
  sides: (thread: HostThread) => { target: BoxSide; source: BoxSide },
  width: number,
  height: number,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  return call((thread) => {
    const { target, source } = sides(thread);
    return copyBox(thread, target, source, { width, height, depth: 1 }, kind, stream, flags);
  });
}

/**
 * Copies rows into an array.
 * @param wOffset where to, in bytes of a row, and `hOffset` in rows
 * @param spitch bytes from one row of the source to the next
 * @param width bytes of each row, and `height` rows
 */
export function cudaMemcpy2DToArray(
  dst: CudaArray,
  wOffset: number,
  hOffset: number,
  src: CopyOperand,
  spitch: number,
  width: number,
  height: number,
  kind: number,
): number {
  return toArray(dst, wOffset, hOffset, src, spitch, width, height, kind, 0, 0);
}

/** `cudaMemcpy2DToArray`, ordered on a stream. */
export function cudaMemcpy2DToArrayAsync(
  dst: CudaArray,
  wOffset: number,
  hOffset: number,
  src: CopyOperand,
  spitch: number,
  width: number,
  height: number,
  kind: number,
  stream: CudaStream = 0,
): number {
  return toArray(dst, wOffset, hOffset, src, spitch, width, height, kind, stream, COPY_ASYNC);
}

function toArray(
  dst: CudaArray,
  wOffset: number,
  hOffset: number,
  src: CopyOperand,
  spitch: number,
  width: number,
  height: number,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  const sides = (thread: HostThread) => ({
    target: part(arrayLayout(thread, dst), wOffset, hOffset, width, height),
    source: rows(src, spitch),
  });
  return copy2D(sides, width, height, kind, stream, flags);
}

/** Copies rows from an array; see `cudaMemcpy2DToArray`. */
export function cudaMemcpy2DFromArray(
  dst: CopyOperand,
  dpitch: number,
  src: CudaArray,
  wOffset: number,
  hOffset: number,
  width: number,
  height: number,
  kind: number,
): number {
  return fromArray(dst, dpitch, src, wOffset, hOffset, width, height, kind, 0, 0);
}

/** `cudaMemcpy2DFromArray`, ordered on a stream. */
export function cudaMemcpy2DFromArrayAsync(
  dst: CopyOperand,
  dpitch: number,
  src: CudaArray,
  wOffset: number,
  hOffset: number,
  width: number,
  height: number,
  kind: number,
  stream: CudaStream = 0,
): number {
  return fromArray(dst, dpitch, src, wOffset, hOffset, width, height, kind, stream, COPY_ASYNC);
}

function fromArray(
  dst: CopyOperand,
  dpitch: number,
  src: CudaArray,
  wOffset: number,
  hOffset: number,
  width: number,
  height: number,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  const sides = (thread: HostThread) => ({
    target: rows(dst, dpitch),
    source: part(arrayLayout(thread, src), wOffset, hOffset, width, height),
  });
  return copy2D(sides, width, height, kind, stream, flags);
}

/**
 * Copies bytes that run on from row to row of an array: the rest of a row, whole rows, the start of one.
 * @param array begins at `wOffset` bytes of row `hOffset`
 * @param memory the other side, without gaps
 */
function run(
  array: CudaArray,
  wOffset: number,
  hOffset: number,
  memory: CopyOperand,
  count: number,
  kind: number,
  stream: CudaStream,
  flags: number,
  toArray: boolean,
): number {
  return call((thread) => {
    const layout = arrayLayout(thread, array);
    const row = layout.width * layout.elementBytes;
    const height = Math.max(layout.height, 1);
    if (![wOffset, hOffset, count].every(isSize) || wOffset >= row || hOffset >= height) {
      return cudaErrorInvalidValue;
    }
    if (count > (height - hOffset) * row - wOffset) return cudaErrorInvalidValue;
    let [x, y, done] = [wOffset, hOffset, 0];
    while (done < count) {
      const width = Math.min(count - done, row - x);
      const whole = x === 0 && count - done >= row ? Math.floor((count - done) / row) : 1;
      const there = part(layout, x, y, width, whole);
      const here = { operand: memory, offset: done, pitch: width, slice: 0 };
      const [target, source] = toArray ? [there, here] : [here, there];
      const extent = { width, height: whole, depth: 1 };
      const error = copyBox(thread, target, source, extent, kind, stream, flags);
      if (error !== cudaSuccess) return error;
      done += width * whole;
      y += whole;
      x = 0;
    }
    return cudaSuccess;
  });
}

/** Copies `count` bytes into an array, row after row (CUDA 10 and earlier). */
export function cudaMemcpyToArray(
  dst: CudaArray,
  wOffset: number,
  hOffset: number,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return run(dst, wOffset, hOffset, src, count, kind, 0, 0, true);
}

/** `cudaMemcpyToArray`, ordered on a stream. */
export function cudaMemcpyToArrayAsync(
  dst: CudaArray,
  wOffset: number,
  hOffset: number,
  src: CopyOperand,
  count: number,
  kind: number,
  stream: CudaStream = 0,
): number {
  return run(dst, wOffset, hOffset, src, count, kind, stream, COPY_ASYNC, true);
}

/** Copies `count` bytes from an array, row after row (CUDA 10 and earlier). */
export function cudaMemcpyFromArray(
  dst: CopyOperand,
  src: CudaArray,
  wOffset: number,
  hOffset: number,
  count: number,
  kind: number,
): number {
  return run(src, wOffset, hOffset, dst, count, kind, 0, 0, false);
}

/** `cudaMemcpyFromArray`, ordered on a stream. */
export function cudaMemcpyFromArrayAsync(
  dst: CopyOperand,
  src: CudaArray,
  wOffset: number,
  hOffset: number,
  count: number,
  kind: number,
  stream: CudaStream = 0,
): number {
  return run(src, wOffset, hOffset, dst, count, kind, stream, COPY_ASYNC, false);
}

/** Copies `count` bytes of a row from one array to another (CUDA 10 and earlier). */
export function cudaMemcpyArrayToArray(
  dst: CudaArray,
  wOffsetDst: number,
  hOffsetDst: number,
  src: CudaArray,
  wOffsetSrc: number,
  hOffsetSrc: number,
  count: number,
  kind: number,
): number {
  const to = [dst, wOffsetDst, hOffsetDst] as const;
  return cudaMemcpy2DArrayToArray(...to, src, wOffsetSrc, hOffsetSrc, count, 1, kind);
}

/** Copies rows from one array to another; offsets and `width` in bytes. */
export function cudaMemcpy2DArrayToArray(
  dst: CudaArray,
  wOffsetDst: number,
  hOffsetDst: number,
  src: CudaArray,
  wOffsetSrc: number,
  hOffsetSrc: number,
  width: number,
  height: number,
  kind: number,
): number {
  const sides = (thread: HostThread) => ({
    target: part(arrayLayout(thread, dst), wOffsetDst, hOffsetDst, width, height),
    source: part(arrayLayout(thread, src), wOffsetSrc, hOffsetSrc, width, height),
  });
  return copy2D(sides, width, height, kind, 0, 0);
}

/** The sides and the extent (width in bytes) of a 3-D copy. @throws CudaError */
export function boxes3D(
  thread: HostThread,
  p: CudaMemcpy3DParms | null,
): { target: BoxSide; source: BoxSide; extent: CudaExtent } {
  if (!isObject(p) || !isObject(p.extent) || !isExtent(p.extent)) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  const from = p.srcArray ? arrayLayout(thread, p.srcArray) : undefined;
  const to = p.dstArray ? arrayLayout(thread, p.dstArray) : undefined;
  // Each side is an array or memory, and arrays copied to one another have elements of one size.
  const bad =
    (from !== undefined) === isObject(p.srcPtr) ||
    (to !== undefined) === isObject(p.dstPtr) ||
    (from && to && from.elementBytes !== to.elementBytes);
  if (bad) throw new CudaError(cudaErrorInvalidValue);
  const elementBytes = from?.elementBytes ?? to?.elementBytes ?? 1;
  const side = (layout: ArrayLayout | undefined, ptr: typeof p.srcPtr, pos = ORIGIN): BoxSide => {
    if (layout) {
      checkInArray(layout, pos, p.extent);
      return arraySide(layout, pos);
    }
    if (!ptr) throw new CudaError(cudaErrorInvalidValue);
    return box3D(ptr, pos);
  };
  return {
    target: side(to, p.dstPtr, p.dstPos),
    source: side(from, p.srcPtr, p.srcPos),
    // The width is in elements where an array takes part.
    extent: { ...p.extent, width: p.extent.width * elementBytes },
  };
}

const ORIGIN: CudaPos = { x: 0, y: 0, z: 0 };

function copy3D(p: CudaMemcpy3DParms | null, stream: CudaStream, flags: number): number {
  return call((thread) => {
    const { target, source, extent } = boxes3D(thread, p);
    return copyBox(thread, target, source, extent, p?.kind ?? -1, stream, flags);
  });
}

/** Copies a box between pitched memories or arrays and waits for it. */
export function cudaMemcpy3D(p: CudaMemcpy3DParms | null): number {
  return copy3D(p, 0, 0);
}

/** `cudaMemcpy3D`, ordered on a stream. */
export function cudaMemcpy3DAsync(p: CudaMemcpy3DParms | null, stream: CudaStream = 0): number {
  return copy3D(p, stream, COPY_ASYNC);
}
