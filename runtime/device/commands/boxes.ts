/** Copies and fills of pitched boxes: cudaMemcpy2D and 3D, cudaMemset2D and 3D. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidMemcpyDirection,
  cudaErrorInvalidPitchValue,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../../protocol/errors.ts";
import { readU64 } from "../../protocol/fields.ts";
import type { Call } from "../call.ts";
import type { Context } from "../context.ts";
import type { Device } from "../device.ts";
import type { RequestSource } from "../source.ts";
import { type Stream, WORK_DONE, type Work } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";
import { fill, HOST_SIDES, moved, nothing, othersOf, perform, reaches, sideOf } from "./copies.ts";

/** One side of a box: where it starts, and the way from row to row and from slice to slice. */
interface Side {
  readonly address: number;
  readonly pitch: number;
  readonly slice: number;
}

/** A box as the request has it; sizes in bytes, rows and slices. */
interface Box {
  readonly target: Side;
  readonly source: Side;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

function readBox(call: RequestSource): Box | undefined {
  const bytes = new Uint8Array(P.BOX_SIZE);
  if (call.inputBytes < P.BOX_SIZE) {
    call.detail(P.DETAIL_BAD_LENGTH);
    return undefined;
  }
  call.readInput(0, bytes, P.BOX_SIZE);
  const view = new DataView(bytes.buffer);
  const side = (at: number): Side => ({
    address: readU64(view, at),
    pitch: readU64(view, at + 8),
    slice: readU64(view, at + 16),
  });
  return {
    target: side(P.BOX_TARGET),
    source: side(P.BOX_SOURCE),
    width: readU64(view, P.BOX_WIDTH),
    height: readU64(view, P.BOX_HEIGHT),
    depth: readU64(view, P.BOX_DEPTH),
  };
}

/**
 * Bytes from a side's start to the end of its last row.
 * @returns -1 if rows or slices would overlap
 */
function extent({ pitch, slice }: Side, { width, height, depth }: Box): number {
  if (height > 1 && pitch < width) return -1;
  const rows = (height - 1) * pitch + width;
  if (depth > 1 && slice < rows) return -1;
  // Products above 2⁵³ lose exactness, but stay larger than any allocation.
  return (depth - 1) * slice + rows;
}

/** Calls `row(target, source)` for each row; both relative to the sides' starts. */
function eachRow(box: Box, row: (target: number, source: number) => void): void {
  for (let z = 0; z < box.depth; z++) {
    for (let y = 0; y < box.height; y++) {
      row(z * box.target.slice + y * box.target.pitch, z * box.source.slice + y * box.source.pitch);
    }
  }
}

/** `othersOf` for a request that is right. A side that is outside has no address of ours. */
function othersOfBox(device: Device, call: Call, stream: Stream): readonly Context[] {
  const box = readBox(call);
  return box ? othersOf(device, call, stream, box.target.address, box.source.address) : [];
}

const OUTSIDE = P.COPY_SOURCE_MAPPED | P.COPY_TARGET_MAPPED;

const copy: Command = {
  responseBytes: P.MEMORY_COPY_3D_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const flags = call.u32(P.MEMORY_COPY_3D_FLAGS);
    const { group, thread } = call;
    const prepared = prepareCopy(device, call);
    if (typeof prepared === "number") return prepared;
    const intoDevice = (flags & P.COPY_SOURCE_MAPPED) !== 0;
    const work = flags & OUTSIDE ? moved(group, thread, intoDevice) : prepared;
    // With a side outside, the driver moves the rows once this is answered.
    const wait = (flags & P.COPY_ASYNC) === 0 || (flags & OUTSIDE) !== 0;
    return perform(device, call, stream, work, wait, othersOfBox(device, call, stream));
  },
  prepare: prepareCopy,
};

/** Checks a box copy; nothing is left to do for one that the driver carries out. */
function prepareCopy(device: Device, call: RequestSource): Work | number {
  const kind = call.u32(P.MEMORY_COPY_3D_KIND);
  const flags = call.u32(P.MEMORY_COPY_3D_FLAGS);
  if (kind > P.COPY_DEFAULT) return cudaErrorInvalidMemcpyDirection;
  if (flags & ~(OUTSIDE | P.COPY_ASYNC) || (flags & OUTSIDE) === OUTSIDE) {
    return cudaErrorInvalidValue;
  }
  const box = readBox(call);
  if (box === undefined) return cudaErrorInvalidValue;
  const sides = HOST_SIDES[kind];
  const sourceOutside = (flags & P.COPY_SOURCE_MAPPED) !== 0;
  const targetOutside = (flags & P.COPY_TARGET_MAPPED) !== 0;
  if (sides && ((targetOutside && !sides[0]) || (sourceOutside && !sides[1]))) {
    return cudaErrorInvalidValue;
  }
  if (box.width === 0 || box.height === 0 || box.depth === 0) return nothing;
  const targetBytes = extent(box.target, box);
  const sourceBytes = extent(box.source, box);
  if (targetBytes < 0 || sourceBytes < 0) return cudaErrorInvalidPitchValue;
  let to = 0;
  let from = 0;
  if (!targetOutside) to = sideOf(device, box.target.address, targetBytes);
  if (!sourceOutside) from = sideOf(device, box.source.address, sourceBytes);
  if (to < 0 || from < 0) return cudaErrorInvalidValue;
  if (sourceOutside || targetOutside) return nothing;
  return {
    run() {
      const { u8 } = device.memory;
      eachRow(box, (target, source) => {
        u8.copyWithin(to + target, from + source, from + source + box.width);
      });
      return WORK_DONE;
    },
  };
}

/** Checks a copy that the driver makes: its sides that are not outside (address 0). @returns a cudaError_t */
export function checkHostCopy(device: Device, call: RequestSource): number {
  const box = readBox(call);
  if (box === undefined || box.width * box.height * box.depth === 0) return cudaErrorInvalidValue;
  for (const side of [box.target, box.source]) {
    const bytes = extent(side, box);
    if (bytes < 0) return cudaErrorInvalidPitchValue;
    if (side.address !== 0 && sideOf(device, side.address, bytes) < 0) return cudaErrorInvalidValue;
  }
  return cudaSuccess;
}

const set: Command = {
  responseBytes: P.MEMORY_SET_3D_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const wait = (call.u32(P.MEMORY_SET_3D_FLAGS) & P.COPY_ASYNC) === 0;
    const work = prepareSet(device, call);
    if (typeof work === "number") return work;
    if (!reachesBox(device, call)) return cudaErrorInvalidValue;
    return perform(device, call, stream, work, wait, othersOfBox(device, call, stream));
  },
  prepare: prepareSet,
};

/** May the kernels of the request's context reach what a MEMORY_SET_3D fills? */
export function reachesBox(device: Device, call: RequestSource): boolean {
  return reaches(device, call.context, readBox(call)?.target.address ?? 0);
}

function prepareSet(device: Device, call: RequestSource): Work | number {
  const value = call.u32(P.MEMORY_SET_3D_VALUE);
  const element = call.u32(P.MEMORY_SET_3D_ELEMENT);
  if (element !== 1 && element !== 2 && element !== 4) return cudaErrorInvalidValue;
  const box = readBox(call);
  if (box === undefined || box.width % element !== 0) return cudaErrorInvalidValue;
  if (box.width === 0 || box.height === 0 || box.depth === 0) return nothing;
  const { address, pitch, slice } = box.target;
  const bytes = extent(box.target, box);
  if (bytes < 0) return cudaErrorInvalidPitchValue;
  const to = device.allocations.range(address, bytes);
  const aligned = to % element === 0 && pitch % element === 0 && slice % element === 0;
  if (to < 0 || !aligned) return cudaErrorInvalidValue;
  return {
    run() {
      eachRow(box, (target) => fill(device, to + target, box.width / element, value, element));
      return WORK_DONE;
    },
  };
}

/** The family: MEMORY_COPY_3D, MEMORY_SET_3D. */
export const boxCommands: CommandFamily = new Map([
  [P.COMMAND_MEMORY_COPY_3D, copy],
  [P.COMMAND_MEMORY_SET_3D, set],
]);
