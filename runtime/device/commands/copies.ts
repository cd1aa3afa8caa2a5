/** Copies and fills. Every range is looked up in the allocation table before a byte moves. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidMemcpyDirection,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../../protocol/errors.ts";
import { type Call, LATER } from "../call.ts";
import type { Context } from "../context.ts";
import type { Device } from "../device.ts";
import type { QueueGroup } from "../groups.ts";
import type { RequestSource } from "../source.ts";
import { type Stream, WORK_DONE, type Work } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";

/** Which sides of a copy are host memory by its cudaMemcpyKind: [target, source]. */
export const HOST_SIDES: readonly (readonly [boolean, boolean])[] = [
  [true, true],
  [false, true],
  [true, false],
  [false, false],
];

/**
 * Looks up one side of a copy. What the device knows may be any side, whatever the copy's kind says: addresses
 * are unified, and an H100 goes by them.
 * @returns its offset in the linear memory, or -1
 */
export function sideOf(device: Device, pointer: number, bytes: number): number {
  return device.allocations.range(pointer, bytes);
}

/** May the kernels of a context reach an address? Its fills go nowhere else; its copies may. */
export function reaches(device: Device, context: Context, pointer: number): boolean {
  const entry = device.allocations.find(pointer);
  if (entry === undefined || entry.kind !== P.MEMORY_DEVICE) return true;
  const { device: owner, pool } = entry;
  return (
    owner === context.ordinal || (pool?.access ?? context.peers).has(pool ? context.ordinal : owner)
  );
}

/** A copy inside the linear memory. Ranges may overlap. */
export function copyWork(device: Device, to: number, from: number, bytes: number): Work {
  return {
    run() {
      device.memory.u8.copyWithin(to, from, from + bytes);
      return WORK_DONE;
    },
  };
}

/** The empty work: a place in a stream. */
export const nothing: Work = { run: () => WORK_DONE };

/** A copy that a thread makes itself when it is told that the stream is there. */
export function moved(group: QueueGroup, thread: number, intoDevice: boolean): Work {
  if (!intoDevice) return nothing;
  return {
    run() {
      group.beginCopy(thread);
      return WORK_DONE;
    },
  };
}

const NONE: readonly Context[] = [];

/**
 * A copy in a legacy default stream that another device's memory takes part in is ordered with all work
 * of that device, too (CUDA Programming Guide, "Peer-to-Peer Memory Copy"): here the stream is told to
 * wait for what was asked of it before; `perform` makes it wait for the copy.
 * @param pointers of both sides, 0 for one that is outside
 * @returns the primary contexts of those devices
 */
export function othersOf(
  device: Device,
  call: Call,
  stream: Stream,
  ...pointers: number[]
): readonly Context[] {
  if (device.devices.length === 1 || !stream.legacy) return NONE;
  const { context } = call;
  const others = new Set<Context>();
  for (const pointer of pointers) {
    const entry = device.allocations.find(pointer);
    if (entry === undefined || entry.kind === P.MEMORY_HOST) continue;
    const owner = device.contexts.get(entry.context);
    if (owner !== undefined && owner.ordinal !== context.ordinal) others.add(owner);
  }
  for (const other of others) context.scheduler.addBarrier(stream, other.scheduler.tails());
  return [...others];
}

/**
 * Does work on a stream: at once if nothing is before it, else in its turn.
 * @param wait the answer tells that it is done; else that it was queued
 * @param others from `othersOf`
 * @returns what a handler returns
 */
export function perform(
  device: Device,
  call: Call,
  stream: Stream,
  work: Work,
  wait: boolean,
  others: readonly Context[] = NONE,
): number {
  const { scheduler } = call.context;
  if (scheduler.isFree(stream)) {
    if (work.run(stream) === WORK_DONE) return cudaSuccess;
    throw new Error("only work that ends at once may be performed");
  }
  const ticket = scheduler.enqueue(stream, work);
  for (const other of others) {
    other.scheduler.enqueue(other.legacy, { ...nothing, waits: [ticket] });
  }
  return wait ? device.whenDone(call, call.context, undefined, [ticket]) : cudaSuccess;
}

const copy: Command = {
  responseBytes: P.MEMORY_COPY_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const flags = call.u32(P.MEMORY_COPY_FLAGS);
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    if ((flags & OUTSIDE) === 0) {
      const work = prepareCopy(device, call);
      if (typeof work === "number") return work;
      const pair = [call.u64(P.MEMORY_COPY_TARGET), call.u64(P.MEMORY_COPY_SOURCE)];
      const others = othersOf(device, call, stream, ...pair);
      return perform(device, call, stream, work, (flags & P.COPY_ASYNC) === 0, others);
    }
    const kind = call.u32(P.MEMORY_COPY_KIND);
    if (kind > P.COPY_DEFAULT) return cudaErrorInvalidMemcpyDirection;
    const bytes = call.u64(P.MEMORY_COPY_BYTES);
    const wait = (flags & P.COPY_ASYNC) === 0;
    const sourceOutside = (flags & (P.COPY_SOURCE_INLINE | P.COPY_SOURCE_MAPPED)) !== 0;
    const targetOutside = (flags & (P.COPY_TARGET_INLINE | P.COPY_TARGET_MAPPED)) !== 0;
    const sides = HOST_SIDES[kind];
    // One side has to be in our memory, and what is outside has to be host memory.
    if (sourceOutside && targetOutside) return cudaErrorInvalidValue;
    if (sides && ((targetOutside && !sides[0]) || (sourceOutside && !sides[1]))) {
      return cudaErrorInvalidValue;
    }
    if (bytes === 0) return perform(device, call, stream, nothing, wait);
    let to = 0;
    let from = 0;
    if (!targetOutside) {
      to = sideOf(device, call.u64(P.MEMORY_COPY_TARGET), bytes);
      if (to < 0) return cudaErrorInvalidValue;
    }
    if (!sourceOutside) {
      from = sideOf(device, call.u64(P.MEMORY_COPY_SOURCE), bytes);
      if (from < 0) return cudaErrorInvalidValue;
    }
    const inside = call.u64(targetOutside ? P.MEMORY_COPY_SOURCE : P.MEMORY_COPY_TARGET);
    const others = othersOf(device, call, stream, inside);
    if (flags & P.COPY_SOURCE_INLINE) return copyIn(device, call, stream, to, bytes, wait, others);
    if (flags & P.COPY_TARGET_INLINE) return copyOut(device, call, stream, from, bytes);
    // Mapped: the driver moves the bytes once this is answered, so that is when the stream is there.
    return perform(
      device,
      call,
      stream,
      moved(call.group, call.thread, sourceOutside),
      true,
      others,
    );
  },
  prepare: prepareCopy,
};

const OUTSIDE =
  P.COPY_SOURCE_INLINE | P.COPY_SOURCE_MAPPED | P.COPY_TARGET_INLINE | P.COPY_TARGET_MAPPED;

/** A copy whose sides are both in memory that the device sees. @returns the work, or an error */
function prepareCopy(device: Device, source: RequestSource): Work | number {
  const kind = source.u32(P.MEMORY_COPY_KIND);
  if (kind > P.COPY_DEFAULT) return cudaErrorInvalidMemcpyDirection;
  const bytes = source.u64(P.MEMORY_COPY_BYTES);
  if (bytes === 0) return nothing;
  const to = sideOf(device, source.u64(P.MEMORY_COPY_TARGET), bytes);
  const from = sideOf(device, source.u64(P.MEMORY_COPY_SOURCE), bytes);
  if (to < 0 || from < 0) return cudaErrorInvalidValue;
  return copyWork(device, to, from, bytes);
}

/** The source follows the request. */
function copyIn(
  device: Device,
  call: Call,
  stream: Stream,
  to: number,
  bytes: number,
  wait: boolean,
  others: readonly Context[],
): number {
  if (call.inputBytes < bytes) {
    call.detail(P.DETAIL_BAD_LENGTH);
    return cudaErrorInvalidValue;
  }
  if (call.context.scheduler.isFree(stream)) {
    call.readInput(0, to, bytes);
    return cudaSuccess;
  }
  // The guest may reuse its buffers once it is answered, so the bytes wait here.
  const staged = new Uint8Array(bytes);
  call.readInput(0, staged, bytes);
  const work: Work = {
    run() {
      device.memory.u8.set(staged, to);
      return WORK_DONE;
    },
  };
  return perform(device, call, stream, work, wait, others);
}

/** The target is behind the response: always answered when it is there. */
function copyOut(device: Device, call: Call, stream: Stream, from: number, bytes: number): number {
  if (call.outputRoom(P.MEMORY_COPY_RESPONSE_SIZE) < bytes) {
    call.detail(P.DETAIL_BAD_LENGTH);
    return cudaErrorInvalidValue;
  }
  const { scheduler } = call.context;
  if (scheduler.isFree(stream)) {
    call.writeOutput(from, bytes);
    return cudaSuccess;
  }
  const answer = call.later();
  const work: Work = {
    run() {
      answer.write(from, bytes);
      return WORK_DONE;
    },
  };
  const ticket = scheduler.enqueue(stream, work);
  const { context } = call;
  const done = (error: number): void => device.answer(answer, error, context);
  scheduler.wait({ tickets: [ticket], done });
  return LATER;
}

/** Fills elements of 1, 2 or 4 bytes. @returns the work; the range was checked and is aligned */
export function fillWork(
  device: Device,
  to: number,
  count: number,
  value: number,
  width: number,
): Work {
  return {
    run() {
      fill(device, to, count, value, width);
      return WORK_DONE;
    },
  };
}

/** Fills `count` elements of `width` bytes at an offset that is a multiple of `width`. */
export function fill(
  device: Device,
  to: number,
  count: number,
  value: number,
  width: number,
): void {
  const { memory } = device;
  if (width === 1) memory.u8.fill(value & 0xff, to, to + count);
  else if (width === 4) memory.u32.fill(value >>> 0, to / 4, to / 4 + count);
  else new Uint16Array(memory.u8.buffer, to, count).fill(value & 0xffff);
}

const set: Command = {
  responseBytes: P.MEMORY_SET_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const work = prepareSet(device, call);
    if (typeof work === "number") return work;
    if (!reaches(device, call.context, call.u64(P.MEMORY_SET_TARGET))) return cudaErrorInvalidValue;
    const wait = (call.u32(P.MEMORY_SET_FLAGS) & P.COPY_ASYNC) === 0;
    const others = othersOf(device, call, stream, call.u64(P.MEMORY_SET_TARGET));
    return perform(device, call, stream, work, wait, others);
  },
  prepare: prepareSet,
};

function prepareSet(device: Device, source: RequestSource): Work | number {
  const width = source.u32(P.MEMORY_SET_WIDTH);
  const count = source.u64(P.MEMORY_SET_COUNT);
  const value = source.u32(P.MEMORY_SET_VALUE);
  if (width !== 1 && width !== 2 && width !== 4) return cudaErrorInvalidValue;
  if (count === 0) return nothing;
  // Counts above 2⁵³ / 4 lose exactness but stay far above any allocation.
  const to = device.allocations.range(source.u64(P.MEMORY_SET_TARGET), count * width);
  if (to < 0 || to % width !== 0) return cudaErrorInvalidValue;
  return fillWork(device, to, count, value, width);
}

/** The family: MEMORY_COPY, MEMORY_SET. */
export const copyCommands: CommandFamily = new Map([
  [P.COMMAND_MEMORY_COPY, copy],
  [P.COMMAND_MEMORY_SET, set],
]);
