/** Arrays: memory of elements for textures and surfaces. */
import {
  ARRAY_CREATE_ARRAY,
  ARRAY_CREATE_BITS_X,
  ARRAY_CREATE_DEPTH,
  ARRAY_CREATE_FLAGS,
  ARRAY_CREATE_FORMAT,
  ARRAY_CREATE_HEIGHT,
  ARRAY_CREATE_LEVELS,
  ARRAY_CREATE_WIDTH,
  ARRAY_DESTROY_ARRAY,
  ARRAY_INFO_ADDRESS,
  ARRAY_INFO_ARRAY,
  ARRAY_INFO_BITS_X,
  ARRAY_INFO_DEPTH,
  ARRAY_INFO_FLAGS,
  ARRAY_INFO_FORMAT,
  ARRAY_INFO_HEIGHT,
  ARRAY_INFO_PITCH,
  ARRAY_INFO_SLICE,
  ARRAY_INFO_WIDTH,
  ARRAY_LEVEL_ARRAY,
  ARRAY_LEVEL_LEVEL,
  ARRAY_LEVEL_MIPMAPPED,
  COMMAND_ARRAY_CREATE,
  COMMAND_ARRAY_DESTROY,
  COMMAND_ARRAY_INFO,
  COMMAND_ARRAY_LEVEL,
} from "../runtime/protocol/arrays.ts";
import {
  cudaErrorInvalidChannelDescriptor,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { CudaError } from "./errors.ts";
import type { CudaChannelFormatDesc } from "./misc.ts";
import type { CudaExtent } from "./pitched.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaArray,
  type CudaMipmappedArray,
  isBox,
  isObject,
  isU32,
  type Out,
} from "./types.ts";

/** An array as the device has it; extents in elements, 0 for a dimension that isn't there. */
export interface ArrayLayout {
  readonly address: number;
  /** Bytes from row to row and from slice to slice. */
  readonly pitch: number;
  readonly slice: number;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly flags: number;
  readonly desc: CudaChannelFormatDesc;
  /** Bytes of an element. */
  readonly elementBytes: number;
}

/** What the device knows of an array. @throws CudaError cudaErrorInvalidResourceHandle */
export function arrayLayout(thread: HostThread, array: CudaArray): ArrayLayout {
  const error = cudaErrorInvalidResourceHandle;
  const device = thread.device().begin();
  device.setHandle(ARRAY_INFO_ARRAY, array, error).check(COMMAND_ARRAY_INFO);
  const [x = 0, y = 0, z = 0, w = 0] = [0, 4, 8, 12].map((at) =>
    device.getU32(ARRAY_INFO_BITS_X + at),
  );
  return {
    address: device.getU64(ARRAY_INFO_ADDRESS),
    pitch: device.getU64(ARRAY_INFO_PITCH),
    slice: device.getU64(ARRAY_INFO_SLICE),
    width: device.getU32(ARRAY_INFO_WIDTH),
    height: device.getU32(ARRAY_INFO_HEIGHT),
    depth: device.getU32(ARRAY_INFO_DEPTH),
    flags: device.getU32(ARRAY_INFO_FLAGS),
    desc: { x, y, z, w, f: device.getU32(ARRAY_INFO_FORMAT) },
    elementBytes: (x + y + z + w) / 8,
  };
}

/**
 * Makes an array of one or two dimensions.
 * @param desc bits of an element's channels, and their kind
 * @param width elements of a row
 * @param height rows; 0 for one dimension
 * @param flags `cudaArray…`
 */
export function cudaMallocArray(
  array: Out<CudaArray> | null,
  desc: CudaChannelFormatDesc | null,
  width: number,
  height = 0,
  flags = 0,
): number {
  return cudaMalloc3DArray(array, desc, { width, height, depth: 0 }, flags);
}

/** Makes an array. @param extent in elements; 0 for a dimension that isn't there */
export function cudaMalloc3DArray(
  array: Out<CudaArray> | null,
  desc: CudaChannelFormatDesc | null,
  extent: CudaExtent,
  flags = 0,
): number {
  return create(array, desc, extent, 0, flags);
}

/** @param levels of a mipmapped array, or 0 */
function create(
  array: Out<CudaArray> | null,
  desc: CudaChannelFormatDesc | null,
  extent: CudaExtent,
  levels: number,
  flags: number,
): number {
  return call((thread) => {
    if (!isBox(array) || !isObject(desc) || !isObject(extent)) return cudaErrorInvalidValue;
    const { width, height, depth } = extent;
    if (![width, height, depth, flags].every(isU32)) return cudaErrorInvalidValue;
    const bits = [desc.x, desc.y, desc.z, desc.w];
    if (![...bits, desc.f].every(isU32)) return cudaErrorInvalidChannelDescriptor;
    const device = thread.device().begin().setU32(ARRAY_CREATE_WIDTH, width);
    device.setU32(ARRAY_CREATE_HEIGHT, height).setU32(ARRAY_CREATE_DEPTH, depth);
    device.setU32(ARRAY_CREATE_FLAGS, flags).setU32(ARRAY_CREATE_FORMAT, desc.f);
    device.setU32(ARRAY_CREATE_LEVELS, levels);
    for (const [index, value] of bits.entries()) {
      device.setU32(ARRAY_CREATE_BITS_X + 4 * index, value);
    }
    device.check(COMMAND_ARRAY_CREATE);
    array.value = device.getU32(ARRAY_CREATE_ARRAY);
    return cudaSuccess;
  });
}

/**
 * Makes a mipmapped array: arrays of which each has half the extents of the one before.
 * @param numLevels how many; at least one, and at most down to one element, whatever is asked for
 */
export function cudaMallocMipmappedArray(
  mipmappedArray: Out<CudaMipmappedArray> | null,
  desc: CudaChannelFormatDesc | null,
  extent: CudaExtent,
  numLevels: number,
  flags = 0,
): number {
  if (!isU32(numLevels)) return call(() => cudaErrorInvalidValue);
  return create(mipmappedArray, desc, extent, Math.max(1, numLevels), flags);
}

/** A level of a mipmapped array, which ends with it. */
export function cudaGetMipmappedArrayLevel(
  levelArray: Out<CudaArray> | null,
  mipmappedArray: CudaMipmappedArray,
  level: number,
): number {
  return call((thread) => {
    if (!isBox(levelArray) || !isU32(level)) return cudaErrorInvalidValue;
    const device = thread.device().begin();
    device.setHandle(ARRAY_LEVEL_MIPMAPPED, mipmappedArray, cudaErrorInvalidResourceHandle);
    device.setU32(ARRAY_LEVEL_LEVEL, level).check(COMMAND_ARRAY_LEVEL);
    levelArray.value = device.getU32(ARRAY_LEVEL_ARRAY);
    return cudaSuccess;
  });
}

/** Frees a mipmapped array, after all work that uses it. Null is no error. */
export function cudaFreeMipmappedArray(mipmappedArray: CudaMipmappedArray): number {
  return cudaFreeArray(mipmappedArray);
}

/** Frees an array, after all work that uses it. Null is no error. */
export function cudaFreeArray(array: CudaArray): number {
  return call((thread) => {
    if (array === 0) return cudaSuccess;
    const error = cudaErrorInvalidResourceHandle;
    const device = thread.device().begin();
    return device.setHandle(ARRAY_DESTROY_ARRAY, array, error).send(COMMAND_ARRAY_DESTROY);
  });
}

/** What an array was made with; each box may be null. */
export function cudaArrayGetInfo(
  desc: Out<CudaChannelFormatDesc | null> | null,
  extent: Out<CudaExtent | null> | null,
  flags: Out<number> | null,
  array: CudaArray,
): number {
  return call((thread) => {
    const layout = arrayLayout(thread, array);
    const { width, height, depth } = layout;
    if (isBox(desc)) desc.value = layout.desc;
    if (isBox(extent)) extent.value = { width, height, depth };
    if (isBox(flags)) flags.value = layout.flags;
    return cudaSuccess;
  });
}

/** The channels of an array's elements. */
export function cudaGetChannelDesc(
  desc: Out<CudaChannelFormatDesc | null> | null,
  array: CudaArray,
): number {
  return call((thread) => {
    if (!isBox(desc)) return cudaErrorInvalidValue;
    desc.value = arrayLayout(thread, array).desc;
    return cudaSuccess;
  });
}

/** Checks that a box lies inside an array. @throws CudaError cudaErrorInvalidValue */
export function checkInArray(
  { width, height, depth }: ArrayLayout,
  at: { x: number; y: number; z: number },
  extent: CudaExtent,
): void {
  const inside =
    at.x + extent.width <= width &&
    at.y + extent.height <= Math.max(height, 1) &&
    at.z + extent.depth <= Math.max(depth, 1);
  if (!inside) throw new CudaError(cudaErrorInvalidValue);
}
