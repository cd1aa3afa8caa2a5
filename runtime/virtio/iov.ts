// Scatter-gather lists of a popped chain, by QEMU's names. The walks are in the core.

import type { CoreExports } from "./core.ts";
import { SEGMENT_SIZE, WORK_DROPPED, WORK_PARTIAL, WORK_SEGMENTS } from "./defs.ts";

/** What an Iov needs of its queue; DeviceQueue is one. */
export interface IovHost {
  readonly core: CoreExports;
  readonly memory: WebAssembly.Memory;
  readonly workspace: number;
  /** The workspace as 32-bit words. */
  readonly words: Uint32Array;
  /** Puts the segments of this iov's chain into the workspace, if others are there. */
  makeResident(iov: Iov): void;
  /** Private bytes that stand between an Iov and arrays outside the linear memory. */
  readonly bounce: Uint8Array;
  readonly bounceAddress: number;
}

/** One discard, for undo: what was there, and by how much the segment at the cut was shortened. */
interface Discard {
  readonly first: number;
  readonly count: number;
  readonly partial: number;
  readonly front: boolean;
}

/** The readable or the writable part of one chain: segments that were checked at pop. */
export class Iov {
  /** @internal The queue, and the element that owns this part (compared by identity only). */
  readonly host: IovHost;
  readonly owner: object;
  /** @internal Index of its first segment in the workspace. */
  first: number;
  /** Segments left. */
  count: number;
  /** @internal What discards changed, latest last. */
  undo: Discard[] | undefined = undefined;

  constructor(host: IovHost, owner: object, first: number, count: number) {
    this.host = host;
    this.owner = owner;
    this.first = first;
    this.count = count;
  }

  /** Bytes in all segments together. */
  get size(): number {
    return iovSize(this);
  }

  /** Linear address of segment `i`. @throws RangeError if there is no such segment */
  address(i: number): number {
    return this.#word(i, 0);
  }

  /** Bytes of segment `i`. @throws RangeError if there is no such segment */
  length(i: number): number {
    return this.#word(i, 1);
  }

  #word(i: number, word: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`segment ${i} of ${this.count}`);
    this.host.makeResident(this);
    return this.host.words[segmentWord(this.first + i) + word]!;
  }
}

/** Index of a segment's first word in the workspace. */
export function segmentWord(index: number): number {
  return (WORK_SEGMENTS + index * SEGMENT_SIZE) >>> 2;
}

/** Bytes in all segments of `iov`; up to 2³². */
export function iovSize(iov: Iov): number {
  iov.host.makeResident(iov);
  return iov.host.core.iovSize(iov.first, iov.count);
}

/**
 * Copies from a chain.
 * @param iov the part to read, in general `element.out`
 * @param offset bytes to skip
 * @param target linear address, or an array of any memory
 * @param bytes how many; for an array its length by default
 * @returns how many were there to copy
 */
export function iovToBuf(
  iov: Iov,
  offset: number,
  target: number | Uint8Array,
  bytes: number = typeof target === "number" ? 0 : target.length,
): number {
  const { host, first, count } = iov;
  host.makeResident(iov);
  if (typeof target === "number") {
    return host.core.iovToBuf(first, count, offset, target, bytes) >>> 0;
  }
  const wanted = Math.min(bytes, target.length);
  if (target.buffer === host.memory.buffer) {
    return host.core.iovToBuf(first, count, offset, target.byteOffset, wanted) >>> 0;
  }
  let done = 0;
  while (done < wanted) {
    const part = Math.min(wanted - done, host.bounce.length);
    const got = host.core.iovToBuf(first, count, offset + done, host.bounceAddress, part) >>> 0;
    target.set(host.bounce.subarray(0, got), done);
    done += got;
    if (got < part) break;
  }
  return done;
}

/**
 * Copies into a chain; only segments that the driver made writable are ever in `element.in`.
 * @param iov the part to write, in general `element.in`
 * @param offset bytes to skip
 * @param source linear address, or an array of any memory
 * @param bytes how many; for an array its length by default
 * @returns how many there was room for
 */
export function iovFromBuf(
  iov: Iov,
  offset: number,
  source: number | Uint8Array,
  bytes: number = typeof source === "number" ? 0 : source.length,
): number {
  const { host, first, count } = iov;
  host.makeResident(iov);
  if (typeof source === "number") {
    return host.core.iovFromBuf(first, count, offset, source, bytes) >>> 0;
  }
  const wanted = Math.min(bytes, source.length);
  if (source.buffer === host.memory.buffer) {
    return host.core.iovFromBuf(first, count, offset, source.byteOffset, wanted) >>> 0;
  }
  let done = 0;
  while (done < wanted) {
    const part = Math.min(wanted - done, host.bounce.length);
    host.bounce.set(source.subarray(done, done + part));
    const put = host.core.iovFromBuf(first, count, offset + done, host.bounceAddress, part) >>> 0;
    done += put;
    if (put < part) break;
  }
  return done;
}

/** Sets `bytes` bytes of a chain to `value`, from `offset` on. @returns how many were set */
export function iovMemset(iov: Iov, offset: number, value: number, bytes: number): number {
  iov.host.makeResident(iov);
  return iov.host.core.iovMemset(iov.first, iov.count, offset, value, bytes) >>> 0;
}

/**
 * Takes bytes off the front, so that offset 0 is what follows them.
 * @returns how many were taken: less than `bytes` if the chain is shorter
 */
export function iovDiscardFront(iov: Iov, bytes: number): number {
  const { host, first, count } = iov;
  host.makeResident(iov);
  const taken = host.core.iovDiscardFront(first, count, bytes) >>> 0;
  const dropped = host.words[WORK_DROPPED >>> 2]!;
  iov.undo ??= [];
  iov.undo.push({ first, count, partial: host.words[WORK_PARTIAL >>> 2]!, front: true });
  iov.first += dropped;
  iov.count -= dropped;
  return taken;
}

/** Takes bytes off the back. @returns how many were taken */
export function iovDiscardBack(iov: Iov, bytes: number): number {
  const { host, first, count } = iov;
  host.makeResident(iov);
  const taken = host.core.iovDiscardBack(first, count, bytes) >>> 0;
  iov.undo ??= [];
  iov.undo.push({ first, count, partial: host.words[WORK_PARTIAL >>> 2]!, front: false });
  iov.count -= host.words[WORK_DROPPED >>> 2]!;
  return taken;
}

/** Takes back the latest discard. @returns false if there is none to take back */
export function iovDiscardUndo(iov: Iov): boolean {
  const last = iov.undo?.pop();
  if (!last) return false;
  const { host } = iov;
  host.makeResident(iov);
  if (last.partial > 0) {
    // Only the segment at the cut was shortened; the dropped ones were left as they are.
    const cut = segmentWord(last.front ? iov.first : iov.first + iov.count - 1);
    if (last.front) host.words[cut]! -= last.partial;
    host.words[cut + 1]! += last.partial;
  }
  iov.first = last.first;
  iov.count = last.count;
  return true;
}
