/**
 * VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD, split rings: which buffers the device has taken and not given
 * back, in memory that outlives it, so that the one that comes after it does not lose them. It is the
 * only state of the device that a frontend could change: all of it is checked when it is read, once.
 *
 * A queue's region (vhost-user, "Inflight I/O tracking"), 64-byte aligned:
 *
 *     0   u64  features, 0      8   u16  version, 1       10  u16  descriptors
 *     12  u16  last_batch_head  14  u16  used_idx
 *     16  for each descriptor:  0 u8 in flight   6 u16 next   8 u64 counter (16 bytes)
 *
 * What a device that has ended was at work on has ended with it: the new one gives those buffers back
 * with nothing written.
 */
import type { InflightRegion, InflightState } from "./inflight-area.ts";

const HEADER_BYTES = 16;
const ENTRY_BYTES = 16;
const ALIGNMENT = 64;
const VERSION = 1;

/** Bytes of one queue's region. */
export function splitRegionBytes(size: number): number {
  return Math.ceil((HEADER_BYTES + size * ENTRY_BYTES) / ALIGNMENT) * ALIGNMENT;
}

/** What is asked of the queue. */
interface SplitQueue {
  readonly size: number;
  /** Of the used ring: the earlier device may have ended between that and its note. */
  readonly usedIndex: number;
}

/** The region of one queue, as the device that serves it keeps it. */
export class InflightSplit implements InflightRegion {
  readonly #view: DataView;
  readonly #queue: SplitQueue;
  readonly #size: number;
  #counter = 0n;

  /** @param bytes the queue's region, splitRegionBytes(size) of them */
  constructor(bytes: Uint8Array, queue: SplitQueue) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#queue = queue;
    this.#size = queue.size;
  }

  recover(base: number): InflightState | undefined {
    const { usedIndex } = this.#queue;
    const view = this.#view;
    const version = view.getUint16(8, true);
    const found: { head: number; counter: bigint }[] = [];
    if (version !== 0) {
      if (version !== VERSION || view.getUint16(10, true) !== this.#size) return undefined;
      if (!this.#finishBatch(usedIndex)) return undefined;
      for (let head = 0; head < this.#size; head++) {
        if (view.getUint8(this.#entry(head)) === 0) continue;
        found.push({ head, counter: view.getBigUint64(this.#entry(head) + 8, true) });
      }
    }
    found.sort((a, b) => Number(a.counter - b.counter));
    const lost = found.map(({ head }) => ({ head, units: 1 }));
    const behind = (usedIndex + lost.length) & 0xffff;
    for (let at = 0; at < HEADER_BYTES + this.#size * ENTRY_BYTES; at++) view.setUint8(at, 0);
    view.setUint16(10, this.#size, true);
    // The lost ones go back at once.
    view.setUint16(14, behind, true);
    view.setUint16(8, VERSION, true);
    // What was lost lies before the rest: the used ring and the lost ones are all that was taken.
    return { base: lost.length > 0 ? behind : base, lost };
  }

  /** What was published in the used ring and not noted yet is no longer in flight. */
  #finishBatch(usedIndex: number): boolean {
    const missing = (usedIndex - this.#view.getUint16(14, true)) & 0xffff;
    if (missing > this.#size) return false;
    let head = this.#view.getUint16(12, true);
    for (let i = 0; i < missing; i++) {
      if (head >= this.#size) return false;
      this.#view.setUint8(this.#entry(head), 0);
      head = this.#view.getUint16(this.#entry(head) + 6, true);
    }
    return true;
  }

  taken(head: number): void {
    this.#view.setBigUint64(this.#entry(head) + 8, this.#counter++, true);
    this.#view.setUint8(this.#entry(head), 1);
  }

  giving(head: number): void {
    this.#view.setUint16(this.#entry(head) + 6, this.#view.getUint16(12, true), true);
    this.#view.setUint16(12, head, true);
  }

  given(head: number): void {
    this.#view.setUint8(this.#entry(head), 0);
    this.#view.setUint16(14, this.#view.getUint16(14, true) + 1, true);
  }

  #entry(head: number): number {
    return HEADER_BYTES + head * ENTRY_BYTES;
  }
}
