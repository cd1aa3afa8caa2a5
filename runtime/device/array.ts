/** Arrays: elements in rows and slices in device memory, behind a handle. */
import * as P from "../protocol/arrays.ts";
import type { Allocation } from "./allocations.ts";
import { TEXTURE_ALIGNMENT, TEXTURE_PITCH_ALIGNMENT } from "./properties.ts";

/** What an array is asked to be; extents in elements, 0 = that dimension is not there. */
export interface ArrayShape {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly flags: number;
  readonly format: number;
  /** Bits of the channels x, y, z, w. */
  readonly bits: readonly number[];
}

/** An array, or (a cubemap's six faces, layers) a stack of them. */
export class ArrayObject implements ArrayShape {
  readonly handle: number;
  readonly allocation: Allocation;
  /** Bytes from the start of the allocation: not 0 in levels of mipmapped arrays. */
  readonly start: number;
  /** The mipmapped array that it is a level of. */
  readonly mipmapped: MipmappedArray | undefined;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly flags: number;
  readonly format: number;
  readonly bits: readonly number[];
  /** Bytes from row to row, and from slice to slice. */
  readonly pitch: number;
  readonly slice: number;

  /** @param allocation with `arrayLayout(shape).bytes` from `start` on */
  constructor(
    handle: number,
    shape: ArrayShape,
    allocation: Allocation,
    start = 0,
    mipmapped?: MipmappedArray,
  ) {
    const layout = arrayLayout(shape);
    this.handle = handle;
    this.allocation = allocation;
    this.start = start;
    this.mipmapped = mipmapped;
    this.width = shape.width;
    this.height = shape.height;
    this.depth = shape.depth;
    this.flags = shape.flags;
    this.format = shape.format;
    this.bits = shape.bits;
    this.pitch = layout.pitch;
    this.slice = layout.slice;
  }
}

/** A mipmapped array: arrays of which each has half the extents of the one before. */
export class MipmappedArray {
  readonly handle: number;
  readonly allocation: Allocation;
  readonly levels: readonly ArrayObject[];

  /**
   * @param shapes of the levels
   * @param allocation of `mipmapBytes(shapes)`
   * @param newHandle gives each level its handle
   */
  constructor(shapes: readonly ArrayShape[], allocation: Allocation, newHandle: () => number) {
    this.handle = newHandle();
    this.allocation = allocation;
    let start = 0;
    this.levels = shapes.map((shape) => {
      const level = new ArrayObject(newHandle(), shape, allocation, start, this);
      start += arrayLayout(shape).bytes;
      return level;
    });
  }
}

/** The levels of a mipmapped array: at least one, at most down to one element. */
export function mipmapShapes(shape: ArrayShape, most: number): ArrayShape[] {
  const stacked = (shape.flags & (P.ARRAY_LAYERED | P.ARRAY_CUBEMAP)) !== 0;
  const largest = Math.max(shape.width, shape.height, stacked ? 0 : shape.depth);
  const count = Math.max(1, Math.min(most, 32 - Math.clz32(largest)));
  const half = (extent: number, level: number) => extent && Math.max(1, extent >>> level);
  return Array.from({ length: count }, (_, level) => ({
    ...shape,
    width: half(shape.width, level),
    height: half(shape.height, level),
    depth: stacked ? shape.depth : half(shape.depth, level),
  }));
}

/** Bytes of all levels. */
export function mipmapBytes(shapes: readonly ArrayShape[]): number {
  return shapes.reduce((sum, shape) => sum + arrayLayout(shape).bytes, 0);
}

/** @returns how many channels there are: 1, 2 or 4; 0 if that is no valid descriptor */
export function channels({ bits, format }: ArrayShape): number {
  const count = bits.indexOf(0);
  const used = count < 0 ? 4 : count;
  const [first = 0] = bits;
  const same = bits.every((each, i) => each === (i < used ? first : 0));
  const known =
    format === P.FORMAT_FLOAT ? first === 16 || first === 32 : [8, 16, 32].includes(first);
  return same && known && format <= P.FORMAT_FLOAT && used !== 3 ? used : 0;
}

/** Bytes of an element. */
export function elementBytes(shape: ArrayShape): number {
  return (channels(shape) * shape.bits[0]!) / 8;
}

/** @returns bytes from row to row, from slice to slice, and of it all */
export function arrayLayout(shape: ArrayShape): { pitch: number; slice: number; bytes: number } {
  const up = (value: number, to: number): number => Math.ceil(value / to) * to;
  const pitch = up(shape.width * elementBytes(shape), TEXTURE_PITCH_ALIGNMENT);
  const slice = up(pitch * Math.max(1, shape.height), TEXTURE_ALIGNMENT);
  return { pitch, slice, bytes: slice * Math.max(1, shape.depth) };
}

const ALL_FLAGS =
  P.ARRAY_LAYERED | P.ARRAY_SURFACE_LOAD_STORE | P.ARRAY_CUBEMAP | P.ARRAY_TEXTURE_GATHER;

/** Are the extents within the device's limits (the attributes cudaDevAttrMaxTexture*)? */
export function isArrayShape({ width, height, depth, flags }: ArrayShape): boolean {
  if (width === 0 || flags & ~ALL_FLAGS) return false;
  if (flags & P.ARRAY_CUBEMAP) {
    // Six faces, square; a layered cubemap has six for each layer.
    const faces = flags & P.ARRAY_LAYERED ? depth % 6 === 0 && depth > 0 : depth === 6;
    return faces && width === height && width <= 32768 && depth <= 2046;
  }
  if (flags & P.ARRAY_LAYERED) {
    return depth > 0 && depth <= 2048 && width <= 32768 && height <= 32768;
  }
  if (depth > 0) return height > 0 && Math.max(width, height, depth) <= 16384;
  return height > 0 ? width <= 131072 && height <= 65536 : width <= 131072;
}
